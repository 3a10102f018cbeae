"""The desk's end of a propagation: started, followed frame by frame, stopped, told in words."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from plugin.controller.child import RenderChild
from plugin.controller.masking.orders import TrackOrder, order_to_message
from plugin.controller.masking.runs import Run
from plugin.controller.masking.views import TrackingState, TrackingView
from plugin.controller.wire import Message, failure_of_message
from plugin.errors import EngineError, OutOfMemory, SagafoleyError, UsageError
from plugin.masks.results import MaskStore

MODULE = "plugin.controller.masking.mask_child"

_IDLE = 300.0
"""Seconds after which a mask process without work is ended: it holds models."""


class Child(Protocol):
    """A process that answers orders, see `plugin.controller.child`."""

    def send(self, message: Message) -> None:
        """Sends a message."""

    def messages(self) -> list[Message]:
        """What it told since the last call."""

    @property
    def exit_status(self) -> int | None:
        """How it ended; None while it lives."""

    def last_words(self) -> str:
        """The end of its standard error."""

    def kill(self) -> None:
        """Ends it at once."""

    def close(self) -> None:
        """Ends it."""


def start_child() -> Child:
    """A mask process.

    Raises:
        EngineError: the system does not let a process be started.
    """
    return RenderChild.start(MODULE, name="mask")


@dataclass(frozen=True, slots=True)
class FrameMade:
    """A frame of an object has its mask on disk.

    Attributes:
        order: that it was made for.
        frame: which.
        confidence: 0..1.
    """

    order: TrackOrder
    frame: int
    confidence: float


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A propagation is over.

    Attributes:
        order: which.
        lost: first frame in which the object seems lost, None where it is not.
        failure: why it failed, None where it did not.
    """

    order: TrackOrder
    lost: int | None = None
    failure: SagafoleyError | None = None


Happening = FrameMade | RunEnded


class Propagation:
    """The propagations of one session, one at a time, in a process that is started when it is needed."""

    def __init__(
        self,
        *,
        store: MaskStore,
        painted: Path,
        start: Callable[[], Child] = start_child,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is started yet.

        Args:
            store: where masks are kept.
            painted: folder of the masks that documents name.
            start: gives a mask process.
            clock: seconds that only grow.
        """
        self._store = store
        self._painted = painted
        self._start = start
        self._clock = clock
        self._child: Child | None = None
        self._run: Run | None = None
        self._number = 0
        self._idle_since = clock()

    @property
    def running(self) -> bool:
        """Whether frames are being tracked."""
        return self._run is not None and self._run.running

    @property
    def order(self) -> TrackOrder | None:
        """What is being tracked, None for nothing."""
        return self._run.order if self._run is not None and self._run.running else None

    def start(self, order: TrackOrder) -> None:
        """Begin; the order is sent when `poll` hears that its keyframes are ready.

        Raises:
            UsageError: another propagation is under way.
            EngineError: the mask process cannot be started.
        """
        if self.running:
            raise UsageError("Masks are being tracked already.", remedy="Stop that first.")
        self._child = self._child or self._start()
        self._number += 1
        self._run = Run(order, str(self._number))

    def stop(self) -> None:
        """Stop after the frame that is being tracked; asked again, end the process."""
        run = self._run
        if run is None or not run.running:
            return
        if not run.sent:
            run.state = TrackingState.STOPPED
        elif self._child is not None:
            if run.stopping:
                self._child.kill()
            run.stopping, run.state = True, TrackingState.STOPPING
            self._child.send({"do": "cancel", "item": run.item})

    def poll(self, *, ready: bool = True) -> tuple[Happening, ...]:
        """What has happened since the last call.

        Args:
            ready: the keyframes have their masks; an order that waits for them is sent.
        """
        child, run = self._child, self._run
        if child is None:
            return ()
        if run is not None and ready and run.running and not run.sent:
            run.sent = True
            item = int(run.item)
            child.send(order_to_message(run.order, item=item, store=self._store, painted=self._painted))
        happened: list[Happening] = []
        for message in child.messages():
            if run is not None and message.get("item") == run.item:
                happened += self._hear(run, message)
        status = child.exit_status
        if status is not None:
            happened += self._bury(status)
        elif not self.running and self._clock() - self._idle_since > _IDLE:
            self.close()
        return tuple(happened)

    def close(self) -> None:
        """End the process; what it tracked is kept."""
        child, self._child = self._child, None
        if child is not None:
            if self.running:
                child.kill()
            child.close()

    def view(self) -> TrackingView | None:
        """The propagation for a window."""
        return self._run.view() if self._run is not None else None

    def _hear(self, run: Run, message: Message) -> list[Happening]:
        match message["tell"]:
            case "started":
                run.total = message["total"]
                run.state = TrackingState.STOPPING if run.stopping else TrackingState.RUNNING
            case "frame":
                run.add(message["frame"], kept=message["kept"], now=self._clock())
                return [FrameMade(run.order, message["frame"], message["confidence"])]
            case "keyframe":
                return [FrameMade(run.order, message["frame"], message["confidence"])]
            case "cut":
                run.cuts.append(message["frame"])
            case "lost":
                run.lost = message["frame"]
            case "failed":
                run.failure = failure_of_message(message)
            case "ended":
                return [self._end(run, message["outcome"])]
        return []

    def _end(self, run: Run, outcome: str) -> RunEnded:
        self._idle_since = self._clock()
        if outcome == "failed":
            run.state = TrackingState.FAILED
        elif outcome == "stopped":
            run.state = TrackingState.STOPPED
        else:
            run.state = TrackingState.PAUSED if run.lost is not None or run.cuts else TrackingState.DONE
        return RunEnded(run.order, run.lost, run.failure)

    def _bury(self, status: int) -> list[Happening]:
        """The process has ended by itself: what it told stays, the rest failed."""
        child, self._child, run = self._child, None, self._run
        if child is None:
            return []
        child.close()
        if run is None or not run.running:
            return []
        if run.stopping:
            return [self._end(run, "stopped")]
        run.failure = death_of_tracking(status, label=run.order.label, last_words=child.last_words())
        return [self._end(run, "failed")]


def death_of_tracking(status: int, *, label: str, last_words: str) -> SagafoleyError:
    """The end of a mask process that should have lived, in words.

    Args:
        status: its exit status, negative for a signal.
        label: of the object that it tracked.
        last_words: of its standard error.
    """
    kept = "every frame that was done is kept"
    if status == -getattr(signal, "SIGKILL", 9):
        return OutOfMemory(
            f"The system ended the mask process while it tracked '{label}', most likely for lack of memory; "
            f"{kept}.",
            remedy="Close other programs, then track again: it goes on where it was.",
            detail=last_words,
        )
    how = f"exit status {status}"
    if status < 0:
        with suppress(ValueError):
            how = signal.Signals(-status).name
    return EngineError(
        f"The mask process crashed ({how}) while it tracked '{label}'; {kept}.",
        remedy="Track again: it goes on where it was.",
        detail=last_words,
    )
