"""What is wrong with the media of a cue sheet: gone, damaged, too short, full of holes, without a mark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Self

from plugin.cues import (
    ClipSource,
    Cue,
    CueSheet,
    ImageSequence,
    Matte,
    MatteChannel,
    MediaSource,
    Problem,
    Severity,
    Spot,
)
from plugin.errors import MediaError, MediaMissing, SagafoleyError
from plugin.media.mattes import MatteReader
from plugin.media.video import Extent, MediaInfo, extent_of, probe
from plugin.render.clocks import MediaClock, clock_of, media_of, shown_span
from plugin.render.holes import hole_problems
from plugin.timebase import TimeSpan

_OPEN_MATTES = 8
_LOOKERS = 8
_FRAME_UNKNOWN = Fraction(1, 24)


class Depth(StrEnum):
    """How closely media are looked at.

    QUICK: whether the files are there. FULL: their pictures are decoded where that can show a fault.
    """

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Look:
    """What one media file showed: its facts, or why it cannot be used."""

    info: MediaInfo | None = None
    extent: Extent | None = None
    fault: SagafoleyError | None = None


@dataclass(slots=True)
class MediaChecker:
    """Judges each cue by what its media showed; make it with `open` and close it."""

    depth: Depth
    looks: dict[MediaSource, Look]
    mattes: dict[tuple[MediaSource, MatteChannel, bool], MatteReader] = field(default_factory=dict)

    @classmethod
    def open(cls, sheet: CueSheet, depth: Depth) -> Self:
        """A checker that has looked at every media source of the sheet, once."""
        return cls(depth, _look_at_all(sheet, depth))

    def close(self) -> None:
        """Lets go of the mattes that are open."""
        for reader in self.mattes.values():
            reader.close()
        self.mattes.clear()

    def problems(self, cue: Cue) -> Iterator[Problem]:
        """What is wrong with the picture and the matte of a cue."""
        yield from self._clip_problems(cue, cue.spot.picture, kind="picture")
        matte = cue.spot.matte
        if matte is None:
            return
        faults = list(self._clip_problems(cue, matte.clip, kind="matte"))
        yield from faults
        if self.depth is Depth.FULL and all(fault.severity is not Severity.BLOCKER for fault in faults):
            yield from self._matte_problems(cue, matte)

    def _clip_problems(self, cue: Cue, clip: ClipSource | None, *, kind: str) -> Iterator[Problem]:
        try:
            clip, source = media_of(clip, spot=cue.spot, kind=kind)
        except MediaMissing as error:
            yield _blocker(cue, cue.spot.source_name, error)
            return
        look = self.looks[source]
        if look.fault is not None:
            yield _blocker(cue, source.name, look.fault)
        elif look.info is not None:
            yield from _cover_problems(cue.spot, clip, source, look, kind=kind)
            if isinstance(source, ImageSequence):
                shown = clock_of(clip, look.info).file_span(cue.spot.record)
                yield from hole_problems(cue.spot, source, kind=kind, shown=shown)

    def _matte_problems(self, cue: Cue, matte: Matte) -> Iterator[Problem]:
        """Whether the matte has its channel and marks anything within the cue."""
        try:
            clip, source = media_of(matte.clip, spot=cue.spot, kind="matte")
            reader = self._matte_reader(source, matte)
            clock = clock_of(clip, reader.info)
            found = reader.first_white(**_file_range(clock, cue.spot.record, reader.info))
        except MediaError as error:
            yield _blocker(cue, matte.clip.clip_name, error)
            return
        if found is None:
            inverted = " (inverted)" if matte.invert else ""
            yield Problem(
                Severity.BLOCKER,
                cue.id,
                source.name,
                f"The matte {source.name}{inverted} marks nothing within cue {cue.id} ('{cue.spot.label}'): "
                f"its {matte.channel.words} has no white.",
                "Choose the channel that holds the object, invert the matte, or export it again.",
            )

    def _matte_reader(self, source: MediaSource, matte: Matte) -> MatteReader:
        key = (source, matte.channel, matte.invert)
        if key not in self.mattes:
            if len(self.mattes) >= _OPEN_MATTES:
                self.mattes.pop(next(iter(self.mattes))).close()
            self.mattes[key] = MatteReader.open(source, channel=matte.channel, invert=matte.invert)
        return self.mattes[key]


def _blocker(cue: Cue, subject: str, error: SagafoleyError) -> Problem:
    return Problem(Severity.BLOCKER, cue.id, subject, error.message, error.remedy)


def _glance(source: MediaSource) -> Look:
    """Whether the media is there at all."""
    if isinstance(source, ImageSequence):
        numbers = range(source.first, source.last + 1, max(1, source.step))
        there = any(_is_file(source.path_of(number)) for number in numbers)
        where = source.folder
    else:
        there, where = _is_file(source.path), source.path
    if there:
        return Look()
    return Look(
        fault=MediaMissing(
            f"{source.name} is not there.", remedy="Relink the clip to its media.", detail=str(where)
        )
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _inspect(source: MediaSource) -> Look:
    """The facts of the media, its real end included."""
    try:
        info = probe(source)
        return Look(info, None if info.duration is None else extent_of(source))
    except MediaError as error:
        return Look(fault=error)


def _cover_problems(
    spot: Spot, clip: ClipSource, source: MediaSource, look: Look, *, kind: str
) -> Iterator[Problem]:
    """Whether the media holds what the cue shows of it."""
    if look.info is None or look.extent is None:
        return
    clock = clock_of(clip, look.info)
    shown = shown_span(clip, spot.record)
    start, end = shown.start - clock.zero, shown.end - clock.zero
    frame = 1 / look.info.rate if look.info.rate else _FRAME_UNKNOWN
    within = start >= -frame and end <= look.extent.end + frame
    if within:
        return
    nothing = end <= 0 or start >= look.extent.end
    damaged = "" if look.extent.complete else " (the file is damaged or cut short)"
    yield Problem(
        Severity.BLOCKER if nothing else Severity.WARNING,
        spot.id,
        source.name,
        f"The {kind} {source.name}{damaged} is {_seconds(look.extent.end)} s long, but cue {spot.id} "
        f"('{spot.label}') shows {_seconds(start)} s to {_seconds(end)} s of it"
        + ("." if nothing else "; its edge frame is held."),
        f"Relink the clip to the whole {kind}, or shorten it on the timeline.",
    )


def _seconds(time: Fraction) -> str:
    return f"{float(time):.2f}"


def _file_range(clock: MediaClock, record: TimeSpan, info: MediaInfo) -> dict[str, Fraction]:
    """The part of the matte file that the cue shows, drawn into the file where it lies outside."""
    ends = sorted((clock.file_time(record.start), clock.file_time(record.end)))
    if info.duration is None:
        return {"start": Fraction(0), "end": Fraction(0)}
    last = max(info.duration - (1 / info.rate if info.rate else _FRAME_UNKNOWN), Fraction(0))
    start = min(max(ends[0], Fraction(0)), last)
    return {"start": start, "end": max(ends[1], start)}


def _look_at_all(sheet: CueSheet, depth: Depth) -> dict[MediaSource, Look]:
    """What every media source of the sheet showed; several are looked at side by side."""
    spots = [cue.spot for cue in sheet.cues]
    clips = [spot.picture for spot in spots] + [spot.matte.clip for spot in spots if spot.matte]
    sources = tuple(
        dict.fromkeys(clip.media for clip in clips if clip is not None and clip.media is not None)
    )
    look = _glance if depth is Depth.QUICK else _inspect
    with ThreadPoolExecutor(min(_LOOKERS, os.cpu_count() or 1), thread_name_prefix="look") as pool:
        return dict(zip(sources, pool.map(look, sources), strict=True))
