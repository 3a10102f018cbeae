"""The strip under the picture of mask mode: keyframes, what was tracked and how surely, the playhead."""

from __future__ import annotations

from enum import IntEnum
from itertools import groupby, pairwise

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from plugin.controller.masking.views import FrameState, MaskView, StripView, Trust
from plugin.panel.palettes import Shades
from plugin.panel.parts import name

HEIGHT = 44
"""Pixels."""

RULER = 18
"""Height of the upper part, where the ticks and the diamonds are."""

_DIAMOND = 5.5
_TICKS = 8.0
"""Least distance of two frame ticks, pixels."""


class Look(IntEnum):
    """How a frame is painted; where several share a pixel, the largest is seen."""

    GAP = 0
    GOOD = 1
    STALE = 2
    ABSENT = 3
    FAIR = 4
    POOR = 5


FILLS = {
    Look.GOOD: QColor("#3da46b"),
    Look.FAIR: QColor("#e5a52f"),
    Look.POOR: QColor("#df5048"),
}
"""The same in both palettes; hatching tells them apart without colours."""

WORDS = {
    Look.GAP: "not tracked",
    Look.GOOD: "tracked well",
    Look.STALE: "to be tracked again: a keyframe beside it has changed",
    Look.ABSENT: "marked absent",
    Look.FAIR: "tracked, worth a look",
    Look.POOR: "tracked badly, or lost",
}
_INK = QColor(13, 14, 16, 210)
_BY_TRUST = {Trust.GOOD: Look.GOOD, Trust.FAIR: Look.FAIR, Trust.POOR: Look.POOR}
_BY_STATE = {
    FrameState.KEYFRAME: Look.GOOD,
    FrameState.STALE: Look.STALE,
    FrameState.LOST: Look.POOR,
    FrameState.ABSENT: Look.ABSENT,
    FrameState.GAP: Look.GAP,
}


def look_of(state: FrameState, trust: Trust) -> Look:
    """How frames of that state are painted."""
    return _BY_STATE.get(state, _BY_TRUST[trust])


def looks_of(strip: StripView) -> bytes:
    """How every frame of the strip is painted, one byte each."""
    found = bytearray(strip.last - strip.first + 1)
    for run in strip.runs:
        first, last = run.first - strip.first, run.last - strip.first + 1
        found[first:last] = bytes((look_of(run.state, run.trust),)) * (last - first)
    return bytes(found)


def columns_of(looks: bytes, width: int) -> bytes:
    """The worst look among the frames in each of `width` columns of pixels."""
    count = len(looks)
    edges = [place * count // width for place in range(width + 1)] if count and width > 0 else [0]
    return bytes(max(looks[left : max(right, left + 1)]) for left, right in pairwise(edges))


class MaskStrip(QWidget):
    """Paints the strip of one object; the mouse scrubs along it."""

    sought = Signal(int)
    """The frame of the source that the mouse went to."""

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shades = shades
        self._strip = _nothing(0, -1)
        self._looks = b""
        self._is_empty = True
        self._frame = 0
        self._marks: tuple[int | None, int | None] = (None, None)
        self._spot: tuple[int, int] | None = None
        self._ground: QPixmap | None = None
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        name(self, "Mask strip", "Nothing is tracked yet.")

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(480, HEIGHT)

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        self._draw_anew()

    def show_strip(self, strip: StripView | None) -> None:
        """Show what is known of every frame, None while there is no object."""
        if strip is None and self._is_empty:
            return
        self._is_empty = strip is None
        self._strip = strip or _nothing(self._strip.first, self._strip.last)
        self._looks = looks_of(self._strip)
        self._draw_anew()

    def show_view(self, view: MaskView) -> None:
        """Show the playhead, the in and out points, and where the spot lies between its handles."""
        if self._is_empty and (self._strip.first, self._strip.last) != (view.first, view.last):
            self._strip = _nothing(view.first, view.last)
            self._looks = looks_of(self._strip)
            self._draw_anew()
        marks, spot = (view.mark_in, view.mark_out), (view.spot_first, view.spot_last)
        if (marks, spot) != (self._marks, self._spot):
            self._marks, self._spot = marks, spot
            self._draw_anew()
        self._frame = view.frame
        self.setAccessibleDescription(self._words())
        self.update()

    @property
    def frames(self) -> int:
        """How many it has."""
        return len(self._looks)

    def place_of(self, frame: int) -> float:
        """Where a frame of the source begins, pixels from the left."""
        return (frame - self._strip.first) * self.width() / max(1, self.frames)

    def words_at(self, frame: int) -> str:
        """What is known of a frame of the source."""
        words = WORDS[Look(self._looks[frame - self._strip.first])]
        key = "keyframe, " if frame in self._strip.keyframes else ""
        return f"Frame {frame}: {key}{words}"

    def paintEvent(self, _event: QPaintEvent) -> None:
        """What is known, from a picture that is kept, and the playhead over it."""
        ratio = self.devicePixelRatioF()
        wanted = QSize(round(self.width() * ratio), round(self.height() * ratio))
        if self._ground is None or self._ground.size() != wanted:
            self._ground = self._drawn(wanted, ratio)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._ground)
        if self.frames:
            self._paint_playhead(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._shades.colour("accent"), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """One frame for each notch."""
        turned = event.angleDelta().y()
        if turned and self.frames:
            self._tell(self._frame - (1 if turned > 0 else -1))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Say of the frame under the pointer what is known of it."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip and self.frames:
            QToolTip.showText(event.globalPos(), self.words_at(self._frame_at(event.pos().x())), self)
            return True
        return super().event(event)

    def _words(self) -> str:
        if not self.frames or not self._strip.first <= self._frame <= self._strip.last:
            return "Nothing is tracked yet."
        known = self.frames - self._looks.count(Look.GAP)
        unsure = sum(self._looks.count(each) for each in (Look.FAIR, Look.POOR))
        here = self.words_at(self._frame)
        return f"{here}. Of {self.frames} frames {known} are known, {unsure} of them unsure."

    def _draw_anew(self) -> None:
        self._ground = None
        self.update()

    def _frame_at(self, across: float) -> int:
        place = int(across * self.frames / max(1, self.width()))
        return self._strip.first + min(max(place, 0), self.frames - 1)

    def _seek(self, event: QMouseEvent) -> None:
        if self.frames:
            self._tell(self._frame_at(event.position().x()))
        event.accept()

    def _tell(self, frame: int) -> None:
        self.sought.emit(min(max(frame, self._strip.first), self._strip.last))

    def _drawn(self, size: QSize, ratio: float) -> QPixmap:
        """Everything but the playhead."""
        drawn = QPixmap(size)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(self._shades.colour("raised"))
        painter = QPainter(drawn)
        lane = QRectF(0, RULER, self.width(), self.height() - RULER)
        painter.fillRect(lane, self._shades.colour("base"))
        if self.frames:
            self._paint_lane(painter, lane, ratio)
            self._paint_ticks(painter)
            self._paint_cuts(painter)
            self._paint_ends(painter)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_diamonds(painter)
        painter.end()
        return drawn

    def _paint_lane(self, painter: QPainter, lane: QRectF, ratio: float) -> None:
        across = 0
        for look, run in groupby(columns_of(self._looks, round(self.width() * ratio))):
            count = len(list(run))
            box = QRectF(across / ratio, lane.top() + 3, count / ratio, lane.height() - 6)
            across += count
            if look != Look.GAP:
                _paint_run(painter, box, Look(look), self._shades)

    def _paint_ticks(self, painter: QPainter) -> None:
        apart = self.width() / self.frames
        step = next((n for n in (1, 5, 10, 25, 50, 100, 250, 1000) if n * apart >= _TICKS), 5000)
        painter.setPen(QPen(self._shades.colour("off"), 1))
        for place, frame in enumerate(range(self._strip.first, self._strip.last + 1, step)):
            left = round(self.place_of(frame)) + 0.5
            painter.drawLine(QPointF(left, RULER), QPointF(left, RULER - (6 if place % 5 == 0 else 3)))

    def _paint_cuts(self, painter: QPainter) -> None:
        """Another shot begins: two lines close together, all the way down."""
        painter.setPen(QPen(self._shades.colour("text"), 1))
        for frame in self._strip.cuts:
            left = round(self.place_of(frame)) + 0.5
            for across in (left - 1.5, left + 1.5):
                painter.drawLine(QPointF(across, 2), QPointF(across, self.height() - 2))

    def _paint_ends(self, painter: QPainter) -> None:
        """Handles are dimmed a little, what lies outside the in and out points more."""
        begin, end = self._spot or (self._strip.first, self._strip.last)
        self._veil(painter, begin, end, strength=90)
        first, last = self._marks
        if first is None and last is None:
            return
        left = self._strip.first if first is None else first
        right = self._strip.last if last is None else last
        self._veil(painter, left, right, strength=170)
        painter.setPen(QPen(self._shades.colour("accent"), 2))
        for place, inward in ((self.place_of(left) + 1, 5), (self.place_of(right + 1) - 1, -5)):
            corners = ((inward, 1), (0, 1), (0, self.height() - 1), (inward, self.height() - 1))
            painter.drawPolyline(QPolygonF([QPointF(place + x, y) for x, y in corners]))

    def _veil(self, painter: QPainter, first: int, last: int, *, strength: int) -> None:
        """Dim all but the frames from `first` to `last`."""
        veil = self._shades.colour("window")
        veil.setAlpha(strength)
        left, right = self.place_of(first), self.place_of(last + 1)
        painter.fillRect(QRectF(0, 0, left, self.height()), veil)
        painter.fillRect(QRectF(right, 0, self.width() - right, self.height()), veil)

    def _paint_diamonds(self, painter: QPainter) -> None:
        painter.setPen(QPen(self._shades.colour("raised"), 1))
        painter.setBrush(self._shades.colour("text"))
        painted = -1.0
        for frame in self._strip.keyframes:
            middle = (self.place_of(frame) + self.place_of(frame + 1)) / 2
            if middle - painted >= 1:
                painter.drawPolygon(self._diamond(middle))
                painted = middle

    def _diamond(self, middle: float) -> QPolygonF:
        across = min(max(middle, _DIAMOND), self.width() - _DIAMOND)
        corners = ((0.0, -_DIAMOND), (_DIAMOND, 0.0), (0.0, _DIAMOND), (-_DIAMOND, 0.0))
        return QPolygonF([QPointF(across + x, RULER / 2 + y) for x, y in corners])

    def _paint_playhead(self, painter: QPainter) -> None:
        colour = self._shades.colour("accent")
        left = self.place_of(self._frame)
        width = max(2.0, self.place_of(self._frame + 1) - left)
        colour.setAlpha(90)
        painter.fillRect(QRectF(left, 0, width, self.height()), colour)
        middle = min(max(left + width / 2, 1.0), self.width() - 1.0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for use, thick in (("base", 4), ("text", 2)):
            painter.setPen(QPen(self._shades.colour(use), thick))
            painter.drawLine(QPointF(middle, 0), QPointF(middle, self.height()))
        if self._frame in self._strip.keyframes:
            painter.setPen(QPen(self._shades.colour("text"), 1.5))
            painter.setBrush(self._shades.colour("accent"))
            painter.drawPolygon(self._diamond(middle))


def _nothing(first: int, last: int) -> StripView:
    """A strip of which nothing is known."""
    return StripView(first, last, (), (), ())


def _paint_run(painter: QPainter, box: QRectF, look: Look, shades: Shades) -> None:
    if look is Look.ABSENT:
        middle = QRectF(box.left(), box.center().y() - 1, box.width(), 2)
        painter.fillRect(box, shades.colour("raised"))
        painter.fillRect(middle, shades.colour("faint"))
        return
    if look is Look.STALE:
        painter.fillRect(box, shades.colour("raised"))
        _hatch(painter, box, shades.colour("faint"), apart=5.0, both=False)
        return
    painter.fillRect(box, FILLS[look])
    if look is not Look.GOOD:
        _hatch(painter, box, _INK, apart=8.0, both=look is Look.POOR)


def _hatch(painter: QPainter, box: QRectF, ink: QColor, *, apart: float, both: bool) -> None:
    """Slanted lines over the box, in step with those of its neighbours; crossed when `both`."""
    down = box.height()
    places = range(int((box.left() - down) // apart), int(box.right() // apart) + 1)
    lines = [QLineF(k * apart, box.bottom(), k * apart + down, box.top()) for k in places]
    if both:
        lines += [QLineF(k * apart, box.top(), k * apart + down, box.bottom()) for k in places]
    painter.save()
    painter.setClipRect(box)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink, 1.3))
    painter.drawLines(lines)
    painter.restore()
