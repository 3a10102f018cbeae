"""Icons, drawn with a few strokes in the palette's own colours: no picture file, nobody else's set."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

_GRID = 24.0
_SIZES = (16, 20, 24, 32, 48, 64, 96)
_DRAWINGS = {
    "open": "line 3,19 3,5 9,5 11,8 19,8 19,11; line 3,19 7,11 22,11 18,19 3,19",
    "host": ("line 4,5 20,5 20,19 4,19 4,5; line 9,22 15,22; line 12,19 12,22; fill 10,9 10,15 15,12"),
    "generate": "line 3,12 5,12; line 8,8 8,16; line 12,4 12,20; line 16,7 16,17; line 20,10 20,14",
    "generate-all": "line 4,9 4,15; line 8,5 8,19; line 12,9 12,15; line 18,6 18,18; line 14.5,12 21.5,12",
    "selection": "line 4,7 6,9 10,4; line 13,7 21,7; line 4,16 6,18 10,13; line 13,16 21,16",
    "cancel": "line 6,6 18,18; line 18,6 6,18",
    "stop": "fill 6,6 18,6 18,18 6,18",
    "up": "line 12,20 12,5; line 6,11 12,5 18,11",
    "down": "line 12,4 12,19; line 6,13 12,19 18,13",
    "place": "line 3,20 21,20; line 12,3 12,14; line 7,10 12,15 17,10",
    "remove": "line 3,20 21,20; line 12,16 12,4; line 7,8 12,3 17,8",
    "export": "line 12,3 12,15; line 7,8 12,3 17,8; line 5,12 5,20 19,20 19,12",
    "trash": (
        "line 4,7 20,7; line 9,7 9,4 15,4 15,7; line 6,7 7,20 17,20 18,7; line 10,11 10,16; line 14,11 14,16"
    ),
    "undo": "line 8,5 4,9 8,13; line 4,9 14,9; arc 14,14 5 90,-180; line 14,19 9,19",
    "redo": "line 16,5 20,9 16,13; line 20,9 10,9; arc 10,14 5 90,180; line 10,19 15,19",
    "problem": "line 12,3 22,20 2,20 12,3; line 12,9 12,14; dot 12,17 0.6",
    "good": "arc 12,12 9 0,360; line 8,12 11,15 16,9",
    "note": "arc 12,12 9 0,360; line 12,11 12,17; dot 12,7.5 0.7",
    "bad": "arc 12,12 9 0,360; line 9,9 15,15; line 15,9 9,15",
    "settings": "line 3,7 21,7; line 3,17 21,17; dot 9,7 2.2; dot 15,17 2.2",
    "doctor": "line 2,12 7,12 10,5 14,19 17,12 22,12",
    "keys": (
        "line 2,6 22,6 22,18 2,18 2,6; dot 6,10 0.5; dot 10,10 0.5; dot 14,10 0.5; dot 18,10 0.5; "
        "line 7,14 17,14"
    ),
    "about": "arc 12,12 9 0,360; arc 12,9.5 2.8 180,-230; line 12,13.6 12,12.3; dot 12,17 0.6",
    "page": "line 6,3 14,3 19,8 19,21 6,21 6,3; line 14,3 14,8 19,8",
    "add": "line 12,5 12,19; line 5,12 19,12",
    "search": "arc 10,10 6 0,360; line 14.5,14.5 21,21",
    "reload": "arc 12,12 8 60,270; line 12,1.5 16,5 12,8.5",
    "eye": "arc 12,18 11 35,110; arc 12,6 11 215,110; dot 12,12 2.4",
    "star": "fill 12,2.5 14.8,9 21.8,9.6 16.5,14.2 18.1,21 12,17.4 5.9,21 7.5,14.2 2.2,9.6 9.2,9",
    "play": "fill 7,4 19,12 7,20",
    "pause": "fill 6,5 10,5 10,19 6,19; fill 14,5 18,5 18,19 14,19",
    "first": "line 6,5 6,19; fill 18,6 18,18 9,12",
    "last": "line 18,5 18,19; fill 6,6 6,18 15,12",
    "back": "line 14,5 7,12 14,19; line 18,5 18,19",
    "on": "line 10,5 17,12 10,19; line 6,5 6,19",
    "mark-in": "line 13,4 8,4 8,20 13,20; line 12,12 19,12",
    "mark-out": "line 11,4 16,4 16,20 11,20; line 12,12 5,12",
    "loop": "line 4,16 4,8 18,8; line 15,5 18,8 15,11; line 20,8 20,16 6,16; line 9,13 6,16 9,19",
    "mute": "fill 4,9 8,9 12,5 12,19 8,15 4,15; line 15,9 21,15; line 21,9 15,15",
    "matte": "line 3,5 21,5 21,19 3,19 3,5; dot 12,12 4.2",
    "focus": "line 4,9 4,4 9,4; line 15,4 20,4 20,9; line 20,15 20,20 15,20; line 9,20 4,20 4,15",
    "swap": "line 4,8 19,8; line 15,4 19,8 15,12; line 20,16 5,16; line 9,12 5,16 9,20",
    "rename": "line 4,20 5,15 16,4 20,8 9,19 4,20; line 13,7 17,11",
    "move": "fill 6,3 6,19 10,15 13,21 16,19.5 13,14 18.5,14",
    "point": "arc 12,12 8 0,360; line 12,8 12,16; line 8,12 16,12",
    "box": "line 4,6 20,6 20,18 4,18 4,6; dot 4,6 1.6; dot 20,18 1.6",
    "lasso": "arc 12,9.5 7.5 0,360; line 7.5,15 6,17.5 8.5,20 12,21",
    "brush": "line 20,3 11,12; line 9,11 12.5,14.5; fill 9,12 12,15 9.5,19.5 3.5,20.5 5.5,18 6,14",
    "erase": "line 8,20 3.5,15.5 14,5 20.5,11.5 12,20 8,20 21,20; line 8.5,10.5 15,17",
    "key-back": "fill 17,6 22,12 17,18 12,12; line 8,6 3,12 8,18",
    "key-on": "fill 7,6 12,12 7,18 2,12; line 16,6 21,12 16,18",
    "track-on": "line 3,12 19,12; line 13,6 19,12 13,18; line 3,7 3,17",
    "track-back": "line 21,12 5,12; line 11,6 5,12 11,18; line 21,7 21,17",
    "track-both": "line 3,12 21,12; line 7,8 3,12 7,16; line 17,8 21,12 17,16; line 12,7 12,17",
    "one-on": "line 4,12 13,12; line 9,8 13,12 9,16; line 18,6 18,18",
    "one-back": "line 20,12 11,12; line 15,8 11,12 15,16; line 6,6 6,18",
    "absent": "arc 12,12 8.5 0,360; line 6,18 18,6",
    "closer": "arc 10,10 6.5 0,360; line 15,15 21,21; line 7,10 13,10; line 10,7 10,13",
    "farther": "arc 10,10 6.5 0,360; line 15,15 21,21; line 7,10 13,10",
    "choose": "arc 12,12 9 0,360; dot 12,12 4",
}
"""Strokes on a grid of 24, from the top left: `line` and `fill` through points, `dot` of a centre and a
radius, `arc` of a centre, a radius, and first degree and span against the clock from three o'clock."""


def names() -> tuple[str, ...]:
    """Every icon there is."""
    return tuple(_DRAWINGS)


def icon(name: str, colour: QColor, *, faint: QColor | None = None) -> QIcon:
    """The icon of that name, sharp from 16 to 96 pixels.

    Args:
        name: one of `names()`.
        colour: of its strokes.
        faint: of its strokes while what it belongs to is disabled; None leaves that to Qt.
    """
    made = QIcon()
    for size in _SIZES:
        made.addPixmap(pixmap(name, colour, size))
        if faint is not None:
            made.addPixmap(pixmap(name, faint, size), QIcon.Mode.Disabled)
    return made


def pixmap(name: str, colour: QColor, size: int) -> QPixmap:
    """The icon of that name, `size` pixels wide and high."""
    drawn = QPixmap(size, size)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / _GRID, size / _GRID)
    pen = QPen(colour, 1.9)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    for stroke in _DRAWINGS[name].split(";"):
        kind, *points = stroke.split()
        _draw(painter, kind, [tuple(map(float, point.split(","))) for point in points])
    painter.end()
    return drawn


def _draw(painter: QPainter, kind: str, numbers: list[tuple[float, ...]]) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush if kind in {"line", "arc"} else painter.pen().color())
    if kind == "line":
        for first, second in pairwise(numbers):
            painter.drawLine(QPointF(*first), QPointF(*second))
    elif kind == "fill":
        painter.drawPolygon(QPolygonF([QPointF(*point) for point in numbers]))
    elif kind == "dot":
        centre, size = numbers
        painter.drawEllipse(QPointF(*centre), size[0], size[0])
    else:
        (x, y), (radius,), (start, span) = numbers
        box = QRectF(x - radius, y - radius, 2 * radius, 2 * radius)
        painter.drawArc(box, round(16 * start), round(16 * span))
