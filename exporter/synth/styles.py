"""How pictures are drawn: flat, outlined, shaded, textured, sketched, in silhouette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from exporter.synth.arrays import Random
from exporter.synth.chance import between, chance, pick, whole
from exporter.synth.palettes import brightness, draw_colour, mixed
from exporter.synth.shapes import Colour

StyleName = Literal["flat", "outlined", "shaded", "textured", "sketch", "silhouette"]
STYLE_NAMES: tuple[StyleName, ...] = get_args(StyleName)

Texture = NDArray[np.int16]
"""`[H, W, 3]`, added to the pixels of an object."""

_TEXTURE_SIZE = 192


@dataclass(frozen=True, slots=True)
class Inset:
    """A smaller copy of a part, painted over it.

    Attributes:
        keep: its size, relative.
        towards: where it lies, in half sizes of the part: -1..1 right and down.
        lightness: towards white (above 0) or black.
    """

    keep: float
    towards: tuple[float, float]
    lightness: float


@dataclass(frozen=True, slots=True)
class Style:
    """How the parts of a figure are painted.

    Attributes:
        name: which family.
        outline: pixels of the outline; 0 for none.
        outline_colour: None for a darker tone of each part.
        shading: insets, largest first.
        texture: added to the pixels of the object; None for none.
        tint: what all colours are mixed with.
        tint_share: how much, 0..1.
    """

    name: StyleName
    outline: int = 0
    outline_colour: Colour | None = None
    shading: tuple[Inset, ...] = ()
    texture: Texture | None = None
    tint: Colour = (0, 0, 0)
    tint_share: float = 0.0

    def tinted(self, colour: Colour) -> Colour:
        """A part's colour in this style."""
        return mixed(colour, self.tint, self.tint_share) if self.tint_share else colour


def draw_style(rng: Random, name: StyleName | None = None, *, size: int = 128) -> Style:
    """A style, of the family named or of any.

    Args:
        rng: where the draws come from.
        name: the family; None for any.
        size: pixels of the picture's side; widths grow with it.
    """
    family = pick(rng, STYLE_NAMES) if name is None else name
    width = max(1, round(size / 128 * whole(rng, 1, 2)))
    ink = (20, 18, 24) if chance(rng, 0.5) else None
    if family == "outlined":
        return Style(family, width, ink)
    if family == "shaded":
        return Style(family, width if chance(rng, 0.2) else 0, ink, _light(rng))
    if family == "textured":
        return Style(family, width if chance(rng, 0.3) else 0, ink, texture=draw_texture(rng))
    if family == "sketch":
        paper = (236, 232, 222) if chance(rng, 0.7) else (34, 38, 44)
        pen = (30, 30, 40) if brightness(paper) > 0.5 else (220, 224, 230)
        return Style(family, width, pen, tint=paper, tint_share=between(rng, 0.6, 0.9))
    if family == "silhouette":
        return Style(family, tint=draw_colour(rng), tint_share=between(rng, 0.6, 0.88))
    return Style(family)


def _light(rng: Random) -> tuple[Inset, ...]:
    angle = between(rng, 0, 2 * np.pi)
    towards = (float(np.cos(angle)), float(np.sin(angle)))
    depth = between(rng, 0.12, 0.3) * (1 if chance(rng, 0.8) else -1)
    return tuple(
        Inset(keep, (0.6 * towards[0], 0.6 * towards[1]), share * depth)
        for keep, share in ((0.82, 0.5), (0.58, 1.2), (0.3, 2.0))
    )


def draw_texture(rng: Random) -> Texture:
    """A pattern of stripes, checks, dots or grain, about 0 on average."""
    depth = between(rng, 18, 55)
    rows, columns = np.mgrid[0:_TEXTURE_SIZE, 0:_TEXTURE_SIZE].astype(np.float32)
    angle, period = between(rng, 0, np.pi), between(rng, 4, 14)
    along = (columns * np.cos(angle) + rows * np.sin(angle)) * (2 * np.pi / period)
    across = (rows * np.cos(angle) - columns * np.sin(angle)) * (2 * np.pi / period)
    kind = whole(rng, 0, 3)
    if kind == 0:
        pattern = np.sign(np.sin(along))
    elif kind == 1:
        pattern = np.sign(np.sin(along) * np.sin(across))
    elif kind == 2:
        pattern = np.where(np.sin(along) + np.sin(across) > 1.0, 1.6, -0.4)
    else:
        grain = rng.standard_normal((_TEXTURE_SIZE, _TEXTURE_SIZE), dtype=np.float32)
        blurred = cv2.GaussianBlur(grain, (0, 0), between(rng, 0.7, 3))
        pattern = blurred / blurred.std()
    tint = rng.uniform(0.6, 1.0, 3)
    return (depth * pattern[:, :, None] * tint).astype(np.int16)


def add_texture(
    frame: NDArray[np.uint8], mask: NDArray[np.uint8], texture: Texture, at: tuple[int, int]
) -> None:
    """Adds an object's texture where it is seen, in place.

    Args:
        frame: `[H, W, 3]`.
        mask: `[H, W]`, above 0 where the object is seen.
        texture: the pattern; it repeats.
        at: pixel of the pattern's origin: the pattern moves with the object.
    """
    left, top, width, height = cv2.boundingRect(mask)
    if not width:
        return
    rows = (np.arange(top, top + height) - at[1]) % _TEXTURE_SIZE
    columns = (np.arange(left, left + width) - at[0]) % _TEXTURE_SIZE
    pattern = texture[rows[:, None], columns]
    window = frame[top : top + height, left : left + width]
    region = mask[top : top + height, left : left + width]
    cv2.add(window, pattern, dst=window, mask=region, dtype=cv2.CV_8U)
