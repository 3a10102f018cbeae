"""One line that tells what just happened, until it is put away; and the status bar."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QStatusBar, QToolButton, QWidget

from plugin.errors import SagafoleyError
from plugin.panel.icons import pixmap
from plugin.panel.palettes import Shades
from plugin.panel.parts import label, mark, name, row
from plugin.panel.pulse import Pulse

_MILLISECONDS_SHOWN = 12_000
_MILLISECONDS_LATER = 150


class NoticeLine(QFrame):
    """The last message. Failures stay until they are put away; others leave by themselves."""

    def __init__(self, pulse: Pulse, shades: Shades, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("use", "card")
        self._shades = shades
        self._sign = QLabel()
        self.text = label("", selectable=True)
        self.away = QToolButton()
        self.away.setAutoRaise(True)
        self.away.setToolTip("Put this message away (Esc)")
        self._timer = QTimer(self, singleShot=True, interval=_MILLISECONDS_SHOWN)
        self._timer.timeout.connect(self.hide)
        self._build()
        pulse.message.connect(lambda event: self.say(event.text))
        pulse.failed.connect(self.fail)

    def say(self, text: str) -> None:
        """Show a message for a while."""
        if text:
            self._show(text, sign="note", use="text")
            self._timer.start()

    def fail(self, error: SagafoleyError) -> None:
        """Show what failed and what to do, until it is put away."""
        self._timer.stop()
        self._show(str(error), sign="problem", use="warn")
        self.text.setToolTip(error.detail)

    def wear(self, shades: Shades) -> None:
        """Take other colours."""
        self._shades = shades

    def _build(self) -> None:
        mark(self.away, "cancel")
        name(self.away, "Put message away")
        name(self.text, "Message")
        self.away.clicked.connect(self.hide)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout = row(self._sign, self.text, self.away, edge=6)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.hide()

    def _show(self, text: str, *, sign: str, use: str) -> None:
        ratio = self.devicePixelRatioF()
        drawn = pixmap(sign, self._shades.colour(use), round(18 * ratio))
        drawn.setDevicePixelRatio(ratio)
        self._sign.setPixmap(drawn)
        self.text.setText(text)
        self.text.setToolTip("")
        self.show()


class StatusBar(QStatusBar):
    """Bundle, provider really in use, memory, what is rendered, whether edits are saved."""

    problems_wanted = Signal()
    shown = Signal(object)
    """The `StatusLine` that is shown now."""

    def __init__(self, pulse: Pulse, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse = pulse
        self.queue, self.saved = _cell("Rendering"), _cell("Edits")
        self.bundle, self.provider, self.memory = _cell("Model bundle"), _cell("Runs on"), _cell("Memory")
        self.problems = QToolButton()
        self.problems.setAutoRaise(True)
        self.problems.clicked.connect(self.problems_wanted)
        self.setSizeGripEnabled(False)
        self.addWidget(self.queue)
        self.addWidget(self.saved)
        self.addPermanentWidget(self.problems)
        for cell in (self.memory, self.provider, self.bundle):
            self.addPermanentWidget(cell)
        self._soon = QTimer(self, singleShot=True, interval=_MILLISECONDS_LATER)
        self._soon.timeout.connect(self.refresh)
        for signal in (pulse.status, pulse.problems, pulse.queue):
            signal.connect(self._change)

    def _change(self, _event: object) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def refresh(self) -> None:
        """Show what is so now; of several changes at once only the last is shown."""
        status = self._pulse.desk.status()
        for cell, text in (
            (self.queue, status.queue),
            (self.saved, status.saved),
            (self.bundle, status.bundle),
            (self.provider, status.provider),
            (self.memory, status.memory),
        ):
            cell.setText(text)
            cell.setToolTip(text)
            cell.setVisible(bool(text))
        count = status.problems
        self.problems.setVisible(count > 0)
        self.problems.setText(f"{count} problem{'s' * (count != 1)}")
        self.problems.setToolTip("Show the problems")
        self.shown.emit(status)


def _cell(title: str) -> QLabel:
    cell = label("", wraps=False)
    name(cell, title)
    cell.setContentsMargins(6, 0, 6, 0)
    return cell
