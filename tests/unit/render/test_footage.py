"""A spot's pictures: the right frame at every time, whatever the clip does with its media."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from plugin.cues import (
    ClipSource,
    ImageSequence,
    Matte,
    MatteChannel,
    MediaFile,
    MediaSource,
    Spot,
    SpotOrigin,
)
from plugin.errors import MatteMismatch, MediaMissing, UndecodableMedia
from plugin.media.movies import MediaInfo
from plugin.media.video import Pick
from plugin.render.clocks import clock_of
from plugin.render.footage import ClipFootage, known_fingerprint
from plugin.timebase import TimeSpan
from tests.media_factory import (
    draw_index,
    make_audio_only,
    make_movie,
    make_sequence,
    read_index,
    write_image,
)

HOUR = Fraction(3600)
RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60000, 1001),
    Fraction(60),
]


def span(start: Fraction | int, length: Fraction | int) -> TimeSpan:
    return TimeSpan(Fraction(start), Fraction(start) + length)


def clip(media: MediaSource | None, record: TimeSpan, **changes: object) -> ClipSource:
    made = ClipSource(
        media=media,
        record=record,
        source_start=Fraction(0),
        speed=Fraction(1),
        available=None,
        clip_name="shot",
        track_name="V1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def spot(picture: ClipSource | None, record: TimeSpan, matte: Matte | None = None) -> Spot:
    return Spot("007", record, "violin", "violin", "", picture, matte, SpotOrigin.MASK_TRACK, "MASK violin")


def frames(made: Spot, times: Sequence[Fraction | float]) -> list[int]:
    with ClipFootage.open(made) as footage:
        return [read_index(picture) for picture in footage.frames([float(time) for time in times])]


def masks(made: Spot, times: Sequence[Fraction | float]) -> list[int]:
    with ClipFootage.open(made) as footage:
        shown = footage.masks([float(time) for time in times])
        assert shown is not None
        return [read_index(mask) for mask in shown]


@pytest.mark.parametrize("rate", RATES)
def test_every_frame_at_every_rate_from_an_odd_record_start(tmp_path: Path, rate: Fraction) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mp4", rate=rate, frames=40).path)
    record = TimeSpan(HOUR + 1 / rate, HOUR + 21 / rate)
    picture = clip(media, record, source_start=7 / rate)
    times = [Fraction(i) / rate for i in range(20)]
    assert frames(spot(picture, record), times) == list(range(7, 27))


def test_a_spot_that_begins_within_its_clip_and_handles_beyond_the_cut(tmp_path: Path) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mp4", rate=25, frames=30).path)
    whole = span(HOUR, Fraction(20, 25))
    picture = clip(media, whole, source_start=Fraction(5, 25))
    made = spot(picture, TimeSpan(HOUR + Fraction(3, 25), whole.end))
    times = [Fraction(i, 25) for i in (-9, -8, -3, 0, 1, 16, 17, 21, 22, 40)]
    assert frames(made, times) == [0, 0, 5, 8, 9, 24, 25, 29, 29, 29]


def test_retimed_frozen_and_reversed(tmp_path: Path) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mp4", rate=24, frames=48).path)
    record = span(HOUR, Fraction(8, 24))
    times = [Fraction(i, 24) for i in range(8)]

    def shown(**changes: object) -> list[int]:
        return frames(spot(clip(media, record, **changes), record), times)

    assert shown(speed=Fraction(2), source_start=Fraction(4, 24)) == [4, 6, 8, 10, 12, 14, 16, 18]
    assert shown(speed=Fraction(0), source_start=Fraction(11, 24)) == [11] * 8
    assert shown(speed=Fraction(-1), source_start=Fraction(20, 24)) == [19, 18, 17, 16, 15, 14, 13, 12]
    assert shown(speed=Fraction(-2), source_start=Fraction(40, 24)) == [39, 37, 35, 33, 31, 29, 27, 25]
    half = shown(speed=Fraction(1, 2), source_start=Fraction(10, 24))
    assert half[::2] == [10, 11, 12, 13]
    assert all(b - a in (0, 1) for a, b in pairwise(half))


def test_the_matte_keeps_its_own_rate_size_range_and_direction(tmp_path: Path) -> None:
    picture_file = MediaFile(make_movie(tmp_path / "a.mp4", rate=24, frames=48).path)
    matte_file = MediaFile(
        make_movie(
            tmp_path / "m.mp4", rate=30, frames=60, draw=lambda i: draw_index(i, width=48, height=32)
        ).path
    )
    record = span(HOUR, 1)
    matte_record = TimeSpan(HOUR - Fraction(1, 2), HOUR + 1)
    matte_clip = clip(matte_file, matte_record, source_start=Fraction(57, 30), speed=Fraction(-1))
    made = spot(clip(picture_file, record), record, Matte(matte_clip))
    times = [Fraction(i, 30) for i in range(5)]
    assert masks(made, times) == [41, 40, 39, 38, 37]  # half a second in, backwards from frame 57
    with ClipFootage.open(made) as footage:
        lockstep = list(zip(footage.frames([0.0, 0.5]), footage.masks([0.0, 0.5]) or (), strict=True))
    assert [(read_index(p), read_index(m)) for p, m in lockstep] == [(0, 41), (12, 26)]
    assert lockstep[0][1].shape == (32, 48)


def test_a_matte_that_crosses_a_cut_never_shows_the_next_shot(tmp_path: Path) -> None:
    picture = MediaFile(make_movie(tmp_path / "a.mp4", rate=24, frames=60).path)
    matte = MediaFile(make_movie(tmp_path / "m.mp4", rate=24, frames=60).path)
    whole = span(HOUR, Fraction(60, 24))
    record = TimeSpan(HOUR + Fraction(20, 24), HOUR + Fraction(40, 24))
    crossing = spot(clip(picture, record), record, Matte(clip(matte, whole)))
    slots = [Fraction(k, 25) for k in (-3, -1, 0, 1, 19, 20, 21, 30)]
    assert masks(crossing, slots) == [20, 20, 20, 21, 38, 39, 39, 39]
    own = spot(clip(picture, record), record, Matte(clip(matte, record, source_start=Fraction(20, 24))))
    assert masks(own, [Fraction(-2, 24), Fraction(20, 24)]) == [18, 40]
    with ClipFootage.open(crossing) as one, ClipFootage.open(own) as other:
        assert one.fingerprint != other.fingerprint


def test_a_matte_channel_and_its_inverse(tmp_path: Path) -> None:
    def draw(index: int) -> np.ndarray:
        picture = np.zeros((32, 48, 3), np.uint8)
        picture[:, :24, 0] = 255
        return picture

    media = MediaFile(
        make_movie(tmp_path / "m.mov", draw=draw, codec="png", pix_fmt="rgb24", frames=3, rate=24).path
    )
    record = span(0, Fraction(3, 24))

    def left_right(channel: MatteChannel, *, invert: bool) -> tuple[int, int]:
        matte = Matte(clip(media, record), channel, invert=invert)
        with ClipFootage.open(spot(clip(media, record), record, matte)) as footage:
            mask = next(iter(footage.masks([0.0]) or ()))
        return int(mask[5, 5]), int(mask[5, 40])

    assert left_right(MatteChannel.RED, invert=False) == (255, 0)
    assert left_right(MatteChannel.RED, invert=True) == (0, 255)
    assert left_right(MatteChannel.GREEN, invert=False) == (0, 0)


def test_no_matte_is_the_whole_frame(tmp_path: Path) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mp4", frames=3).path)
    record = span(0, Fraction(3, 25))
    with ClipFootage.open(spot(clip(media, record), record)) as footage:
        assert footage.masks([0.0]) is None
        assert footage.matte_fingerprint == ""


def test_a_matte_that_ends_early_is_held_and_told(tmp_path: Path) -> None:
    picture = MediaFile(make_movie(tmp_path / "a.mp4", rate=25, frames=25).path)
    short = MediaFile(make_movie(tmp_path / "m.mp4", rate=25, frames=10).path)
    record = span(HOUR, 1)
    made = spot(clip(picture, record), record, Matte(clip(short, record)))
    with ClipFootage.open(made) as footage:
        assert footage.masks([0.0]) is not None
        shown = [read_index(mask) for mask in footage.masks([0.0, 0.36, 0.4, 0.96]) or ()]
        assert shown == [0, 9, 9, 9]
        assert list(footage.warnings) == [
            "The matte m.mp4 does not cover the whole cue; its edge frame is held."
        ]


def test_handles_outside_the_media_are_no_reason_for_a_warning(tmp_path: Path) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mp4", rate=25, frames=25).path)
    record = span(HOUR, 1)
    made = spot(clip(media, record), record, Matte(clip(media, record)))
    times = [-0.5, 0.0, 0.96, 1.0, 1.5]
    with ClipFootage.open(made) as footage:
        assert [read_index(p) for p in footage.frames(times)] == [0, 0, 24, 24, 24]
        assert [read_index(p) for p in footage.masks(times) or ()] == [0, 0, 24, 24, 24]
        assert footage.warnings == ()


def test_a_picture_that_ends_early_is_held_and_told(tmp_path: Path) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mp4", rate=25, frames=10).path)
    record = span(HOUR, 1)
    with ClipFootage.open(spot(clip(media, record), record)) as footage:
        assert [read_index(p) for p in footage.frames([0.0, 0.9])] == [0, 9]
        assert "a.mp4 does not cover the whole cue" in footage.warnings[0]


def test_what_the_media_lacks_is_told_without_reading_frames(tmp_path: Path) -> None:
    picture = MediaFile(make_movie(tmp_path / "a.mp4", rate=25, frames=24).path)
    matte = MediaFile(make_movie(tmp_path / "m.mp4", rate=25, frames=25).path)
    record = span(HOUR, 1)
    with ClipFootage.open(spot(clip(picture, record), record, Matte(clip(matte, record)))) as footage:
        assert footage.warnings == (
            "The picture a.mp4 does not cover the whole cue; its edge frame is held.",
        )
    early = clip(matte, record, source_start=Fraction(-1, 25))
    with ClipFootage.open(spot(clip(matte, record), record, Matte(early))) as footage:
        assert footage.warnings == ("The matte m.mp4 does not cover the whole cue; its edge frame is held.",)


def test_an_image_sequence_with_a_hole_held(tmp_path: Path) -> None:
    made = make_sequence(tmp_path / "seq", first=1001, count=8, holes=[1004], rate=24)
    media = ImageSequence(made.path, "shot.", ".png", 4, 1001, 1008, 1, Fraction(24), missing="hold")
    record = span(HOUR, Fraction(8, 24))
    times = [Fraction(i, 24) for i in range(8)]
    assert frames(spot(clip(media, record), record), times) == [0, 1, 2, 2, 4, 5, 6, 7]


def test_a_still_is_on_screen_for_ever(tmp_path: Path) -> None:
    still = MediaFile(write_image(tmp_path / "a.png", draw_index(77)))
    record = span(HOUR, 5)
    made = spot(clip(still, record, source_start=Fraction(3600)), record, Matte(clip(still, record)))
    assert frames(made, [-1.0, 0.0, 4.9]) == [77, 77, 77]
    with ClipFootage.open(made) as footage:
        list(footage.masks([0.0, 4.0]) or ())
        assert footage.warnings == ()


INFO = MediaInfo(
    width=8,
    height=8,
    duration=Fraction(10),
    start_timecode=HOUR,
    rate=Fraction(25),
    rotation=0,
    has_alpha=False,
    codec="h264",
    is_still=False,
)


@pytest.mark.parametrize(
    ("available", "timecode", "source_start", "speed", "zero"),
    [
        (HOUR, HOUR, HOUR + 2, 1, HOUR),  # both agree
        (Fraction(0), HOUR, Fraction(2), 1, Fraction(0)),  # the document counts from zero
        (Fraction(0), HOUR, HOUR + 2, 1, HOUR),  # it says zero, but counts from the timecode
        (None, HOUR, HOUR + 2, 1, HOUR),
        (None, HOUR, Fraction(2), 1, Fraction(0)),  # the timecode is not what it counts from
        (None, None, Fraction(2), 1, Fraction(0)),
        (HOUR, None, HOUR + 2, 1, HOUR),  # the file has lost its timecode
        (Fraction(5), None, Fraction(8), 1, Fraction(5)),
        (HOUR, HOUR, HOUR + 8, -1, HOUR),  # backwards from its end
        (HOUR, HOUR, HOUR + 2, 0, HOUR),  # a moment
        (Fraction(99), None, Fraction(9), 1, Fraction(0)),  # half of it is better than none
        (Fraction(50), None, Fraction(200), 1, Fraction(50)),  # nothing fits: the document's word
    ],
)
def test_what_the_document_counts_from(
    available: Fraction | None,
    timecode: Fraction | None,
    source_start: Fraction,
    speed: int,
    zero: Fraction,
) -> None:
    record = span(HOUR, 2)
    made = clip(
        MediaFile(Path("a.mov")),
        record,
        available=None if available is None else span(available, 10),
        source_start=source_start,
        speed=Fraction(speed),
    )
    clock = clock_of(made, replace(INFO, start_timecode=timecode))
    assert clock.zero == zero
    assert clock.pick is {1: Pick.ONSET, -1: Pick.REVERSE, 0: Pick.SCREEN}[speed]


def test_media_with_timecode_shows_the_frame_of_the_document(tmp_path: Path) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mov", rate=25, frames=50, timecode="10:00:00:00").path)
    record = span(HOUR, Fraction(10, 25))
    ten = Fraction(36_000)
    for available in (None, span(ten, 2), span(0, 2)):
        picture = clip(media, record, source_start=ten + Fraction(13, 25), available=available)
        assert frames(spot(picture, record), [0.0, 0.04]) == [13, 14]


def test_the_fingerprint_follows_what_is_seen_not_where_it_lies(tmp_path: Path) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mp4", frames=30).path)
    other = MediaFile(make_movie(tmp_path / "b.mp4", frames=31).path)
    record = span(HOUR, Fraction(10, 25))
    matte = Matte(clip(media, record))

    def of(made: Spot) -> str:
        with ClipFootage.open(made) as footage:
            return footage.fingerprint

    plain = of(spot(clip(media, record), record, matte))
    later = span(HOUR + 7, Fraction(10, 25))
    moved = spot(clip(media, later), later, Matte(clip(media, later)))
    assert of(moved) == plain
    renamed = MediaFile((tmp_path / "a.mp4").rename(tmp_path / "c.mp4"))
    assert of(spot(clip(renamed, record), record, Matte(clip(renamed, record)))) == plain
    different = [
        spot(clip(other, record), record, Matte(clip(renamed, record))),
        spot(clip(renamed, record, source_start=Fraction(1, 25)), record, Matte(clip(renamed, record))),
        spot(clip(renamed, record, speed=Fraction(2)), record, Matte(clip(renamed, record))),
        spot(clip(renamed, record), record, None),
        spot(clip(renamed, record), record, Matte(clip(renamed, record), MatteChannel.RED)),
        spot(clip(renamed, record), record, Matte(clip(renamed, record), invert=True)),
        spot(clip(renamed, record), record, Matte(clip(renamed, record, source_start=Fraction(1, 25)))),
        spot(clip(renamed, record), record, Matte(clip(other, record))),
    ]
    assert len({plain, *(of(made) for made in different)}) == len(different) + 1


def test_a_changed_file_has_another_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_image(path, draw_index(1))
    first = known_fingerprint(MediaFile(path))
    assert known_fingerprint(MediaFile(path)) == first
    write_image(path, draw_index(1000))
    assert known_fingerprint(MediaFile(path)) != first


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    media = MediaFile(make_movie(tmp_path / "a.mp4", frames=3).path)
    record = span(0, Fraction(3, 25))
    with pytest.raises(MediaMissing, match=r"no picture under cue 007 \('violin', MASK violin\)"):
        ClipFootage.open(spot(None, record))
    with pytest.raises(MediaMissing, match="picture clip 'shot' on track V1 names no media"):
        ClipFootage.open(spot(clip(None, record), record))
    with pytest.raises(MediaMissing, match=r"gone\.mov"):
        ClipFootage.open(spot(clip(MediaFile(tmp_path / "gone.mov"), record), record))
    sound = MediaFile(make_audio_only(tmp_path / "a.m4a"))
    with pytest.raises(UndecodableMedia, match=r"a\.m4a"):
        ClipFootage.open(spot(clip(media, record), record, Matte(clip(sound, record))))
    with pytest.raises(MatteMismatch, match="no alpha"):
        ClipFootage.open(spot(clip(media, record), record, Matte(clip(media, record), MatteChannel.ALPHA)))
