"""The takes of a spot: lanes to compare, and what can be done with the one that is heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QDoubleSpinBox, QInputDialog, QScrollArea, QToolButton, QVBoxLayout, QWidget

from plugin.controller.lanes import LaneView, MotionView
from plugin.controller.takes import GAIN_LIMITS
from plugin.controller.views import TakeRow
from plugin.panel.lanes import Lane, MotionLane, TakeLane
from plugin.panel.palettes import Shades
from plugin.panel.parts import column, label, mark, name, row

KEYS = (
    ("Up, Down", "Hear the take above, below"),
    ("1 to 9", "Hear that take"),
    ("B", "A/B: the take that was heard before"),
    ("Enter", "Choose the take that is heard, for placing"),
    ("S", "Star"),
    ("R", "Rename"),
    ("G", "Change gain"),
    ("Delete", "Delete, to the trash folder"),
)
"""Keys of the takes, for the shortcut sheet."""


class TakesPanel(QWidget):
    """Lanes and the strip to work on the take that is heard; it says what is wanted, others do it."""

    sought = Signal(float)
    hear_wanted = Signal(str)
    swap_wanted = Signal()
    choose_wanted = Signal(str)
    star_wanted = Signal(str, bool)
    rename_wanted = Signal(str, str)
    delete_wanted = Signal(str)
    level_wanted = Signal(str, float, float, float)
    """Name, gain in dB, fade in and fade out in seconds."""
    columns_changed = Signal()
    aligned = Signal(int, int)
    """Room to the left and right of the lanes, pixels."""

    def __init__(self, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shades = shades
        self._takes: tuple[TakeRow, ...] = ()
        self._heard = ""
        self.motion = MotionLane(shades)
        self.lanes: list[TakeLane] = []
        self.empty = label("No takes yet. Generate some.", use="faint")
        self.title = label("", use="heading", wraps=False)
        self.gain = _number(*GAIN_LIMITS, suffix=" dB", step=0.5, title="Gain of the take")
        self.fade_in = _number(0.0, 600.0, suffix=" s", step=0.05, title="Fade in")
        self.fade_out = _number(0.0, 600.0, suffix=" s", step=0.05, title="Fade out")
        self.swap = _tool("swap", "A/B: hear the take before (B)", self.swap_wanted.emit)
        self.choose = _tool("good", "Choose for placing (Enter)", self._choose)
        self.star = _tool("star", "Star (S)", self._star)
        self.rename = _tool("rename", "Rename (R)", self.ask_name)
        self.delete = _tool("trash", "Delete, to the trash folder (Delete)", self._delete)
        self._stack = QVBoxLayout()
        self.area = QScrollArea()
        self._above = row(self.motion, space=0)
        self._columns_wanted = QTimer(self)
        self._build()
        self.show_takes((), heard="")

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades
        for lane in self._all():
            lane.wear(shades)

    @property
    def columns(self) -> int:
        """Columns of pixels that a lane has."""
        return self.motion.columns

    def show_takes(self, takes: Sequence[tuple[TakeRow, LaneView]], *, heard: str, full: float = 1.0) -> None:
        """Show these takes.

        Args:
            takes: each with its lane.
            heard: name of the one to work on.
            full: the level that fills a lane.
        """
        another, self._heard = heard != self._heard, heard
        self._takes = tuple(take for take, _ in takes)
        self._make_lanes(len(takes))
        for lane, (take, view) in zip(self.lanes, takes, strict=True):
            lane.show_view(view, heard=take.name == heard, full=full)
        self._show_keys()
        self.empty.setVisible(not takes)
        self._show_strip()
        if another:
            self._reveal()

    def show_motion(self, motion: MotionView, onsets: tuple[float, ...]) -> None:
        """Show the matte's motion and the onsets of the take that is heard."""
        self.motion.show_motion(motion, onsets)

    def show_place(self, place: float) -> None:
        """The playhead is at 0..1."""
        for lane in self._all():
            lane.show_place(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What is done with the take that is heard."""
        do = self._deed(event)
        if do is None:
            super().keyPressEvent(event)
        else:
            do()
            event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which take the keys work on."""
        super().focusInEvent(event)
        self._show_keys()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keys go elsewhere."""
        super().focusOutEvent(event)
        self._show_keys()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Lanes of another width have other columns."""
        if event.type() is QEvent.Type.Resize and watched is self.area.viewport():
            self._align()
        return super().eventFilter(watched, event)

    def ask_name(self) -> None:
        """Ask for another name of the take that is heard; an empty one gives it its number back."""
        take = self._current()
        if take is None:
            return
        text, given = QInputDialog.getText(
            self, "Rename take", "Name on screen; empty for its number:", text=take.title
        )
        if given:
            self.rename_wanted.emit(take.name, text)

    def _deed(self, event: QKeyEvent) -> Callable[[], object] | None:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        key = Qt.Key(event.key())
        deeds: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_Up: lambda: self._step(-1),
            Qt.Key.Key_Down: lambda: self._step(1),
            Qt.Key.Key_Return: self._choose,
            Qt.Key.Key_Enter: self._choose,
            Qt.Key.Key_S: self._star,
            Qt.Key.Key_R: self.ask_name,
            Qt.Key.Key_G: lambda: self.gain.setFocus(Qt.FocusReason.ShortcutFocusReason),
            Qt.Key.Key_Delete: self._delete,
            Qt.Key.Key_Backspace: self._delete,
        }
        if Qt.Key.Key_1 <= key <= Qt.Key.Key_9:
            return lambda: self._hear(event.key() - int(Qt.Key.Key_1))
        return deeds.get(key)

    def _build(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        name(self, "Takes", "Waveforms of the takes along the spot")
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.setSpacing(0)
        self._stack.addWidget(self.empty)
        self._stack.addStretch(1)
        inside = QWidget()
        inside.setLayout(self._stack)
        self.area.setWidget(inside)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setStyleSheet("QScrollArea { border: none; }")
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.motion.sought.connect(self.sought)
        for field in (self.gain, self.fade_in, self.fade_out):
            field.valueChanged.connect(self._tell_level)
        tools = row(self.title, None, self.swap, self.choose, self.star, self.rename, self.delete, space=1)
        level = row(
            _buddy("Gain", self.gain),
            self.gain,
            _buddy("Fade &in", self.fade_in),
            self.fade_in,
            _buddy("&out", self.fade_out),
            self.fade_out,
            None,
            space=4,
        )
        self._columns_wanted.setSingleShot(True)  # once, after everything has its size
        self._columns_wanted.timeout.connect(self.columns_changed)
        tools.setContentsMargins(6, 0, 4, 0)
        level.setContentsMargins(6, 0, 4, 4)
        self.setLayout(column(self._above, self.area, tools, level, space=3))
        self.area.viewport().installEventFilter(self)

    def _show_keys(self) -> None:
        for lane in self.lanes:
            lane.show_keys(here=self.hasFocus())

    def _align(self) -> None:
        """The scroll bar takes room of the lanes: what lies over them leaves the same."""
        port = self.area.viewport().geometry()
        left, right = port.left(), self.area.width() - port.left() - port.width()
        self._above.setContentsMargins(left, 0, right, 0)
        self.aligned.emit(left, right)
        self._columns_wanted.start()

    def _all(self) -> list[Lane]:
        return [self.motion, *self.lanes]

    def _make_lanes(self, count: int) -> None:
        while len(self.lanes) > count:
            lane = self.lanes.pop()
            self._stack.removeWidget(lane)
            lane.deleteLater()
        while len(self.lanes) < count:
            lane = TakeLane(self._shades)
            lane.sought.connect(self.sought)
            lane.pressed.connect(self._pressed)
            lane.chosen.connect(self.choose_wanted)
            self._stack.insertWidget(len(self.lanes), lane)
            self.lanes.append(lane)

    def _show_strip(self) -> None:
        take = self._current()
        self.title.setText(take.title if take else "")
        length = float(take.record.duration) if take else 0.0
        values = (take.gain_db, take.fade_in, take.fade_out) if take else (0.0, 0.0, 0.0)
        for field, value in zip((self.gain, self.fade_in, self.fade_out), values, strict=True):
            with QSignalBlocker(field):
                field.setEnabled(take is not None)
                if field is not self.gain:
                    field.setMaximum(max(length, 0.0))
                if not field.hasFocus() or abs(field.value() - value) > 0.005:
                    field.setValue(value)
        for tool in (self.choose, self.star, self.rename, self.delete):
            tool.setEnabled(take is not None)
        self.swap.setEnabled(len(self._takes) > 1)
        for tool, on in ((self.choose, take and take.chosen), (self.star, take and take.star)):
            tool.setCheckable(True)
            tool.setChecked(bool(on))

    def _current(self) -> TakeRow | None:
        return next((take for take in self._takes if take.name == self._heard), None)

    def _pressed(self, take: str) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.hear_wanted.emit(take)

    def _step(self, by: int) -> None:
        names = [take.name for take in self._takes]
        if names:
            place = names.index(self._heard) + by if self._heard in names else 0
            self._hear(min(max(place, 0), len(names) - 1))

    def _hear(self, place: int) -> None:
        if place < len(self._takes):
            self.hear_wanted.emit(self._takes[place].name)

    def _reveal(self) -> None:
        """Bring the lane that is heard into sight."""
        for lane, take in zip(self.lanes, self._takes, strict=True):
            if take.name == self._heard:
                self.area.ensureWidgetVisible(lane, 0, 4)

    def _choose(self) -> None:
        if take := self._current():
            self.choose_wanted.emit(take.name)

    def _star(self) -> None:
        if take := self._current():
            self.star_wanted.emit(take.name, not take.star)

    def _delete(self) -> None:
        if take := self._current():
            self.delete_wanted.emit(take.name)

    def _tell_level(self) -> None:
        if take := self._current():
            self.level_wanted.emit(take.name, self.gain.value(), self.fade_in.value(), self.fade_out.value())


def _number(lowest: float, highest: float, *, suffix: str, step: float, title: str) -> QDoubleSpinBox:
    made = QDoubleSpinBox()
    made.setRange(lowest, highest)
    made.setSuffix(suffix)
    made.setSingleStep(step)
    made.setDecimals(1 if step >= 0.1 else 2)
    made.setKeyboardTracking(False)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    name(made, title)
    made.setToolTip(title)
    return made


def _tool(icon: str, tells: str, do: Callable[[], object]) -> QToolButton:
    made = QToolButton()
    made.setAutoRaise(True)
    made.setIconSize(QSize(16, 16))
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setToolTip(tells)
    made.clicked.connect(lambda _checked=False: do())
    name(made, tells.split(" (", maxsplit=1)[0], tells)
    mark(made, icon)
    return made


def _buddy(text: str, field: QWidget) -> QWidget:
    made = label(text, use="faint", wraps=False)
    made.setBuddy(field)
    return made
