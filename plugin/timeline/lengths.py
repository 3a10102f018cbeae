"""How long an item is on its track, in exact seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from plugin.timebase import TimeSpan
from plugin.timeline.times import BadTime, span_of


class NoLength(ValueError):
    """An item whose length the document does not say; the text completes `the clip ...`."""


@dataclass(frozen=True, slots=True)
class Part:
    """A child inside its parent.

    Attributes:
        item: the child.
        index: its number among the children.
        range: the part of the parent's own time that it takes.
        span: its trimmed range in its own count.
    """

    item: Any
    index: int
    range: TimeSpan
    span: TimeSpan


def trimmed_span(item: Any) -> TimeSpan:
    """An item's trimmed range in its own count, before time effects.

    Raises:
        NoLength: neither the item nor its media says a usable length.
    """
    try:
        span = _trimmed_span(item)
    except BadTime as error:
        raise NoLength(f"has a time that means nothing ({error})") from error
    if span.duration < 0:
        raise NoLength("has a negative length")
    return span


def _trimmed_span(item: Any) -> TimeSpan:
    if item.source_range is not None:
        return span_of(item.source_range)
    if isinstance(item, otio.core.Composition):
        return TimeSpan(Fraction(0), _content_length(item))
    reference = item.media_reference if isinstance(item, otio.schema.Clip) else None
    if reference is None or reference.available_range is None:
        raise NoLength("has neither a source range nor a known media length")
    return span_of(reference.available_range)


def _content_length(composition: Any) -> Fraction:
    return max((part.range.end for part in parts_of(composition, [])), default=Fraction(0))


def parts_of(composition: Any, unusable: list[tuple[Any, str]]) -> Iterator[Part]:
    """The items of a composition with their ranges in it; transitions take no room.

    An item without a usable length is appended to `unusable` with the reason. On a track nothing
    after it has a known position, so the track ends there; in a stack only the item is left out.
    """
    in_row = isinstance(composition, otio.schema.Track)
    at = Fraction(0)
    for index, child in enumerate(composition):
        if not isinstance(child, otio.core.Item):
            continue
        try:
            span = trimmed_span(child)
        except NoLength as error:
            unusable.append((child, str(error)))
            if in_row:
                return
            continue
        yield Part(child, index, TimeSpan(at, at + span.duration), span)
        if in_row:
            at += span.duration
