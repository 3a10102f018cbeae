"""Faults that a test asks for, and the log of every call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

KEEP: Any = object()
"""As a fault's result: the call goes on as usual."""

Hook = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a script made."""

    kind: str
    name: str
    args: tuple[Any, ...]
    thread: int

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}{self.args!r}"


@dataclass(slots=True)
class Fault:
    """What happens to the nth call of a method from now on.

    Attributes:
        method: "AppendToTimeline" or "MediaPool.AppendToTimeline".
        first: how many calls from now are spared, plus one.
        times: how many calls in a row it happens to; None for all that follow.
        result: given in place of the real answer; KEEP for the real one; "ghost" for a list of ghosts,
            one for each clip asked for.
        done: whether the call is done all the same (so `result` is a lie).
        delay: seconds that it takes.
        before, after: what the editor's user or the editor itself does around it.
        stall: an event that the call waits for.
    """

    method: str
    first: int = 1
    times: int | None = 1
    result: Any = KEEP
    done: bool = False
    delay: float = 0.0
    before: Hook | None = None
    after: Hook | None = None
    stall: threading.Event | None = None
    seen: int = 0
    hits: int = 0

    def strikes(self, kind: str, name: str) -> bool:
        """Whether it happens to this call, which is counted."""
        if self.method not in {name, f"{kind}.{name}"}:
            return False
        self.seen += 1
        last = None if self.times is None else self.first + self.times
        hit = self.seen >= self.first and (last is None or self.seen < last)
        self.hits += hit
        return hit

    def wait(self) -> None:
        """Let the time pass that the call takes."""
        if self.delay:
            time.sleep(self.delay)
        if self.stall is not None:
            self.stall.wait(120)


@dataclass(slots=True)
class Faults:
    """All faults that are laid."""

    laid: list[Fault] = field(default_factory=list)

    def striking(self, kind: str, name: str) -> Fault | None:
        """The first that happens to this call; every one counts it."""
        hits = [fault for fault in self.laid if fault.strikes(kind, name)]
        return hits[0] if hits else None


DOCUMENTED: dict[str, tuple[Any, ...]] = {
    "AppendToTimeline": (None, [], [None], "ghost"),
    "ImportMedia": ([], None),
    "AddTrack": (False, None),
    "SetTrackName": (False, None),
    "AddSubFolder": (None, False),
    "SetCurrentFolder": (False, None),
    "GetItemListInTrack": (None,),
    "DeleteClips": (False, None),
    "DeleteTrack": (False, None),
    "SetCurrentTimeline": (False, None),
    "SetTrackLock": (False, None),
    "SetTrackEnable": (False, None),
    "OpenPage": (False, None),
    "SetCurrentTimecode": (False, None),
    "SetMarkInOut": (False, None),
    "ClearMarkInOut": (False, None),
    "AddMarker": (False, None),
    "DeleteFolders": (False, None),
    "MoveClips": (False, None),
    "Export": (False, None),
    "ImportTimelineFromFile": (None,),
    "GetClipMatteList": (None, []),
    "SaveProject": (False,),
}
"""Failures that resolve.md documents for a method, beside None for every getter."""


def documented_failures(calls: Iterable[Call], *, done: bool = True) -> Iterator[tuple[str, int, Any, bool]]:
    """Every documented failure at every call of a good run.

    Yields:
        method as "Kind.Name", its nth call, the answer, and whether the call is done all the same;
        the arguments of `Editor.fail`. The lies ("True" and nothing done; done and "False") come after
        the plain failures of a call.
    """
    counted: dict[str, int] = {}
    for made in calls:
        method = f"{made.kind}.{made.name}"
        counted[method] = nth = counted.get(method, 0) + 1
        results = DOCUMENTED.get(made.name, (None,))
        for result in results:
            yield method, nth, result, False
        if done and False in results:
            yield method, nth, True, False
            yield method, nth, False, True
