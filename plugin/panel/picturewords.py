"""Words over a picture, or in its place."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen

BACKDROP = QColor("#0d0e10")
"""Behind the picture in both palettes: a picture is judged against dark."""

_WORDS = QColor("#e8eaee")
_FAINT = QColor("#a9b1bd")
_CARD = QColor(13, 14, 16, 205)
_EDGE = 12
_CENTRED = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)


def paint_empty(painter: QPainter, ground: QRect, words: str) -> None:
    """In place of the picture, where nothing is wrong."""
    painter.setPen(_FAINT)
    painter.drawText(_inside(ground), _CENTRED, words)


def paint_card(painter: QPainter, ground: QRect, notice: str, remedy: str) -> None:
    """In place of the picture: a slanted pattern, what is wrong, and what to do."""
    painter.fillRect(ground, BACKDROP.lighter(160))
    painter.fillRect(ground, QColor(255, 255, 255, 14))
    painter.setPen(QPen(QColor(255, 255, 255, 16), 6))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for offset in range(-ground.height(), ground.width(), 28):
        painter.drawLine(offset, ground.height(), offset + ground.height(), 0)
    inside = _inside(ground)
    upper = painter.boundingRect(inside, _CENTRED, notice)
    lower = painter.boundingRect(inside, _CENTRED, remedy)
    top = inside.center().y() - (upper.height() + lower.height() + 8) // 2
    painter.setPen(_WORDS)
    painter.drawText(QRect(inside.left(), top, inside.width(), upper.height()), _CENTRED, notice)
    painter.setPen(_FAINT)
    below = top + upper.height() + 8
    painter.drawText(QRect(inside.left(), below, inside.width(), lower.height()), _CENTRED, remedy)


def paint_strip(painter: QPainter, ground: QRect, words: str) -> None:
    """Along the bottom edge, over the picture."""
    inside = _inside(ground)
    bounds = painter.boundingRect(inside, int(Qt.TextFlag.TextWordWrap), words)
    height = bounds.height() + 10
    strip = QRect(0, ground.height() - height, ground.width(), height)
    painter.fillRect(strip, _CARD)
    painter.setPen(_WORDS)
    painter.drawText(strip.adjusted(_EDGE, 5, -_EDGE, -5), int(Qt.TextFlag.TextWordWrap), words)


def _inside(ground: QRect) -> QRect:
    return ground.marginsRemoved(QMargins(_EDGE, _EDGE, _EDGE, _EDGE))
