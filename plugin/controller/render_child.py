"""The render process: `python -m plugin.controller.render_child`, spoken to in JSON lines.

It takes orders from its standard input and tells of them on its standard output. When its input ends, for
whatever reason, it ends too, so it never outlives the desk. The engine stays open between orders.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from models_onnx.bundle import Bundle
from plugin.controller.child_edge import Line, own_output, step_back
from plugin.controller.chores import unforeseen
from plugin.controller.process_memory import resident_bytes
from plugin.controller.renders import render_sheet
from plugin.controller.shelf import Pictures, pictures_of
from plugin.controller.trouble import Stamps, media_stamps
from plugin.controller.wire import (
    EngineOrder,
    Message,
    RenderOrder,
    decoded,
    failure_message,
    order_of_message,
)
from plugin.cues import Severity, Spot
from plugin.engine.bundle_errors import bundle_errors
from plugin.engine.cache import FeatureCache
from plugin.engine.engine import Engine
from plugin.engine.memory import give_back_freed
from plugin.errors import Cancelled, OutOfMemory, SagafoleyError
from plugin.render.checking import Hearing, check_sheet
from plugin.render.events import CueFailed, CueWarning, RenderEvent, StageProgress, TakeKept, TakeWritten

_MEMORY_EVERY = 1.0
_PROGRESS_EVERY = 0.05
"""Seconds."""

_MEMORY_STEP = 2**22
"""Bytes that are worth a message."""


SpotLooks = tuple[Pictures, tuple[Stamps, ...]]


@dataclass(slots=True)
class Inbox:
    """Orders that wait, and the items that are cancelled."""

    orders: queue.SimpleQueue[Message | None] = field(default_factory=queue.SimpleQueue)
    cancelled: set[str] = field(default_factory=set)

    def listen(self, source: BinaryIO) -> None:
        """Reads messages until the desk has gone, which ends this process at once."""
        for line in source:
            message = decoded(line) or {}
            if message.get("do") == "cancel":
                self.cancelled.add(message["item"])
            elif message.get("do") == "render":
                self.orders.put(message)
        os._exit(0)


@dataclass(slots=True)
class Renderer:
    """Renders orders one after the other, with one engine as long as they want the same."""

    line: Line
    inbox: Inbox
    engine: Engine | None = None
    order: EngineOrder | None = None
    good: set[SpotLooks] = field(default_factory=set)
    _told_at: float = 0.0

    def serve(self) -> None:
        """Every order, as it comes."""
        while True:
            message = self.inbox.orders.get()
            if message is not None:
                self._try(order_of_message(message))

    def _try(self, order: RenderOrder) -> None:
        outcome = "failed"
        try:
            outcome = self._render(order)
        except Cancelled:
            outcome = "cancelled"
        except SagafoleyError as error:
            self._fail(order, error)
        except MemoryError as error:
            self._fail(order, _out_of_memory(order, error))
        except Exception as error:  # noqa: BLE001 - the edge of one order: the next must not suffer
            self._fail(order, unforeseen("rendering", error))
        self.line.tell({"tell": "memory", "bytes": resident_bytes()})
        self.line.tell({"tell": "ended", "item": order.item, "outcome": outcome})

    def _fail(self, order: RenderOrder, error: SagafoleyError) -> None:
        self.line.tell(failure_message(order.item, error))
        if isinstance(error, OutOfMemory):
            self._let_go()

    def _let_go(self) -> None:
        self.engine, self.order = None, None
        give_back_freed()

    def _render(self, order: RenderOrder) -> str:
        """Renders an order; how it ended."""
        self.line.tell({"tell": "started", "item": order.item})
        engine = self._engine_of(order.engine)
        self._check(order, engine)
        failed = False
        events = render_sheet(
            order.sheet, engine, folder=order.folder, cancel=lambda: order.item in self.inbox.cancelled
        )
        with closing(events):  # type: ignore[type-var]
            for event in events:
                failed |= isinstance(event, CueFailed)
                self._tell(order, event)
        return "failed" if failed else "done"

    def _engine_of(self, order: EngineOrder) -> Engine:
        if self.engine is None or self.order != order:
            self._let_go()
            self.engine, self.order = open_engine(order), order
        manifest = self.engine.manifest
        self.line.tell({"tell": "opened", "bundle": manifest.id, "provider": self.engine.provider})
        return self.engine

    def _check(self, order: RenderOrder, engine: Engine) -> None:
        """Looks closely at the media of the cue; where nothing has changed since, once.

        Raises:
            SagafoleyError: it cannot be rendered.
        """
        seen = _looks_of(order.sheet.cues[0].spot)
        if seen in self.good:
            return
        problems = check_sheet(order.sheet, folder=order.folder, hearing=Hearing.of(engine.manifest))
        for problem in problems:
            if problem.severity is Severity.BLOCKER:
                raise SagafoleyError(problem.message, remedy=problem.remedy, detail=problem.subject)
            self.line.tell({"tell": "warning", "item": order.item, "message": problem.message})
        if not problems:
            self.good.add(seen)

    def _tell(self, order: RenderOrder, event: RenderEvent) -> None:
        item = order.item
        match event:
            case StageProgress():
                self._tell_progress(item, event)
            case CueWarning():
                self.line.tell({"tell": "warning", "item": item, "message": event.message})
            case TakeWritten() | TakeKept():
                self.line.tell({"tell": "take", "item": item, "name": event.take.name})
            case CueFailed():
                self._fail(order, event.error)
            case _:
                return

    def _tell_progress(self, item: str, event: StageProgress) -> None:
        now = time.monotonic()
        if now - self._told_at < _PROGRESS_EVERY and event.done < event.total:
            return
        self._told_at = now
        self.line.tell(
            {
                "tell": "progress",
                "item": item,
                "take": event.take,
                "stage": event.stage,
                "done": event.done,
                "total": event.total,
            }
        )


def _looks_of(spot: Spot) -> SpotLooks:
    """What decides the pictures of a spot, and how their files are now."""
    clips = (spot.picture, spot.matte.clip if spot.matte else None)
    media = (clip.media for clip in clips if clip is not None and clip.media is not None)
    return pictures_of(spot), tuple(media_stamps(one) for one in media)


def open_engine(order: EngineOrder) -> Engine:
    """The engine of an order.

    Raises:
        BundleError, ProviderUnavailable: see `Engine.open`.
    """
    bundle = _bundle_in(order.bundle)
    cache = FeatureCache(Path(order.cache), order.cache_mb * 10**6) if order.cache_mb else None
    return Engine.open(
        bundle,
        provider=order.provider,
        threads=order.threads or None,
        memory=order.memory_mb * 10**6 or None,
        cache=cache,
    )


def _bundle_in(folder: str) -> Bundle:
    with bundle_errors():
        return Bundle.open(Path(folder))


def _out_of_memory(order: RenderOrder, error: MemoryError) -> OutOfMemory:
    return OutOfMemory(
        f"The machine ran out of memory while cue {order.sheet.cues[0].id} was rendered.",
        remedy="Close other programs or lower memory_mb in the settings, then try again.",
        detail=str(error),
    )


def _tell_memory(line: Line) -> None:
    told = 0
    while True:
        now = resident_bytes()
        if abs(now - told) > _MEMORY_STEP:
            line.tell({"tell": "memory", "bytes": now})
            told = now
        time.sleep(_MEMORY_EVERY)


def main() -> None:
    """Serves until the desk hangs up."""
    line, inbox = Line(own_output()), Inbox()
    step_back()
    threading.Thread(target=inbox.listen, args=(sys.stdin.buffer,), name="inbox", daemon=True).start()
    threading.Thread(target=_tell_memory, args=(line,), name="memory", daemon=True).start()
    line.tell({"tell": "ready", "process": os.getpid()})
    Renderer(line, inbox).serve()


if __name__ == "__main__":
    main()
