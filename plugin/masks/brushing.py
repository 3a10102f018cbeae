"""Masks changed by hand: painted, erased, cut off along a line; nowhere else than where it was drawn."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from plugin.masks.makers import Mask
from plugin.masks.object_crops import Places
from plugin.masks.prompts import Lasso, Stroke

_PART = 4
_FEATHER = 1.0
"""Source pixels over which a dab's edge falls off."""


def dabbed(mask: Mask, strokes: Sequence[Stroke]) -> Mask:
    """A mask with strokes painted and erased in their order."""
    new = mask.copy()
    for stroke in strokes:
        reach = int(np.ceil(stroke.radius + _FEATHER)) + 2
        places = np.array(stroke.places, np.float64)
        low = np.maximum(np.floor(places.min(axis=0)).astype(int) - reach, 0)
        high = np.minimum(np.ceil(places.max(axis=0)).astype(int) + reach, (mask.shape[1], mask.shape[0]))
        if (high <= low).any():
            continue
        part = new[low[1] : high[1], low[0] : high[0]]
        paint = _stroke(stroke, places - low, part.shape)
        part[:] = np.maximum(part, paint) if stroke.paints else np.minimum(part, 255 - paint)
    return new


def _stroke(stroke: Stroke, places: Places, shape: tuple[int, ...]) -> Mask:
    """Discs along a line, 0..255: full up to the radius less half the feather."""
    line = np.round((places - 0.5) * (1 << _PART)).astype(np.int32)
    thin = np.full(shape, 255, np.uint8)
    if len(line) == 1:
        line = np.repeat(line, 2, axis=0)
    cv2.polylines(thin, [line], False, (0,), 1, cv2.LINE_8, _PART)  # noqa: FBT003 (OpenCV's order)
    away = cv2.distanceTransform(thin, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    paint = np.clip((stroke.radius - away) / _FEATHER + 0.5, 0, 1)
    if stroke.radius < 1:
        paint = np.maximum(paint, (away < 0.5).astype(np.float32))  # a dab paints a pixel at least
    return np.asarray(np.round(paint * 255), np.uint8)


def taken_away(mask: Mask, lasso: Lasso) -> Mask:
    """A mask without what lies inside a closed line."""
    new = mask.copy()
    line = np.round((np.array(lasso.places, np.float64) - 0.5) * (1 << _PART)).astype(np.int32)
    return np.asarray(cv2.fillPoly(new, [line], (0,), lineType=cv2.LINE_8, shift=_PART), np.uint8)
