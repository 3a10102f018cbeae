"""Work in background threads whose outcome is taken in the desk's own thread, so nothing needs a lock."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from plugin.errors import SagafoleyError

T = TypeVar("T")

SLOW = 5.0
"""Seconds after which somebody who waits wants to know."""

Failed = Callable[[SagafoleyError], None]


@dataclass(slots=True)
class _Chore:
    """One piece of work under way.

    Attributes:
        done: told the result.
        failed: told why there is none.
        late: told once when the work takes longer than `deadline`; its outcome is dropped then.
        slow: told once when the work takes longer than `slow_at`; it stays wanted.
        thread: does the work.
    """

    done: Callable[[Any], None]
    failed: Failed
    late: Callable[[], None] | None = None
    deadline: float | None = None
    slow: Callable[[], None] | None = None
    slow_at: float = 0.0
    thread: threading.Thread | None = None


@dataclass(slots=True)
class Chores:
    """Pieces of work by lane; in one lane only the newest counts.

    Attributes:
        clock: seconds that only grow.
    """

    clock: Callable[[], float] = time.monotonic
    _ended: queue.SimpleQueue[tuple[_Chore, Any, SagafoleyError | None]] = field(
        default_factory=queue.SimpleQueue
    )
    _lanes: dict[str, _Chore] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether any work is wanted that has not ended."""
        return bool(self._lanes)

    def has(self, lane: str) -> bool:
        """Whether work of this lane is wanted that has not ended."""
        return lane in self._lanes

    def start(
        self,
        lane: str,
        work: Callable[[], T],
        *,
        done: Callable[[T], None],
        failed: Failed,
        patience: float | None = None,
        late: Callable[[], None] | None = None,
        slow: Callable[[], None] | None = None,
    ) -> None:
        """Begin `work` in a thread; an older piece of the same lane is no longer wanted.

        Args:
            lane: which kind of work.
            work: runs in a thread of its own and must not touch the desk.
            done: told the result, in `poll`.
            failed: told the failure, in `poll`.
            patience: seconds after which `late` is told and the outcome no longer wanted; None: any.
            late: told when the patience ends.
            slow: told, once, after `SLOW` seconds.
        """
        now = self.clock()
        deadline = None if patience is None else now + patience
        chore = _Chore(done, failed, late, deadline, slow=slow, slow_at=now + SLOW)
        self._lanes[lane] = chore
        chore.thread = threading.Thread(target=self._run, args=(chore, work, lane), name=lane, daemon=True)
        chore.thread.start()

    def abandon(self, *lanes: str) -> None:
        """What these lanes are doing is no longer wanted."""
        for lane in lanes:
            self._lanes.pop(lane, None)

    def finish(self, lane: str) -> None:
        """Wait for the work of this lane, if there is any, and hand out its outcome; slow."""
        chore = self._lanes.get(lane)
        if chore is None or chore.thread is None:
            return
        chore.thread.join()
        others = []
        while not self._ended.empty():
            outcome = self._ended.get()
            if outcome[0] is chore:
                self._hand_out(*outcome)
            else:
                others.append(outcome)
        for outcome in others:
            self._ended.put(outcome)

    def poll(self) -> None:
        """Hand out every outcome that has come, and tell those whose patience has ended."""
        while True:
            try:
                chore, result, error = self._ended.get_nowait()
            except queue.Empty:
                break
            self._hand_out(chore, result, error)
        now = self.clock()
        for chore in list(self._lanes.values()):
            if chore.slow is not None and now > chore.slow_at:
                slow, chore.slow = chore.slow, None
                slow()
            if chore.deadline is not None and now > chore.deadline and self._forget(chore) and chore.late:
                chore.late()

    def _hand_out(self, chore: _Chore, result: Any, error: SagafoleyError | None) -> None:
        if self._forget(chore):
            chore.failed(error) if error is not None else chore.done(result)

    def _forget(self, chore: _Chore) -> bool:
        """Whether the chore was still wanted."""
        for lane, wanted in self._lanes.items():
            if wanted is chore:
                del self._lanes[lane]
                return True
        return False

    def _run(self, chore: _Chore, work: Callable[[], Any], lane: str) -> None:
        try:
            self._ended.put((chore, work(), None))
        except SagafoleyError as error:
            self._ended.put((chore, None, error))
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            self._ended.put((chore, None, unforeseen(lane, error)))


def unforeseen(doing: str, error: Exception) -> SagafoleyError:
    """What nobody thought of, in words."""
    return SagafoleyError(
        f"Something unforeseen happened ({doing}): {type(error).__name__}: {error}.",
        remedy="Try again, and send the details to the makers if it happens again.",
        detail="".join(traceback.format_exception(error)),
    )
