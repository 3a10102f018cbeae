"""Which makers to use: those without weights are always there, others where a mask bundle is installed.

A wish is a word: "auto" for the best that this machine does well, "no model" for the makers without weights,
or the id of a mask bundle. On a processor a bundle makes the masks of keyframes and the flow tracker
follows them; on a graphics card it does both.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models_onnx.mask_manifest import MaskBundle
from models_onnx.store import Store
from plugin.engine.providers import Provider
from plugin.errors import BundleMissing
from plugin.masks.colour_cut import ColourCut
from plugin.masks.flow_tracker import FlowTracker
from plugin.masks.lone_clicks import CarefulClicks
from plugin.masks.makers import Segmenter, Tracker

if TYPE_CHECKING:
    from plugin.masks.sam2_graphs import Sam2Graphs

AUTO = "auto"
NO_MODEL = "no model"

_SPELLINGS = frozenset({"nomodel", "none", "no", "flow", "colourcut"})
_NO_MODEL_WORDS = "colour cut and flow tracker, no model"


@dataclass(frozen=True, slots=True)
class Makers:
    """A pair of makers.

    Attributes:
        segmenter: makes the masks of keyframes.
        tracker: makes those between.
        words: what runs, for people.
        clicks_are_guesses: a lone click seldom finds the object with this segmenter.
    """

    segmenter: Segmenter
    tracker: Tracker
    words: str
    clicks_are_guesses: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A pair that could be opened.

    Attributes:
        wish: the word that means it.
        title: for people.
        bundle: the mask bundle it needs; None for the makers without weights.
    """

    wish: str
    title: str
    bundle: MaskBundle | None


def choices(store: Store) -> tuple[Choice, ...]:
    """Everything that can be chosen on this machine, the makers without weights first."""
    found = (each.bundle for each in store.list_masks())
    bundles = tuple(
        Choice(bundle.manifest.id, bundle.manifest.title, bundle) for bundle in found if bundle is not None
    )
    return (Choice(NO_MODEL, _NO_MODEL_WORDS, None), *bundles)


def chosen(wish: str, store: Store) -> Choice:
    """The choice that a word means. "auto" is the first bundle there is, else the makers without weights.

    Raises:
        BundleMissing: there is no such bundle.
    """
    there = choices(store)
    plain = wish.strip().casefold().replace("-", "").replace("_", "").replace(" ", "")
    if plain == AUTO:
        return there[1] if len(there) > 1 else there[0]
    if plain in _SPELLINGS:
        return there[0]
    for choice in there[1:]:
        if plain == choice.wish.casefold().replace("-", "").replace("_", ""):
            return choice
    raise _unknown(wish, tuple(choice.wish for choice in there))


def _unknown(wish: str, known: tuple[str, ...]) -> BundleMissing:
    near = difflib.get_close_matches(wish, known, n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return BundleMissing(
        f"There are no makers of masks called {wish!r} on this machine.{meant}",
        remedy=f"Choose one of: {AUTO}, {', '.join(known)}.",
    )


@contextmanager
def opened(choice: Choice, *, provider: str = "auto", threads: int | None = None) -> Iterator[Makers]:
    """The makers of a choice, let go of at the end of the block.

    Args:
        choice: what was chosen.
        provider: where a bundle runs: "auto", "cpu" or "cuda".
        threads: of one graph; None leaves it to ONNX Runtime.

    Raises:
        BundleError: the bundle cannot be used.
        ProviderUnavailable: the provider does not work here.
    """
    if choice.bundle is None:
        yield Makers(CarefulClicks(ColourCut()), FlowTracker(), _NO_MODEL_WORDS, clicks_are_guesses=True)
        return
    from plugin.masks.sam2_graphs import Sam2Graphs  # noqa: PLC0415 (onnxruntime only where a bundle is used)

    graphs = Sam2Graphs.open(choice.bundle, provider=provider, threads=threads)
    try:
        yield _of_bundle(choice.bundle, graphs)
    finally:
        graphs.close()


def _of_bundle(bundle: MaskBundle, graphs: Sam2Graphs) -> Makers:
    from plugin.masks.sam2_graphs import Sam2Constants  # noqa: PLC0415 (as above)
    from plugin.masks.sam2_model import Sam2Model  # noqa: PLC0415
    from plugin.masks.sam2_segmenter import Sam2Segmenter  # noqa: PLC0415
    from plugin.masks.sam2_session import Decoder  # noqa: PLC0415
    from plugin.masks.sam2_tracker import Sam2Tracker  # noqa: PLC0415

    decoder = Decoder(graphs, Sam2Constants.load(bundle), bundle.manifest)
    model = Sam2Model(bundle, decoder, words=graphs.words)
    follows = graphs.provider is Provider.CUDA
    return Makers(
        Sam2Segmenter(model),
        Sam2Tracker(model) if follows else FlowTracker(),
        graphs.words if follows else f"{graphs.words}, followed by the flow tracker",
        clicks_are_guesses=False,
    )
