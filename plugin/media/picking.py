"""Which frame answers for a time: the picking rules, over any source of timed frames.

Rules compare presentation times, never `index / rate`. Times are exact seconds of media time, 0 at
the first presented frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Time = Fraction | float
Slot = Time | Sequence[Time] | None
Wanted = tuple[Fraction, Fraction | None]
"""A time and its slot."""

EXACT = Fraction(1, 1_000_000)
"""Seconds by which a requested time may miss a frame's start and still mean it."""

_SEEK_AHEAD = Fraction(2)
_REVERSE_BYTES = 256 << 20


class Pick(StrEnum):
    """How a time chooses its frame.

    ONSET: the first frame that starts at or after the time, as the model's frame sampling does
    (spec 1.1), but never one that starts more than `slot` seconds later: then the frame on screen.
    SCREEN: the frame on screen, the last that starts at or before the time.
    REVERSE: the last frame that starts before the time; what playback in reverse shows.
    """

    ONSET = "onset"
    SCREEN = "screen"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """One frame of a source.

    Attributes:
        time: its start.
        end: where it stops, as far as the source says.
        load: gives the decoded frame; cheap for movies, opens the file for image sequences.
    """

    time: Fraction
    end: Fraction
    load: Callable[[], av.VideoFrame]


class FrameSource(Protocol):
    """What pictures come from: a movie or an image sequence."""

    @property
    def tolerance(self) -> Fraction:
        """Seconds by which stored times may be off, at least `EXACT`."""

    def frames_from(self, time: Fraction) -> Iterator[TimedFrame]:
        """Frames in ascending order, the first at or before `time` (or the very first, or the last).

        It may begin earlier than asked: at the keyframe that decoding has to start from. A new
        call ends the iterator of the one before.
        """


@dataclass(frozen=True, slots=True)
class Picked:
    """The frame chosen for one time; `outside` says that the source has none there: an edge, held."""

    frame: TimedFrame
    outside: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A picking rule with its numbers."""

    pick: Pick
    tolerance: Fraction

    def reach(self, time: Fraction) -> Fraction:
        """The latest start that the frame before or at `time` may have."""
        return time - 2 * self.tolerance if self.pick is Pick.REVERSE else time

    def passes(self, frame: TimedFrame, time: Fraction) -> bool:
        """Whether `frame` starts early enough to be the one on screen at `time`."""
        if self.pick is Pick.REVERSE:
            return frame.time < time - self.tolerance
        return frame.time <= time + self.tolerance

    def choose(self, current: TimedFrame, following: TimedFrame | None, wanted: Wanted) -> TimedFrame:
        """Between the frame on screen and the one after it."""
        time, slot = wanted
        if self.pick is not Pick.ONSET or following is None or current.time >= time - self.tolerance:
            return current
        if slot is not None and following.time - time > slot + self.tolerance:
            return current
        return following

    def is_outside(self, current: TimedFrame, following: TimedFrame | None, time: Fraction) -> bool:
        """Whether `time` lies before the first or past the end of the last frame."""
        if not self.passes(current, time):
            return True
        reached = time - self.tolerance if self.pick is Pick.REVERSE else time + self.tolerance
        return following is None and reached >= current.end


class Cursor:
    """The frame on screen and the one after it, moving forward through a source.

    Times close ahead are reached by decoding on; others, and earlier ones, by seeking.

    Attributes:
        current: the frame on screen, after the first move.
        following: the one after it, None at the end.
        at_first: nothing lies before `current`.
    """

    def __init__(self, source: FrameSource, rule: Rule) -> None:
        self._source = source
        self._rule = rule
        self._frames: Iterator[TimedFrame] = iter(())
        self._started = False
        self.current: TimedFrame
        self.following: TimedFrame | None = None
        self.at_first = False

    def seek(self, time: Fraction) -> TimedFrame:
        """Starts afresh at the source's frames from `time`."""
        reach = self._rule.reach(time)
        self._frames = self._source.frames_from(reach)
        self.current, self.following = next(self._frames), next(self._frames, None)
        self._started = True
        self.at_first = self.current.time > reach
        return self.current

    def move_to(self, wanted: Wanted) -> Picked:
        """The frame for `time`, by going forward or, where that is far or back, by seeking."""
        time, _ = wanted
        rule = self._rule
        if not self._started or self._is_behind(time) or self._is_far(time):
            self.seek(time)
        while self.following is not None and rule.passes(self.following, time):
            self.current, self.following = self.following, next(self._frames, None)
            self.at_first = False
        chosen = rule.choose(self.current, self.following, wanted)
        return Picked(chosen, rule.is_outside(self.current, self.following, time))

    def _is_behind(self, time: Fraction) -> bool:
        return not self.at_first and not self._rule.passes(self.current, time)

    def _is_far(self, time: Fraction) -> bool:
        return self.following is not None and time - self.following.time > _SEEK_AHEAD


def pick_frames(
    source: FrameSource,
    times: Sequence[Time],
    *,
    pick: Pick,
    slot: Slot,
    convert: Callable[[av.VideoFrame], Picture],
    notice: Callable[[bool], None],
) -> Iterator[Picture]:
    """One picture per time, in the order of `times`; the same frame is converted once and shared.

    Ascending and constant times are decoded in one pass. Descending times are decoded group of
    pictures by group of pictures, holding converted pictures of at most 256 MB. Any other order
    works and seeks more. Results are read-only arrays.

    Args:
        source: where frames come from.
        times: seconds of media time.
        pick: the rule.
        slot: for `Pick.ONSET`, how much later than the time a frame may start, for all times or one for
            each; None: no limit.
        convert: makes the picture of a frame; called once per distinct frame in a row.
        notice: told for every time whether the source has nothing there and an edge was held.
    """
    rule = Rule(pick, source.tolerance)
    slots = slot if isinstance(slot, Sequence) else [slot] * len(times)
    wanted = [
        (Fraction(time), None if one is None else Fraction(one))
        for time, one in zip(times, slots, strict=True)
    ]
    backwards = len(wanted) > 1 and all(a[0] >= b[0] for a, b in pairwise(wanted))
    walk = _walk_back if backwards and wanted[0][0] != wanted[-1][0] else _walk
    return walk(source, wanted, rule, convert=_remembering(convert), notice=notice)


def _remembering(convert: Callable[[av.VideoFrame], Picture]) -> Callable[[TimedFrame], Picture]:
    """Converts a frame that is asked for again without a change in between only once."""
    last: tuple[Fraction, Picture] | None = None

    def convert_once(frame: TimedFrame) -> Picture:
        nonlocal last
        if last is None or last[0] != frame.time:
            picture = convert(frame.load())
            picture.flags.writeable = False
            last = (frame.time, picture)
        return last[1]

    return convert_once


def _walk(
    source: FrameSource,
    times: list[Wanted],
    rule: Rule,
    *,
    convert: Callable[[TimedFrame], Picture],
    notice: Callable[[bool], None],
) -> Iterator[Picture]:
    cursor = Cursor(source, rule)
    for wanted in times:
        picked = cursor.move_to(wanted)
        notice(picked.outside)
        yield convert(picked.frame)


def _walk_back(
    source: FrameSource,
    times: list[Wanted],
    rule: Rule,
    *,
    convert: Callable[[TimedFrame], Picture],
    notice: Callable[[bool], None],
) -> Iterator[Picture]:
    """Descending times: each round decodes one group of pictures forward and hands it out backward.

    A round keeps the pictures nearest its end; where a long group does not fit, the next round
    decodes that group again for the earlier ones.
    """
    done = 0
    while done < len(times):
        cursor = Cursor(source, rule)
        start = cursor.seek(times[done][0]).time
        last = done + 1
        while last < len(times) and (cursor.at_first or rule.reach(times[last][0]) >= start):
            last += 1
        kept = _Kept(_REVERSE_BYTES)
        for wanted in reversed(times[done:last]):
            picked = cursor.move_to(wanted)
            kept.add(convert(picked.frame), outside=picked.outside)
        done += len(kept.items)
        while kept.items:
            picture, outside = kept.items.pop()
            notice(outside)
            yield picture


class _Kept:
    """The latest pictures that fit into a number of bytes, at least one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self.items: deque[tuple[Picture, bool]] = deque()

    def add(self, picture: Picture, *, outside: bool) -> None:
        """Adds one, and drops the earliest while there are too many bytes; repeats weigh nothing."""
        if not self.items or self.items[-1][0] is not picture:
            self._held += picture.nbytes
        self.items.append((picture, outside))
        while self._held > self._limit and len(self.items) > 1:
            dropped = self.items.popleft()[0]
            if self.items[0][0] is not dropped:
                self._held -= dropped.nbytes
