"""The mask process: `python -m plugin.controller.masking.mask_child`, spoken to in JSON lines.

It tracks one order after the other and tells every frame once its mask is kept on disk, so whatever ends
it, what it has told stays. When its input ends, it ends too. Film and tracker stay open between orders.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from plugin.controller.child_edge import Line, own_output, step_back
from plugin.controller.chores import unforeseen
from plugin.controller.masking.crews import NoSegmenter, open_makers
from plugin.controller.masking.films import MakersFrames
from plugin.controller.masking.orders import TrackOrder, order_of_message
from plugin.controller.wire import Message, decoded, failure_message
from plugin.errors import Cancelled, OutOfMemory, SagafoleyError
from plugin.masks.choosing import Makers
from plugin.masks.document_files import PaintedMasks
from plugin.masks.documents import Film
from plugin.masks.makers import Tracker
from plugin.masks.propagating import (
    FrameDone,
    KeyframeDone,
    MaskWork,
    ObjectLost,
    ShotChanged,
    TrackingStarted,
    WorkEvent,
)
from plugin.masks.results import MaskStore


@dataclass(slots=True)
class Inbox:
    """Orders that wait, and those that are cancelled."""

    orders: queue.SimpleQueue[Message] = field(default_factory=queue.SimpleQueue)
    cancelled: set[str] = field(default_factory=set)

    def listen(self, source: BinaryIO) -> None:
        """Reads messages until the desk has gone, which ends this process at once."""
        for line in source:
            message = decoded(line) or {}
            if message.get("do") == "cancel":
                self.cancelled.add(message["item"])
            elif message.get("do") == "track":
                self.orders.put(message)
        os._exit(0)


@dataclass(slots=True)
class Propagator:
    """Tracks orders one after the other.

    Attributes:
        line: to the desk.
        inbox: from the desk.
        open_makers: gives the makers that a `Crew.choice` names.
    """

    line: Line
    inbox: Inbox
    open_makers: Callable[[str], AbstractContextManager[Makers]] = open_makers
    _held: ExitStack = field(default_factory=ExitStack)
    _tracker: tuple[str, Tracker] | None = None
    _frames: tuple[Film, MakersFrames] | None = None

    def serve(self) -> None:
        """Every order, as it comes."""
        while True:
            self.answer(self.inbox.orders.get())

    def answer(self, message: Message) -> None:
        """One order, to its end."""
        item, outcome = message["item"], "failed"
        try:
            outcome = self._track(message)
        except Cancelled:
            outcome = "stopped"
        except SagafoleyError as error:
            self.line.tell(failure_message(item, error))
        except MemoryError as error:
            self.line.tell(failure_message(item, _out_of_memory(error)))
        except Exception as error:  # noqa: BLE001 - the edge of one order: the next must not suffer
            self.line.tell(failure_message(item, unforeseen("tracking", error)))
        self.line.tell({"tell": "ended", "item": item, "outcome": outcome})

    def _track(self, message: Message) -> str:
        """Tracks an order; how it ended."""
        item, order = message["item"], order_of_message(message)
        film = order.document.film
        work = MaskWork(
            order.document,
            store=MaskStore(Path(message["store"]), message["limit"]),
            frames=self._frames_of(film),
            segmenter=NoSegmenter(order.document.segmenter),
            tracker=self._tracker_of(order.tracker),
            painted=PaintedMasks(Path(message["painted"]), film),
        )
        lost = False
        events = work.propagate(
            first=order.first,
            last=order.last,
            objects=(order.number,),
            cancel=lambda: item in self.inbox.cancelled,
            pause_when_lost=order.pause,
        )
        with closing(events):  # type: ignore[type-var]
            for event in events:
                lost |= isinstance(event, ObjectLost)
                self._tell(item, order, event)
        return "lost" if lost else "done"

    def _tell(self, item: str, order: TrackOrder, event: WorkEvent) -> None:
        match event:
            case TrackingStarted():
                told: Message = {"tell": "started", "total": event.frames, "kept": event.kept}
            case KeyframeDone():
                told = {"tell": "keyframe", "frame": event.frame, "confidence": event.confidence}
            case FrameDone():
                told = {
                    "tell": "frame",
                    "frame": event.frame,
                    "confidence": event.confidence,
                    "kept": event.kept,
                }
            case ShotChanged():
                if not order.first <= event.frame <= order.last + 1:
                    return
                told = {"tell": "cut", "frame": event.frame}
            case ObjectLost():
                told = {"tell": "lost", "frame": event.frame}
        self.line.tell({**told, "item": item, "number": order.number})

    def _tracker_of(self, choice: str) -> Tracker:
        if self._tracker is None or self._tracker[0] != choice:
            self._tracker = None
            self._held.close()
            self._tracker = (choice, self._held.enter_context(self.open_makers(choice)).tracker)
        return self._tracker[1]

    def _frames_of(self, film: Film) -> MakersFrames:
        if self._frames is None or self._frames[0] != film:
            if self._frames is not None:
                self._frames[1].close()
            self._frames = (film, MakersFrames(film))
        return self._frames[1]


def _out_of_memory(error: MemoryError) -> OutOfMemory:
    return OutOfMemory(
        "The machine ran out of memory while masks were tracked; those that are done are kept.",
        remedy="Close other programs, then track again.",
        detail=str(error),
    )


def main() -> None:
    """Serves until the desk hangs up."""
    line, inbox = Line(own_output()), Inbox()
    step_back()
    threading.Thread(target=inbox.listen, args=(sys.stdin.buffer,), name="inbox", daemon=True).start()
    line.tell({"tell": "ready", "process": os.getpid()})
    Propagator(line, inbox).serve()


if __name__ == "__main__":
    main()
