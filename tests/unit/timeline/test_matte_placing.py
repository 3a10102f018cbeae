"""Mattes in a timeline file: found by the ordinary rules, in step with their picture, all else unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import opentimelineio as otio
import pytest

from plugin.cues import ImageSequence, MediaFile
from plugin.errors import OutputError
from plugin.filehost import FileHost
from plugin.hosts import Conflict, Flavour, MattePiece, StemPiece
from plugin.opening import OpenTimeline
from plugin.timebase import TimeSpan
from tests.cli.made_timelines import FRAMES, RATE, MadeTimeline, make_timeline, seconds


@pytest.fixture
def film(tmp_path: Path) -> MadeTimeline:
    return make_timeline(tmp_path / "edit", labels=())


def matte(film: MadeTimeline, label: str = "violin", *, first: int = 2, count: int = 20) -> Path:
    """Pictures of the film's frames from `first` on."""
    folder = film.path.parent / f"shot_{label}_matte_v01"
    folder.mkdir(exist_ok=True)
    for frame in range(first, first + count):
        cv2.imwrite(str(folder / f"{folder.name}.{frame:04d}.png"), np.full((64, 96), frame, np.uint8))
    return folder


def piece(
    film: MadeTimeline, label: str = "violin", *, start: int = 6, end: int = 18, **more: Any
) -> MattePiece:
    given = {
        "path": matte(film, label),
        "rate": Fraction(RATE),
        "frames": 20,
        "first": 2,
        "start": start,
        "record": TimeSpan(seconds(start), seconds(end)),
    }
    return MattePiece(label=label, **{**given, **more})


def host_of(film: MadeTimeline, flavour: Flavour = Flavour.GENERIC) -> FileHost:
    return FileHost(film.path, folder=film.path.parent / "out", flavour=flavour)


def names(path: Path) -> list[str]:
    timeline = otio.adapters.read_from_file(str(path))
    return [track.name for track in timeline.tracks]


def test_it_is_a_new_file_in_which_nothing_else_changed(film: MadeTimeline) -> None:
    before = film.path.read_bytes()
    host = host_of(film)
    placed = host.place_matte(piece(film))
    assert placed is not None
    assert (placed.track_name, placed.record) == ("MASK violin", TimeSpan(seconds(6), seconds(18)))
    assert film.path.read_bytes() == before
    assert host.masked == film.path.with_name("film_masks.otio")
    original, written = json.loads(before), json.loads(host.masked.read_bytes())
    added = written["tracks"]["children"].pop()
    assert written == original
    assert (added["name"], added["kind"], added["enabled"]) == ("MASK violin", "Video", False)


def test_the_clip_says_what_it_is_and_has_the_range_of_its_picture(film: MadeTimeline) -> None:
    prompts = film.path.parent / "shot.prompts.json"
    host = host_of(film)
    host.place_matte(piece(film, prompts=prompts))
    timeline = otio.adapters.read_from_file(str(host.masked))
    (clip,) = timeline.tracks[-1].find_clips()
    ours = dict(clip.metadata["sagafoley"])
    assert ours == {"role": "mask", "prompts": str(prompts), "object": "violin", "channel": "luma"}
    assert isinstance(clip.media_reference, otio.schema.ImageSequenceReference)
    assert clip.source_range == otio.opentime.TimeRange(
        otio.opentime.RationalTime(6, RATE), otio.opentime.RationalTime(12, RATE)
    )
    assert clip.media_reference.start_frame == 2
    assert clip.media_reference.available_range.start_time == otio.opentime.RationalTime(2, RATE)


@pytest.mark.parametrize("flavour", Flavour)
def test_spotting_finds_it(film: MadeTimeline, flavour: Flavour) -> None:
    host = host_of(film, flavour)
    host.place_matte(piece(film))
    found = OpenTimeline.read(host.masked).found
    (spot,) = found.spots
    assert (spot.label, spot.record) == ("violin", TimeSpan(seconds(6), seconds(18)))
    assert found.problems == ()
    assert spot.matte is not None
    assert spot.picture is not None
    media = spot.matte.clip.media
    assert isinstance(media, ImageSequence)
    assert (media.first, media.last, media.rate) == (2, 21, RATE)
    first = spot.matte.clip.source_time(seconds(6)) - spot.matte.clip.available.start
    assert media.path_of(media.first + int(first * RATE)).name.endswith("0006.png")


def test_a_picture_with_timecode_keeps_its_count(film: MadeTimeline) -> None:
    hour = 3600 * RATE

    def with_timecode(timeline: Any) -> None:
        for clip in timeline.find_clips():
            available = clip.media_reference.available_range
            clip.media_reference.available_range = shifted(available, hour)
            clip.source_range = shifted(clip.source_range, hour)

    film.rewrite(with_timecode)
    host = host_of(film)
    host.place_matte(piece(film))
    timeline = otio.adapters.read_from_file(str(host.masked))
    (clip,) = timeline.tracks[-1].find_clips()
    assert clip.source_range.start_time.value == hour + 6
    assert clip.media_reference.available_range.start_time.value == hour + 2


def shifted(found: Any, frames: int) -> Any:
    later = found.start_time + otio.opentime.RationalTime(frames, RATE)
    return otio.opentime.TimeRange(later, found.duration)


@pytest.mark.parametrize("speed", [2.0, 0.5, -1.0])
def test_a_retimed_picture_and_its_matte_stay_in_step(film: MadeTimeline, speed: float) -> None:
    def retime(timeline: Any) -> None:
        (clip,) = timeline.find_clips()
        clip.source_range = otio.opentime.TimeRange(
            otio.opentime.RationalTime(4, RATE), otio.opentime.RationalTime(12, RATE)
        )
        clip.effects.append(otio.schema.LinearTimeWarp(time_scalar=speed))

    film.rewrite(retime)
    host = host_of(film)
    host.place_matte(piece(film, start=2, end=8, path=matte(film, first=0, count=30), frames=30, first=0))
    (spot,) = OpenTimeline.read(host.masked).found.spots
    assert spot.matte is not None
    assert spot.picture is not None
    assert spot.matte.clip.speed == spot.picture.speed == Fraction(speed)
    for frame in (2, 5):
        assert spot.matte.clip.source_time(seconds(frame)) == spot.picture.source_time(seconds(frame))


def test_a_movie_may_be_a_matte(film: MadeTimeline) -> None:
    path = film.path.parent / "shot_violin_matte_v01.mkv"
    path.write_bytes(film.matte.read_bytes())
    host = host_of(film)
    host.place_matte(piece(film, path=path))
    (spot,) = OpenTimeline.read(host.masked).found.spots
    assert spot.matte is not None
    assert spot.matte.clip.media == MediaFile(path)


def test_other_rates_than_the_timelines(film: MadeTimeline) -> None:
    host = host_of(film)
    placed = host.place_matte(piece(film, rate=Fraction(30000, 1001)))
    assert placed is not None
    assert placed.record == TimeSpan(seconds(6), seconds(18))
    (spot,) = OpenTimeline.read(host.masked).found.spots
    assert spot.record == placed.record


def test_mattes_gather_and_the_same_one_is_replaced(film: MadeTimeline) -> None:
    host = host_of(film)
    host.place_matte(piece(film))
    host.place_matte(piece(film, "trumpet"))
    host.place_matte(piece(film, start=10, end=20))
    assert names(host.masked) == ["V1", "A1", "MASK trumpet", "MASK violin"]
    host.place_matte(piece(film, start=20, end=22), conflict=Conflict.SKIP)
    assert names(host.masked)[2:] == ["MASK trumpet", "MASK violin", "MASK violin"]
    assert host.place_matte(piece(film, start=19, end=21), conflict=Conflict.SKIP) is None
    host.place_matte(piece(film, start=19, end=21), conflict=Conflict.NEW_TRACK)
    assert names(host.masked)[2:] == ["MASK trumpet", "MASK violin", "MASK violin", "MASK violin"]


def test_mattes_of_the_editor_never_give_way(film: MadeTimeline) -> None:
    made = make_timeline(film.path.parent, name="other", labels=("MASK violin",))
    host = host_of(made)
    host.place_matte(piece(made))
    assert names(host.masked) == ["V1", "MASK violin", "A1", "MASK violin"]


def test_a_timeline_with_our_mattes_takes_further_ones_itself(film: MadeTimeline) -> None:
    first = host_of(film)
    first.place_matte(piece(film))
    second = FileHost(first.masked, folder=film.path.parent / "out")
    second.place_matte(piece(film, "trumpet"))
    assert second.masked == first.masked
    assert names(first.masked)[2:] == ["MASK violin", "MASK trumpet"]
    assert second.remove().tracks == ("MASK trumpet",)
    assert second.remove().tracks == ("MASK violin",)
    assert names(first.masked) == names(film.path)


def test_a_file_of_the_editors_own_is_not_written_over_for_its_name(film: MadeTimeline) -> None:
    own = film.path.with_name("reel_masks.otio")
    own.write_bytes(film.path.read_bytes())
    host = FileHost(own, folder=film.path.parent)
    host.place_matte(piece(film))
    assert host.masked.name == "reel_masks_masks.otio"
    assert own.read_bytes() == film.path.read_bytes()


def test_removing_takes_the_last_placement_first(film: MadeTimeline) -> None:
    host = host_of(film)
    host.place_matte(piece(film))
    host.place([stem(film)])
    host.place_matte(piece(film, "trumpet"))
    assert host.remove().tracks == ("MASK trumpet",)
    assert host.remove().tracks == ("FOLEY violin",)
    assert not host.output.exists()
    assert host.remove().tracks == ("MASK violin",)
    assert not host.masked.exists()
    assert host.remove().tracks == ()


def stem(film: MadeTimeline) -> StemPiece:
    path = film.path.parent / "take.wav"
    path.write_bytes(b"RIFF")
    return StemPiece("001", "violin", path, TimeSpan(seconds(6), seconds(18)))


def test_stems_go_onto_the_timeline_with_the_mattes(film: MadeTimeline) -> None:
    first = host_of(film)
    first.place_matte(piece(film))
    second = FileHost(first.masked, folder=film.path.parent / "out")
    second.place([stem(film)])
    assert names(second.output) == ["V1", "A1", "MASK violin", "FOLEY violin"]
    assert second.remove().tracks == ("FOLEY violin",)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda made: {"path": made.path / "nowhere"}, "is not there"),
        (lambda made: {"frames": 21}, "holds 20 pictures and should hold 21"),
        (lambda made: {"record": TimeSpan(seconds(6), seconds(6))}, "has no length"),
        (lambda made: {"record": TimeSpan(seconds(-1), seconds(6))}, "before the timeline"),
    ],
)
def test_what_cannot_be_placed_leaves_everything(
    film: MadeTimeline, spoil: Callable[[MattePiece], dict[str, Any]], words: str
) -> None:
    host = host_of(film)
    host.place_matte(piece(film))
    before = host.masked.read_bytes()
    good = piece(film, "trumpet")
    with pytest.raises(OutputError, match=words) as caught:
        host.place_matte(piece(film, "trumpet", **spoil(good)))
    assert caught.value.remedy
    assert host.masked.read_bytes() == before


def test_without_a_picture_it_still_lies_where_it_was_told(film: MadeTimeline) -> None:
    host = host_of(film)
    placed = host.place_matte(piece(film, start=FRAMES, end=FRAMES + 4))
    assert placed is not None
    assert placed.record == TimeSpan(seconds(FRAMES), seconds(FRAMES + 4))
