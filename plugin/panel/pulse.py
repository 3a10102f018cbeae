"""The desk's events as Qt signals: a timer polls the desk; whoever shows something listens to its topic."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance

from plugin.controller.desk import Desk
from plugin.controller.views import DeskEvent, Topic
from plugin.errors import SagafoleyError

EVERY = 50
"""Milliseconds between two looks at the desk."""


class Pulse(QObject):
    """Polls one desk; a signal per topic, each with the `DeskEvent`.

    Attributes:
        desk: the desk.
    """

    timeline = Signal(object)
    spots = Signal(object)
    takes = Signal(object)
    queue = Signal(object)
    problems = Signal(object)
    history = Signal(object)
    status = Signal(object)
    placement = Signal(object)
    doctor = Signal(object)
    settings = Signal(object)
    masks = Signal(object)
    message = Signal(object)
    failed = Signal(object)
    """A `SagafoleyError` that an action met."""

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY)
        self._timer.timeout.connect(self.beat)

    def start(self) -> None:
        """Begin to poll."""
        self._timer.start()

    def stop(self) -> None:
        """Poll no more."""
        self._timer.stop()

    def beat(self) -> None:
        """Poll once, now."""
        for event in self.desk.poll():
            self._signal(event.topic).emit(event)

    def attempt(self, do: Callable[[], object]) -> bool:
        """Do something with the desk and show at once what came of it; whether it did not fail."""
        try:
            do()
        except SagafoleyError as error:
            self.failed.emit(error)
            return False
        self.beat()
        return True

    def tell_all(self) -> None:
        """Let everyone show what is on the desk now."""
        for topic in Topic:
            if topic is not Topic.MESSAGE:
                self._signal(topic).emit(DeskEvent(topic))

    def _signal(self, topic: Topic) -> SignalInstance:
        signal: SignalInstance = getattr(self, topic.value)
        return signal
