"""The desk of the panel on a running Resolve: open, render, place, verify, place again, remove."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugin.controller.desk import Desk as PanelDesk
from plugin.controller.views import CueEdit, SpotState
from plugin.folders import Folders
from plugin.settings import Settings, change_settings, save_settings
from tests.bridge.desk import Desk, our_items, without_ours
from tests.bridge.fake_resolve import differences
from tests.unit.controller.waiting import messages, settle, wait_until

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"

OpenPanel = Callable[[Desk], PanelDesk]


@pytest.fixture
def open_panel(tmp_path: Path) -> Iterator[OpenPanel]:
    """Opens the editor's timeline on a new desk of the panel."""
    folders = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    save_settings(change_settings(Settings(), {"bundle": str(GOLDEN), "provider": "cpu"}), folders.config)
    folders.presets_file.write_text("[standard]\nsteps = 2\n")
    panels: list[PanelDesk] = []

    def make(made: Desk) -> PanelDesk:
        made.editor.options.call_delay = 0.001  # a call to Resolve takes its time
        panel = PanelDesk.open(folders=folders, connect=lambda: made.host)
        panels.append(panel)
        panel.open_editor()
        events = wait_until(panel, lambda: not panel.opening)
        assert panel.timeline is not None, messages(events)
        settle(panel)
        return panel

    yield make
    for panel in panels:
        panel.close()


def placed(panel: PanelDesk) -> None:
    panel.placing.place()
    wait_until(panel, lambda: not panel.placing.busy)


def test_from_the_timeline_to_stems_on_it_and_back(make_desk, open_panel):
    made = make_desk()
    before = made.editor.state()
    panel = open_panel(made)
    assert panel.timeline.from_editor
    assert {row.label for row in panel.spots.rows()} == {"violin", "door"}
    assert panel.timeline.marked == ("01:00:00:06", "01:00:03:16")
    panel.queue.generate([row.id for row in panel.spots.rows()])
    settle(panel)
    placed(panel)
    report = panel.placing.report
    assert not report.failed, report
    assert "each at its exact sample" in report.sentence
    assert set(our_items(made.editor)) == {"FOLEY violin", "FOLEY door"}
    assert differences(without_ours(before), without_ours(made.editor.state())) == []
    assert {row.state for row in panel.spots.rows()} == {SpotState.PLACED}
    panel.takes.set_level(panel.takes.rows("001")[0].name, gain_db=-3)
    placed(panel)
    assert not panel.placing.report.failed
    assert len(our_items(made.editor)) == 2, "placed again, not twice"
    panel.placing.remove()
    wait_until(panel, lambda: not panel.placing.busy)
    assert not panel.placing.report.failed
    assert our_items(made.editor) == {}


def test_no_look_at_the_desk_waits_for_resolve(make_desk, open_panel):
    """One call that hangs holds up what is placed, and nothing else; polls go on until it is let go."""
    made = make_desk()
    panel = open_panel(made)
    panel.queue.generate(["001"])
    settle(panel)
    hanging = made.editor.fail("AppendToTimeline", stall=True)
    panel.placing.place()
    wait_until(panel, lambda: hanging.seen)
    for _ in range(20):
        panel.poll()
        assert panel.spots.rows()
    assert panel.placing.busy
    assert hanging.stall is not None
    hanging.stall.set()
    wait_until(panel, lambda: not panel.placing.busy)
    assert not panel.placing.report.failed
    assert set(our_items(made.editor)) == {"FOLEY violin"}


def test_decisions_about_an_editors_timeline_are_there_next_time(make_desk, open_panel):
    made = make_desk()
    panel = open_panel(made)
    panel.spots.edit(["001"], CueEdit(prompt="fiddle"))
    panel.close()
    assert open_panel(made.again()).spots.row("001").prompt == "fiddle"


def test_an_editor_that_went_away_is_told_and_found_again(make_desk, open_panel):
    made = make_desk()
    panel = open_panel(made)
    panel.queue.generate(["001"])
    settle(panel)
    made.channel.dies_before = "place"
    placed(panel)
    assert panel.placing.report.failed
    assert "Resolve is gone." in panel.problems.rows()[0].message
    made.channel.dies_before = ""
    placed(panel)
    assert not panel.placing.report.failed
    assert all(row.subject != "timeline" for row in panel.problems.rows())
    placed(panel)
    assert len(our_items(made.editor)) == 1


def test_found_again_with_another_timeline_it_is_left_alone(make_desk, open_panel, tmp_path, monkeypatch):
    made = make_desk()
    panel = open_panel(made)
    panel.queue.generate(["001"])
    settle(panel)
    made.channel.dies_before = "place"
    placed(panel)
    made.channel.dies_before = ""
    made.editor.timeline.name = "another cut"
    before = made.editor.state()
    placed(panel)
    assert "Another timeline is open" in panel.placing.report.sentence
    assert panel.placing.report.remedy == f"Open '{panel.timeline.name}' there, then try again."
    assert differences(before, made.editor.state()) == []
