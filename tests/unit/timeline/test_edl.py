from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from plugin.errors import UnreadableTimeline
from plugin.timebase import parse_timecode
from plugin.timeline.clock import clock_of
from plugin.timeline.edl import edl_rate
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import find_spots


def edl(path: Path, *events: str, fcm: str = "NON-DROP FRAME") -> Path:
    path.write_text("\n".join((f"TITLE: CUT\nFCM: {fcm}\n", *events)) + "\n")
    return path


PICTURE = "001  A001 V C 00:00:10:00 00:00:12:00 01:00:00:00 01:00:02:00"


@pytest.mark.parametrize(
    ("frames", "rate"), [("23", 24), ("24", 25), ("29", 30), ("49", 50), ("59", 60), ("00", 24)]
)
def test_the_highest_frame_number_decides(frames: str, rate: int) -> None:
    found = edl_rate(f"001 A V C 00:00:00:{frames} 00:00:01:00 00:00:00:00 00:00:01:00")
    assert (found.rate, found.certain, found.drop_frame) == (rate, False, False)


def test_drop_frame_decides() -> None:
    by_line = edl_rate("FCM: DROP FRAME\n001 A V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00")
    by_sign = edl_rate("001 A V C 00:00:00;00 00:00:01;00 00:00:00;00 00:00:01;00")
    assert by_line.rate == by_sign.rate == Fraction(30000, 1001)
    assert by_line.drop_frame
    assert by_sign.certain


def test_comments_and_titles_decide_nothing() -> None:
    assert edl_rate("TITLE: 10:00:00:59\n* 00:00:00:55\n001 A V C 0").rate == 24


def test_a_told_rate_wins(tmp_path: Path) -> None:
    timeline = read_timeline(edl(tmp_path / "a.edl", PICTURE), edl_frame_rate=Fraction(25))
    clock = clock_of(timeline)
    assert (clock.rate, clock.start, clock.notes) == (25, 3600, ())


def test_an_assumed_rate_is_said(tmp_path: Path) -> None:
    clock = clock_of(read_timeline(edl(tmp_path / "a.edl", PICTURE)))
    assert (clock.rate, clock.start) == (24, 3600)
    assert clock.notes == ("An EDL does not say its rate; 24 was taken, the lowest that fits.",)


def test_drop_frame_record_times_are_exact(tmp_path: Path) -> None:
    event = "001  A001 V C 00:00:10;00 00:00:12;00 01:00:00;00 01:00:02;00"
    clock = clock_of(read_timeline(edl(tmp_path / "a.edl", event, fcm="DROP FRAME")))
    assert clock.drop_frame
    assert clock.start == Fraction(parse_timecode("01:00:00;00", clock.rate) * 1001, 30000)


def test_tracks_keep_step_and_gaps(tmp_path: Path) -> None:
    path = edl(
        tmp_path / "a.edl",
        PICTURE,
        "002  A002 V C 00:00:20:00 00:00:21:00 01:00:05:00 01:00:06:00",
        "003  A003 A C 00:00:30:00 00:00:31:00 01:00:03:00 01:00:04:00",
    )
    timeline = read_timeline(path)
    video, audio = timeline.tracks
    assert [type(child) for child in video] == [otio.schema.Clip, otio.schema.Gap, otio.schema.Clip]
    starts = [clip.range_in_parent().start_time.value for clip in (video[0], video[2], audio[1])]
    assert starts == [0, 5 * 24, 3 * 24]
    spotting = find_spots(timeline, folder=tmp_path)
    assert (spotting.record.start, spotting.record.end) == (3600, 3606)


def test_source_and_record_of_different_length_are_refused(tmp_path: Path) -> None:
    event = "001  A001 V C 00:00:10:00 00:00:15:00 01:00:00:00 01:00:02:00"
    with pytest.raises(UnreadableTimeline, match="not a whole EDL"):
        read_timeline(edl(tmp_path / "a.edl", event))
