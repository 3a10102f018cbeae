"""Work for one thread: the newest wish first, and only the newest of each kind."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

Job = Callable[[], None]

_LOG = logging.getLogger(__name__)


class Background:
    """A thread that does jobs one after another; it begins with the first and ends with `close`.

    A job tells its outcome and its failure itself.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: OrderedDict[Hashable, Job] = OrderedDict()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._running = False
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether anything is being done or waits."""
        with self._changed:
            return bool(self._waiting) or self._running

    @property
    def closed(self) -> bool:
        """Whether `close` was called; a long job looks at this and stops."""
        return self._closed

    def put(self, key: Hashable, job: Job) -> None:
        """Do this job next. One of the same key that still waits is dropped."""
        with self._changed:
            if self._closed:
                return
            self._waiting.pop(key, None)
            self._waiting[key] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def keep(self, wanted: Callable[[Hashable], bool]) -> None:
        """Drop all waiting jobs but the wanted ones."""
        with self._changed:
            for key in [key for key in self._waiting if not wanted(key)]:
                del self._waiting[key]

    def close(self, *, patience: float = 5.0) -> None:
        """Drop what waits and end the thread, waiting for its job at most `patience` seconds."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(patience)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001 - the edge of a thread: the jobs after this one must be done
                _LOG.exception("work in the background failed: %s", self._name)

    def _next(self) -> Job | None:
        with self._changed:
            self._running = False
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            self._running = True
            return self._waiting.popitem(last=True)[1]
