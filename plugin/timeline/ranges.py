"""Spots that a person makes: of a range between two points, or of a marker that does not ask for sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import opentimelineio as otio

from plugin.cues import Matte, MatteChannel, Spot, SpotOrigin
from plugin.timebase import TimeSpan
from plugin.timeline.clock import clock_of
from plugin.timeline.flattening import Shown, flatten, track_name
from plugin.timeline.marks import Mark, other_marks_of
from plugin.timeline.pictures import Pictures
from plugin.timeline.sources import Sources
from plugin.timeline.wishes import ROLE_MASK, mask_wish, our_metadata, role_of

RANGE_SOURCE = SpotOrigin.RANGE.value
"""The source name of spots between in and out points."""


@dataclass(frozen=True, slots=True)
class OtherMarker:
    """A marker that does not ask for sound.

    Attributes:
        number: its place in the document, from 1.
        name: its name, "" without.
        label: the object that its words would name, "" without words.
        record: the range that it means; of a point, the whole shot.
    """

    number: int
    name: str
    label: str
    record: TimeSpan


@dataclass(frozen=True, slots=True)
class RangeFinder:
    """Finds the pictures of ranges on one timeline; make it with `of`."""

    pictures: Pictures
    sources: Sources
    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, timeline: Any, *, folder: Path, drop_frame: bool | None = None) -> RangeFinder:
        """A finder over an OTIO Timeline, whose relative media references start from `folder`."""
        clock = clock_of(timeline, drop_frame=drop_frame)
        flattened = flatten(timeline, clock)
        marks = tuple(other_marks_of(flattened.shown, clock))
        return cls(Pictures.of(flattened.shown), Sources(folder), marks)

    def markers(self) -> tuple[OtherMarker, ...]:
        """Markers that a spot can be made of, in document order."""
        found = ((number, mark, self._record_of(mark)) for number, mark in enumerate(self.marks, 1))
        return tuple(
            OtherMarker(number, mark.name or "", mark.wish.label, record)
            for number, mark, record in found
            if record is not None
        )

    def spots(
        self, record: TimeSpan, *, label: str, source: str, channel: MatteChannel | None = None
    ) -> tuple[Spot, ...]:
        """One spot without a number per picture within a range; none where no picture is.

        Args:
            record: absolute seconds.
            label: the object, which is the prompt too.
            source: what a message calls its origin; `RANGE_SOURCE` or a marker's name.
            channel: ALPHA: the picture's own alpha is the matte; None: the whole frame sounds.
        """
        origin = SpotOrigin.RANGE if source == RANGE_SOURCE else SpotOrigin.MARKER
        return tuple(
            self._spot(span, picture, label=label, source=source, origin=origin, channel=channel)
            for span, picture in self.pictures.under(record)
        )

    def _spot(
        self,
        span: TimeSpan,
        picture: Shown,
        *,
        label: str,
        source: str,
        origin: SpotOrigin,
        channel: MatteChannel | None,
    ) -> Spot:
        clip, _ = self.sources.of(picture)
        matte = None if channel is None else Matte(clip, channel)
        return Spot("", span, label, label, "", picture=clip, matte=matte, origin=origin, source_name=source)

    def _record_of(self, mark: Mark) -> TimeSpan | None:
        """The range of a marker; a point means the picture seen there."""
        if mark.record is None or not mark.is_point:
            return mark.record
        seen = self.pictures.at(mark.record.start)
        return seen[0] if seen else None


def plain_tracks(timeline: Any) -> Iterator[tuple[int, str]]:
    """Number (from 1, the lowest) and name of every video track that is no mask track."""
    schema = otio.schema
    tracks = [one for one in timeline.tracks or () if isinstance(one, schema.Track)]
    for number, track in enumerate((one for one in tracks if one.kind == schema.TrackKind.Video), 1):
        if mask_wish(track_name(track)) is None and role_of(our_metadata(track)) != ROLE_MASK:
            yield number, track_name(track)
