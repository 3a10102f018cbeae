"""The shot changes of a range of frames, found once before anything is tracked in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from plugin.masks.shot_changes import Thumbnail, is_cut

VERSION = 2
"""Changes whenever other cuts may be found."""

_AHEAD = 3
"""Thumbnails after the present one that may be asked for."""


def find_cuts(
    thumbnail_of: Callable[[int], Thumbnail], *, first: int, last: int, check: Callable[[], None]
) -> tuple[int, ...]:
    """Frames of a range that begin a new shot, ascending; each frame is looked at once.

    Args:
        thumbnail_of: the thumbnail of a frame.
        first: of the range.
        last: of the range.
        check: called before every frame; raises to stop.
    """
    last_of_shot: Thumbnail | None = None
    coming: deque[Thumbnail] = deque()
    cuts: list[int] = []
    for frame in range(first, last + 1 + _AHEAD):
        if frame <= last:
            check()
            coming.append(thumbnail_of(frame))
        if frame - _AHEAD < first or not coming:
            continue
        now = coming.popleft()
        if last_of_shot is not None and is_cut(last_of_shot, now, _asked(coming)):
            cuts.append(frame - _AHEAD)
            last_of_shot = now
        elif last_of_shot is None or not is_cut(last_of_shot, now, _nothing):
            last_of_shot = now  # else it is part of a flash: the shot goes on after it
    return tuple(cuts)


def _asked(coming: deque[Thumbnail]) -> Callable[[int], Thumbnail | None]:
    return lambda ahead: coming[ahead - 1] if ahead <= len(coming) else None


def _nothing(_ahead: int) -> None:
    return None
