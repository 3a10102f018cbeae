"""Where one shot ends and another begins: nothing is tracked across."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.makers import Picture

Thumbnail = npt.NDArray[np.float32]
"""A small picture `[32, 32, 3]` without its brightness and contrast: mean 0, deviation 1, or all 0."""

_SIDE = 32
"""Of the thumbnails that are compared."""

_ENOUGH = 128
"""Pixels of the smaller side that a thumbnail is made from; others are left out."""

_FLAT = 2.0
"""Levels of deviation under which a picture shows nothing."""

_SHIFT = 6
"""Thumbnail pixels that a camera may move from one frame to the next."""

_CHANGED = 0.5
"""Difference above which two pictures are of different shots; 0 for the same, about 1 for unrelated ones."""

_FLASH_FRAMES = 3
"""A picture that comes back within so many frames was only interrupted."""


def thumbnail(picture: Picture) -> Thumbnail:
    """What is compared of a picture."""
    skip = max(1, min(picture.shape[:2]) // _ENOUGH)
    part = np.ascontiguousarray(picture[::skip, ::skip])
    small = cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), 0.7), np.float32)
    plain = small - small.mean(axis=(0, 1))
    spread = float(plain.std())
    return np.asarray(plain / spread if spread > _FLAT else 0 * plain, np.float32)


def difference(one: Thumbnail, other: Thumbnail) -> float:
    """How unlike two thumbnails are, however the camera moved: 0 for the same, about 1 for unrelated ones.

    The middle of one is looked for in the other; what a fast thing covers counts only as far as it is large.
    """
    if not (one.any() and other.any()):
        return 1.0 if one.any() or other.any() else 0.0
    part = np.ascontiguousarray(one[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT])
    likeness = cv2.matchTemplate(other, part, cv2.TM_CCORR_NORMED)
    return 1.0 - float(likeness.max())


def is_like(one: Thumbnail, other: Thumbnail) -> bool:
    """Whether two pictures can be of one shot. A flash is not like what it interrupts, and yet no cut."""
    return difference(one, other) <= _CHANGED


def is_cut(before: Thumbnail, now: Thumbnail, later: Callable[[int], Thumbnail | None]) -> bool:
    """Whether a shot ends between two frames that follow each other.

    Args:
        before: thumbnail of the last frame of what may be a shot.
        now: thumbnail of the frame after it.
        later: thumbnail of the n-th frame after that (n from 1), None beyond the end. Asked only where
            the pictures differ: after a flash or a thing that passes close by, the old picture returns.
    """
    if is_like(before, now):
        return False
    for ahead in range(1, _FLASH_FRAMES + 1):
        coming = later(ahead)
        if coming is not None and is_like(before, coming):
            return False
    return True
