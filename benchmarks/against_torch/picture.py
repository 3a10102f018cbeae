"""Bars: how many times faster than torch each stage is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK, _PALE, _BAR = (40, 40, 40), (200, 200, 200), (180, 120, 40)
_ROW, _LEFT, _TOP, _UNIT, _WIDTH = 34, 330, 30, 180, 820


def write_picture(path: Path, ratios: Mapping[str, float]) -> None:
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
