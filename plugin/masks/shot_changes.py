"""Where one shot ends and the next begins: nothing is tracked across.

Luma of every frame, made very small, is compared with the frame before. A cut is a jump that is large by
itself and much larger than what moves around it; a flash, after which the picture is what it was, is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

VERSION = 1
"""Changes whenever other cuts may be found."""

SIDE = 32
"""Pixels of a thumbnail, both ways: noise and small movements average out."""

JUMP = 16.0
"""Mean difference of two frames, in levels of 255, from which a cut is possible."""

RATIO = 3.0
"""How many times more than its neighbours' a cut's jump is."""

Thumbnail = npt.NDArray[np.float32]
"""Luma `[SIDE, SIDE]`, 0..255."""


def thumbnail(picture: npt.NDArray[np.uint8]) -> Thumbnail:
    """Luma of an RGB picture `[H, W, 3]`, averaged."""
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)


def cuts_in(thumbnails: Sequence[Thumbnail]) -> tuple[int, ...]:
    """Positions of the first frames of new shots, ascending; never 0."""
    jumps = [0.0, *(_jump(a, b) for a, b in pairwise(thumbnails))]
    return tuple(at for at in range(1, len(jumps)) if _is_cut(at, jumps, thumbnails))


def find_cuts(
    thumbnail_of: Callable[[int], Thumbnail], *, first: int, last: int, check: Callable[[], None]
) -> tuple[int, ...]:
    """Frames of a range that begin a new shot.

    Args:
        thumbnail_of: the thumbnail of a frame.
        first: of the range.
        last: of the range.
        check: called before every frame; raises to stop.
    """
    thumbnails = []
    for frame in range(first, last + 1):
        check()
        thumbnails.append(thumbnail_of(frame))
    return tuple(first + at for at in cuts_in(thumbnails))


def _jump(one: Thumbnail, other: Thumbnail) -> float:
    return float(np.abs(one - other).mean())


def _is_cut(at: int, jumps: Sequence[float], thumbnails: Sequence[Thumbnail]) -> bool:
    if jumps[at] < JUMP:
        return False
    around = [*jumps[max(1, at - 2) : at], *jumps[at + 1 : at + 3]]
    calm = sorted(around)[: max(1, len(around) - 1)]  # one neighbour may be a cut or a flash itself
    if around and jumps[at] < RATIO * max(calm):
        return False
    return not _is_flash(at, thumbnails)


def _is_flash(at: int, thumbnails: Sequence[Thumbnail]) -> bool:
    """Whether the picture before is back within three frames, or the one after was there already."""
    before, after = thumbnails[at - 1], thumbnails[at]
    back = any(_jump(before, later) < JUMP / 2 for later in thumbnails[at + 1 : at + 4])
    return back or any(_jump(after, earlier) < JUMP / 2 for earlier in thumbnails[max(0, at - 4) : at - 1])
