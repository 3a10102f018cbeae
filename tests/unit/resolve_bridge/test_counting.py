"""Rates as builds write them, and frames against absolute seconds under both readings of drop-frame."""

from fractions import Fraction

import pytest

from plugin.errors import HostRefused
from resolve_bridge.counting import FrameCount, count_of, rate_of, timecode_frames

NTSC = Fraction(1000, 1001)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        (24.0, 24),
        ("24", 24),
        (23.976, 24 * NTSC),
        ("23.976", 24 * NTSC),
        ("23", 24 * NTSC),
        (23.976023976, 24 * NTSC),
        ("29.97 DF", 30 * NTSC),
        ("29.97", 30 * NTSC),
        (29, 30 * NTSC),
        ("47.952", 48 * NTSC),
        ("59.94 DF", 60 * NTSC),
        ("59", 60 * NTSC),
        (119.88, 120 * NTSC),
        ("25.000 fps", 25),
        (12, 12),
    ],
)
def test_a_rate_however_it_is_written(written: object, rate: Fraction) -> None:
    assert rate_of(written) == rate


@pytest.mark.parametrize("written", [None, "", "0", -24, "fast", "24/0", "nan", [24]])
def test_what_is_no_rate(written: object) -> None:
    assert rate_of(written) is None
    with pytest.raises(HostRefused, match="frame rate"):
        count_of({"rate": written, "start_frame": 0})


def snapshot(**changes: object) -> dict[str, object]:
    return {"rate": "25", "start_frame": 90000, "start_timecode": "01:00:00:00", "playhead": "", **changes}


@pytest.mark.parametrize(
    ("told", "count", "drop"),
    [
        ({}, 90000, False),
        ({"start_frame": 0, "start_timecode": "00:00:00:00"}, 0, False),
        ({"start_timecode": ""}, 90000, False),
        ({"rate": "29.97 DF", "start_frame": 107892, "start_timecode": "01:00:00;00"}, 107892, True),
        ({"rate": "29.97 DF", "start_frame": 108000, "start_timecode": "01:00:00;00"}, 107892, True),
        ({"rate": 29.97, "start_frame": 108000, "start_timecode": "01:00:00;00"}, 107892, True),
        ({"rate": 29.97, "start_frame": 108000}, 108000, False),
        ({"rate": 29.97, "start_frame": 107892}, 107892, True),
        ({"rate": 29.97, "start_frame": 5, "start_timecode": "", "drop_frame": "1"}, 5, True),
        ({"rate": 29.97, "start_frame": 108000, "playhead": "01:00:10;00"}, 107892, True),
        ({"rate": "23.976", "start_frame": 86400, "drop_frame": "1", "start_timecode": ""}, 86400, False),
        ({"rate": "59.94", "start_frame": 216000}, 216000, False),
    ],
)
def test_the_start_in_absolute_frames(told: dict[str, object], count: int, drop: bool) -> None:
    found = count_of(snapshot(**told))
    assert (found.start_count, found.drop_frame) == (count, drop)
    assert found.start == count / found.rate


def test_frames_and_seconds_are_each_others_inverse() -> None:
    count = FrameCount(30 * NTSC, 108000, 107892, drop_frame=True)
    assert count.seconds(108000) == count.start == Fraction(107892, 30) / NTSC
    assert count.frame(count.seconds(108117)) == 108117
    assert count.frame(count.start + Fraction(1, 7) / count.rate) == 108000 + Fraction(1, 7)
    assert count.timecode(count.start) == "01:00:00;00"
    assert count.timecode(count.seconds(108000 + 1800)) == "01:01:00;02"


def test_timecode_of_either_spelling() -> None:
    rate = 30 * NTSC
    assert timecode_frames("01:00:00:00", rate, drop_frame=True) == 107892
    assert timecode_frames("01:00:00;00", rate, drop_frame=False) == 108000
    assert timecode_frames("rubbish", rate, drop_frame=False) is None
    assert timecode_frames("", rate, drop_frame=True) is None
