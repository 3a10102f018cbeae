"""Thumbnails of spots, made in the background when a list first shows them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, SignalInstance
from PySide6.QtGui import QImage

from plugin.controller.views import DeskEvent
from plugin.panel.pulse import Pulse

Load = Callable[[str], Callable[[], QImage | None]]
"""Gives for a spot what makes its thumbnail; that runs in another thread and may take its time."""


class Thumbnails(QObject):
    """Thumbnails by spot; the one that was asked for last is made first.

    Args:
        pulse: tells when spots change.
        load: how a thumbnail is made.
    """

    ready = Signal(str)
    _made = Signal(str, int, object)

    def __init__(self, pulse: Pulse, load: Load, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load = load
        self._images: dict[str, QImage | None] = {}
        self._wanted: list[str] = []
        self._under_way = ""
        self._generation = 0
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._made.connect(self._take)
        pulse.timeline.connect(self._forget_all)
        pulse.spots.connect(self._forget_some)

    def of(self, cue_id: str) -> QImage | None:
        """The thumbnail when it is there; else it is made and `ready` tells."""
        if cue_id in self._images:
            return self._images[cue_id]
        if cue_id in self._wanted:
            self._wanted.remove(cue_id)
        if cue_id != self._under_way:
            self._wanted.append(cue_id)
        self._next()
        return None

    def close(self) -> None:
        """Make no more."""
        self._wanted.clear()
        self._pool.clear()
        self._pool.waitForDone()

    def _next(self) -> None:
        if self._under_way or not self._wanted:
            return
        cue_id = self._wanted.pop()
        self._under_way = cue_id
        self._pool.start(_Making(cue_id, self._generation, self._load(cue_id), self._made))

    def _take(self, cue_id: str, generation: int, image: QImage | None) -> None:
        self._under_way = ""
        if generation == self._generation:
            self._images[cue_id] = image
            self.ready.emit(cue_id)
        self._next()

    def _forget_all(self, _event: DeskEvent) -> None:
        self._images.clear()
        self._wanted.clear()
        self._generation += 1

    def _forget_some(self, event: DeskEvent) -> None:
        for cue_id in event.ids:
            self._images.pop(cue_id, None)


class _Making(QRunnable):
    def __init__(
        self, cue_id: str, generation: int, make: Callable[[], QImage | None], made: SignalInstance
    ) -> None:
        super().__init__()
        self._cue_id, self._generation, self._make, self._made = cue_id, generation, make, made

    def run(self) -> None:
        """Make it in the pool's thread."""
        self._made.emit(self._cue_id, self._generation, self._make())
