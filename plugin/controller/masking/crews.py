"""Who makes the masks of a session: one segmenter in this process, a tracker that the mask process opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from models_onnx.store import Store
from plugin.errors import BundleError, MaskError
from plugin.masks.choosing import Makers, chosen, opened
from plugin.masks.documents import MadeBy
from plugin.masks.finders import opened_finder, usable_finder
from plugin.masks.makers import Cancel, Finder, Frames, Mask, Picture, Segmented, Segmenter, Tracked, Tracker
from plugin.masks.prompts import FramePrompts
from plugin.masks.warming import warm_up
from plugin.workspace import Workspace

_PLAIN = {"colour-cut": "colour cut, no model", "flow": "flow tracker, no model"}
"""Makers without weights, for people."""


BY_HAND = "draw a lasso or a box around the object"
"""What can be done without words, as the end of a remedy."""

OpenFinder = Callable[[str], AbstractContextManager[Finder]]


def no_finder(words: str) -> AbstractContextManager[Finder]:
    """Stands for the finder where there is none.

    Raises:
        BundleMissing: always.
    """
    return opened_finder(Store(()), words, instead=BY_HAND)


@dataclass(frozen=True, slots=True)
class Crew:
    """The makers of a session.

    Attributes:
        segmenter: makes the masks of keyframes, in a thread of this process.
        tracker: name and version of what follows them in the mask process.
        choice: what the mask process is told to open.
        segmenter_words: for people ("colour cut, no model").
        tracker_words: for people ("flow tracker, no model", "SAM 2.1 tiny, CUDA").
        clicks_need_model: a lone click is a guess with this segmenter.
        close: lets go of the segmenter.
        find: opens what finds objects by words, told the words; a block, slow to enter.
        no_words: why objects cannot be found by words here, with the remedy; "" where they can.
    """

    segmenter: Segmenter
    tracker: MadeBy
    choice: str
    segmenter_words: str
    tracker_words: str
    clicks_need_model: bool
    close: Callable[[], None] = lambda: None
    find: OpenFinder = no_finder
    no_words: str = ""


def open_crew(workspace: Workspace) -> Crew:
    """The makers that the settings wish for (see `plugin.masks.choosing`), on their provider. Slow.

    Raises:
        BundleError: the bundle cannot be used.
        ProviderUnavailable: the provider does not work here.
    """
    settings = workspace.settings
    choice = json.dumps(
        {
            "wish": settings.mask_maker,
            "folders": [str(folder) for folder in workspace.store.folders],
            "provider": settings.provider,
            "threads": settings.threads,
        }
    )
    stack = ExitStack()
    makers = stack.enter_context(open_makers(choice))
    warm_up(makers.segmenter)
    return Crew(
        makers.segmenter,
        MadeBy.of(makers.tracker),
        choice,
        _words(makers.segmenter, makers),
        _words(makers.tracker, makers),
        makers.clicks_are_guesses,
        close=stack.close,
        find=partial(
            opened_finder,
            workspace.store,
            provider=settings.provider,
            threads=settings.threads or None,
            instead=BY_HAND,
        ),
        no_words=_no_words(workspace.store),
    )


def _no_words(store: Store) -> str:
    try:
        usable_finder(store, instead=BY_HAND)
    except BundleError as error:
        return str(error)
    return ""


@contextmanager
def open_makers(choice: str) -> Iterator[Makers]:
    """The makers that a `Crew.choice` names, let go of at the end of the block.

    Raises:
        BundleError: the bundle cannot be used.
        ProviderUnavailable: the provider does not work here.
    """
    asked = json.loads(choice)
    store = Store(tuple(Path(folder) for folder in asked["folders"]))
    wanted = chosen(asked["wish"], store)
    with opened(wanted, provider=asked["provider"], threads=asked["threads"] or None) as makers:
        yield makers


def _words(maker: Segmenter | Tracker, makers: Makers) -> str:
    """One maker for people; where nothing else is known, the words of both."""
    return _PLAIN.get(maker.name) or str(getattr(maker, "words", makers.words))


@dataclass(frozen=True, slots=True)
class NoTracker:
    """Stands for the tracker where only keyframes are made: it has its name, and follows nothing."""

    made_by: MadeBy

    @property
    def name(self) -> str:
        """Of the tracker that it stands for."""
        return self.made_by.name

    @property
    def version(self) -> str:
        """Of the tracker that it stands for."""
        return self.made_by.version

    def track(
        self,
        frames: Frames,
        keyframes: Mapping[int, Mask],
        *,
        first: int,
        last: int,
        cancel: Cancel = lambda: False,
    ) -> Iterator[Tracked]:
        """Nothing."""
        del frames, keyframes, first, last, cancel
        return iter(())


@dataclass(frozen=True, slots=True)
class NoSegmenter:
    """Stands for the segmenter where all keyframes have their masks already: it has its name."""

    made_by: MadeBy

    @property
    def name(self) -> str:
        """Of the segmenter that it stands for."""
        return self.made_by.name

    @property
    def version(self) -> str:
        """Of the segmenter that it stands for."""
        return self.made_by.version

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        """Nothing: the mask should have been there.

        Raises:
            MaskError: always.
        """
        del picture, before
        raise MaskError(
            f"The mask of the keyframe at frame {prompts.frame} is not on disk any more.",
            remedy="Show that frame, so that it is made again, then track.",
        )
