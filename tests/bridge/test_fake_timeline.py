"""The fake's timelines: absolute frames, relative markers, items without media, settings in many forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.api_walk import project_of, timeline_of
from tests.bridge.fake_resolve import Editor, Film, crowded, differences, film
from tests.bridge.fake_resolve.timecode import RATES, frames_of, timecode_of

Make = Callable[..., Editor]
Folder = Callable[[str], Path]


@pytest.mark.parametrize(
    ("rate", "start"),
    [
        ("23.976", 86400),
        ("24", 86400),
        ("25", 90000),
        ("29.97", 108000),
        ("29.97 DF", 107892),
        ("50", 180000),
        ("59.94", 216000),
        ("59.94 DF", 215784),
    ],
)
def test_a_timeline_begins_at_one_o_clock(editor: Editor, rate: str, start: int) -> None:
    editor.add_project(rate=rate)
    editor.new_timeline("T")
    timeline = timeline_of(editor)
    assert timeline.GetStartFrame() == timeline.GetEndFrame() == start
    assert timeline.GetStartTimecode() == ("01:00:00;00" if "DF" in rate else "01:00:00:00")


def test_drop_frame_may_begin_at_its_nominal_count(make_editor: Make) -> None:
    editor = make_editor(drop_frame_start="nominal")
    editor.add_project(rate="29.97 DF")
    editor.new_timeline("T")
    timeline = timeline_of(editor)
    assert (timeline.GetStartFrame(), timeline.GetStartTimecode()) == (108000, "01:00:00;00")
    assert timeline.SetCurrentTimecode("01:01:00;02") is True
    assert editor.timeline.playhead == 108000 + 1800


@pytest.mark.parametrize("start", [0, 36_000 * 24])
def test_positions_are_absolute(editor: Editor, media_folder: Folder, start: int) -> None:
    film(editor, media_folder("24"), start=start)
    timeline = timeline_of(editor)
    item = timeline.GetItemListInTrack("video", 3)[0]
    assert (item.GetStart(), item.GetEnd(), item.GetDuration()) == (start + 12, start + 36, 24)
    assert timeline.GetEndFrame() == start + 120
    assert timeline.GetMarkInOut()["video"] == {"in": 6, "out": 90}
    assert set(timeline.GetMarkers()) == {3.0, 60.0}


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate != "47.952"])
def test_timecode_of_every_frame_of_ten_minutes_reads_back(rate: str) -> None:
    one = RATES[rate]
    for frame in range(0, 11 * 60 * one.nominal, 7):
        assert frames_of(timecode_of(frame, one), one) == frame


def test_known_drop_frame_timecodes() -> None:
    rate = RATES["29.97 DF"]
    known = {"00:00:59;29": 1799, "00:01:00;02": 1800, "00:10:00;00": 17982, "01:00:00;00": 107892}
    assert {timecode: frames_of(timecode, rate) for timecode in known} == known
    with pytest.raises(ValueError, match="00:01:00;00"):
        frames_of("00:01:00;00", rate)


@pytest.mark.parametrize(
    ("form", "rate", "value"),
    [
        ("float", "24", 24.0),
        ("float", "23.976", 23.976),
        ("float", "29.97 DF", 29.97),
        ("string", "23.976", "23.976"),
        ("string", "24", "24"),
        ("string", "29.97 DF", "29.97 DF"),
        ("short", "23.976", "23"),
        ("point zero", "24", "24.0"),
        ("bare", "29.97 DF", "29.97"),
    ],
)
def test_the_frame_rate_comes_in_many_forms(make_editor: Make, form: str, rate: str, value: Any) -> None:
    editor = make_editor(rate_form=form)
    editor.add_project(rate=rate)
    editor.new_timeline("T")
    for holder in (project_of(editor), timeline_of(editor)):
        assert holder.GetSetting("timelineFrameRate") == value
        assert holder.GetSetting("timelineDropFrameTimecode") == ("1" if "DF" in rate else "0")
        assert holder.GetSetting("noSuchSetting") == ""


def test_a_timeline_tells_its_own_rate_only_when_it_has_one(editor: Editor) -> None:
    editor.add_project(rate="24")
    own = editor.new_timeline("T")
    timeline = timeline_of(editor)
    assert timeline.SetSetting("timelineFrameRate", "25") is False
    assert timeline.SetSetting("useCustomSettings", "1") is True
    assert timeline.SetSetting("timelineFrameRate", "25") is True
    assert (timeline.GetSetting("timelineFrameRate"), timeline.GetStartFrame()) == ("25", 90000)
    assert project_of(editor).GetSetting("timelineFrameRate") == "24"
    assert project_of(editor).SetSetting("timelineFrameRate", "25") is False
    own.settings["useCustomSettings"] = "0"
    assert timeline.GetSetting("timelineFrameRate") == "24"


@pytest.mark.parametrize("kind", ["Text+", "Cross Dissolve"])
def test_titles_and_transitions_have_no_media(editor: Editor, media_folder: Folder, kind: str) -> None:
    film(editor, media_folder("24"))
    timeline = timeline_of(editor)
    items = [item for n in (1, 2) for item in timeline.GetItemListInTrack("video", n)]
    [item] = [item for item in items if item.GetName() == kind]
    found = [item.GetMediaPoolItem(), item.GetSourceStartFrame(), item.GetSourceEndFrame()]
    assert [*found, item.GetSourceStartTime()] == [None] * 4
    assert item.GetProperty() == {}


def test_retimes_show_in_the_source_frames_only(editor: Editor, media_folder: Folder) -> None:
    film(editor, media_folder("24"), change=crowded)
    timeline = timeline_of(editor)
    fast = timeline.GetItemListInTrack("video", 1)[-1]
    assert (fast.GetDuration(), fast.GetSourceStartFrame(), fast.GetSourceEndFrame()) == (24, 0, 48)
    _, _, _, back, freeze, off = timeline.GetItemListInTrack("video", 4)
    assert (back.GetSourceStartFrame(), back.GetSourceEndFrame()) == (30, 20)
    assert (freeze.GetSourceStartFrame(), freeze.GetSourceEndFrame()) == (20, 20)
    assert off.GetClipEnabled() is False


@pytest.mark.parametrize(
    ("source_end", "rate", "last"),
    [("mixed", "24", 41), ("mixed", "25", 40), ("exclusive", "25", 41), ("inclusive", "24", 40)],
)
def test_the_source_end_is_read_three_ways(
    make_editor: Make, media_folder: Folder, source_end: str, rate: str, last: int
) -> None:
    editor = make_editor(source_end=source_end)
    made = film(editor, media_folder("24"))
    made.timeline.rate, made.shots["B"].duration = RATES[rate], 36 * RATES[rate].exact / 24
    assert timeline_of(editor).GetItemListInTrack("video", 1)[2].GetSourceEndFrame() == last


def test_where_a_source_begins_counts_its_timecode_only_in_seconds(
    editor: Editor, media_folder: Folder
) -> None:
    film(editor, media_folder("24"))
    item = timeline_of(editor).GetItemListInTrack("video", 1)[2]
    assert item.GetSourceStartFrame() == 5
    assert item.GetSourceStartTime() == pytest.approx(36000 + 5 / 24)
    assert item.GetMediaPoolItem().GetClipProperty()["Start TC"] == "10:00:00:00"


@pytest.mark.parametrize(("profile", "answer"), [("studio_19_1", None), ("studio_20_3", 86460 + 1 / 3)])
def test_sub_frames_are_told_from_20_3_2_on(
    make_editor: Make, media_folder: Folder, profile: str, answer: float | None
) -> None:
    editor = make_editor(profile)
    film(editor, media_folder("24"), change=crowded)
    item = timeline_of(editor).GetItemListInTrack("audio", 3)[0]
    assert item.GetStart() == 86460
    assert item.GetStart(True) == (pytest.approx(answer) if answer else None)


def test_empty_tracks_are_empty_or_none(editor: Editor, media_folder: Folder) -> None:
    film(editor, media_folder("24"))
    timeline = timeline_of(editor)
    assert timeline.GetItemListInTrack("audio", 2) == []
    editor.options.empty_track_is_none = True
    assert timeline.GetItemListInTrack("audio", 2) is None


class TestTracks:
    @pytest.fixture
    def reel(self, editor: Editor, media_folder: Folder) -> Film:
        return film(editor, media_folder("24"))

    def test_a_new_audio_track_is_mono_and_last(self, reel: Film) -> None:
        timeline = timeline_of(reel.editor)
        assert timeline.AddTrack("audio") is True
        assert timeline.GetTrackSubType("audio", 3) == "mono"
        assert timeline.GetTrackName("audio", 3) == "Audio 3"
        assert timeline.GetTrackSubType("video", 1) == ""

    @pytest.mark.parametrize(
        ("profile", "done"), [("studio_19_1", False), ("studio_20_3", True), ("studio_21_1", False)]
    )
    def test_options_as_a_dict_are_for_some_versions(
        self, make_editor: Make, media_folder: Folder, profile: str, done: bool
    ) -> None:
        editor = make_editor(profile)
        film(editor, media_folder("24"))
        timeline = timeline_of(editor)
        assert timeline.AddTrack("audio", {"audioType": "stereo", "index": 1}) is done
        assert timeline.GetTrackName("audio", 2 if done else 1) == "Dialogue"

    def test_deleting_a_track_moves_those_above_down(self, reel: Film) -> None:
        timeline = timeline_of(reel.editor)
        assert timeline.DeleteTrack("audio", 2) is False
        assert timeline.DeleteTrack("audio", 1) is True
        assert timeline.GetIsTrackLocked("audio", 1) is True
        assert timeline.GetTrackName("audio", 1) == "Audio 1"

    def test_deleting_clips_wants_the_edit_page(self, reel: Film) -> None:
        timeline = timeline_of(reel.editor)
        clips = timeline.GetItemListInTrack("audio", 1)
        reel.editor.page = "fairlight"
        assert timeline.DeleteClips(clips) is False
        reel.editor.page = "edit"
        reel.editor.options.delete_flaky = 1
        assert [timeline.DeleteClips(clips), timeline.DeleteClips(clips)] == [False, True]
        assert len(timeline.GetItemListInTrack("video", 1)) == 4, "the linked picture stays"

    def test_clips_on_locked_tracks_stay(self, reel: Film) -> None:
        timeline = timeline_of(reel.editor)
        assert timeline.DeleteClips(timeline.GetItemListInTrack("video", 2)) is False


def test_going_to_deliver_clears_the_marks(editor: Editor, media_folder: Folder) -> None:
    film(editor, media_folder("24"))
    editor.resolve().OpenPage("deliver")
    timeline = timeline_of(editor)
    assert timeline.GetMarkInOut() == {}
    timeline.SetMarkInOut(4, 8, "audio")
    assert timeline.GetMarkInOut() == {"audio": {"in": 4, "out": 8}}


def test_markers_carry_hidden_data(editor: Editor, media_folder: Folder) -> None:
    film(editor, media_folder("24"))
    before = editor.state()
    timeline = timeline_of(editor)
    assert timeline.AddMarker(70, "Sky", "n", "note", 4, "ours") is True
    assert timeline.GetMarkerByCustomData("ours") == {
        70.0: {"color": "Sky", "duration": 4, "note": "note", "name": "n", "customData": "ours"}
    }
    assert timeline.DeleteMarkerByCustomData("ours") is True
    assert timeline.DeleteMarkerByCustomData("ours") is False
    assert differences(before, editor.state()) == []


def test_selected_clips(make_editor: Make, media_folder: Folder) -> None:
    editor = make_editor("studio_21_0")
    film(editor, media_folder("24"), change=crowded)
    assert [item.GetName() for item in timeline_of(editor).GetSelectedClips()] == ["second.mov", "Text+"]
