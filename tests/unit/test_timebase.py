from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.timebase import (
    TimeSpan,
    format_timecode,
    frame_at,
    frame_time,
    frames_per_day,
    parse_timecode,
    sample_position,
    snap_rate,
    span_samples,
    supports_drop_frame,
)

NTSC_24 = Fraction(24000, 1001)
NTSC_30 = Fraction(30000, 1001)
NTSC_60 = Fraction(60000, 1001)
RATES = [NTSC_24, Fraction(24), Fraction(25), NTSC_30, Fraction(30), Fraction(50), NTSC_60, Fraction(60)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (23.976, NTSC_24),
        (23.976025, NTSC_24),
        (23.98, NTSC_24),
        (24.0, Fraction(24)),
        (29.97, NTSC_30),
        (29.97003, NTSC_30),
        (59.94, NTSC_60),
        (59.9400599400599, NTSC_60),
        (12.5, Fraction(25, 2)),
        (48000, Fraction(48000)),
        (15, Fraction(15)),
    ],
)
def test_rates_snap_to_what_is_meant(written: float, meant: Fraction) -> None:
    assert snap_rate(written) == meant


@pytest.mark.parametrize("bad", [0, -24.0])
def test_a_rate_must_be_positive(bad: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        snap_rate(bad)


def test_one_hour_at_23976_is_3603_6_seconds() -> None:
    start = frame_time(parse_timecode("01:00:00:00", NTSC_24), NTSC_24)
    assert start == Fraction("3603.6")
    assert sample_position(start) == 172_972_800


@pytest.mark.parametrize("rate", RATES)
@given(cuts=st.lists(st.integers(0, 5_000_000), min_size=2, max_size=20, unique=True))
def test_adjoining_pieces_tile(rate: Fraction, cuts: list[int]) -> None:
    times = [frame_time(frame, rate) for frame in sorted(cuts)]
    pieces = [TimeSpan(a, b) for a, b in itertools.pairwise(times)]
    assert sum(map(span_samples, pieces)) == span_samples(TimeSpan(times[0], times[-1]))


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (0, "00:00:00;00"),
        (1799, "00:00:59;29"),
        (1800, "00:01:00;02"),
        (17982, "00:10:00;00"),
        (107892, "01:00:00;00"),
    ],
)
def test_drop_frame_skips_numbers_not_frames(frame: int, text: str) -> None:
    assert format_timecode(frame, NTSC_30, drop_frame=True) == text
    assert parse_timecode(text, NTSC_30) == frame


@given(frame=st.integers(0, 24 * 3600 * 59), rate=st.sampled_from(RATES), drop=st.booleans())
def test_timecode_goes_there_and_back(frame: int, rate: Fraction, drop: bool) -> None:
    drop = drop and supports_drop_frame(rate)
    day = frames_per_day(rate, drop_frame=drop)
    assert parse_timecode(format_timecode(frame, rate, drop_frame=drop), rate) == frame % day
    assert frame_at(frame_time(frame, rate), rate) == frame


@pytest.mark.parametrize(
    ("rate", "drop", "day"),
    [(Fraction(24), False, 2_073_600), (NTSC_30, False, 2_592_000), (NTSC_30, True, 2_589_408)],
)
def test_timecode_begins_again_at_midnight(rate: Fraction, drop: bool, day: int) -> None:
    def last(frame: int) -> str:
        return format_timecode(frame, rate, drop_frame=drop).replace(";", ":")

    assert frames_per_day(rate, drop_frame=drop) == day
    assert last(day - 1) == f"23:59:59:{round(rate) - 1}"
    assert [last(day), last(day + 20)] == ["00:00:00:00", "00:00:00:20"]


@pytest.mark.parametrize("bad", ["", "1:2", "01:00:00:24", "00:01:00;00", "01:60:00:00", "a1:00:00:00"])
def test_what_is_no_timecode_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"timecode"):
        parse_timecode(bad, NTSC_30 if ";" in bad else Fraction(24))


def test_drop_frame_needs_a_rate_that_has_it() -> None:
    with pytest.raises(ValueError, match="drop-frame"):
        parse_timecode("01:00:00;00", Fraction(24))
    with pytest.raises(ValueError, match="drop-frame"):
        format_timecode(0, Fraction(30), drop_frame=True)


def test_spans_are_half_open() -> None:
    left, right = TimeSpan(Fraction(0), Fraction(1)), TimeSpan(Fraction(1), Fraction(2))
    assert left.intersect(right) is None
    assert not left.contains(Fraction(1))
    assert right.contains(Fraction(1))
    assert left.intersect(TimeSpan(Fraction(1, 2), Fraction(3))) == TimeSpan(Fraction(1, 2), Fraction(1))
