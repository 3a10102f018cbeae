from __future__ import annotations

from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest

from plugin.timeline.clock import clock_of
from plugin.timeline.times import BadTime, exact_frames, exact_rate, seconds_of, span_of

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        (23.976, Fraction(24000, 1001)), (23.976025, Fraction(24000, 1001)),
        (23.976024627685547, Fraction(24000, 1001)), (59.94, Fraction(60000, 1001)),
        (29.97, NTSC), (25.0, Fraction(25)), (48000.0, Fraction(48000)), (15.0, Fraction(15)),
    ],
)  # fmt: skip
def test_rates_snap_once(written: float, exact: Fraction) -> None:
    assert exact_rate(written) == exact


@pytest.mark.parametrize("rate", [0.0, -24.0, float("nan"), float("inf"), 1e-9])
def test_rates_that_mean_nothing(rate: float) -> None:
    with pytest.raises(BadTime):
        seconds_of(otio.opentime.RationalTime(1, rate))


def test_frames_keep_what_is_written() -> None:
    assert exact_frames(29.9999999) == 30
    assert exact_frames(86400.5) == Fraction(172801, 2)
    with pytest.raises(BadTime):
        exact_frames(float("inf"))


def test_a_range_of_two_rates() -> None:
    mixed = otio.opentime.TimeRange(otio.opentime.RationalTime(100, 30), otio.opentime.RationalTime(50, 15))
    assert span_of(mixed).end == Fraction(100, 30) + Fraction(50, 15)


def test_the_start_says_the_rate(build: Any) -> None:
    timeline = build.timeline(build.track("V1", build.at(Fraction(25)).clip("a", 10)), start=86400)
    assert clock_of(timeline).rate == 24


def test_a_start_of_zero_says_little(build: Any) -> None:
    fast = build.at(Fraction(25))
    timeline = build.timeline(build.track("V1", fast.clip("a", 10), fast.clip("b", 10)), start=0)
    assert clock_of(timeline).rate == 25
    timeline.tracks[0].append(build.clip("c", 10))
    timeline.tracks[0].append(build.clip("d", 10))
    assert clock_of(timeline).rate == 24, "a tie goes to the start's rate"


def test_a_default_start_is_no_rate(build: Any) -> None:
    timeline = build.timeline(build.track("V1", build.at(NTSC).clip("a", 10)), start=None)
    timeline.global_start_time = otio.opentime.RationalTime()
    clock = clock_of(timeline)
    assert (clock.rate, clock.start, clock.notes) == (NTSC, 0, ())


def test_nothing_at_all_is_24(build: Any) -> None:
    clock = clock_of(build.timeline(start=None))
    assert clock.rate == 24
    assert any("24 frames per second are assumed" in note for note in clock.notes)


@pytest.mark.parametrize(
    ("frame", "dropped"),
    [
        (107_892, True),  # 01:00:00;00
        (108_000, False),  # 01:00:00:00
        (0, True),
        (17_982, True),  # 00:10:00;00
        (18_000, False),  # 00:10:00:00
    ],
)
def test_drop_frame_by_the_rounder_start(build: Any, frame: int, dropped: bool) -> None:
    ntsc = build.at(NTSC)
    timeline = ntsc.timeline(ntsc.track("V1", ntsc.clip("a", 10)), start=frame)
    clock = clock_of(timeline)
    assert clock.drop_frame is dropped
    assert clock.start == Fraction(frame) / NTSC, "drop-frame never moves a time"
    assert clock_of(timeline, drop_frame=not dropped).drop_frame is not dropped


def test_the_document_says_drop_frame(build: Any) -> None:
    ntsc = build.at(NTSC)
    timeline = ntsc.timeline(ntsc.track("V1", ntsc.clip("a", 10)), start=108_000)
    timeline.metadata["fcp_xml"] = {"timecode": {"displayformat": "DF"}}
    assert clock_of(timeline).drop_frame
    timeline.metadata["sagafoley"] = {"drop_frame": False}
    assert not clock_of(timeline).drop_frame


def test_drop_frame_exists_at_few_rates(build: Any, rate: Fraction) -> None:
    built = build.at(rate)
    timeline = built.timeline(built.track("V1", built.clip("a", 10)))
    assert clock_of(timeline, drop_frame=True).drop_frame is (rate in {NTSC, 2 * NTSC})


@pytest.mark.parametrize("value", [float("nan"), 1e300, -1e300])
def test_a_start_of_nonsense_is_said(build: Any, value: float) -> None:
    timeline = build.timeline(build.track("V1", build.clip("a", 10)))
    timeline.global_start_time = otio.opentime.RationalTime(value, 24)
    clock = clock_of(timeline)
    assert clock.start == 0
    assert "is not a time" in clock.notes[0]
