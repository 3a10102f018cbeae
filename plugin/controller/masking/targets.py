"""What a mask session looks at: a film, and the part of it that a clip shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from plugin.controller.relinking import relinked_spot
from plugin.controller.session import Session
from plugin.controller.sheets import range_finder
from plugin.cues import ClipSource, Cue, MediaSource
from plugin.errors import UndecodableMedia, UsageError
from plugin.masks.documents import Film
from plugin.masks.footage import SourceFrames
from plugin.render.clocks import MediaClock, clock_of
from plugin.timebase import TimeSpan

HANDLE = Fraction(1)
"""Seconds of source before and after what the clip shows: windows of a render borrow pictures there."""


@dataclass(frozen=True, slots=True)
class MaskTarget:
    """What is to be marked, before anything was opened.

    Attributes:
        title: for people.
        media: the film.
        record: where it is visible on the timeline, absolute seconds; None without a timeline.
        clip: as the timeline shows it, None without a timeline.
        cue_id: the spot it belongs to, "" for none.
        label: the object's word, "" while nobody said it.
        matte: the spot's matte, None for none.
    """

    title: str
    media: MediaSource
    record: TimeSpan | None = None
    clip: ClipSource | None = None
    cue_id: str = ""
    label: str = ""
    matte: MediaSource | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """A target whose film was looked at.

    Attributes:
        target: what it was made of.
        film: the film.
        first: first frame that gets a mask, handles included.
        last: last frame that gets a mask.
        shown_first: first frame that the clip shows.
        shown_last: last frame that the clip shows.
        clock: which moment of the film is on screen at a record time; None without a timeline.
    """

    target: MaskTarget
    film: Film
    first: int
    last: int
    shown_first: int
    shown_last: int
    clock: MediaClock | None = None

    def frame_at(self, record_time: Fraction) -> int:
        """The film's frame on screen at an absolute record time, within the range."""
        if self.clock is None:
            return self.first
        seconds = self.clock.file_time(record_time)
        frame = math.floor(seconds * self.film.rate + Fraction(1, 1000))
        return min(max(frame, self.first), self.last)

    @property
    def plain(self) -> bool:
        """Whether the clip shows the film forward at its own speed."""
        return self.clock is None or self.clock.clip.speed == 1


def target_of_cue(cue: Cue) -> MaskTarget:
    """The picture of a spot, for as long as the spot lasts.

    Raises:
        UsageError: there is no picture under it, or it names no media.
    """
    clip = cue.spot.picture
    if clip is None or clip.media is None:
        raise UsageError(
            f"Spot {cue.id} ('{cue.spot.label}') has no picture to draw on.",
            remedy="Relink its clip, or choose another spot.",
        )
    matte = cue.spot.matte
    return MaskTarget(
        clip.clip_name or clip.media.name,
        clip.media,
        record=cue.spot.record,
        clip=clip,
        cue_id=cue.id,
        label=cue.spot.label,
        matte=matte.clip.media if matte is not None and matte.clip.media != clip.media else None,
    )


def target_at(session: Session, time: Fraction) -> MaskTarget:
    """The picture clip that is on screen at a record time, for as long as it is. Slow for long timelines.

    Raises:
        UsageError: no picture is there, or it names no media.
    """
    spots = range_finder(session.opened).spots(session.book.sheet.record, label="object", source="")
    found = (relinked_spot(one, session.book.relinks) for one in spots if one.record.contains(time))
    spot = next(found, None)
    clip = spot.picture if spot is not None else None
    if spot is None or clip is None or clip.media is None:
        raise UsageError(
            "No picture with media is on screen there.", remedy="Move the playhead over a picture clip."
        )
    return MaskTarget(clip.clip_name or clip.media.name, clip.media, record=spot.record, clip=clip)


def open_shot(target: MaskTarget) -> Shot:
    """The shot of a target. Slow: the film is opened and its content looked at.

    Raises:
        MediaMissing: the film is not there.
        UndecodableMedia: it gives no picture, or is a single image.
        UsageError: the clip shows nothing of the film.
    """
    with SourceFrames.open(target.media) as frames:
        info, film = frames.info, frames.film()
    if info.is_still:
        raise UndecodableMedia(
            f"{target.media.name} is a single image: there is nothing to track.",
            remedy="Draw its matte in a picture editor.",
        )
    if target.clip is None or target.record is None:
        return Shot(target, film, 0, film.frames - 1, 0, film.frames - 1)
    clock = clock_of(target.clip, info)
    first, last = _shown(clock, target.record, film)
    handle = math.ceil(HANDLE * film.rate)
    return Shot(
        target, film, max(0, first - handle), min(film.frames - 1, last + handle), first, last, clock=clock
    )


def _shown(clock: MediaClock, record: TimeSpan, film: Film) -> tuple[int, int]:
    """First and last frame that a record range shows; at least one where it touches the film."""
    span = clock.file_span(record)
    first, end = math.floor(span.start * film.rate + Fraction(1, 1000)), math.ceil(span.end * film.rate)
    last = max(first, end - 1)
    if last < 0 or first >= film.frames:
        raise UsageError(
            f"The clip '{clock.clip.clip_name}' shows nothing of {film.media.name}.",
            remedy="Relink the clip to its media.",
        )
    return max(first, 0), min(last, film.frames - 1)
