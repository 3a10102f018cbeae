"""Lanes under the picture: one for each take, one for the matte's motion, all along the same time."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from plugin.controller.lanes import LaneView, MotionView
from plugin.panel.icons import pixmap
from plugin.panel.palettes import Shades
from plugin.panel.parts import name

_WAVE = 38
_MOTION = 28
_PAD = 4


class Lane(QWidget):
    """Something along the spot's time, and the playhead through it; a click or drag moves the playhead."""

    sought = Signal(float)
    """0..1 along the spot."""

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shades = shades
        self._place = 0.0
        self._drawn: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def columns(self) -> int:
        """Columns of the screen's pixels."""
        return max(1, round(self.width() * self.devicePixelRatioF()))

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        self.redraw()

    def redraw(self) -> None:
        """Draw everything again."""
        self._drawn = None
        self.update()

    def show_place(self, place: float) -> None:
        """The playhead is at 0..1."""
        if place != self._place:
            for each in (self._place, place):
                self.update(int(each * self.width()) - 3, 0, 7, self.height())
            self._place = place

    def paintEvent(self, _event: QPaintEvent) -> None:
        """What was drawn once, and the playhead over it."""
        ratio = self.devicePixelRatioF()
        if self._drawn is None or self._drawn.devicePixelRatio() != ratio:
            self._drawn = QPixmap(self.size() * ratio)
            self._drawn.setDevicePixelRatio(ratio)
            self._drawn.fill(self.background())
            painter = QPainter(self._drawn)
            painter.setFont(self.font())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.draw(painter)
            painter.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn)
        width = round(1.5 * ratio + 0.1) / ratio
        left = self._on_pixel(self._place) - width / 2
        painter.fillRect(
            QRectF(round(left * ratio) / ratio, 0, width, self.height()), self._shades.colour("accent")
        )
        self.draw_over(painter)

    def _on_pixel(self, place: float) -> float:
        """0..1 as the left edge of a pixel of the screen, so that a line is not blurred over two."""
        ratio = self.devicePixelRatioF()
        return round(place * self.width() * ratio) / ratio

    def background(self) -> QColor:
        """Behind it."""
        return self._shades.colour("base")

    def draw(self, painter: QPainter) -> None:
        """What stays the same while the playhead moves."""

    def draw_over(self, painter: QPainter) -> None:
        """What lies over the playhead."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw it at the new width."""
        super().resizeEvent(event)
        self.redraw()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event)

    def _seek(self, event: QMouseEvent) -> None:
        self.sought.emit(event.position().x() / max(1, self.width()))
        event.accept()

    def draw_marks(self, painter: QPainter, places: Sequence[float], *, top: float, bottom: float) -> None:
        """Onsets: a thin line with a point on top."""
        colour = self._shades.colour("warn")
        painter.setPen(QPen(colour, 1 / self.devicePixelRatioF()))
        half = 0.5 / self.devicePixelRatioF()
        lefts = [self._on_pixel(place) + half for place in places if 0 <= place <= 1]
        painter.drawLines([QLineF(left, top + 4, left, bottom) for left in lefts])
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        for left in lefts:
            painter.drawPolygon(
                QPolygonF([QPointF(left - 3.5, top), QPointF(left + 3.5, top), QPointF(left, top + 5.5)])
            )


class MotionLane(Lane):
    """How much the matte moves, with the onsets of the take that is heard."""

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(shades, parent)
        self._motion = MotionView(())
        self._onsets: tuple[float, ...] = ()
        self.setFixedHeight(_MOTION)
        name(self, "Motion of the matte")
        self.setToolTip("How much the matte moves; the points are onsets of the take that is heard.")

    def show_motion(self, motion: MotionView, onsets: tuple[float, ...]) -> None:
        """Show another motion, or other onsets."""
        if (motion, onsets) != (self._motion, self._onsets):
            self._motion, self._onsets = motion, onsets
            self.setAccessibleDescription(motion.notice or "A curve along the spot")
            self.redraw()

    def background(self) -> QColor:
        """As the lanes' heads."""
        return self._shades.colour("alternate")

    def draw(self, painter: QPainter) -> None:
        """The curve, filled."""
        values, height = self._motion.values, float(self.height())
        if values:
            step = self.width() / len(values)
            points = [
                QPointF((place + 0.5) * step, height - 1 - value * (height - 5))
                for place, value in enumerate(values)
            ]
            colour = self._shades.colour("good")
            painter.setPen(QPen(colour, 1.2))
            painter.drawPolyline(QPolygonF(points))
            colour.setAlpha(70)
            painter.setBrush(colour)
            painter.setPen(Qt.PenStyle.NoPen)
            ends = [QPointF(self.width(), height), QPointF(0, height)]
            painter.drawPolygon(QPolygonF([*points, *ends]))
        self.draw_marks(painter, self._onsets, top=0, bottom=height)

    def draw_over(self, painter: QPainter) -> None:
        """Its title, or why there is none."""
        painter.setPen(self._shades.colour("faint"))
        rect = QRectF(self.rect()).adjusted(_PAD, 1, -_PAD, -1)
        words = self._motion.notice or "Matte motion"
        elided = QFontMetricsF(painter.font()).elidedText(words, Qt.TextElideMode.ElideRight, rect.width())
        _draw_lit(painter, rect, elided, shade=self.background())


class TakeLane(Lane):
    """One take: what it is called and how loud, its waveform with gain and fades, its onsets."""

    chosen = Signal(str)
    """Double-clicked: this one shall be placed."""
    pressed = Signal(str)
    """This one is meant: it shall be heard."""

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(shades, parent)
        self._view: LaneView | None = None
        self._heard, self._full, self._has_keys = False, 1.0, False
        self.setFixedHeight(self._head() + _WAVE)

    @property
    def view(self) -> LaneView | None:
        """What it shows."""
        return self._view

    def _head(self) -> int:
        return self.fontMetrics().height() + 5

    def sizeHint(self) -> QSize:
        """As high as its words and its wave."""
        return QSize(320, self._head() + _WAVE)

    def show_view(self, view: LaneView, *, heard: bool, full: float) -> None:
        """Show another state of the take; a level of `full` fills the lane."""
        if (view, heard, full) != (self._view, self._heard, self._full):
            self._view, self._heard, self._full = view, heard, full
            name(self, view.spoken)
            self.setToolTip(view.notice)
            self.redraw()

    def show_keys(self, *, here: bool) -> None:
        """Whether keys go to the takes: the one that is heard is framed then."""
        self._has_keys = here
        self.update()

    def draw_over(self, painter: QPainter) -> None:
        """The frame of the one that the keys work on."""
        if self._heard and self._has_keys:
            painter.setPen(QPen(self._shades.colour("accent"), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Mean this one, and go there."""
        if self._view is not None and event.button() is Qt.MouseButton.LeftButton:
            self.pressed.emit(self._view.name)
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Choose this one."""
        if self._view is not None:
            self.chosen.emit(self._view.name)
        event.accept()

    def draw(self, painter: QPainter) -> None:
        """Head, wave, fades, onsets."""
        view = self._view
        if view is None:
            return
        head, height = self._head(), float(self.height())
        painter.fillRect(
            QRectF(0, 0, self.width(), head), self._shades.colour("raised" if self._heard else "alternate")
        )
        self._draw_head(painter, view, head)
        middle = head + _WAVE / 2
        painter.setPen(QPen(self._shades.colour("line"), 1))
        painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))
        if view.peaks is not None:
            self._draw_wave(painter, view, middle)
            self._draw_curve(painter, view, middle)
            self.draw_marks(painter, view.onsets, top=head, bottom=height)
        if self._heard:
            painter.fillRect(QRectF(0, 0, 3, height), self._shades.colour("accent"))
        painter.setPen(QPen(self._shades.colour("line"), 1))
        painter.drawLine(QPointF(0, height - 0.5), QPointF(self.width(), height - 0.5))

    def _draw_head(self, painter: QPainter, view: LaneView, head: int) -> None:
        left, size = 8.0, 14
        font = painter.font()
        for shown, picture, use in ((view.star, "star", "warn"), (view.chosen, "good", "good")):
            if shown:
                ratio = self.devicePixelRatioF()
                drawn = pixmap(picture, self._shades.colour(use), round(size * ratio))
                painter.drawPixmap(QRectF(left, (head - size) / 2, size, size), drawn, QRectF(drawn.rect()))
                left += size + 4
        right_words = "  ".join(part for part in (view.gain, view.level) if part)
        right = QFontMetricsF(font).horizontalAdvance(right_words) + 8
        painter.setPen(self._shades.colour("bad" if view.clips else "faint"))
        rect = QRectF(0, 0, self.width() - 6, head)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), right_words)
        font.setBold(self._heard)
        painter.setFont(font)
        painter.setPen(self._shades.colour("text"))
        space = self.width() - left - right - 6
        title = QFontMetricsF(font).elidedText(view.title, Qt.TextElideMode.ElideRight, space)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(left, 0, space, head), middle, title)
        used = QFontMetricsF(font).horizontalAdvance(title) + 10
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(self._shades.colour("faint"))
        room = max(0.0, space - used)
        note = QFontMetricsF(font).elidedText(view.notice, Qt.TextElideMode.ElideRight, room)
        if room > 30:
            painter.drawText(QRectF(left + used, 0, room, head), middle, note)

    def _draw_wave(self, painter: QPainter, view: LaneView, middle: float) -> None:
        if view.peaks is None or not view.peaks.low:
            return
        step = self.width() / len(view.peaks.low)
        half = _WAVE / 2 - 2
        upper = [
            QPointF((n + 0.5) * step, middle - _bounded(value / self._full) * half)
            for n, value in enumerate(view.peaks.high)
        ]
        lower = [
            QPointF((n + 0.5) * step, middle - _bounded(value / self._full) * half)
            for n, value in enumerate(view.peaks.low)
        ]
        colour = self._shades.colour("accent" if self._heard else "off")
        painter.setBrush(colour)
        painter.setPen(QPen(colour, 1))
        painter.drawPolygon(QPolygonF(upper + lower[::-1]))

    def _draw_curve(self, painter: QPainter, view: LaneView, middle: float) -> None:
        """The gain and fades, as a line over the upper half; only where there are any."""
        if not view.curve or set(view.curve) <= {0.0, 1.0}:
            return
        top = max(1.0, *view.curve)
        step, half = self.width() / len(view.curve), _WAVE / 2 - 2
        points = [
            QPointF((n + 0.5) * step, middle - value / top * half) for n, value in enumerate(view.curve)
        ]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._shades.colour("text"), 1.2, Qt.PenStyle.DotLine))
        painter.drawPolyline(QPolygonF(points))


def _bounded(value: float) -> float:
    return min(max(value, -1.0), 1.0)


def _draw_lit(painter: QPainter, rect: QRectF, words: str, *, shade: QColor) -> None:
    """Words on a patch of their background, so that a curve behind them does not hide them."""
    bounds = painter.boundingRect(rect, int(Qt.AlignmentFlag.AlignTop), words).adjusted(-2, 0, 2, 0)
    shade.setAlpha(200)
    painter.fillRect(bounds, shade)
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignTop), words)
