"""Bundles of other people's networks under Apache-2.0: the licence, its text and the model card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from models_onnx.bundle import Licence

LICENCE_FILE = "LICENSE"
CARD_FILE = "MODEL_CARD.md"
ONNXRUNTIME_BELOW = "2"
_LICENCE_TEXT = Path(__file__).parent / "licences" / "apache-2.0.txt"


def apache(attribution: str) -> Licence:
    """The licence of weights by those who are named."""
    return Licence(
        name="Apache-2.0",
        commercial_use=True,
        attribution=attribution,
        text="Free for any use, paid work included, with the licence's text, which lies beside the graphs.",
    )


@dataclass(frozen=True, slots=True)
class Card:
    """What `MODEL_CARD.md` says.

    Attributes:
        title: one line.
        about: what it is, Markdown.
        checkpoint: name of the published weights.
        side: of the pictures, pixels.
        licence: of the weights.
        table: differences between ONNX and torch, Markdown.
    """

    title: str
    about: str
    checkpoint: str
    side: int
    licence: Licence
    table: str


def write_licence_and_card(folder: Path, card: Card, network: nn.Module) -> None:
    """Both files into a bundle's folder.

    Args:
        folder: of the bundle.
        card: what is to be said.
        network: whose parameters are counted.
    """
    (folder / LICENCE_FILE).write_text(_LICENCE_TEXT.read_text("utf-8"), "utf-8")
    parameters = sum(parameter.numel() for parameter in network.parameters())
    sizes = f"`{card.checkpoint}`, {parameters / 1e6:.2f} million parameters, pictures of {card.side} pixels"
    lines = (
        f"# {card.title}",
        "",
        card.about,
        "",
        f"* Sizes: {sizes}",
        f"* Licence: {card.licence.name}. {card.licence.text} Name: {card.licence.attribution}.",
        "",
        "Relative L2 difference between the ONNX graphs and torch:",
        "",
        card.table,
        "",
    )
    (folder / CARD_FILE).write_text("\n".join(lines), "utf-8")
