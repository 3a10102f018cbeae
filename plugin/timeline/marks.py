"""Markers that ask for sound: which they are, and which record range each means.

A marker on a clip counts in the clip's own source range, as OTIO says; where that lies outside of the
clip but would fit counted from the clip's first frame, it is read so (some editors write it). A marker
on the whole timeline counts from its first frame; where that lies outside but would fit as absolute
timecode, it is read so. A marker of at most one frame means the whole shot: the marked clip, or the
picture that is seen at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from plugin.timebase import TimeSpan
from plugin.timeline.clock import Clock
from plugin.timeline.flattening import Shown
from plugin.timeline.times import BadTime, span_of
from plugin.timeline.wishes import Wish, described, marker_wish, our_metadata, with_metadata


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker of ours.

    Attributes:
        owner: the item that carries it.
        wish: its words.
        record: the range that it means, absolute seconds; None when it is not on the timeline.
        is_point: it has no length of its own.
        name: its name in the document.
    """

    owner: Shown
    wish: Wish
    record: TimeSpan | None
    is_point: bool
    name: str


def marks_of(shown: Iterable[Shown], clock: Clock) -> Iterator[Mark]:
    """Every marker of ours on the shown items, in document order."""
    for owner in shown:
        for marker in owner.item.markers if len(owner.item.markers) else ():
            wish = marker_wish(marker.name or "")
            if wish is not None:
                yield _mark(owner, marker, with_metadata(wish, our_metadata(marker)), clock)


def other_marks_of(shown: Iterable[Shown], clock: Clock) -> Iterator[Mark]:
    """Every marker that does not ask for sound, as if its name did, in document order."""
    for owner in shown:
        for marker in owner.item.markers if len(owner.item.markers) else ():
            if marker_wish(marker.name or "") is None:
                yield _mark(owner, marker, described(marker.name or ""), clock)


def _mark(owner: Shown, marker: Any, wish: Wish, clock: Clock) -> Mark:
    frame = 1 / clock.rate
    try:
        span = span_of(marker.marked_range)
    except BadTime:
        return Mark(owner, wish, None, is_point=False, name=marker.name)
    is_point = span.duration <= frame
    if is_point:
        span = TimeSpan(span.start, span.start + frame)
    record = _record_of(owner, span, clock)
    return Mark(owner, wish, record, is_point=is_point, name=marker.name)


def _record_of(owner: Shown, span: TimeSpan, clock: Clock) -> TimeSpan | None:
    record = owner.place.record_of(span)
    if record is not None:
        return record
    if isinstance(owner.item, otio.schema.Clip):
        return owner.place.record_of(_moved(span, owner.span.start))
    if not owner.layer:
        return owner.place.record_of(_moved(span, owner.span.start - clock.start))
    return None


def _moved(span: TimeSpan, by: Fraction) -> TimeSpan:
    return TimeSpan(span.start + by, span.end + by)
