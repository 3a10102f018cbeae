"""The focus: one static crop per window around the masked object (focal prompt, spec 1.5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.engine.resampling import Float, enlarge_bilinear

_FAINT = 8 / 255
"""A matte that never gets brighter than this marks nothing."""

Boxes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Box:
    """A crop in pixels, ends exclusive: columns `[x0, x1)`, rows `[y0, y1)`."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class Focus:
    """Where the object is.

    Attributes:
        box: the crop for every frame of the window.
        empty: no frame shows an object, so the box is the whole picture (or, in reference mode,
            the top-left corner).
    """

    box: Box
    empty: bool


def find_focus(masks: Float, *, crop_min: int, threshold: float, reference: bool = False) -> Focus:
    """The crop that holds the object in every frame.

    Frames without an object do not count. The last row and column of the tight box are left out, as
    in the published rule the network was trained with.

    Args:
        masks: `[T, S, S]` float32, 0..1.
        crop_min: smallest side of the crop, pixels.
        threshold: mask values at or below it do not count; 0 counts everything that is not zero. A
            matte that is soft throughout is judged at half its own peak instead.
        reference: the published behaviour: empty frames count as the top-left corner.
    """
    side = masks.shape[-1]
    marked = masks != 0 if reference or threshold <= 0 else masks > _limit(masks, threshold)
    filled = masks.sum(axis=(1, 2)) != 0 if reference else marked.any(axis=(1, 2))
    if not filled.any() and not reference:
        return Focus(Box(0, 0, side, side), empty=True)
    tight = np.zeros((len(masks), 4), np.int64)
    for index in np.flatnonzero(filled):
        tight[index] = _tight_box(marked[index])
    counted = tight if reference else tight[filled]
    return Focus(_common_box(counted, crop_min=crop_min, side=side), empty=not bool(filled.any()))


def _limit(masks: Float, threshold: float) -> float:
    peak = float(masks.max(initial=0.0))
    return threshold if peak > threshold or peak <= _FAINT else peak / 2


def _tight_box(marked: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """First and last marked column and row, inclusive: `x0, y0, x1, y1`."""
    columns = np.flatnonzero(marked.any(axis=0))
    rows = np.flatnonzero(marked.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def _common_box(tight: Boxes, *, crop_min: int, side: int) -> Box:
    """Union of equally large boxes, each shifted back inside the picture."""
    x0, x1 = _common_range(tight[:, 0], tight[:, 2], crop_min=crop_min, side=side)
    y0, y1 = _common_range(tight[:, 1], tight[:, 3], crop_min=crop_min, side=side)
    return Box(x0, y0, x1, y1)


def _common_range(first: Boxes, last: Boxes, *, crop_min: int, side: int) -> tuple[int, int]:
    length = int(np.maximum(last - first, crop_min).max())
    end = np.minimum(first + length, side)
    start = end - length
    return int(start.min()), int(end.max())


def crop_to(pictures: Float, box: Box, *, size: int) -> Float:
    """The boxed part of `[..., H, W]` pictures enlarged to `[..., size, size]`."""
    return enlarge_bilinear(pictures[..., box.y0 : box.y1, box.x0 : box.x1], size=size)
