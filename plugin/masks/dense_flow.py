"""Dense optical flow between two crops, and maps that say where each pixel of a crop comes from."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

_INLIER_PIXELS = 2.0
_FEWEST_INLIERS = 0.4
_POINTS = 400


@cache
def grid(pixels: int) -> Floats:
    """Where each pixel comes from when nothing moves: `[pixels, pixels, 2]`, x and y; do not write to it."""
    x, y = np.meshgrid(np.arange(pixels, dtype=np.float32), np.arange(pixels, dtype=np.float32))
    return np.ascontiguousarray(np.stack([x, y], axis=2))


def flow(now: Bytes, then: Bytes, start: Floats | None = None) -> Floats:
    """How far each pixel of `now` lies from its place in `then`: `[H, W, 2]`.

    Dense inverse search (Kroeger et al., ECCV 2016). The number of threads does not change it.

    Args:
        now: grey, `[H, W]`.
        then: grey, `[H, W]`.
        start: a first guess.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # Without a copy the guess would be written to; it must be contiguous to be read.
    first = None if start is None else np.array(start, np.float32, order="C")
    return np.asarray(search.calc(now, then, first), np.float32)  # type: ignore[arg-type]


def warped(picture: npt.NDArray[np.generic], places: Floats) -> Floats:
    """The picture as seen through a map of places `[H, W, 2]`; its border goes on beyond it."""
    # The stub wants a second map, which a map of places has no need of.
    seen = cv2.remap(  # type: ignore[call-overload]
        np.asarray(picture, np.float32), places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(seen, np.float32)


def similarity(places: Floats, inside: npt.NDArray[np.bool_]) -> Floats | None:
    """The turn, scale and shift that a map is on the object: `[2, 3]`; None where it is no such thing.

    Args:
        places: `[H, W, 2]`.
        inside: `[H, W]` the object.
    """
    y, x = np.nonzero(inside)
    if len(x) < 12:
        return None
    few = slice(None, None, max(1, len(x) // _POINTS))
    here = np.stack([x[few], y[few]], axis=1).astype(np.float32)
    there = places[y[few], x[few]]
    cv2.setRNGSeed(1)
    matrix, inliers = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_INLIER_PIXELS
    )
    if matrix is None or inliers is None or inliers.mean() < _FEWEST_INLIERS:
        return None
    return np.asarray(matrix, np.float32)


def mapped(matrix: Floats, pixels: int) -> Floats:
    """The map `[pixels, pixels, 2]` of a `[2, 3]` transform."""
    return np.ascontiguousarray(cv2.transform(grid(pixels), matrix), np.float32)
