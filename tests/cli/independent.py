"""What a stranger to the program computes and reads: plain fractions, plain OTIO, other people's readers.

Nothing of `plugin` is imported here, so that no error of ours can agree with itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import opentimelineio as otio
import soundfile
from wavinfo import WavInfoReader

from tests.media_factory import Made, draw_index, make_movie

SAMPLES = 48_000
MATTE_OFFSET = 1000
"""What a matte's index is raised by, so that every matte picture has white in it."""

_MEDIA_HOUR = 10
_MEDIA_FRAMES = 64
_MATTE_LEAD, _MATTE_CUT = 3, 2


@dataclass(frozen=True, slots=True)
class Rate:
    """A frame rate as people say it, as OTIO spells it, and as it is."""

    name: str
    spelled: float
    exact: Fraction
    drop: bool = False

    @property
    def nominal(self) -> int:
        return round(self.exact)

    def frames_at(self, timecode: str) -> int:
        """Frames from midnight to a timecode, counted minute by minute."""
        hours, minutes, seconds, frames = (int(part) for part in timecode.replace(";", ":").split(":"))
        dropped = self.nominal // 15 if self.drop else 0
        whole = sum(self.nominal * 60 - dropped * bool(each % 10) for each in range(hours * 60 + minutes))
        begun = (seconds * self.nominal + frames) - dropped * bool(minutes % 10)
        return whole + begun

    def time(self, frames: float) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(frames, self.spelled)

    def span(self, first: float, frames: float) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(self.time(first), self.time(frames))


def _ntsc(name: str, spelled: float, nominal: int, *, drop: bool = False) -> Rate:
    return Rate(name, spelled, Fraction(nominal * 1000, 1001), drop)


RATES = (
    _ntsc("23.976", 24000 / 1001, 24),
    Rate("24", 24.0, Fraction(24)),
    Rate("25", 25.0, Fraction(25)),
    _ntsc("29.97 DF", 30000 / 1001, 30, drop=True),
    _ntsc("29.97 NDF", 29.97, 30),
    Rate("30", 30.0, Fraction(30)),
    Rate("50", 50.0, Fraction(50)),
    _ntsc("59.94 DF", 59.94, 60, drop=True),
    _ntsc("59.94 NDF", 60000 / 1001, 60),
    Rate("60", 60.0, Fraction(60)),
)
_TWENTY_FIVE, _TWENTY_FOUR = RATES[2], RATES[1]


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture clip and its truth.

    Attributes:
        name: the clip's name.
        media: its file.
        source: seconds of media, from the file's first frame, that its source range starts at.
        start: absolute record seconds.
        end: absolute record seconds, exclusive.
        speed: media seconds per record second.
    """

    name: str
    media: Made
    source: Fraction
    start: Fraction
    end: Fraction
    speed: Fraction

    def media_time(self, record: Fraction) -> Fraction:
        """Seconds of media on screen at a record time; a reversed shot counts down from its end."""
        begin = self.source + (self.end - self.start) * max(Fraction(0), -self.speed)
        return begin + (record - self.start) * self.speed


@dataclass(frozen=True, slots=True)
class Film:
    """A timeline file and what is true of it.

    Attributes:
        path: the .otio file.
        rate: its rate.
        start: absolute seconds of its first frame.
        shots: its picture clips in order.
        matte: the matte movie.
        matte_start: absolute record seconds of the matte clip, whose first shown frame is `matte_first`.
        matte_end: absolute record seconds.
        matte_first: frame of the matte movie.
    """

    path: Path
    rate: Rate
    start: Fraction
    shots: tuple[Shot, ...]
    matte: Made
    matte_start: Fraction
    matte_end: Fraction
    matte_first: int

    @property
    def pieces(self) -> list[tuple[Fraction, Fraction]]:
        """Record spans that stems must have: every shot, cut to the matte."""
        return [(max(one.start, self.matte_start), min(one.end, self.matte_end)) for one in self.shots]


@dataclass(frozen=True, slots=True)
class _Wish:
    """A shot before it has a place: media rate, first media frame, length in frames of `length_rate`."""

    name: str
    media: str
    first: int
    frames: int
    speed: float = 1.0
    in_media_rate: bool = False


WISHES = (
    _Wish("plain", "main", 5, 13),
    _Wish("double", "main", 2, 7, 2.0),
    _Wish("half", "main", 30, 11, 0.5),
    _Wish("reverse", "main", 20, 9, -1.0),
    _Wish("freeze", "main", 17, 5, 0.0),
    _Wish("vfr", "vfr", 4, 17),
    _Wish("foreign", "foreign", 9, 12),
    _Wish("off the grid", "foreign", 3, 9, in_media_rate=True),
    _Wish("tail", "main", 40, 6),
    _Wish("double reverse", "main", 11, 8, -2.0),
)


def make_film(folder: Path, rate: Rate, *, start: str | None, wishes: Sequence[_Wish] = WISHES) -> Film:
    """A timeline of the wished shots under one matte that begins late and ends early."""
    folder.mkdir(parents=True, exist_ok=True)
    zero = None if start is None else rate.frames_at(start)
    begin = Fraction(zero or 0) / rate.exact
    media = _make_media(folder, rate)
    picture, shots, at = otio.schema.Track("V1"), [], begin
    for wish in wishes:
        clip, length, source = _clip(wish, rate, *media[wish.media])
        picture.append(clip)
        speed = Fraction(wish.speed)
        shots.append(Shot(wish.name, media[wish.media][0], source, at, at + length, speed))
        at += length
    total = int((at - begin) * rate.exact) - _MATTE_LEAD - _MATTE_CUT
    matte = make_movie(folder / "matte.mov", rate=rate.exact, frames=total + 12, draw=_draw_matte)
    masks = otio.schema.Track("MASK violin")
    masks.append(otio.schema.Gap(source_range=rate.span(0, _MATTE_LEAD)))
    extent = rate.span(0, total + 12)
    reference = otio.schema.ExternalReference(matte.path.as_uri(), extent)
    masks.append(otio.schema.Clip("matte", reference, rate.span(7, total)))
    masks.enabled = False
    timeline = otio.schema.Timeline("film", global_start_time=None if zero is None else rate.time(zero))
    timeline.tracks.extend([picture, masks])
    path = folder / "film.otio"
    otio.adapters.write_to_file(timeline, str(path))
    first = begin + _MATTE_LEAD / rate.exact
    return Film(path, rate, begin, tuple(shots), matte, first, first + total / rate.exact, 7)


def _draw_matte(index: int):
    return draw_index(index + MATTE_OFFSET)


def _make_media(folder: Path, rate: Rate) -> dict[str, tuple[Made, Rate, int]]:
    """Media by name: the file, its rate, and the frame number that the document gives its first frame."""
    hour = f"{_MEDIA_HOUR}:00:00:00"
    other = _TWENTY_FOUR if rate is _TWENTY_FIVE else _TWENTY_FIVE
    return {
        "main": (
            make_movie(folder / "main.mov", rate=rate.exact, frames=_MEDIA_FRAMES, timecode=hour),
            rate,
            _MEDIA_HOUR * 3600 * rate.nominal,
        ),
        "foreign": (make_movie(folder / "foreign.mp4", rate=other.exact, frames=40), other, 0),
        "vfr": (make_movie(folder / "vfr.mp4", rate=24, times=_uneven_times(60)), rate, 0),
    }


def _uneven_times(count: int) -> list[Fraction]:
    """Frame times of a phone's movie: 20 to 50 ms apart."""
    times = [Fraction(0)]
    for index in range(1, count):
        times.append(times[-1] + Fraction(20 + index * 7 % 31, 1000))
    return times


def _clip(wish: _Wish, rate: Rate, made: Made, media: Rate, zero: int):
    """The clip, its record seconds, and the media seconds at its source range's start."""
    counted = media if wish.in_media_rate else rate
    source = otio.opentime.TimeRange(media.time(zero + wish.first), counted.time(wish.frames))
    extent = media.span(zero, round(made.end * media.exact))
    reference = otio.schema.ExternalReference(made.path.as_uri(), extent)
    clip = otio.schema.Clip(wish.name, reference, source)
    if wish.speed == 0:
        clip.effects.append(otio.schema.FreezeFrame())
    elif wish.speed != 1:
        clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=wish.speed))
    return clip, wish.frames / counted.exact, wish.first / media.exact


def sample_at(seconds: Fraction) -> int:
    """The sample nearest to a time, from midnight."""
    return round(seconds * SAMPLES)


@dataclass(frozen=True, slots=True)
class PlacedStem:
    """A clip on one of the FOLEY tracks, as plain OTIO tells it.

    Attributes:
        track: the track's name.
        start: seconds from the timeline's first frame.
        end: seconds, exclusive.
        wav: its file.
        first: seconds of its source range's start.
        whole: its source range is all that is available.
    """

    track: str
    start: Fraction
    end: Fraction
    wav: Path
    first: Fraction
    whole: bool

    @property
    def samples(self) -> int:
        return soundfile.info(str(self.wav)).frames

    @property
    def time_reference(self) -> int:
        return WavInfoReader(str(self.wav)).bext.time_reference


def read_stems(timeline: Path, rate: Rate) -> list[PlacedStem]:
    """Every clip on a track named FOLEY, track by track."""
    document = otio.adapters.read_from_file(str(timeline))
    return [stem for track in document.audio_tracks() for stem in _stems_of(track, rate)]


def _stems_of(track: otio.schema.Track, rate: Rate) -> Iterator[PlacedStem]:
    if not track.name.startswith("FOLEY "):
        return
    for clip in track.find_clips():
        place = clip.range_in_parent()
        url = clip.media_reference.target_url
        yield PlacedStem(
            track=track.name,
            start=_seconds(place.start_time, rate),
            end=_seconds(place.end_time_exclusive(), rate),
            wav=Path(url2pathname(urlparse(url).path)) if url.startswith("file:") else Path(url),
            first=_seconds(clip.source_range.start_time, rate),
            whole=clip.source_range == clip.media_reference.available_range,
        )


def _seconds(time: otio.opentime.RationalTime, rate: Rate) -> Fraction:
    assert abs(time.rate - rate.spelled) < 1e-9, f"counted at {time.rate}, the timeline at {rate.spelled}"
    return Fraction(time.value) / rate.exact
