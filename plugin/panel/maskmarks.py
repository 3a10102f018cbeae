"""What is painted over the picture of mask mode: marks with their signs, what is drawn, pills of words."""

from __future__ import annotations

from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from plugin.controller.masking.views import Mark, Tool
from plugin.masks.prompts import Box, Click, Lasso, Place, Stroke
from plugin.panel.masksight import Sight
from plugin.panel.masksketch import Sketch

ON = QColor("#1f6fd1")
"""Of what adds to the object; always with a plus."""

OFF = QColor("#c8322b")
"""Of what takes away from it; always with a minus."""

RADIUS = 8.0
"""Of a point's marker, pixels."""

_SMALL = 6.0
"""Of the handle of a line."""

_RING = QColor("#ffffff")
_HALO = QColor(0, 0, 0, 170)
_CHOSEN = QColor("#ffd84a")
_PILL = QColor(13, 14, 16, 215)
_WORDS = QColor("#e8eaee")
_SPOKES = 10


def adds(mark: Mark) -> bool:
    """Whether a mark says what belongs to the object."""
    gesture = mark.gesture
    if isinstance(gesture, Stroke):
        return gesture.paints
    return gesture.inside if isinstance(gesture, Click | Lasso) else True


def paint_mark(
    painter: QPainter, sight: Sight, mark: Mark, *, chosen: bool, moved: Place | None = None
) -> None:
    """A mark of the shown frame.

    Args:
        painter: with antialiasing.
        sight: where the picture lies.
        mark: what was drawn.
        chosen: it is the one that Delete removes.
        moved: where its handle is while it is dragged.
    """
    handle = moved or mark.handle
    shift = (handle[0] - mark.handle[0], handle[1] - mark.handle[1])
    colour = ON if adds(mark) else OFF
    path = _outline(mark, sight, shift)
    if path is not None:
        _line(painter, path, colour, dashed=not chosen)
    radius = RADIUS if path is None else _SMALL
    _sign(painter, sight.to_widget(handle), colour, plus=adds(mark), ring=chosen, radius=radius)


def paint_sketch(painter: QPainter, sight: Sight, sketch: Sketch) -> None:
    """What is being drawn."""
    colour = ON if sketch.adds else OFF
    points = [sight.to_widget(place) for place in sketch.places]
    if sketch.tool is Tool.BOX and len(points) > 1:
        path = QPainterPath()
        path.addRect(QRectF(points[0], points[-1]).normalized())
        _line(painter, path, colour, dashed=False)
    elif sketch.tool is Tool.LASSO:
        _line(painter, _path(points), colour, dashed=False)
        if sketch.cornered:
            for point in points[:-1]:
                painter.setPen(QPen(_HALO, 1))
                painter.setBrush(_RING)
                painter.drawRect(QRectF(point - QPointF(3, 3), point + QPointF(3, 3)))
    elif sketch.tool is Tool.BRUSH and points:
        soft = QColor(colour)
        soft.setAlpha(120)
        pen = QPen(soft, 2 * sketch.radius * sight.scale)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(_path(points if len(points) > 1 else [points[0], points[0] + QPointF(0.1, 0)]))


def paint_brush(painter: QPainter, point: QPointF, radius: float, *, paints: bool) -> None:
    """The brush under the pointer, as large as what it would paint."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((_HALO, 3.0), (_RING, 1.5)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(point, radius, radius)
        arm = min(4.0, radius)
        painter.drawLine(point - QPointF(arm, 0), point + QPointF(arm, 0))
        if paints:
            painter.drawLine(point - QPointF(0, arm), point + QPointF(0, arm))


def paint_cross(painter: QPainter, point: QPointF) -> None:
    """The cross that the keys move."""
    for colour, width in ((_HALO, 4.0), (_CHOSEN, 2.0)):
        painter.setPen(QPen(colour, width))
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(point + QPointF(4 * x, 4 * y), point + QPointF(14 * x, 14 * y))


def paint_pill(painter: QPainter, middle: QPointF, words: str, *, turn: float | None = None) -> QRectF:
    """Words on a dark ground; where they lie.

    Args:
        painter: with antialiasing.
        middle: of the pill.
        words: one line.
        turn: 0..1, how far the sign of waiting beside the words has turned; None for no such sign.
    """
    width = QFontMetricsF(painter.font()).horizontalAdvance(words)
    sign = 0.0 if turn is None else 24.0
    box = QRectF(0, 0, width + sign + 24, 26)
    box.moveCenter(middle)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PILL)
    painter.drawRoundedRect(box, 13, 13)
    painter.setPen(_WORDS)
    painter.drawText(box.adjusted(12 + sign, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
    if turn is not None:
        _paint_waiting(painter, QPointF(box.left() + 20, middle.y()), turn)
    return box


def _paint_waiting(painter: QPainter, middle: QPointF, turn: float) -> None:
    for spoke in range(_SPOKES):
        colour = QColor(_WORDS)
        colour.setAlphaF(0.15 + 0.85 * ((spoke / _SPOKES - turn) % 1.0))
        painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        angle = 2 * pi * spoke / _SPOKES
        ray = QPointF(sin(angle), -cos(angle))
        painter.drawLine(middle + ray * 4.0, middle + ray * 8.0)


def _outline(mark: Mark, sight: Sight, shift: Place) -> QPainterPath | None:
    gesture = mark.gesture
    if isinstance(gesture, Click):
        return None
    if isinstance(gesture, Box):
        corners: tuple[Place, ...] = (
            (gesture.left, gesture.top),
            (gesture.right, gesture.top),
            (gesture.right, gesture.bottom),
            (gesture.left, gesture.bottom),
        )
    else:
        corners = gesture.places
    path = _path([sight.to_widget((x + shift[0], y + shift[1])) for x, y in corners])
    if not isinstance(gesture, Stroke):
        path.closeSubpath()
    return path


def _path(points: list[QPointF]) -> QPainterPath:
    path = QPainterPath(points[0]) if points else QPainterPath()
    for point in points[1:]:
        path.lineTo(point)
    return path


def _line(painter: QPainter, path: QPainterPath, colour: QColor, *, dashed: bool) -> None:
    """A line that is seen on any picture: dark, white, then its colour."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
    for ink, width, kind in (
        (_HALO, 4.0, Qt.PenStyle.SolidLine),
        (_RING, 2.5, Qt.PenStyle.SolidLine),
        (colour, 2.0, style),
    ):
        pen = QPen(ink, width, kind)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(path)


def _sign(painter: QPainter, at: QPointF, colour: QColor, *, plus: bool, ring: bool, radius: float) -> None:
    """A filled circle with a plus or a minus in it, and a ring around it."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, width in ((_HALO, 5.0), (_CHOSEN, 2.5)) if ring else ():
        painter.setPen(QPen(ink, width))
        painter.drawEllipse(at, radius + 3.5, radius + 3.5)
    painter.setPen(QPen(_HALO, 3.5))
    painter.drawEllipse(at, radius, radius)
    painter.setPen(QPen(_RING, 1.5))
    painter.setBrush(colour)
    painter.drawEllipse(at, radius, radius)
    painter.setPen(QPen(_RING, 2.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(at - QPointF(radius / 2, 0), at + QPointF(radius / 2, 0))
    if plus:
        painter.drawLine(at - QPointF(0, radius / 2), at + QPointF(0, radius / 2))
