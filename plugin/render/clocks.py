"""Record time to media time: which moment of a file a clip shows."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from plugin.cues import ClipSource, MediaSource, Spot
from plugin.errors import MediaMissing
from plugin.media.video import MediaInfo, Pick
from plugin.timebase import TimeSpan

LATE = Fraction(1, 50)
"""Record seconds by which a frame may start after its time and still answer, unless the engine says
otherwise: half a picture of the sync encoder, so that nearly the nearest frame is taken (ADR 6)."""

_NO_RATE = Fraction(24)
_BEFORE = Fraction(1, 1000)
"""Seconds before an end that are safely before it, whatever a container's clock rounds."""


@dataclass(frozen=True, slots=True)
class MediaClock:
    """Which moment of a media file is on screen at a record time.

    Attributes:
        clip: the clip that shows the media.
        zero: the document's count at the file's first frame.
    """

    clip: ClipSource
    zero: Fraction

    def file_time(self, record_time: Fraction) -> Fraction:
        """Seconds from the file's first frame; may lie outside the file."""
        return self.clip.source_time(record_time) - self.zero

    def file_span(self, record: TimeSpan) -> TimeSpan:
        """The part of the file that `record` shows, seconds from its first frame; a freeze shows a moment."""
        shown = shown_span(self.clip, record)
        return TimeSpan(shown.start - self.zero, shown.end - self.zero)

    @property
    def pick(self) -> Pick:
        """The rule that chooses a frame: forward as in training, on screen for a freeze, or backward."""
        if self.clip.speed == 0:
            return Pick.SCREEN
        return Pick.ONSET if self.clip.speed > 0 else Pick.REVERSE

    def slot(self, late: Fraction) -> Fraction:
        """Record seconds as media seconds."""
        return late * abs(self.clip.speed)

    def mapping(self, origin: Fraction) -> str:
        """Text that two clocks share when they show the same at all times counted from `origin`."""
        return f"{self.file_time(origin)} {self.clip.speed}"


def clock_of(clip: ClipSource, info: MediaInfo) -> MediaClock:
    """The clock of a clip over the file behind it, the same for every cue of the clip.

    Documents count media time from the clip's available range, from the file's start timecode, or
    from zero, and not always as they say. The first of these, in this order, under which the file
    holds all that the clip shows is taken; else the one under which it holds most.

    Args:
        clip: the clip.
        info: of the file.
    """
    shown = shown_span(clip, clip.record)
    if info.duration is None:
        return MediaClock(clip, shown.start)
    candidates = [clip.available.start] if clip.available is not None else []
    candidates += [info.start_timecode] if info.start_timecode is not None else []
    candidates.append(Fraction(0))
    frame, duration = 1 / (info.rate or _NO_RATE), info.duration
    extents = [TimeSpan(zero - frame, zero + duration + frame) for zero in candidates]
    shares = [_share(shown, extent) for extent in extents]
    return MediaClock(clip, candidates[shares.index(max(shares))])


def shown_span(clip: ClipSource, record: TimeSpan) -> TimeSpan:
    """The media time, in the document's count, that `record` shows; a freeze shows a moment."""
    ends = (clip.source_time(record.start), clip.source_time(record.end))
    return TimeSpan(min(ends), max(ends))


def _share(shown: TimeSpan, extent: TimeSpan) -> Fraction:
    """How much of `shown` lies in `extent`, 0..1."""
    if extent.start <= shown.start and shown.end <= extent.end:
        return Fraction(1)
    shared = shown.intersect(extent)
    return shared.duration / shown.duration if shared and shown.duration else Fraction(0)


@dataclass(frozen=True, slots=True)
class Reach:
    """The record times that a clip may be asked for; None where it may show its own handles.

    Attributes:
        first: earliest, absolute seconds.
        end: where it is over, exclusive.
    """

    first: Fraction | None
    end: Fraction | None

    def held(self, record_time: Fraction) -> Fraction:
        """The time, kept within reach."""
        time = record_time if self.first is None else max(record_time, self.first)
        return time if self.end is None else min(time, self.end - _BEFORE)

    def late(self, record_time: Fraction) -> Fraction:
        """How much later than the (held) time a frame may start: `LATE`, but not past the end."""
        room = LATE if self.end is None else self.end - _BEFORE - self.held(record_time)
        return min(LATE, room)


ANYWHERE = Reach(None, None)


def reach_of(clip: ClipSource, record: TimeSpan) -> Reach:
    """How far beyond `record` a matte answers for the shot under it.

    A matte that goes on past the record range marks the next shot there, so its last frame in range
    is held; one that ends with the range has handles of its own.

    Args:
        clip: the matte's clip.
        record: the cue's range.
    """
    return Reach(
        first=record.start if clip.record.start < record.start else None,
        end=record.end if clip.record.end > record.end else None,
    )


def media_of(clip: ClipSource | None, *, spot: Spot, kind: str) -> tuple[ClipSource, MediaSource]:
    """A clip of the spot and its media.

    Raises:
        MediaMissing: there is no clip, or it names no media.
    """
    if clip is None:
        raise MediaMissing(
            f"There is no {kind} under cue {spot.id} ('{spot.label}', {spot.source_name}).",
            remedy="Move the matte or marker over a picture clip.",
        )
    if clip.media is None:
        raise MediaMissing(
            f"The {kind} clip '{clip.clip_name}' on track {clip.track_name} names no media file.",
            remedy="Relink the clip to its media and export the timeline again.",
        )
    return clip, clip.media
