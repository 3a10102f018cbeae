"""What a retimed clip shows, checked against the frame that a viewer would see."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.cues import ClipSource, Severity
from plugin.timebase import TimeSpan
from plugin.timeline.retimes import media_start
from plugin.timeline.spotting import find_spots
from plugin.timeline.views import View

FRAME = Fraction(1, 24)


def picture_of(build: Any, clip: Any, *, lead: float = 10) -> ClipSource:
    tracks = (
        build.track("V1", build.clip("lead", lead), clip),
        build.track("MASK x", build.gap(lead), build.clip("m", 10)),
    )
    timeline = build.timeline(*tracks, start=86400)
    (spot,) = find_spots(timeline, folder=build.folder).spots
    assert isinstance(spot.picture, ClipSource)
    assert spot.record.start == Fraction(86410, 24)
    return spot.picture


def frames_seen(source: ClipSource, count: int) -> list[int]:
    """Media frame shown a quarter into each of the first record frames."""
    times = (source.record.start + (number + Fraction(1, 4)) * FRAME for number in range(count))
    return [int(source.source_time(time) * 24 // 1) for time in times]


@pytest.mark.parametrize(
    ("speed", "seen"),
    [
        (1.0, [100, 101, 102, 103]),
        (2.0, [100, 102, 104, 106]),
        (0.5, [100, 100, 101, 101]),
        (3.0, [100, 103, 106, 109]),
        (0.0, [100, 100, 100, 100]),
        (-1.0, [109, 108, 107, 106]),
        (-2.0, [119, 117, 115, 113]),
        (-0.5, [104, 104, 103, 103]),
    ],
)
def test_constant_speeds(build: Any, speed: float, seen: list[int]) -> None:
    source = picture_of(build, build.clip("a", 10, start=100, effects=[build.warp(speed)]))
    assert source.speed == Fraction(speed)
    assert source.record.duration == 10 * FRAME, "a time effect never changes the range"
    assert frames_seen(source, 4) == seen


def test_a_freeze_frame_holds_its_first_frame(build: Any) -> None:
    source = picture_of(build, build.clip("a", 10, start=37, effects=[otio.schema.FreezeFrame()]))
    assert source.speed == 0
    assert frames_seen(source, 3) == [37, 37, 37]


def test_effects_multiply_and_disabled_ones_do_not_count(build: Any) -> None:
    off = build.warp(5.0)
    off.enabled = False
    blur = otio.schema.Effect(effect_name="Blur")
    source = picture_of(build, build.clip("a", 10, effects=[build.warp(2.0), off, blur, build.warp(1.5)]))
    assert source.speed == 3


@pytest.mark.parametrize(
    ("start", "available", "begin"),
    [
        (100, (0, 1000), 110),  # both fit: the range's media, from its end
        (100, None, 110),
        (990, (0, 995), 990),  # only backwards from the start fits
        (100, (105, 3), 110),  # neither fits
    ],
)
def test_where_a_reversed_clip_begins(
    start: float, available: tuple[float, float] | None, begin: float
) -> None:
    span = TimeSpan(Fraction(start), Fraction(start + 10))
    extent = TimeSpan(Fraction(available[0]), Fraction(sum(available))) if available else None
    assert media_start(span, Fraction(-1), extent) == begin


def test_a_fast_reverse_takes_more_media() -> None:
    span = TimeSpan(Fraction(100), Fraction(110))
    assert media_start(span, Fraction(-3), TimeSpan(Fraction(0), Fraction(1000))) == 130


def test_a_speed_ramp_blocks_the_spot_with_a_remedy(build: Any) -> None:
    ramp = otio.schema.TimeEffect(effect_name="ramp")
    clip = build.clip("a", 10, effects=[ramp])
    timeline = build.timeline(build.track("V1", clip), build.track("MASK x", build.clip("m", 10)))
    (problem,) = find_spots(timeline, folder=build.folder).problems
    assert (problem.severity, problem.cue_id) == (Severity.BLOCKER, "001")
    assert "'a' on 'V1' has a speed change without a constant speed" in problem.message
    assert problem.remedy.startswith("Render the clip")


@pytest.mark.parametrize("speed", [float("nan"), float("inf"), 1e300, -1e9])
def test_a_senseless_speed_blocks_the_spot(build: Any, speed: float) -> None:
    clip = build.clip("a", 10, effects=[build.warp(speed)])
    timeline = build.timeline(build.track("V1", clip), build.track("MASK x", build.clip("m", 10)))
    (problem,) = find_spots(timeline, folder=build.folder).problems
    assert problem.severity is Severity.BLOCKER


def test_a_retimed_matte_follows_its_own_speed(build: Any) -> None:
    matte = build.clip("m", 20, effects=[build.warp(0.5)])
    timeline = build.timeline(build.track("V1", build.clip("a", 20)), build.track("MASK x", matte))
    (spot,) = find_spots(timeline, folder=build.folder).spots
    assert spot.matte is not None
    assert spot.matte.clip.source_time(10 * FRAME) == 5 * FRAME


@pytest.mark.parametrize(
    ("outer", "inner", "speed", "seen"),
    [
        (2.0, 1.0, 2, [100, 102, 104, 106]),
        (2.0, 3.0, 6, [101, 107, 113, 119]),
        (-1.0, 1.0, -1, [109, 108, 107, 106]),
        (-1.0, -1.0, 1, [130, 131, 132, 133]),
        (0.0, 2.0, 0, [100, 100, 100, 100]),
    ],
)
def test_speeds_of_nested_compositions_chain(
    build: Any, outer: float, inner: float, speed: int, seen: list[int]
) -> None:
    clip = build.clip("a", 40, start=100, effects=[build.warp(inner)])
    stack = build.stack(build.track("V1", clip), start=0, duration=10)
    stack.effects.append(build.warp(outer))
    source = picture_of(build, stack)
    assert source.speed == speed
    assert frames_seen(source, 4) == seen


def test_a_fast_nested_composition_shows_more_clips(build: Any) -> None:
    stack = build.stack(
        build.track("V1", *(build.clip(name, 5, start=10 * index) for index, name in enumerate("abcd"))),
        start=0, duration=10,
    )  # fmt: skip
    stack.effects.append(build.warp(2.0))
    mask = build.track("MASK x", build.clip("m", 10))
    spots = find_spots(build.timeline(build.track("V1", stack), mask), folder=build.folder).spots
    assert [spot.picture.clip_name for spot in spots] == ["a", "b", "c", "d"]
    assert spots[1].record == TimeSpan(Fraction(5, 48), Fraction(10, 48))


times = st.fractions(min_value=-50, max_value=50, max_denominator=24)
lengths = st.fractions(min_value=Fraction(1, 24), max_value=50, max_denominator=24)
speeds = st.sampled_from([Fraction(n, 4) for n in range(-12, 13)])


views = st.builds(
    lambda start, length, local, speed: View(TimeSpan(start, start + length), local, speed),
    times, lengths, times, speeds,
)  # fmt: skip
parts = st.builds(lambda start, length: TimeSpan(start, start + length), times, lengths)


@given(views, parts, times, st.fractions(0, 1, max_denominator=97))
def test_a_part_is_shown_exactly_when_the_whole_shows_it(
    view: View, part: TimeSpan, child: Fraction, at: Fraction
) -> None:
    """At any moment inside the view, the child is shown if and only if the parent's time lies in it."""
    moment = view.record.start + view.record.duration * at
    parent_time = view.local + (moment - view.record.start) * view.speed
    found = view.of_part(part, start=child)
    if part.start < parent_time < part.end and 0 < at < 1:
        assert found is not None
        assert found.record.start <= moment <= found.record.end
        child_time = found.local + (moment - found.record.start) * found.speed
        assert child_time - child == parent_time - part.start
    elif found is not None and found.record.start < moment < found.record.end:
        assert part.start <= parent_time <= part.end
    if found is not None:
        assert view.record.start <= found.record.start < found.record.end <= view.record.end
