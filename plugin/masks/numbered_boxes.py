"""A picture with numbered boxes in it, to choose one by its number."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from plugin.masks.contact_sheet import Sheet
from plugin.masks.makers import Picture
from plugin.masks.prompts import Box

_LARGEST = 1600
"""Longest side of what is drawn, pixels."""

_COLOURS = ((255, 210, 0), (80, 220, 255), (255, 120, 200), (130, 255, 120), (255, 150, 60))
_BLACK = (0, 0, 0)


def with_numbered_boxes(picture: Picture, boxes: Sequence[Box]) -> Sheet:
    """RGB: the frame, at most 1,600 pixels long, every box with its number from 1 in its corner.

    The first is drawn last, so that nothing lies over it.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _LARGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    sheet = np.asarray(resized, np.uint8)
    for number, box in reversed(list(enumerate(boxes, start=1))):
        _draw(sheet, box, scale, number)
    return sheet


def _draw(sheet: Sheet, box: Box, scale: float, number: int) -> None:
    height, width = sheet.shape[:2]
    colour = _COLOURS[(number - 1) % len(_COLOURS)]
    left, top, right, bottom = (round(side * scale) for side in (box.left, box.top, box.right, box.bottom))
    for line, thick in ((_BLACK, 4), (colour, 2)):
        cv2.rectangle(sheet, (left, top), (right - 1, bottom - 1), line, thick)
    across = min(max(0, left), max(0, width - 24))
    down = min(max(0, top), max(0, height - 26))
    cv2.rectangle(sheet, (across, down), (across + 22, down + 24), colour, cv2.FILLED)
    cv2.putText(
        sheet, str(number), (across + 4, down + 19), cv2.FONT_HERSHEY_SIMPLEX, 0.7, _BLACK, 2, cv2.LINE_AA
    )
