"""The beat of the screen: a timer that keeps sound and picture going while something plays."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from plugin.controller.desk import Desk
from plugin.controller.screening import Changed, Screening

_WHILE_PLAYING = 12
"""Milliseconds between two beats while something plays."""


class ScreenBeat(QObject):
    """Owns the screening of one desk; tells what has changed on it.

    Attributes:
        screening: what is seen and heard.
    """

    changed = Signal(object)
    """A `Changed`, whenever anything has."""
    _ready = Signal()

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.screening = Screening(desk, ready=self._ready.emit)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_WHILE_PLAYING)
        self._timer.timeout.connect(self.beat)
        self._ready.connect(self.beat, Qt.ConnectionType.QueuedConnection)

    def beat(self) -> None:
        """Go on once, now; goes on by itself while something plays."""
        changed = self.screening.beat()
        playing = self.screening.playback.playing
        if playing != self._timer.isActive():
            self._timer.start() if playing else self._timer.stop()
        if changed != Changed():
            self.changed.emit(changed)

    def stop(self) -> None:
        """Beat no more, and let go of files and devices."""
        self._timer.stop()
        self._ready.disconnect(self.beat)
        self.screening.close()
