"""Pictures of the page: how many times faster than torch each stage is, cost against length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK, _PALE, _BAR = (40, 40, 40), (200, 200, 200), (180, 120, 40)
_ROW, _LEFT, _TOP, _UNIT, _WIDTH = 34, 330, 30, 180, 820


def write_bars(path: Path, ratios: Mapping[str, float]) -> None:
    """A bar for each stage; the line is torch.

    Args:
        path: of the PNG.
        ratios: by stage; 1 is as fast as torch.
    """
    height = _TOP + _ROW * max(len(ratios), 1) + 30
    sheet = np.full((height, _WIDTH, 3), 255, np.uint8)
    cv2.line(sheet, (_LEFT + _UNIT, _TOP - 8), (_LEFT + _UNIT, height - 24), _PALE, 2)
    _write(sheet, "torch eager = 1", (_LEFT + _UNIT - 52, height - 8))
    for index, (name, ratio) in enumerate(ratios.items()):
        top = _TOP + _ROW * index
        _write(sheet, name, (12, top + 16))
        right = _LEFT + round(_UNIT * min(ratio, 2.4))
        cv2.rectangle(sheet, (_LEFT, top), (right, top + 22), _BAR, -1)
        _write(sheet, f"{ratio:.2f}", (right + 8, top + 16))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _write(sheet: np.ndarray, text: str, place: tuple[int, int]) -> None:
    cv2.putText(sheet, text, place, _FONT, 0.45, _INK, 1, cv2.LINE_AA)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a picture: its name, and points from left to right."""

    name: str
    points: Sequence[tuple[float, float]]


_INKS = ((180, 120, 40), (60, 60, 200), (70, 150, 70))
_PLOT = (70, 20, 760, 360)
"""Left, top, right, bottom of the plot."""


def write_lines(path: Path, lines: Sequence[Line], *, across: str, upward: str) -> None:
    """Lines from 0 on in both directions.

    Args:
        path: of the PNG.
        lines: at most three.
        across: what is counted to the right.
        upward: what is counted upwards.
    """
    left, top, right, bottom = _PLOT
    sheet = np.full((bottom + 50, right + 60, 3), 255, np.uint8)
    most = [max(point[axis] for line in lines for point in line.points) for axis in (0, 1)]

    def place(x: float, y: float) -> tuple[int, int]:
        return round(left + (right - left) * x / most[0]), round(bottom - (bottom - top) * y / most[1])

    for quarter in range(5):
        x, y = most[0] * quarter / 4, most[1] * quarter / 4
        cv2.line(sheet, place(0, y), place(most[0], y), _PALE, 1)
        _write(sheet, f"{y:.0f}", (8, place(0, y)[1] + 5))
        _write(sheet, f"{x:g}", (place(x, 0)[0] - 8, bottom + 20))
    for index, (line, ink) in enumerate(zip(lines, _INKS, strict=False)):
        track = np.array([place(*point) for point in line.points], np.int32)
        cv2.polylines(sheet, [track], isClosed=False, color=ink, thickness=2, lineType=cv2.LINE_AA)
        for point in track:
            cv2.circle(sheet, tuple(map(int, point)), 3, ink, -1, cv2.LINE_AA)
        cv2.rectangle(sheet, (left + 20, top + 10 + 22 * index), (left + 40, top + 14 + 22 * index), ink, -1)
        _write(sheet, line.name, (left + 50, top + 18 + 22 * index))
    _write(sheet, f"{across} (upward: {upward})", (left + 180, bottom + 42))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
