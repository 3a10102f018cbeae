"""Found by looking over the bridge with the fake: each of these was wrong once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from plugin.errors import HostError, HostRefused
from resolve_bridge.counting import count_of
from tests.bridge.desk import Desk
from tests.bridge.fake_resolve import differences

MakeDesk = Callable[..., Desk]
CHANGING = (
    ("MediaPool.AddSubFolder", 1),
    ("MediaPool.ImportMedia", 2),
    ("Timeline.SetTrackName", 1),
    ("MediaPool.AppendToTimeline", 1),
    ("Timeline.SetTrackName", 2),
    ("MediaPool.AppendToTimeline", 3),
)
"""Calls after each of which a placing may be broken off; what it made has its name by then."""


def _place(desk: Desk) -> None:
    wanted = [("dog", 3, 9), ("dog", 12, 20), ("cat", 5, 12)]
    desk.host.place([desk.piece(first, last, label) for label, first, last in wanted])


def _timelines_and_bins(desk: Desk) -> dict[str, Any]:
    """What is there; where the editor stands is left out, which nobody can restore from outside."""
    state = desk.editor.state()
    project = state["projects"]["Film"]
    for timeline in project["timelines"].values():
        timeline["playhead"] = 0
    return {"timelines": project["timelines"], "bins": project["bins"]}


@pytest.mark.parametrize(("method", "nth"), CHANGING)
@pytest.mark.parametrize("what", ["window", "quit"])
def test_a_later_run_clears_what_a_broken_off_placing_left_with_its_bin_and_empty_tracks(
    make_desk: MakeDesk, method: str, nth: int, what: str
) -> None:
    desk = make_desk()
    editor = desk.editor
    before = _timelines_and_bins(desk)

    def stop() -> None:
        if what == "window":
            editor.open_modal()
        else:
            editor.options.running = False

    editor.fail(method, nth, after=stop)
    with contextlib.suppress(HostError):
        _place(desk)
    editor.close_modal()
    editor.options.running = True
    desk.again().host.remove()
    assert differences(before, _timelines_and_bins(desk)) == []
    assert desk.leftovers == []


def test_earlier_sounds_that_resolve_keeps_are_taken_out_later(make_desk: MakeDesk) -> None:
    desk = make_desk()
    before = _timelines_and_bins(desk)
    _place(desk)
    desk.editor.fail("MediaPool.DeleteClips", result=False, times=None)
    desk.host.place([desk.piece(30, 40, "bird")])
    desk.editor.heal()
    assert any("stay in the media pool" in note for note in desk.host.notes)
    assert desk.again().host.remove().pieces == 1
    desk.again().host.remove()
    assert differences(before, _timelines_and_bins(desk)) == []
    assert desk.leftovers == []


def test_another_project_opened_meanwhile_is_told_as_such(make_desk: MakeDesk) -> None:
    desk = make_desk()
    before = _timelines_and_bins(desk)
    first = desk.editor.project
    desk.editor.fail("MediaPool.AppendToTimeline", 2, after=lambda: desk.editor.add_project("Other"))
    with pytest.raises(HostRefused) as told:
        _place(desk)
    assert told.value.message.startswith("Another project was opened")
    assert "resolve remove" in told.value.remedy
    desk.editor.open_project(first)
    desk.again().host.remove()
    assert differences(before, _timelines_and_bins(desk)) == []


def test_a_project_opened_at_the_very_end_leaves_a_note(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.editor.fail("MediaPool.SetCurrentFolder", 1, before=lambda: desk.editor.add_project("Other"))
    _place(desk)
    assert desk.host.notes


def test_a_timeline_without_a_start_is_refused_in_words() -> None:
    with pytest.raises(HostRefused, match="where the timeline begins"):
        count_of({"rate": "25", "start_frame": None, "start_timecode": ""})


def test_in_and_out_points_that_resolve_did_not_tell_at_first_are_left_alone(make_desk: MakeDesk) -> None:
    desk = make_desk()
    before = dict(desk.editor.timeline.marks)
    assert before
    desk.editor.fail("GetMarkInOut", result=None, times=2)
    _place(desk)
    assert desk.editor.timeline.marks == before


def test_in_and_out_points_are_set_again_after_the_deliver_page_has_taken_them(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.editor.page = "deliver"
    before = desk.editor.state()
    _place(desk)
    desk.host.remove()
    assert differences(before, desk.editor.state()) == []


def test_in_and_out_points_that_cannot_be_set_again_are_told(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.editor.page = "deliver"
    desk.editor.fail("SetMarkInOut", result=False, times=None)
    _place(desk)
    assert desk.host.notes == ("The in and out points could not be set again.",)


def test_in_and_out_points_that_were_never_told_are_told_of_when_the_deliver_page_takes_them(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk()
    desk.editor.page = "deliver"
    desk.editor.fail("GetMarkInOut", result=None, times=None)
    _place(desk)
    assert [note for note in desk.host.notes if "in and out points" in note] == list(desk.host.notes) != []


def test_a_piece_that_fell_on_another_timeline_is_taken_off_it(make_desk: MakeDesk) -> None:
    """Somebody switches in the very moment; Resolve deletes clips at the second asking, as it may."""
    desk = make_desk()
    editor = desk.editor
    reel = editor.timeline
    other = editor.new_timeline("Reel 2")
    editor.project.current = reel

    def switch() -> None:
        editor.options.delete_flaky = 1
        editor.project.current = other

    for track in range(3):
        other.tracks.append(type(other.tracks[0])("audio", "mono", f"Theirs {track}"))
    before = _timelines_and_bins(desk)
    editor.fail("MediaPool.AppendToTimeline", 1, before=switch)
    with pytest.raises(HostRefused):
        _place(desk)
    assert differences(before, _timelines_and_bins(desk)) == []
    assert desk.leftovers == []


def test_a_piece_that_stays_on_another_timeline_is_told(make_desk: MakeDesk) -> None:
    desk = make_desk()
    editor = desk.editor
    reel = editor.timeline
    other = editor.new_timeline("Reel 2")
    editor.project.current = reel
    for track in range(3):
        other.tracks.append(type(other.tracks[0])("audio", "mono", f"Theirs {track}"))

    def switch() -> None:
        editor.options.delete_flaky = 10
        editor.project.current = other

    editor.fail("MediaPool.AppendToTimeline", 1, before=switch)
    with pytest.raises(HostRefused, match="1 of our pieces stay on the timeline 'Reel 2'") as told:
        _place(desk)
    assert "resolve remove" in told.value.remedy
    editor.options.delete_flaky = 0
    (stray,) = (item for item in other.items() if item.pool is not None)
    other.track_of(stray).items.remove(stray)  # as the editor does, being told
    editor.project.current = reel
    desk.again().host.remove()
    assert desk.leftovers == []
