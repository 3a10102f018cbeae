"""A picture to judge masks by: frames of the range side by side, each with the object's outline."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.makers import LOST_BELOW, Mask, Picture
from plugin.masks.overlapping import WHITE

MOST = 12
_COLUMNS = 4
_WIDTH = 480
_SURE = 0.6
_COLOURS = {"sure": (80, 220, 100), "doubtful": (255, 180, 40), "lost": (255, 70, 70)}
_BLACK, _LIGHT = (0, 0, 0), (255, 255, 255)
_ROOM = 2.0
"""Side of the shown part, relative to what is marked in it."""
_SMALLEST = 120
"""Columns of the picture that are shown at least."""

Sheet = npt.NDArray[np.uint8]


def frames_shown(first: int, last: int, *, most: int = MOST) -> tuple[int, ...]:
    """Frames of a range, evenly spread, its ends among them."""
    count = min(most, last - first + 1)
    return tuple(dict.fromkeys(round(number) for number in np.linspace(first, last, count)))


def contact_sheet(
    frames: tuple[int, ...],
    *,
    picture: Callable[[int], Picture],
    mask: Callable[[int], Mask],
    confidence: Callable[[int], float | None],
) -> Sheet:
    """RGB `[h, w, 3]`: every frame with its number, its confidence and its outline in the colour of that.

    Of each frame the part is shown in which the object moves, the same of all.

    Args:
        frames: which.
        picture: of a frame.
        mask: of a frame, at the picture's size.
        confidence: of a frame, 0..1; None where it was not tracked.
    """
    part = _part([mask(frame) for frame in frames])
    tiles = [_tile(frame, picture(frame)[part], mask(frame)[part], confidence(frame)) for frame in frames]
    columns = min(_COLUMNS, len(tiles))
    blank = np.zeros_like(tiles[0])
    rows = ceil(len(tiles) / columns)
    tiles += [blank] * (rows * columns - len(tiles))
    lines = [np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)]
    return np.vstack(lines)


def _part(masks: list[Mask]) -> tuple[slice, slice]:
    """Rows and columns around everything that is marked, in the picture's shape; all where nothing is."""
    height, width = masks[0].shape
    marked = np.maximum.reduce(masks) >= WHITE
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not len(rows):
        return slice(0, height), slice(0, width)
    share = _ROOM * max((rows[-1] - rows[0] + 1) / height, (columns[-1] - columns[0] + 1) / width)
    share = min(1.0, max(share, _SMALLEST / width))
    return _slice(rows, share, height), _slice(columns, share, width)


def _slice(marked: npt.NDArray[np.intp], share: float, size: int) -> slice:
    length = max(1, round(share * size))
    first = min(max(0, int(marked[0] + marked[-1] + 1 - length) // 2), size - length)
    return slice(first, first + length)


def _tile(frame: int, picture: Picture, mask: Mask, confidence: float | None) -> Sheet:
    scale = _WIDTH / picture.shape[1]
    size = (_WIDTH, max(1, round(picture.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    tile = cv2.resize(np.ascontiguousarray(picture), size, interpolation=way)
    small = cv2.resize(np.ascontiguousarray(mask), size, interpolation=way)
    outline, _ = cv2.findContours((small >= WHITE).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tile, outline, -1, _colour(confidence), 1, cv2.LINE_AA)
    words = f"{frame}" if confidence is None else f"{frame}  {confidence:.2f}"
    if not outline:
        words += "  no mask"
    for colour, thick in ((_BLACK, 3), (_LIGHT, 1)):
        cv2.putText(tile, words, (8, size[1] - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thick, cv2.LINE_AA)
    return np.asarray(tile, np.uint8)


def _colour(confidence: float | None) -> tuple[int, int, int]:
    if confidence is None or confidence > _SURE:
        return _COLOURS["sure"]
    return _COLOURS["doubtful" if confidence >= LOST_BELOW else "lost"]


def png_bytes(sheet: Sheet) -> bytes:
    """The sheet as a PNG file."""
    return cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes()
