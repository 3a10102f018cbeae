from plugin.controller.views import SortBy, SpotQuery, SpotState, Topic
from tests.cli.made_timelines import make_timeline
from tests.unit.controller.waiting import wait_until


def test_an_opened_timeline_shows_its_spots(opened, tmp_path):
    desk = opened(make_timeline(tmp_path / "edit").path)
    assert (desk.timeline.name, desk.timeline.start) == ("film", "01:00:00:00")
    rows = desk.spots.rows()
    assert [(row.id, row.label, row.start, row.state) for row in rows] == [
        ("001", "violin", "01:00:00:06", SpotState.NEW),
        ("002", "trumpet", "01:00:00:06", SpotState.NEW),
    ]


def test_spots_are_sorted_and_filtered(opened, tmp_path):
    desk = opened(make_timeline(tmp_path / "edit").path)
    by_label = desk.spots.rows(SpotQuery(sort=SortBy.LABEL))
    assert [row.label for row in by_label] == ["trumpet", "violin"]
    assert [row.id for row in desk.spots.rows(SpotQuery(text="01:00:00:06 TRUMP"))] == ["002"]
    assert desk.spots.rows(SpotQuery(states=frozenset({SpotState.STALE}))) == ()


def test_a_file_that_is_no_timeline_is_told_and_changes_nothing(opened, tmp_path):
    desk = opened(make_timeline(tmp_path / "edit").path)
    desk.open_file(tmp_path / "nothing.otio")
    events = []
    events += wait_until(desk, lambda: not desk._board.chores.busy)
    events += desk.poll()
    assert any(event.topic is Topic.MESSAGE and "nothing.otio" in event.text for event in events)
    assert desk.timeline.name == "film"
