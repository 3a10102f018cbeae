"""Where a timeline shows a film: which of its frames, and when."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

from plugin.cues import ClipSource, ImageSequence, MediaFile, MediaSource
from plugin.timebase import TimeSpan
from plugin.timeline.clock import clock_of
from plugin.timeline.flattening import flatten
from plugin.timeline.pictures import Pictures
from plugin.timeline.sources import Sources


@dataclass(frozen=True, slots=True)
class FilmUse:
    """One visible piece of a clip that shows a film.

    Attributes:
        clip: its media on the timeline.
        record: when that piece is seen, absolute seconds.
        zero: media time of the film's first frame, in the document's count.
        rate: frames per second of the film.
        timeline_rate: of the timeline.
    """

    clip: ClipSource
    record: TimeSpan
    zero: Fraction
    rate: Fraction
    timeline_rate: Fraction

    @property
    def frames(self) -> tuple[int, int]:
        """First and last frame of the film that are seen."""
        ends = sorted(
            self.clip.source_time(time) - self.zero for time in (self.record.start, self.record.end)
        )
        first = floor(ends[0] * self.rate)
        return max(0, first), max(0, first, ceil(ends[1] * self.rate) - 1)

    def seen_of(self, first: int, last: int) -> TimeSpan | None:
        """When frames `first` to `last` are seen, whole frames of the timeline; None where they are not."""
        speed = self.clip.speed
        if speed == 0:
            held = first <= self.frames[0] <= last
            return self.record if held else None
        ends = (self.zero + Fraction(first) / self.rate, self.zero + Fraction(last + 1) / self.rate)
        times = sorted(self.clip.record.start + (end - self.clip.source_start) / speed for end in ends)
        common = TimeSpan(times[0], times[1]).intersect(self.record)
        return None if common is None else self._on_frames(common)

    def first_frame(self, time: Fraction) -> int:
        """The frame of the film that begins to be seen at a record time."""
        offset = (self.clip.source_time(time) - self.zero) * self.rate
        return max(0, ceil(offset) - 1 if self.clip.speed < 0 else floor(offset))

    def _on_frames(self, span: TimeSpan) -> TimeSpan | None:
        rate = self.timeline_rate
        start, end = ceil(span.start * rate), floor(span.end * rate)
        return TimeSpan(start / rate, end / rate) if start < end else None


def uses_of(timeline: Any, media: MediaSource, *, rate: Fraction, folder: Path) -> tuple[FilmUse, ...]:
    """Every visible piece of a film on a timeline, in record order.

    Args:
        timeline: an OTIO Timeline.
        media: the film.
        rate: its frames per second.
        folder: where relative media addresses start.
    """
    clock = clock_of(timeline)
    pictures, sources = Pictures.of(flatten(timeline, clock).shown), Sources(folder)
    found: list[FilmUse] = []
    for record, shown in pictures.visible:
        source, _ = sources.of(shown)
        if source.media is not None and _is_same(source.media, media):
            zero = source.available.start if source.available is not None else Fraction(0)
            found.append(FilmUse(source, record, zero, rate, clock.rate))
    return tuple(found)


def _is_same(one: MediaSource, other: MediaSource) -> bool:
    if isinstance(one, ImageSequence) or isinstance(other, ImageSequence):
        return _first_path(one) == _first_path(other)
    try:
        return one.path.samefile(other.path)
    except (OSError, ValueError):
        return one.path == other.path


def _first_path(media: MediaSource) -> Path:
    return media.path if isinstance(media, MediaFile) else media.path_of(media.first)
