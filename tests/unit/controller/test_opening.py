from fractions import Fraction

import pytest

from plugin.controller.views import CueEdit, SortBy, SpotQuery, SpotState, Topic
from plugin.opening import Reading
from plugin.timeline.packages import write_otioz
from tests.unit.controller.long_timelines import make_long_timeline
from tests.unit.controller.waiting import messages, settle, wait_until


def test_an_empty_desk_answers_every_question(desk):
    assert desk.timeline is None
    assert desk.spots.rows() == ()
    assert desk.spots.row("001") is None
    assert desk.takes.rows("001") == ()
    assert desk.queue.rows() == ()
    assert desk.problems.rows() == ()
    assert desk.history().undo == ""
    assert desk.status().bundle.startswith("golden")
    assert desk.recent() == ()
    desk.undo()
    desk.refresh()
    assert desk.poll() == ()


def test_an_opened_timeline_shows_its_spots(opened, timeline):
    desk = opened(timeline.path)
    view = desk.timeline
    assert (view.name, view.start, view.end) == ("film", "01:00:00:00", "01:00:01:12")
    assert [(row.id, row.label, row.start, row.state, row.matte) for row in desk.spots.rows()] == [
        ("001", "violin", "01:00:00:06", SpotState.NEW, "luma"),
        ("002", "trumpet", "01:00:00:06", SpotState.NEW, "luma"),
    ]
    assert not view.sheet.exists(), "looking writes nothing"
    assert not view.folder.exists()


def test_spots_are_sorted_and_filtered(opened, timeline):
    desk = opened(timeline.path)
    assert [row.label for row in desk.spots.rows(SpotQuery(sort=SortBy.LABEL))] == ["trumpet", "violin"]
    down = desk.spots.rows(SpotQuery(sort=SortBy.LABEL, descending=True))
    assert [row.label for row in down] == ["violin", "trumpet"]
    assert [row.id for row in desk.spots.rows(SpotQuery(text="01:00:00:06 TRUMP"))] == ["002"]
    assert desk.spots.rows(SpotQuery(states=frozenset({SpotState.STALE}))) == ()
    for column in SortBy:
        assert len(desk.spots.rows(SpotQuery(sort=column))) == 2


def test_a_file_that_is_no_timeline_is_told_and_changes_nothing(opened, timeline, tmp_path):
    desk = opened(timeline.path)
    desk.open_file(tmp_path / "nothing.otio")
    events = wait_until(desk, lambda: not desk.opening)
    assert "nothing.otio" in messages(events + list(desk.poll()))
    assert desk.timeline.name == "film"


def test_a_timeline_that_is_read_again_waits_for_no_disk(opened, timeline, monkeypatch):
    desk = opened(timeline.path)

    def refuse(*_):
        raise AssertionError("written, though nothing has changed")

    monkeypatch.setattr("plugin.controller.recent.write_whole", refuse)
    desk.refresh()
    settle(desk)
    assert [row.path for row in desk.recent()] == [timeline.path]


def test_opened_timelines_are_remembered_newest_first(opened, timeline, tmp_path):
    other = make_long_timeline(tmp_path / "long", clips=4, spots=2)
    desk = opened(timeline.path)
    opened(other)
    opened(timeline.path)
    assert [row.path for row in desk.recent()] == [timeline.path, other]
    timeline.path.unlink()
    assert [row.there for row in desk.recent()] == [False, True]


def test_a_feature_is_shown_with_all_its_spots(opened, tmp_path):
    desk = opened(make_long_timeline(tmp_path, clips=600, spots=60))
    rows = desk.spots.rows()
    assert len(rows) == 60
    assert {row.state for row in rows} == {SpotState.PROBLEM}, "no media is there"
    assert "is not there" in rows[0].note
    assert len(desk.spots.rows(SpotQuery(text="footsteps"))) == 20


def test_closing_a_timeline_empties_the_desk(opened, timeline):
    desk = opened(timeline.path)
    desk.close_timeline()
    assert Topic.TIMELINE in {event.topic for event in desk.poll()}
    assert desk.timeline is None
    assert desk.spots.rows() == ()


@pytest.mark.parametrize("text", ["[[cue]]\nid = 7", "not toml at all ["])
def test_a_damaged_cue_sheet_is_a_problem_and_is_not_written_over(opened, timeline, text):
    sheet = timeline.path.with_name("film.cues.toml")
    sheet.write_text(text)
    desk = opened(timeline.path)
    assert len(desk.spots.rows()) == 2
    problem = desk.problems.rows()[0]
    assert (problem.subject, [row.title for row in problem.actions]) == (
        "cue sheet",
        ["Read the changed sheet", "Keep mine"],
    )
    desk.takes.rows("001")
    desk.spots.remove(["002"])
    events = settle(desk)
    assert sheet.read_text() == text, events
    assert desk.status().saved == "not saved"


def test_notes_that_cannot_be_read_are_told_and_kept(opened, timeline):
    notes = timeline.path.parent / "film_foley" / "film.desk.json"
    notes.parent.mkdir()
    notes.write_text('{"kind": "something else"}')
    desk = opened(timeline.path)
    assert "choices of takes" in desk.problems.rows()[0].message
    assert notes.with_name("film.desk.json.damaged").read_text() == '{"kind": "something else"}'


EDL = """TITLE: film
FCM: NON-DROP FRAME

001  REEL     V     C        00:00:00:00 00:00:01:12 01:00:00:00 01:00:01:12
* FROM CLIP NAME: picture.mp4
"""


def test_a_package_is_opened_rendered_and_placed(opened, timeline):
    package = write_otioz(timeline.path, output=timeline.path.with_name("packed.otioz")).path
    timeline.path.unlink()
    desk = opened(package)
    assert [row.label for row in desk.spots.rows()] == ["violin", "trumpet"]
    assert desk.timeline.sheet == package.with_name("packed.cues.toml")
    desk.spots.edit(["001"], CueEdit(prompt="fiddle"))
    desk.queue.generate(["001"])
    settle(desk)
    desk.placing.place()
    wait_until(desk, lambda: not desk.placing.busy)
    assert not desk.placing.report.failed
    assert desk.spots.row("001").state is SpotState.PLACED


def test_an_edl_is_opened_with_the_rate_that_is_told(desk, tmp_path):
    path = tmp_path / "film.edl"
    path.write_text(EDL)
    desk.open_file(path, reading=Reading(edl_rate=Fraction(25)))
    wait_until(desk, lambda: desk.timeline)
    assert (desk.timeline.rate, desk.timeline.start) == (25, "01:00:00:00")
    desk.spots.add_range("01:00:00:00", "01:00:01:00", label="door")
    settle(desk)
    desk.refresh()
    settle(desk)
    assert desk.timeline.rate == 25
    assert desk.spots.row("001").label == "door"
