"""Stem lengths, time stamps and places at every rate, read back with other people's tools.

Truth is in `independent.py`, as fractions of a second from midnight; nothing is read with our own code.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest

from plugin.cues import Spot
from plugin.render.footage import ClipFootage
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import find_spots
from tests.cli.conftest import GOLDEN
from tests.cli.independent import (
    MATTE_OFFSET,
    RATES,
    SAMPLES,
    WISHES,
    Film,
    PlacedStem,
    Rate,
    Shot,
    make_film,
    read_stems,
    sample_at,
)
from tests.media_factory import read_index

QUICK = ("--bundle", GOLDEN, "--provider", "cpu", "--threads", "1", "--steps", "1")
HOUR = "01:00:00:00"
AT_EVERY_RATE = pytest.mark.parametrize("rate", RATES, ids=lambda rate: rate.name)
OFF_GRID = Fraction(1, 100)
"""Samples by which a position off the frame grid, a float in OTIO, may miss."""


def check_stems(film: Film, stems: list[PlacedStem], *, resolve: bool) -> None:
    """Every piece: its length, its stamp, its place, and that it is used from its first sample."""
    assert len(stems) == len(film.pieces)
    for (start, end), stem in zip(film.pieces, stems, strict=True):
        first = sample_at(start)
        assert stem.samples == sample_at(end) - first
        assert stem.time_reference == first
        assert sample_at(film.start + stem.start) == first
        assert sample_at(film.start + stem.end) == sample_at(end)
        assert abs(film.start + stem.start - start) * SAMPLES < OFF_GRID
        assert stem.whole
        assert abs(stem.first - (start if resolve else 0)) * SAMPLES < OFF_GRID


def check_tiling(stems: list[PlacedStem]) -> None:
    """Shot follows shot under one matte: each stem begins at the sample after the one before it."""
    for before, after in pairwise(stems):
        assert before.time_reference + before.samples == after.time_reference
        assert abs(before.end - after.start) * SAMPLES < OFF_GRID


@AT_EVERY_RATE
def test_every_kind_of_shot(sagafoley, tmp_path: Path, rate: Rate) -> None:
    film = make_film(tmp_path / "edit", rate, start=HOUR)
    for flavour in ("generic", "resolve"):  # the second run keeps every take
        ran = sagafoley("render", film.path, "-o", tmp_path / "out", *QUICK, "--flavour", flavour)
        assert ran.code == 0, ran.err
        stems = read_stems(tmp_path / "out" / "film_foley.otio", rate)
        check_stems(film, stems, resolve=flavour == "resolve")
        check_tiling(stems)
    assert len(list((tmp_path / "out").glob("*.wav"))) == len(WISHES)


@AT_EVERY_RATE
@pytest.mark.parametrize("start", ["00:59:58:00", "00:00:00:00", None])
def test_every_start(sagafoley, tmp_path: Path, rate: Rate, start: str | None) -> None:
    film = make_film(tmp_path / "edit", rate, start=start, wishes=WISHES[:2])
    ran = sagafoley("render", film.path, "-o", tmp_path / "out", *QUICK)
    assert ran.code == 0, ran.err
    stems = read_stems(tmp_path / "out" / "film_foley.otio", rate)
    check_stems(film, stems, resolve=False)
    check_tiling(stems)


def test_the_truth_itself() -> None:
    """The yardstick, at places that are known: SMPTE 12M, and TimeReference in real time."""
    frames = {rate.name: rate.frames_at(HOUR) for rate in RATES}
    assert frames["29.97 DF"] == 107_892
    assert frames["29.97 NDF"] == 108_000
    assert frames["59.94 DF"] == 215_784
    assert RATES[3].frames_at("00:01:00;02") == 1800
    assert RATES[3].frames_at("00:10:00;00") == 17_982
    assert sample_at(frames["23.976"] / RATES[0].exact) == 172_972_800


# --- which frames the engine sees -------------------------------------------------------------------------


SYNC, CLIP = Fraction(1, 50), Fraction(1, 8)
"""How late a frame may start for the sync encoder and for the image tower."""


def expected_frame(shot: Shot, record: Fraction, late: Fraction = SYNC) -> int:
    """Index of the media frame for a record time, by the rules that `plugin.media.picking` states.

    Forward: the first frame that starts at or after the time, unless it starts more than `late` seconds of
    record time later; then the frame on screen. Backward and frozen: the frame on screen.
    """
    time, times = shot.media_time(record), shot.media.times
    slack = Fraction(1, 1_000_000)
    if shot.speed < 0:
        return max((index for index, start in enumerate(times) if start < time - slack), default=0)
    on_screen = max((index for index, start in enumerate(times) if start <= time + slack), default=0)
    if shot.speed == 0 or times[on_screen] >= time - slack or on_screen + 1 == len(times):
        return on_screen
    wait = times[on_screen + 1] - time
    return on_screen + 1 if wait <= shot.speed * late + slack else on_screen


def moments(spot: Spot, pictures_a_second: int) -> list[Fraction]:
    """Times from the spot's start at which pictures are sampled, within the spot."""
    count = int(spot.record.duration * pictures_a_second) + 1
    times = (Fraction(index, pictures_a_second) for index in range(count))
    return [time for time in times if time < spot.record.duration]


def spots_of(film: Film) -> tuple[Spot, ...]:
    found = find_spots(read_timeline(film.path), folder=film.path.parent)
    assert found.problems == ()
    return found.spots


@AT_EVERY_RATE
@pytest.mark.parametrize(("pictures_a_second", "late"), [(25, SYNC), (8, CLIP)])
def test_the_engine_sees_the_frames_of_its_moments(
    tmp_path: Path, rate: Rate, pictures_a_second: int, late: Fraction
) -> None:
    film = make_film(tmp_path, rate, start=HOUR)
    for shot, spot in zip(film.shots, spots_of(film), strict=True):
        times = moments(spot, pictures_a_second)
        with ClipFootage.open(spot) as footage:
            pictures = footage.frames([float(time) for time in times], late=[float(late)] * len(times))
            seen = [read_index(picture) for picture in pictures]
        assert seen == [expected_frame(shot, spot.record.start + time, late) for time in times], shot.name


@AT_EVERY_RATE
def test_no_picture_is_more_than_one_frame_from_the_screen(tmp_path: Path, rate: Rate) -> None:
    """The same as an editor would put it, whatever the rule: within one media frame, never stale."""
    film = make_film(tmp_path, rate, start=HOUR)
    for shot, spot in zip(film.shots, spots_of(film), strict=True):
        times = moments(spot, 25)
        with ClipFootage.open(spot) as footage:
            seen = [read_index(picture) for picture in footage.frames([float(time) for time in times])]
        for time, index in zip(times, seen, strict=True):
            media_time = shot.media_time(spot.record.start + time)
            slack = Fraction(1, 1_000_000)
            on_screen = shot.media.on_screen(media_time - slack if shot.speed < 0 else media_time + slack)
            assert index - on_screen in ({0, 1} if shot.speed > 0 else {0}), (shot.name, time)


@AT_EVERY_RATE
def test_the_engine_sees_the_mattes_of_its_moments(tmp_path: Path, rate: Rate) -> None:
    """The same rule for mattes; where the matte goes on under the next shot, that part is not seen."""
    film = make_film(tmp_path, rate, start=HOUR)
    matte = Shot(
        "matte",
        film.matte,
        film.matte_first / rate.exact,
        film.matte_start,
        film.matte_end,
        speed=Fraction(1),
    )
    for spot in spots_of(film):
        times = moments(spot, 25)
        with ClipFootage.open(spot) as footage:
            masks = footage.masks([float(time) for time in times])
            assert masks is not None
            seen = [read_index(np.asarray(mask)) - MATTE_OFFSET for mask in masks]
        end = matte.media_time(spot.record.end)
        last = max(index for index, start in enumerate(film.matte.times) if start < end)
        limit = last if spot.record.end < film.matte_end else len(film.matte.times)
        expected = (expected_frame(matte, spot.record.start + time) for time in times)
        assert seen == [min(index, limit) for index in expected]


def test_stems_survive_a_trip_through_final_cut_xml(sagafoley, tmp_path: Path) -> None:
    """`otioconvert` territory: whole-frame pieces keep their places in a foreign format."""
    rate = RATES[2]
    film = make_film(tmp_path / "edit", rate, start=HOUR, wishes=WISHES[:2])
    assert sagafoley("render", film.path, "-o", tmp_path / "out", *QUICK).code == 0
    ours = otio.adapters.read_from_file(str(tmp_path / "out" / "film_foley.otio"))
    otio.adapters.write_to_file(ours, str(tmp_path / "film.xml"))
    back = otio.adapters.read_from_file(str(tmp_path / "film.xml"))
    (track,) = back.audio_tracks()
    places = [clip.range_in_parent() for clip in track.find_clips()]
    assert [(place.start_time.value, place.duration.value) for place in places] == [(3, 10), (13, 5)]
