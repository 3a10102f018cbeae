"""Under the strip of mask mode: the playhead's buttons, tracking, and what to do when it pauses."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFrame, QProgressBar, QSizePolicy, QToolButton, QWidget

from plugin.controller.masking.views import (
    Direction,
    FrameState,
    MaskPicture,
    MaskView,
    TrackingState,
    TrackingView,
)
from plugin.panel.icons import icon
from plugin.panel.masktools import tool_button
from plugin.panel.palettes import Shades
from plugin.panel.parts import button, label, mark, name, row

_STATES = {
    FrameState.KEYFRAME: "keyframe",
    FrameState.TRACKED: "tracked, {:.0%} sure",
    FrameState.STALE: "to be tracked again",
    FrameState.LOST: "lost, {:.0%} sure",
    FrameState.ABSENT: "marked absent",
    FrameState.GAP: "nothing known here",
}


class MaskTransport(QWidget):
    """Buttons that move the playhead and set the range; where it is."""

    play_wanted = Signal()
    step_wanted = Signal(int)
    end_wanted = Signal(int)
    """-1 for the first frame, 1 for the last."""
    keyframe_wanted = Signal(int)
    """-1 for the keyframe before, 1 for the next."""
    mark_wanted = Signal(int)
    """-1 for the in point, 1 for the out point."""
    absent_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shades = shades
        self.timecode, self.state = label("--:--:--:--", wraps=False), label("", use="faint", wraps=False)
        self.play = tool_button("play", "Play or stop (Space)", self.play_wanted.emit)
        self.absent = tool_button("absent", "Absent from here on (A)", self.absent_wanted.emit)
        self.absent.setCheckable(True)
        self.absent.setText("Absent")
        self.absent.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.remove = tool_button("trash", "Remove this keyframe (Shift+Delete)", self.remove_wanted.emit)
        self._build()

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades

    def show_view(self, view: MaskView) -> None:
        """Show where the playhead is and whether it moves."""
        self.timecode.setText(view.timecode)
        picture = "pause" if view.playing else "play"
        if self.play.property("shows") != picture:
            self.play.setProperty("shows", picture)
            mark(self.play, picture)
            self.play.setIcon(icon(picture, self._shades.colour("text"), faint=self._shades.colour("off")))
            self.play.setAccessibleName("Stop" if view.playing else "Play")
        self.absent.setEnabled(bool(view.object))

    def show_picture(self, picture: MaskPicture | None) -> None:
        """Show what is known of the object in the shown frame."""
        state = picture.state if picture else FrameState.GAP
        words = _STATES[state].format(picture.confidence if picture else 0.0)
        empty = state is FrameState.KEYFRAME and picture is not None and bool(picture.notice)
        self.state.setText(f"{words} without a mask" if empty else words)
        self.absent.setChecked(state is FrameState.ABSENT)
        self.remove.setEnabled(state is FrameState.KEYFRAME)

    def _build(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.timecode.font().pointSizeF() * 1.15)
        self.timecode.setFont(font)
        name(self.timecode, "Timecode")
        name(self.state, "The object in this frame")
        self.timecode.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        line = row(
            tool_button("first", "First frame (Home)", lambda: self.end_wanted.emit(-1)),
            tool_button("key-back", "Keyframe before (Ctrl+Left)", lambda: self.keyframe_wanted.emit(-1)),
            tool_button("back", "One frame back (Left)", lambda: self.step_wanted.emit(-1)),
            self.play,
            tool_button("on", "One frame on (Right)", lambda: self.step_wanted.emit(1)),
            tool_button("key-on", "Next keyframe (Ctrl+Right)", lambda: self.keyframe_wanted.emit(1)),
            tool_button("last", "Last frame (End)", lambda: self.end_wanted.emit(1)),
            tool_button("mark-in", "Track from here on (I)", lambda: self.mark_wanted.emit(-1)),
            tool_button("mark-out", "Track up to here (O)", lambda: self.mark_wanted.emit(1)),
            space=1,
        )
        line.addSpacing(6)
        line.addWidget(self.timecode)
        line.addSpacing(8)
        line.addWidget(self.state, 1)
        line.addWidget(self.absent)
        line.addWidget(self.remove)
        self.setLayout(line)


class TrackLine(QWidget):
    """Tracking: which way, how far it is, and the end of it."""

    track_wanted = Signal(object)
    """A `Direction`."""
    stop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reverse = self._way("Reverse", "track-back", Direction.REVERSE, "Track back from here (R)")
        self.both = self._way(
            "Track both ways", "track-both", Direction.BOTH, "Track both ways from here (T)"
        )
        self.both.setProperty("use", "main")
        self.forward = self._way("Forward", "track-on", Direction.FORWARD, "Track on from here (F)")
        self.previous = self._one("one-back", "Track one frame back (Shift+R)", Direction.PREVIOUS)
        self.next = self._one("one-on", "Track one frame on (Shift+F)", Direction.NEXT)
        self.bar, self.words = QProgressBar(), label("", use="faint")
        self.stop = button("Stop", self.stop_wanted.emit, icon_name="stop")
        self._build()

    def show_view(self, view: MaskView) -> None:
        """Tracking needs a keyframe to begin with."""
        for each in (self.reverse, self.both, self.forward, self.previous, self.next):
            each.setEnabled(view.can_save)

    def show_tracking(self, view: TrackingView | None) -> None:
        """Show how far it is, or how it ended."""
        running = view is not None and view.running
        for part in (self.bar, self.stop):
            part.setVisible(running)
        self.words.setText(view.text if view is not None and view.state is not TrackingState.PAUSED else "")
        if view is not None and running:
            self.bar.setRange(0, view.total if view.state is not TrackingState.STARTING else 0)
            self.bar.setValue(view.done)
            self.stop.setEnabled(view.state is not TrackingState.STOPPING)

    def _build(self) -> None:
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.bar.setMinimumWidth(60)
        self.stop.setToolTip("Stop tracking; what was tracked stays (Esc)")
        name(self.bar, "Tracking")
        name(self.words, "How far tracking is")
        line = row(self.reverse, self.both, self.forward, self.previous, self.next, space=4)
        line.addSpacing(6)
        line.addWidget(self.bar, 1)
        line.addWidget(self.words, 2)
        line.addWidget(self.stop)
        self.setLayout(line)
        self.show_tracking(None)

    def _way(self, words: str, icon_name: str, direction: Direction, tells: str) -> QWidget:
        return button(words, lambda: self.track_wanted.emit(direction), icon_name=icon_name, tells=tells)

    def _one(self, icon_name: str, tells: str, direction: Direction) -> QToolButton:
        return tool_button(icon_name, tells, lambda: self.track_wanted.emit(direction))


class PauseNotice(QFrame):
    """Why tracking paused by itself, and what can be done about it."""

    again_wanted = Signal()
    """The object is to be marked again in the frame where it paused."""
    absent_wanted = Signal()
    """The object is not there from that frame on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("use", "card")
        self.text = label("", use="warn")
        self.again = button("Mark it again", self.again_wanted.emit, icon_name="point")
        self.absent = button("Absent from here", self.absent_wanted.emit, icon_name="absent")
        self.away = tool_button("cancel", "Put this message away (Esc)", self.hide)
        name(self.text, "Tracking paused")
        line = row(self.text, self.again, self.absent, self.away, edge=6)
        line.setStretch(0, 1)
        self.setLayout(line)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def show_tracking(self, view: TrackingView | None) -> None:
        """Show it while tracking is paused."""
        paused = view is not None and view.state is TrackingState.PAUSED
        if view is not None and paused:
            self.text.setText(f"{view.text} {view.remedy}".strip())
        self.setVisible(paused)
