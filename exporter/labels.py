"""What people read about a bundle: its name, its licence and its card."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.sizes import Sizes
from models_onnx.bundle import Licence


@dataclass(frozen=True, slots=True)
class Label:
    """What people read about a bundle.

    Attributes:
        id: short name, lower case.
        title: one line.
        version: of the weights.
        licence: of the weights.
        about: the first paragraphs of the model card, Markdown; the card goes on with the figures.
    """

    id: str
    title: str
    version: str
    licence: Licence
    about: str


OWN_LICENCE = Licence(
    name="MIT",
    commercial_use=True,
    attribution="Sagafoley",
    text="Made by this project from nothing of anybody else's; paid work is allowed.",
)
PUBLISHED_LICENCE = Licence(
    name="CC-BY-NC-4.0",
    commercial_use=False,
    attribution="SAGANet (Viertola, Iashin, Rahtu), MMAudio, Synchformer, DFN5B-CLIP, BigVGAN",
    text="The published weights derive from MMAudio's, which may not be used in paid work.",
)

_UNTRAINED = """The weights are **random**: nothing was trained, no data were used, and the output sounds
like noise. It exists so that everything around the model can be installed, run and tested.
The weights are drawn from the names of the tensors, so the same command makes the same bundle."""

_PUBLISHED = """The published SAGANet weights (Viertola, Iashin, Rahtu: Video Object Segmentation-Aware Audio
Generation, GCPR 2025), exported to ONNX. The files they came from and their hashes are in the manifest."""

_PLAIN = """The published MMAudio weights, exported to ONNX. This model hears the whole frame: a matte changes
nothing. The files they came from and their hashes are in the manifest."""

_OWN = "Trained from scratch by this project; the data are synthetic scenes of its own."


def random_label(sizes: Sizes, *, id: str, title: str) -> Label:  # noqa: A002  the manifest's word
    """For a bundle of random weights."""
    return Label(
        id=id or sizes.name,
        title=title or f"Untrained ({sizes.name}): random weights, sounds like noise",
        version="0",
        licence=OWN_LICENCE,
        about=_UNTRAINED,
    )


def checkpoint_label(sizes: Sizes, *, id: str, title: str, file: str = "") -> Label:  # noqa: A002
    """For a bundle of weights from files: the published sizes are SAGANet's, all others our own.

    Args:
        sizes: of the model.
        id: what the user calls the bundle; "" takes the name of the weights.
        title: the same of the title.
        file: that of the flow network, without its ending; one of the published two was trained without LoRA.
    """
    if "_44k" not in sizes.name:
        name, named, licence, about = sizes.name, f"Sagafoley, {sizes.name}", OWN_LICENCE, _OWN
    else:
        family, about = ("SAGANet", _PUBLISHED) if sizes.masked else ("MMAudio", _PLAIN)
        name = f"{family.lower()}_{sizes.name.split('_', maxsplit=1)[0]}"
        named = f"{family}, {sizes.name}" + ("" if sizes.masked else " (whole frame, no masks)")
        licence = PUBLISHED_LICENCE
        if file == "saganet_no_lora":
            name, named = f"{name}_no_lora", f"{named}, trained without LoRA"
    return Label(id=id or name, title=title or named, version="1", licence=licence, about=about)


def model_card(label: Label, sizes: Sizes, *, parameters: int, table: str) -> str:
    """`MODEL_CARD.md`: what it is, under which terms, how big, how exact.

    Args:
        label: what people read.
        sizes: of the model.
        parameters: of all networks together.
        table: differences between ONNX and torch, Markdown.
    """
    licence = label.licence
    paid = "allowed" if licence.commercial_use else "not allowed"
    lines = (
        f"# {label.title}",
        "",
        label.about,
        "",
        f"* Sizes: `{sizes.name}`, {parameters / 1e6:.2f} million parameters",
        f"* Output: mono, {sizes.sample_rate} Hz",
        f"* Licence: {licence.name}; paid work {paid}. {licence.text} Name: {licence.attribution}.",
        "",
        "Relative L2 difference between the ONNX graphs and torch, by length of the pass and batch:",
        "",
        table,
        "",
    )
    return "\n".join(lines)
