"""A matte drawn over its picture: a tint inside, a line around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugin.media.mattes import WHITE
from plugin.media.picking import Picture

Colour = tuple[int, int, int]

_LINE = 1 / 400
"""Width of the line as a part of the picture's height."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """How a matte is drawn.

    Attributes:
        shown: at all.
        colour: red, green, blue, 0..255.
        opacity: of the tint where the matte is white, 0..1.
        outline: a full line where the matte becomes half white.
    """

    shown: bool = True
    colour: Colour = (255, 64, 128)
    opacity: float = 0.4
    outline: bool = True


def draw_over(picture: Picture, mask: Picture, overlay: Overlay) -> Picture:
    """The picture `[h, w, 3]` with the mask `[h, w]` drawn over it, a new array."""
    drawn = picture.copy()
    if not overlay.shown:
        return drawn
    rows, columns = _bounds(mask)
    part, marks = drawn[rows, columns], mask[rows, columns]
    colour = np.array(overlay.colour, np.int32)
    if overlay.opacity > 0:
        part[:] = _mixed(part, marks, colour, strength=round(min(overlay.opacity, 1.0) * 256))
    if overlay.outline:
        part[_edge(marks >= WHITE, width=max(1, round(len(mask) * _LINE)))] = colour
    return drawn


def _bounds(mask: Picture) -> tuple[slice, slice]:
    """Rows and columns that are marked at all."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _mixed(picture: Picture, mask: Picture, colour: NDArray[np.int32], *, strength: int) -> Picture:
    """`picture` towards `colour` by `mask / 255 * strength / 256`."""
    weight = mask.astype(np.int32)[..., None] * strength
    base = picture.astype(np.int32)
    return (base + ((colour - base) * weight + (1 << 15)) // (255 * 256)).clip(0, 255).astype(np.uint8)


def _edge(marked: NDArray[np.bool_], *, width: int) -> NDArray[np.bool_]:
    """The marked pixels within `width` of one that is not; the ends of the array count as unmarked."""
    inside = marked
    for _ in range(width):
        shrunk = np.zeros_like(inside)
        shrunk[1:-1, 1:-1] = (
            inside[1:-1, 1:-1] & inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        )
        inside = shrunk
    return marked & ~inside
