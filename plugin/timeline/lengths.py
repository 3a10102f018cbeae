"""How long an item is on its track, in exact seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from plugin.timebase import TimeSpan
from plugin.timeline.times import BadTime, span_of

_ZERO = Fraction(0)


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


@dataclass(frozen=True, slots=True)
class Parts:
    """What a composition holds.

    Attributes:
        usable: the items with their ranges; transitions take no room.
        unusable: items without a usable length, and why. On a track nothing after one has a known
            position, so the track ends there; in a stack only the item itself is left out.
    """

    usable: tuple[Part, ...]
    unusable: tuple[tuple[Any, str], ...]


@dataclass(slots=True)
class Lengths:
    """Lengths inside one timeline, each composition walked once; the timeline must not change meanwhile."""

    _known: dict[int, tuple[Any, Parts]] = field(default_factory=dict)

    def trimmed(self, item: Any) -> TimeSpan:
        """An item's trimmed range in its own count, before time effects.

        Raises:
            NoLength: neither the item nor its media says a usable length.
        """
        try:
            span = self._trimmed(item)
        except BadTime as error:
            raise NoLength(f"has a time that means nothing ({error})") from error
        if span.end < span.start:
            raise NoLength("has a negative length")
        return span

    def parts(self, composition: Any) -> Parts:
        """The children of a track or stack."""
        known = self._known.get(id(composition))
        if known is None:
            known = (composition, self._walk(composition))  # keeps the object, and so its id, alive
            self._known[id(composition)] = known
        return known[1]

    def _trimmed(self, item: Any) -> TimeSpan:
        given = item.source_range
        if given is not None:
            return span_of(given)
        if isinstance(item, otio.core.Composition):
            ends = (part.range.end for part in self.parts(item).usable)
            return TimeSpan(_ZERO, max(ends, default=_ZERO))
        reference = item.media_reference if isinstance(item, otio.schema.Clip) else None
        if reference is None or reference.available_range is None:
            raise NoLength("has neither a source range nor a known media length")
        return span_of(reference.available_range)

    def _walk(self, composition: Any) -> Parts:
        in_row = isinstance(composition, otio.schema.Track)
        usable: list[Part] = []
        unusable: list[tuple[Any, str]] = []
        at = _ZERO
        for index, child in enumerate(composition):
            if not isinstance(child, otio.core.Item):
                continue
            try:
                span = self.trimmed(child)
            except NoLength as error:
                unusable.append((child, str(error)))
                if in_row:
                    break
                continue
            end = at + span.duration
            usable.append(Part(child, index, TimeSpan(at, end), span))
            at = end if in_row else at
        return Parts(tuple(usable), tuple(unusable))
