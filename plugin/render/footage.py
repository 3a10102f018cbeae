"""The pictures and matte of one spot, by time from its start, out of the media behind its clips."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from plugin.cues import ImageSequence, Matte, MediaSource, Spot
from plugin.engine.footage import Picture
from plugin.errors import MediaError
from plugin.media.fingerprint import fingerprint
from plugin.media.mattes import MatteReader
from plugin.media.video import Extent, VideoReader, extent_of
from plugin.render.clocks import ANYWHERE, LATE, MediaClock, Reach, clock_of, media_of, reach_of
from plugin.timebase import TimeSpan

_EXACT_TIMES = 1_000_000


class ClipFootage:
    """A spot's pictures; the engine's `Footage`. Make it with `open` and use it in a `with` block.

    Time 0 is the spot's exact record start. The stem's first sample lies within half a sample of it,
    far below the time between two frames, so a frame that starts with the cue is the frame at 0.
    """

    def __init__(
        self,
        spot: Spot,
        *,
        picture: VideoReader,
        picture_clock: MediaClock,
        matte: MatteReader | None,
        matte_clock: MediaClock | None,
        matte_reach: Reach,
        fingerprints: tuple[str, str],
    ) -> None:
        self._spot = spot
        self._picture = picture
        self._picture_clock = picture_clock
        self._matte = matte
        self._matte_clock = matte_clock
        self._matte_reach = matte_reach
        self.picture_fingerprint, self.matte_fingerprint = fingerprints

    @classmethod
    def open(cls, spot: Spot) -> ClipFootage:
        """The opened media of a spot.

        Raises:
            MediaMissing: no picture, no media, or a file that is not there.
            UndecodableMedia: a file gives no picture.
            MatteMismatch: the matte has not the channel that is asked for.
        """
        clip, source = media_of(spot.picture, spot=spot, kind="picture")
        picture = VideoReader.open(source)
        try:
            matte = None if spot.matte is None else _open_matte(spot.matte, spot)
            matte_clock, matte_reach = None, ANYWHERE
            if matte is not None and spot.matte is not None:
                matte_clock = clock_of(spot.matte.clip, matte.info)
                matte_reach = reach_of(spot.matte.clip, spot.record)
            return cls(
                spot,
                picture=picture,
                picture_clock=clock_of(clip, picture.info),
                matte=matte,
                matte_clock=matte_clock,
                matte_reach=matte_reach,
                fingerprints=(
                    known_fingerprint(source),
                    "" if matte is None else known_fingerprint(matte.source),
                ),
            )
        except BaseException:
            picture.close()
            raise

    @property
    def fingerprint(self) -> str:
        """Changes with the media files, which moments of them are shown, and the matte's channel."""
        origin = self._spot.record.start
        parts = [self.picture_fingerprint, self._picture_clock.mapping(origin)]
        if self._matte_clock is not None and self._spot.matte is not None:
            matte = self._spot.matte
            parts += [self.matte_fingerprint, self._matte_clock.mapping(origin)]
            parts += [matte.channel.value, str(matte.invert)]
            ends = (self._matte_reach.first, self._matte_reach.end)
            parts += [str(None if end is None else end - origin) for end in ends]
        return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()

    @property
    def frames_fingerprint(self) -> str:
        """Changes with the picture's files and which moments of them are shown; the matte has no say."""
        parts = [self.picture_fingerprint, self._picture_clock.mapping(self._spot.record.start)]
        return (
            hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest() if self.picture_fingerprint else ""
        )

    @property
    def damaged(self) -> bool:
        """Pictures of the media could not be decoded so far and others stood in for them."""
        return bool(self._picture.damaged or (self._matte is not None and self._matte.damaged))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the media; damage is known when the frames were read."""
        said = []
        parts: list[tuple[str, VideoReader | MatteReader | None, MediaClock | None]] = [
            ("picture", self._picture, self._picture_clock),
            ("matte", self._matte, self._matte_clock),
        ]
        for kind, reader, clock in parts:
            if reader is None or clock is None:
                continue
            name = reader.source.name
            if not _covers(reader, clock.file_span(self._spot.record)):
                said.append(f"The {kind} {name} does not cover the whole cue; its edge frame is held.")
            if reader.damaged:
                said.append(f"The {kind} {name} is damaged; some of its frames could not be read.")
        return tuple(said)

    def frames(self, times: Sequence[float], *, late: Sequence[float] = ()) -> Iterator[Picture]:
        """The frame at each time, `[H, W, 3]` uint8 RGB; handles beyond the cut where the file has them."""
        clock, reader = self._picture_clock, self._picture
        slots = [clock.slot(_exact(one)) for one in late] or clock.slot(LATE)
        return reader.frames_at(self._file_times(clock, times), pick=clock.pick, slot=slots)

    def masks(self, times: Sequence[float]) -> Iterator[Picture] | None:
        """The matte at each time, `[h, w]` uint8 in the matte's own size; None: the whole frame."""
        if self._matte is None or self._matte_clock is None:
            return None
        return self._masks(self._matte, self._matte_clock, times)

    def _masks(self, reader: MatteReader, clock: MediaClock, times: Sequence[float]) -> Iterator[Picture]:
        wanted = self._file_times(clock, times, reach=self._matte_reach)
        origin = self._spot.record.start
        slots = [clock.slot(self._matte_reach.late(origin + _exact(time))) for time in times]
        return reader.frames_at(wanted, pick=clock.pick, slot=slots)

    def _file_times(
        self, clock: MediaClock, times: Sequence[float], *, reach: Reach = ANYWHERE
    ) -> list[Fraction]:
        origin = self._spot.record.start
        return [clock.file_time(reach.held(origin + _exact(time))) for time in times]

    def close(self) -> None:
        """Lets go of the files."""
        self._picture.close()
        if self._matte is not None:
            self._matte.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _covers(reader: VideoReader | MatteReader, shown: TimeSpan) -> bool:
    """Whether the media holds what the cue shows of it, to half a frame."""
    extent = known_extent(reader.source)
    if reader.info.duration is None or extent is None:
        return True
    slack = (extent.end - extent.last) / 2
    return shown.start >= -slack and shown.end <= extent.end + slack


def _exact(time: float) -> Fraction:
    return Fraction(time).limit_denominator(_EXACT_TIMES)


def _open_matte(matte: Matte, spot: Spot) -> MatteReader:
    _, source = media_of(matte.clip, spot=spot, kind="matte")
    return MatteReader.open(source, channel=matte.channel, invert=matte.invert)


def known_fingerprint(source: MediaSource) -> str:
    """`fingerprint` of the media; files that have not changed since are not read again.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: the file may not be read or is empty.
    """
    return _fingerprint(source, tuple(_stamp(path) for path in _paths(source)))


def known_extent(source: MediaSource) -> Extent | None:
    """Where the media really ends, found once per file; None when it cannot be read."""
    return _extent(source, tuple(_stamp(path) for path in _paths(source)))


@lru_cache(maxsize=256)
def _extent(source: MediaSource, stamps: tuple[tuple[int, int], ...]) -> Extent | None:
    del stamps  # part of the key only
    try:
        return extent_of(source)
    except MediaError:
        return None


@lru_cache(maxsize=256)
def _fingerprint(source: MediaSource, stamps: tuple[tuple[int, int], ...]) -> str:
    del stamps  # part of the key only
    return fingerprint(source)


def _paths(source: MediaSource) -> Iterator[Path]:
    if isinstance(source, ImageSequence):
        numbers = range(source.first, source.last + 1, max(1, source.step))
        yield from (source.path_of(number) for number in numbers)
    else:
        yield source.path


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of last change, in nanoseconds; (-1, -1) where nothing is."""
    try:
        status = path.stat()
    except OSError:
        return (-1, -1)
    return (status.st_size, status.st_mtime_ns)
