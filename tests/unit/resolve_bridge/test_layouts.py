"""Pieces on whole frames: nothing is lost, neighbours share a track, files are as long as their frames."""

from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.hosts import StemPiece
from plugin.timebase import TimeSpan, sample_position
from resolve_bridge.counting import FrameCount
from resolve_bridge.layouts import FramedPiece, lay_out

RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(60000, 1001),
    Fraction(60),
]


def counted(rate: Fraction, start: int = 0) -> FrameCount:
    return FrameCount(rate, start, 3600 * round(rate), drop_frame=False)


def piece(
    count: FrameCount, first: Fraction | int, last: Fraction | int, label: str = "dog", channels: int = 1
) -> StemPiece:
    span = TimeSpan(*(count.start + Fraction(frame) / count.rate for frame in (first, last)))
    return StemPiece("001", label, Path("/takes/x.wav"), span, channels)


def only(count: FrameCount, one: StemPiece, project: Fraction | None = None) -> FramedPiece:
    ((track),) = lay_out([one], count, project_rate=project)
    return track.pieces[0]


@given(
    st.sampled_from(RATES),
    st.integers(0, 200_000),
    st.fractions(0, 400, max_denominator=48_000),
    st.fractions(Fraction(1, 100), 400, max_denominator=48_000),
)
def test_every_sample_lies_where_it_belongs(
    rate: Fraction, start: int, first: Fraction, length: Fraction
) -> None:
    count = counted(rate, start)
    one = piece(count, first, first + length)
    framed = only(count, one)
    assert framed.frame == start + floor(first)
    assert sample_position(count.seconds(framed.frame)) + framed.head == sample_position(one.record.start)
    assert 0 <= framed.head <= 48_000 / rate + 1
    assert framed.frame + framed.frames >= start + first + length > framed.frame + framed.frames - 1
    assert framed.samples >= framed.head + one.samples
    assert floor(Fraction(framed.samples, 48_000) * rate) == framed.frames == framed.most
    assert framed.is_fitted == (framed.head > 0 or framed.samples > one.samples)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_neighbours_share_a_track(rate: Fraction) -> None:
    count = counted(rate)
    (track,) = lay_out([piece(count, 100, 131), piece(count, 7, 100), piece(count, 131, 132)], count)
    assert [(one.frame, one.frames) for one in track.pieces] == [(7, 93), (100, 31), (131, 1)]
    assert [one.head for one in track.pieces] == [0, 0, 0]


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(50)])
def test_whole_frames_of_whole_samples_need_no_other_file(rate: Fraction) -> None:
    count = counted(rate)
    assert not only(count, piece(count, 7, 100)).is_fitted


def test_two_pieces_in_one_frame_cannot_share_a_track() -> None:
    count = counted(Fraction(25))
    tracks = lay_out([piece(count, 0, Fraction(21, 2)), piece(count, Fraction(21, 2), 20)], count)
    assert [track.name for track in tracks] == ["FOLEY dog", "FOLEY dog 2"]


@given(st.sampled_from(RATES), st.sampled_from(RATES), st.integers(0, 400), st.integers(1, 400))
def test_a_project_of_another_rate_gives_no_frame_too_few(
    rate: Fraction, project: Fraction, first: int, length: int
) -> None:
    """Its frames at the project's rate, rounded down, are enough frames of the timeline, rounded down."""
    count = counted(rate)
    framed = only(count, piece(count, first, first + length), project)
    file_frames = floor(Fraction(framed.samples, 48_000) * project)
    assert framed.frames <= floor(file_frames * rate / project) <= framed.most
    assert framed.most - framed.frames <= rate / project


def test_tracks_by_label_and_channels() -> None:
    count = counted(Fraction(25))
    pieces = [
        piece(count, 0, 9, "dog"),
        piece(count, 0, 9, "cat", 2),
        piece(count, 9, 12, "dog", 2),
        piece(count, 0, 3, "owl", 4),
    ]
    tracks = lay_out(pieces, count, taken={"FOLEY dog", "FOLEY dog 2"})
    assert [(track.name, track.label, track.subtype, len(track.pieces)) for track in tracks] == [
        ("FOLEY dog 3", "dog", "stereo", 2),
        ("FOLEY cat", "cat", "stereo", 1),
        ("FOLEY owl", "owl", "adaptive4", 1),
    ]
    assert lay_out([], count) == ()
