"""The transport: where the playhead is, and the keys and buttons that move it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QFontDatabase, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QToolButton, QWidget

from plugin.controller.playback import TransportView
from plugin.panel.icons import icon
from plugin.panel.palettes import Shades
from plugin.panel.parts import column, label, mark, name, row

_HEIGHT = 22
_TICKS = 8.0
"""Least distance of two frame ticks, pixels."""

KEYS = (
    ("Space", "Play, stop"),
    ("J, K, L", "Backwards, stop, forwards; again: faster"),
    ("Left, Right", "One frame back, on"),
    ("Shift+Left, Shift+Right", "One second back, on"),
    ("Home, End", "First, last frame"),
    ("I, O", "In point, out point"),
    ("Alt+X", "Clear in and out points"),
    ("Ctrl+L", "Loop"),
    ("M", "Matte over the picture"),
    ("Shift+M", "Outline of the matte"),
    ("F", "Focus: off, rectangle, crop"),
    ("Shift+S", "Mute"),
)
"""Keys and what they do, for the shortcut sheet."""


class ScrubBar(QSlider):
    """The frames of the spot, the marked range, the playhead; as wide as the lanes under it."""

    sought = Signal(int)
    """The frame that the mouse went to."""

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._shades = shades
        self._frames = 0
        self._marks: tuple[int | None, int | None] = (None, None)
        self.setFixedHeight(_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        name(self, "Playhead", "Frames of the spot")

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        self.update()

    def show_view(self, view: TransportView) -> None:
        """Show where the playhead is."""
        self._frames, self._marks = view.frames, (view.mark_in, view.mark_out)
        with QSignalBlocker(self):
            self.setRange(0, max(0, view.frames - 1))
            self.setValue(view.frame)
        self.setEnabled(view.frames > 0)
        self.setAccessibleDescription(f"{view.timecode}, frame {view.frame + 1} of {view.frames}")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Ticks, range, playhead."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._shades.colour("raised"))
        if not self._frames:
            return
        self._paint_range(painter)
        self._paint_ticks(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        here = self._left_of(self.value())
        colour = self._shades.colour("accent")
        painter.fillRect(QRectF(here, 0, max(1.5, self._left_of(self.value() + 1) - here), _HEIGHT), colour)
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(QPolygonF([QPointF(here - 5, 0), QPointF(here + 6, 0), QPointF(here + 0.5, 8)]))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Stay there."""
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """One frame for each notch."""
        turned = event.angleDelta().y()
        if turned and self._frames:
            self.sought.emit(self.value() - (1 if turned > 0 else -1))
        event.accept()

    def _seek(self, event: QMouseEvent) -> None:
        if self._frames and self.width():
            frame = int(event.position().x() * self._frames / self.width())
            self.sought.emit(min(max(frame, 0), self._frames - 1))
        event.accept()

    def _left_of(self, frame: int) -> float:
        return frame * self.width() / max(1, self._frames)

    def _paint_range(self, painter: QPainter) -> None:
        begin, end = self._marks
        if begin is None and end is None:
            return
        left = self._left_of(begin or 0)
        right = self._left_of(self._frames if end is None else end + 1)
        colour = self._shades.colour("accent")
        colour.setAlpha(60)
        painter.fillRect(QRectF(left, 0, right - left, _HEIGHT), colour)
        painter.setPen(QPen(self._shades.colour("accent"), 2))
        for place, inward in ((left + 1, 4), (right - 1, -4)):
            painter.drawPolyline(
                QPolygonF(
                    [
                        QPointF(place + inward, 1),
                        QPointF(place, 1),
                        QPointF(place, _HEIGHT - 1),
                        QPointF(place + inward, _HEIGHT - 1),
                    ]
                )
            )

    def _paint_ticks(self, painter: QPainter) -> None:
        apart = self.width() / self._frames
        step = next((n for n in (1, 5, 10, 25, 50, 100, 250, 1000) if n * apart >= _TICKS), 5000)
        painter.setPen(QPen(self._shades.colour("faint"), 1))
        for place, frame in enumerate(range(0, self._frames, step)):
            length = 7 if place % 5 == 0 else 4
            left = round(self._left_of(frame)) + 0.5
            painter.drawLine(QPointF(left, _HEIGHT), QPointF(left, _HEIGHT - length))


class Transport(QWidget):
    """Scrub bar, buttons, timecode, and why nothing is heard."""

    play_wanted = Signal()
    step_wanted = Signal(int)
    seek_wanted = Signal(int)
    mark_in_wanted = Signal()
    mark_out_wanted = Signal()
    loop_wanted = Signal(bool)
    mute_wanted = Signal(bool)

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shades = shades
        self._last = 0
        self.bar = ScrubBar(shades)
        self.timecode = label("--:--:--:--", wraps=False)
        self.speed, self.reason = label("", use="faint", wraps=False), label("", use="warn")
        self.play = self._button("play", "Play or stop (Space)", self.play_wanted.emit)
        self.loop = self._switch("loop", "Loop (Ctrl+L)", self.loop_wanted)
        self.mute = self._switch("mute", "Mute (Shift+S)", self.mute_wanted)
        self.right = row(space=2)
        self._ruler = row(self.bar, space=0)
        self._build()

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        self.bar.wear(shades)

    def align(self, left: int, right: int) -> None:
        """Leave that much room beside the scrub bar, so that it lies exactly over the lanes."""
        self._ruler.setContentsMargins(left, 0, right, 0)

    def show_view(self, view: TransportView) -> None:
        """Show where the playhead is and what it does."""
        self._last = max(0, view.frames - 1)
        self.bar.show_view(view)
        self.timecode.setText(view.timecode or "--:--:--:--")
        self.speed.setText(view.speed or view.length)
        self._show_playing(view.playing)
        for switch, on in ((self.loop, view.loop), (self.mute, view.muted)):
            with QSignalBlocker(switch):
                switch.setChecked(on)
        for button in self.findChildren(QToolButton):
            if button.property("needs_spot"):
                button.setEnabled(view.frames > 0)

    def show_reason(self, reason: str) -> None:
        """Say why nothing is heard; "" takes the words away."""
        self.reason.setText(reason and f"Silent: {reason}")
        self.reason.setVisible(bool(reason))

    def _show_playing(self, playing: bool) -> None:  # noqa: FBT001 - what is shown
        picture = "pause" if playing else "play"
        if self.play.property("shows") != picture:
            self.play.setProperty("shows", picture)
            mark(self.play, picture)
            self.play.setIcon(icon(picture, self._shades.colour("text"), faint=self._shades.colour("off")))
            self.play.setAccessibleName("Stop" if playing else "Play")

    def _build(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.timecode.font().pointSizeF() * 1.15)
        self.timecode.setFont(font)
        name(self.timecode, "Timecode")
        self.timecode.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        first = self._button("first", "First frame (Home)", lambda: self.seek_wanted.emit(0))
        back = self._button("back", "One frame back (Left)", lambda: self.step_wanted.emit(-1))
        on = self._button("on", "One frame on (Right)", lambda: self.step_wanted.emit(1))
        last = self._button("last", "Last frame (End)", lambda: self.seek_wanted.emit(self._last))
        begin = self._button("mark-in", "In point (I)", self.mark_in_wanted.emit)
        end = self._button("mark-out", "Out point (O)", self.mark_out_wanted.emit)
        line = row(first, back, self.play, on, last, begin, end, self.loop, self.mute, space=1)
        line.addSpacing(6)
        line.addWidget(self.timecode)
        line.addSpacing(4)
        line.addWidget(self.speed, 1)
        line.addLayout(self.right)
        self.reason.setVisible(False)
        self.reason.setIndent(6)
        self.setLayout(column(self._ruler, line, self.reason, space=3))
        self.bar.sought.connect(self.seek_wanted)

    def _button(self, icon: str, tells: str, do: Callable[[], object]) -> QToolButton:
        made = _flat(icon, tells)
        made.clicked.connect(lambda _checked=False: do())
        made.setProperty("needs_spot", True)  # noqa: FBT003 - Qt's
        return made

    def _switch(self, icon: str, tells: str, wanted: SignalInstance) -> QToolButton:
        made = _flat(icon, tells)
        made.setCheckable(True)
        made.toggled.connect(wanted)
        return made


def _flat(icon: str, tells: str) -> QToolButton:
    made = QToolButton()
    made.setAutoRaise(True)
    made.setIconSize(QSize(16, 16))
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setToolTip(tells)
    name(made, tells.split(" (", maxsplit=1)[0], tells)
    mark(made, icon)
    return made
