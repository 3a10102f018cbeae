"""Spots that an editor adds, and timelines that change under the cue sheet."""

import pytest

from plugin.cli import main
from plugin.controller.desk import Desk
from plugin.controller.views import CueEdit, MarkerRow, TrackRow
from plugin.cues import SpotOrigin
from plugin.errors import UsageError
from tests.cli.made_timelines import FRAMES, clip, make_timeline, rational, seconds, span, track
from tests.unit.controller.waiting import settle, wait_until


@pytest.fixture
def two_shots(tmp_path):
    """Two shots of 18 frames, an unnamed track V2 with a matte-like clip, a marker; no spot."""
    made = make_timeline(tmp_path / "edit", labels=())

    def change(timeline):
        import opentimelineio as otio

        pictures = timeline.tracks[0]
        del pictures[:]
        pictures.extend([clip("one", made.picture, 0, 18), clip("two", made.picture, 18, 18)])
        marker = otio.schema.Marker("glass breaks", marked_range=span(20, 1))
        pictures[1].markers.append(marker)
        timeline.tracks.insert(1, track("V2", clip("roto", made.matte, 0, FRAMES)))
        timeline.tracks[1].enabled = False

    made.rewrite(change)
    return made


def test_in_and_out_points_make_a_spot_per_picture(opened, two_shots):
    desk = opened(two_shots.path)
    ids = desk.spots.add_range("01:00:00:10", seconds(24), label=" glass ")
    assert ids == ("001", "002")
    rows = desk.spots.rows()
    assert [(row.clip, row.start, row.end, row.label, row.prompt, row.matte) for row in rows] == [
        ("one", "01:00:00:10", "01:00:00:18", "glass", "glass", "whole frame"),
        ("two", "01:00:00:18", "01:00:01:00", "glass", "glass", "whole frame"),
    ]
    assert desk.spots.cue("001").spot.origin is SpotOrigin.RANGE
    assert desk.history().undo == "Add 2 spots"
    desk.undo()
    assert desk.spots.rows() == ()


@pytest.mark.parametrize(
    ("points", "label", "said"),
    [
        (("01:00:00:10", "01:00:00:10"), "x", "out point is not after"),
        (("02:00:00:00", "02:00:01:00"), "x", "No picture lies between 02:00:00:00"),
        (("01:00:00:10", "01:00:00:12"), " ", "names no object"),
        (("ten past two", "01:00:00:12"), "x", "no timecode of this timeline"),
    ],
)
def test_points_that_make_no_spot_are_refused(opened, two_shots, points, label, said):
    desk, (start, end) = opened(two_shots.path), points
    with pytest.raises(UsageError, match=said):
        desk.spots.add_range(start, end, label=label)
    assert desk.history().undo == ""


def test_added_spots_are_there_next_time_and_for_the_command_line(
    opened, open_on, folders, two_shots, capsys
):
    desk = opened(two_shots.path)
    desk.spots.add_range("01:00:00:02", "01:00:00:12", label="glass")
    desk.spots.edit(["001"], CueEdit(prompt="shattering", handle_out=2))
    desk.close()
    again = open_on(Desk.open(folders=folders), two_shots.path)
    (row,) = again.spots.rows()
    assert (row.prompt, row.start, row.end) == ("shattering", "01:00:00:02", "01:00:00:14")
    assert again.spots.inspector(["001"]).handle_out.value == 2
    sheet = again.timeline.sheet
    again.close()
    assert main(["spots", str(two_shots.path), "--cues", str(sheet)]) == 0
    assert "shattering" in capsys.readouterr().out


def test_a_marker_becomes_a_spot_of_its_shot(opened, two_shots):
    desk = opened(two_shots.path)
    (marker,) = desk.spots.markers()
    assert (marker.name, marker.start) == ("glass breaks", "01:00:00:18")
    assert isinstance(marker, MarkerRow)
    assert desk.spots.add_marker(marker.id) == ("001",)
    row = desk.spots.row("001")
    assert (row.label, row.clip, row.source, row.end) == (
        "glass breaks",
        "two",
        "glass breaks",
        "01:00:01:12",
    )
    assert desk.spots.markers() == ()
    settle(desk)
    desk.refresh()
    settle(desk)
    assert desk.spots.row("001").label == "glass breaks"
    with pytest.raises(UsageError, match="not on the timeline any more"):
        desk.spots.add_marker("77")


def test_a_track_becomes_a_mask_track(opened, open_on, folders, two_shots):
    desk = opened(two_shots.path)
    assert desk.spots.tracks() == (TrackRow(1, "V1"), TrackRow(2, "V2"))
    desk.spots.add_mask_track(2, "violin | not trumpet")
    wait_until(desk, lambda: len(desk.spots.rows()) == 2)
    assert [(row.label, row.matte, row.negative_prompt) for row in desk.spots.rows()] == [
        ("violin", "luma", "trumpet")
    ] * 2
    assert desk.history().undo == "Take mattes from video track 2"
    assert desk.spots.tracks() == (TrackRow(1, "V1"),)
    desk.undo()
    assert desk.spots.rows() == ()
    desk.redo()
    desk.close()
    again = open_on(Desk.open(folders=folders), two_shots.path)
    assert len(again.spots.rows()) == 2
    again.close()


def moved(frames):
    """A change that puts black before everything on every video track."""

    def change(timeline):
        import opentimelineio as otio

        for each in timeline.tracks:
            if each.kind == otio.schema.TrackKind.Video:
                each.insert(
                    0, otio.schema.Gap(source_range=otio.opentime.TimeRange(rational(0), rational(frames)))
                )

    return change


def test_a_spot_that_moved_takes_its_words_and_handles_along(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="fiddle", handle_in=2, handle_out=3))
    settle(desk)
    timeline.rewrite(moved(48))
    desk.refresh()
    settle(desk)
    row = desk.spots.row("001")
    assert (row.prompt, row.start, row.end) == ("fiddle", "01:00:02:04", "01:00:03:09")
    assert desk.spots.inspector(["001"]).handle_in.value == 2
    assert desk.spots.row("002").start == "01:00:02:06"
    assert len(desk.spots.rows()) == 2


def test_a_trimmed_matte_trims_its_cue(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="fiddle"))
    settle(desk)

    def trim(document):
        document.tracks[1][1].source_range = span(6, 20)

    timeline.rewrite(trim)
    desk.refresh()
    settle(desk)
    row = desk.spots.row("001")
    assert (row.prompt, row.start, row.end) == ("fiddle", "01:00:00:06", "01:00:01:02")


def test_new_mattes_are_added_and_lost_ones_keep_their_words(opened, timeline):
    before = timeline.path.read_bytes()
    desk = opened(timeline.path)
    desk.spots.edit(["001", "002"], CueEdit(prompt="mine"))
    settle(desk)

    def change(document):
        del document.tracks[1]
        document.tracks.insert(1, track("MASK door", clip("matte", timeline.matte, 0, 12)))

    timeline.rewrite(change)
    desk.refresh()
    settle(desk)
    assert [(row.id, row.label, row.prompt) for row in desk.spots.rows()] == [
        ("003", "door", "door"),
        ("002", "trumpet", "mine"),
    ]
    desk.spots.edit(["003"], CueEdit(prompt="oak door"))
    settle(desk)
    sheet = desk.timeline.sheet
    assert "MASK violin" in sheet.read_text(), "the words of a spot that is away are kept"
    assert main(["spots", str(timeline.path), "--cues", str(sheet)]) == 0, "and do not stop anybody"
    timeline.path.write_bytes(before)
    desk.refresh()
    settle(desk)
    assert [(row.label, row.prompt) for row in desk.spots.rows()] == [("violin", "mine"), ("trumpet", "mine")]
