"""The fake holds the rules that hold for every call: nothing raises, nothing is mended, handles die."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.api_walk import pool_of, project_of, timeline_of
from tests.bridge.fake_resolve import (
    PROFILES,
    RATES,
    Editor,
    Film,
    crowded,
    differences,
    documented_failures,
    film,
)

Make = Callable[..., Editor]
Folder = Callable[[str], Path]


@pytest.fixture
def reel(editor: Editor, media_folder: Folder) -> Film:
    return film(editor, media_folder("24"))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_tells_its_product_and_version(make_editor: Make, profile: str) -> None:
    resolve = make_editor(profile).resolve()
    edition, major, minor = profile.split("_")
    assert resolve.GetProductName() == "DaVinci Resolve" + (" Studio" if edition == "studio" else "")
    assert resolve.GetVersion()[:2] == [int(major), int(minor)]
    assert resolve.GetVersionString().startswith(f"{major}.{minor}.")


@pytest.mark.parametrize(
    ("kind", "name", "present"),
    [
        ("Resolve", "IsStudio", {"studio_21_1", "free_21_1"}),
        ("Timeline", "GetSelectedClips", {"studio_21_0", "studio_21_1", "free_21_0", "free_21_1"}),
        ("Timeline", "GetMarkInOut", set(PROFILES) - {"studio_19_1"}),
        ("TimelineItem", "SetName", set(PROFILES) - {"studio_19_1"}),
        ("TimelineItem", "GetType", {"studio_21_1", "free_21_1"}),
        ("Timeline", "GetTrackSubType", set(PROFILES)),
    ],
)
def test_methods_are_there_from_their_first_version_on(
    make_editor: Make, kind: str, name: str, present: set[str]
) -> None:
    assert {profile for profile in PROFILES if name in make_editor(profile).methods(kind)} == present


def test_an_unknown_attribute_is_none_and_seems_to_be_there(reel: Film) -> None:
    timeline = timeline_of(reel.editor)
    assert hasattr(timeline, "NoSuchCall")
    assert timeline.NoSuchCall is None
    assert "NoSuchCall" not in dir(timeline)
    assert "GetName" in dir(timeline)
    with pytest.raises(TypeError, match="NoneType"):
        timeline.NoSuchCall()


def test_a_method_can_be_taken_away(reel: Film) -> None:
    reel.editor.options.missing = frozenset({"Timeline.GetMarkInOut"})
    assert timeline_of(reel.editor).GetMarkInOut is None


@pytest.mark.parametrize(
    ("call", "failure"),
    [
        (lambda t: t.GetTrackName("video", 0), ""),
        (lambda t: t.GetTrackName("video", 9), ""),
        (lambda t: t.GetTrackName("video", "1"), ""),
        (lambda t: t.GetTrackName("video"), ""),
        (lambda t: t.GetTrackName("video", 1, 2, 3), ""),
        (lambda t: t.GetTrackName(trackType="video", index=1), ""),
        (lambda t: t.GetTrackCount("pictures"), 0),
        (lambda t: t.GetItemListInTrack("video", 99), None),
        (lambda t: t.GetItemListInTrack(None, None), None),
        (lambda t: t.SetTrackLock("audio", 1, "yes"), False),
        (lambda t: t.SetTrackName("audio", 1, 5), False),
        (lambda t: t.SetCurrentTimecode("an hour"), False),
        (lambda t: t.SetCurrentTimecode(86400), False),
        (lambda t: t.SetCurrentTimecode("00:00:00:00"), False),
        (lambda t: t.AddTrack("audio", "surround"), False),
        (lambda t: t.AddTrack("sound"), False),
        (lambda t: t.DeleteTrack("audio", 9), False),
        (lambda t: t.DeleteClips([]), False),
        (lambda t: t.DeleteClips([object()]), False),
        (lambda t: t.DeleteClips(None), False),
        (lambda t: t.SetSetting("timelineFrameRate", "25"), False),
        (lambda t: t.SetSetting("timelinePlaybackFrameRate", "25"), False),
        (lambda t: t.SetMarkInOut(5, 2), False),
        (lambda t: t.SetMarkInOut(5.5, 9), False),
        (lambda t: t.Export("relative.otio", 14.0, 0.0), False),
        (lambda t: t.AddMarker(3, "Blue", "a", "b", 1), False),
        (lambda t: t.AddMarker(5, "Magenta", "a", "b", 1), False),
        (lambda t: t.AddMarker(5.5, "Blue", "a", "b", 1), False),
    ],
)
def test_a_wrong_call_fails_quietly_and_changes_nothing(
    reel: Film, call: Callable[[Any], Any], failure: Any
) -> None:
    before = reel.editor.state()
    assert call(timeline_of(reel.editor)) == failure
    assert differences(before, reel.editor.state()) == []


def test_handles_of_another_project_are_stale(reel: Film) -> None:
    project, timeline, pool = project_of(reel.editor), timeline_of(reel.editor), pool_of(reel.editor)
    item = timeline.GetItemListInTrack("video", 1)[0]
    reel.editor.add_project("Other")
    assert [project.GetName(), timeline.GetName(), item.GetStart(), pool.GetCurrentFolder()] == [None] * 4
    assert timeline.SetTrackLock("audio", 1, True) is False
    assert reel.editor.resolve().GetProjectManager().GetCurrentProject().GetName() == "Other"


def test_handles_of_what_is_deleted_are_stale(reel: Film) -> None:
    timeline = timeline_of(reel.editor)
    item = timeline.GetItemListInTrack("audio", 1)[0]
    assert timeline.DeleteTrack("audio", 1) is True
    assert item.GetName() is None
    assert item.SetClipEnabled(False) is False
    assert timeline.DeleteClips([item]) is False


def test_the_only_thing_a_modal_window_lets_through_is_looking(reel: Film) -> None:
    timeline, pool = timeline_of(reel.editor), pool_of(reel.editor)
    reel.editor.open_modal()
    before = reel.editor.state()
    assert timeline.GetName() == "Reel 1"
    assert timeline.AddTrack("audio", "stereo") is False
    assert pool.AppendToTimeline([{}]) == []
    assert reel.editor.resolve().GetProjectManager().SaveProject() is False
    assert differences(before, reel.editor.state()) == []
    reel.editor.close_modal()
    assert timeline.AddTrack("audio", "stereo") is True


@pytest.mark.parametrize(("profile", "window"), [("free_21_0", True), ("studio_21_0", False)])
def test_a_studio_call_on_free_opens_the_paywall(
    make_editor: Make, media_folder: Folder, profile: str, window: bool
) -> None:
    editor = make_editor(profile)
    made = film(editor, media_folder("24"))
    item = timeline_of(editor).GetItemListInTrack("video", 1)[0]
    assert item.CreateMagicMask("F") is False
    assert bool(editor.modal) is window
    made.shots["A"].clicked = True
    assert item.CreateMagicMask("F") is not window
    assert item.CreateMagicMask("Forward") is False


def test_ids_are_opaque_and_last(reel: Film) -> None:
    one, two = timeline_of(reel.editor), timeline_of(reel.editor)
    assert one is not two
    assert one.GetUniqueId() == two.GetUniqueId() != one.GetName()


def test_lists_as_dicts_count_from_one(reel: Film) -> None:
    reel.editor.options.lists_as_dicts = True
    timeline = timeline_of(reel.editor)
    items = timeline.GetItemListInTrack("audio", 1)
    assert list(items) == [1.0]
    assert timeline.SetClipsLinked(items, False) is False
    assert timeline.DeleteClips(items) is True


def test_every_call_is_logged(reel: Film) -> None:
    reel.editor.calls.clear()
    timeline_of(reel.editor).GetTrackName("audio", 1)
    assert [str(call) for call in reel.editor.calls][-1] == "Timeline.GetTrackName('audio', 1)"
    assert reel.editor.count("Timeline.GetTrackName") == reel.editor.count("GetTrackName") == 1


def test_calls_at_once_are_a_violation(reel: Film) -> None:
    timeline = timeline_of(reel.editor)
    fault = reel.editor.fail("GetName", stall=True)
    thread = threading.Thread(target=timeline.GetName)
    thread.start()
    while not fault.hits:
        time.sleep(0.001)
    other = threading.Thread(target=timeline.GetUniqueId)
    other.start()
    while not reel.editor.violations:
        time.sleep(0.001)
    reel.editor.heal()
    thread.join(30)
    other.join(30)
    assert len(reel.editor.violations) == 1
    reel.editor.violations.clear()


def test_a_call_takes_as_long_as_is_asked(reel: Film) -> None:
    timeline = timeline_of(reel.editor)
    reel.editor.options.call_delay = 0.05
    start = time.monotonic()
    timeline.GetName()
    assert time.monotonic() - start >= 0.05


class TestFaults:
    def test_the_nth_call_fails_and_is_not_done(self, reel: Film) -> None:
        timeline = timeline_of(reel.editor)
        reel.editor.fail("AddTrack", 2, False)
        assert [timeline.AddTrack("audio", "stereo") for _ in range(3)] == [True, False, True]
        assert timeline.GetTrackCount("audio") == 4

    def test_a_call_may_lie_both_ways(self, reel: Film) -> None:
        timeline = timeline_of(reel.editor)
        reel.editor.fail("SetTrackName", result=True)
        reel.editor.fail("AddTrack", result=False, done=True)
        assert timeline.SetTrackName("audio", 1, "Other") is True
        assert timeline.GetTrackName("audio", 1) == "Dialogue"
        assert timeline.AddTrack("audio", "stereo") is False
        assert timeline.GetTrackCount("audio") == 3

    def test_ghosts_are_nothing(self, reel: Film) -> None:
        reel.editor.fail("AppendToTimeline", result="ghost")
        [ghost] = pool_of(reel.editor).AppendToTimeline([{}])
        assert ghost.GetDuration() is None
        assert ghost.GetStart() is None
        assert ghost.GetUniqueId() == ""

    def test_the_user_may_do_something_meanwhile(self, reel: Film) -> None:
        timeline = timeline_of(reel.editor)
        reel.editor.fail("GetTrackCount", after=reel.editor.open_modal)
        reel.editor.fail("AddTrack", times=None, before=reel.editor.quit)
        assert timeline.GetTrackCount("audio") == 2
        assert reel.editor.modal
        assert not timeline.AddTrack("audio", "stereo")
        assert timeline.GetTrackCount("audio") is None

    def test_what_a_call_gave_stays_whole(self, reel: Film) -> None:
        reel.editor.fail("GetCurrentProject", before=lambda: None)
        assert project_of(reel.editor).GetName() == "Film"

    def test_every_documented_failure_of_a_run_can_be_asked_for(self, reel: Film) -> None:
        timeline = timeline_of(reel.editor)
        reel.editor.calls.clear()
        for _ in range(2):
            timeline.AddTrack("audio", "stereo")
        timeline.GetTrackCount("audio")
        cases = list(documented_failures(reel.editor.calls))
        assert cases == [
            ("Timeline.AddTrack", 1, False, False),
            ("Timeline.AddTrack", 1, None, False),
            ("Timeline.AddTrack", 1, True, False),
            ("Timeline.AddTrack", 1, False, True),
            ("Timeline.AddTrack", 2, False, False),
            ("Timeline.AddTrack", 2, None, False),
            ("Timeline.AddTrack", 2, True, False),
            ("Timeline.AddTrack", 2, False, True),
            ("Timeline.GetTrackCount", 1, None, False),
        ]


def test_with_only_the_project_manager_open_there_is_nothing(make_editor: Make) -> None:
    resolve = make_editor().resolve()
    manager = resolve.GetProjectManager()
    found = [manager.GetCurrentProject(), resolve.GetCurrentPage(), manager.GetCurrentDatabase()]
    assert [*found, manager.CreateProject("New")] == [None] * 4
    assert resolve.OpenPage("edit") is False


def test_saving_an_untitled_project_is_refused_or_never_ends(make_editor: Make) -> None:
    editor = make_editor()
    editor.add_project("Untitled Project")
    save = editor.resolve().GetProjectManager().SaveProject
    assert save() is False
    editor.options.save_untitled = "hang"
    thread = threading.Thread(target=save)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    editor.quit()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("rate", RATES)
def test_state_tells_of_every_change(make_editor: Make, media_folder: Folder, rate: str) -> None:
    editor = make_editor("studio_21_1")
    made = film(editor, media_folder(rate), rate=rate, change=crowded)
    before = editor.state()
    assert differences(before, editor.state()) == []
    made.shots["A"].enabled = False
    made.timeline.playhead += 1
    lines = differences(before, editor.state())
    assert sorted(line.rsplit("/", 1)[-1].partition(":")[0] for line in lines) == ["enabled", "playhead"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e300, 10**30])
def test_a_number_that_is_none_raises_nothing(editor: Editor, media_folder: Folder, number: float) -> None:
    film(editor, media_folder("24"))
    timeline, pool = timeline_of(editor), pool_of(editor)
    clip = timeline.GetItemListInTrack("video", 1)[0].GetMediaPoolItem()
    before = editor.state()
    for key in ("startFrame", "trackIndex", "mediaType"):
        assert not pool.AppendToTimeline([{"mediaPoolItem": clip, key: number}])
    assert timeline.GetItemListInTrack("audio", number) is None
    assert timeline.AddMarker(-number, "Blue", "", "", 1, "") is False
    assert not project_of(editor).GetTimelineByIndex(number)
    assert timeline.AddTrack("audio", [number]) is False
    assert differences(before, editor.state()) == []


def test_a_language_without_menus_is_no_language(editor: Editor, media_folder: Folder) -> None:
    film(editor, media_folder("24"))
    editor.options.language = "xx"
    with pytest.raises(KeyError):
        pool_of(editor).GetRootFolder().GetSubFolderList()[0].GetClipList()[0].GetClipProperty()
