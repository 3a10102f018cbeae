"""A picture to judge masks by: frames of the range side by side, each with the object's outline."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.makers import LOST_BELOW, Mask, Picture

MOST = 12
_COLUMNS = 4
_WIDTH = 480
_SURE = 0.6
_COLOURS = {"sure": (80, 220, 100), "doubtful": (255, 180, 40), "lost": (255, 70, 70)}
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)

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

    Args:
        frames: which.
        picture: of a frame.
        mask: of a frame, at the picture's size.
        confidence: of a frame, 0..1; None where it was not tracked.
    """
    tiles = [_tile(frame, picture(frame), mask(frame), confidence(frame)) for frame in frames]
    columns = min(_COLUMNS, len(tiles))
    blank = np.zeros_like(tiles[0])
    rows = ceil(len(tiles) / columns)
    tiles += [blank] * (rows * columns - len(tiles))
    lines = [np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)]
    return np.vstack(lines)


def _tile(frame: int, picture: Picture, mask: Mask, confidence: float | None) -> Sheet:
    scale = _WIDTH / picture.shape[1]
    size = (_WIDTH, max(1, round(picture.shape[0] * scale)))
    tile = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    outline, _ = cv2.findContours((small >= 128).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tile, outline, -1, _colour(confidence), 1, cv2.LINE_AA)
    words = f"{frame}" if confidence is None else f"{frame}  {confidence:.2f}"
    if not outline:
        words += "  no mask"
    for colour, thick in ((_BLACK, 3), (_WHITE, 1)):
        cv2.putText(tile, words, (8, size[1] - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thick, cv2.LINE_AA)
    return np.asarray(tile, np.uint8)


def _colour(confidence: float | None) -> tuple[int, int, int]:
    if confidence is None or confidence > _SURE:
        return _COLOURS["sure"]
    return _COLOURS["doubtful" if confidence >= LOST_BELOW else "lost"]


def png_bytes(sheet: Sheet) -> bytes:
    """The sheet as a PNG file."""
    return cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes()
