"""An editor's way through the window: open, say, generate, choose, place, take back."""

from __future__ import annotations

from pathlib import Path

import opentimelineio as otio
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from plugin.controller.views import QueueState, SpotState
from plugin.panel.placedialog import ExportDialog, PlaceDialog
from plugin.panel.window import Window
from tests.cli.made_timelines import MadeTimeline
from tests.panel.conftest import Until, front_dialog
from tests.unit.controller.long_timelines import make_long_timeline

KEY = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def states(window: Window) -> list[SpotState]:
    return [row.state for row in window.pulse.desk.spots.rows()]


def generated(window: Window, until: Until, *cue_ids: str) -> None:
    """Generate these spots by keyboard and wait for their takes."""
    window.spots.select(cue_ids)
    window.deeds.do("generate_selection")
    until(lambda: all(window.pulse.desk.takes.rows(each) for each in cue_ids))
    until(lambda: not window.pulse.desk.queue.running)


def test_a_timeline_shows_its_spots(opened: Window, until: Until) -> None:
    model = opened.spots.model
    assert [model.row_at(place).label for place in range(2)] == ["violin", "trumpet"]
    assert model.index(0, 1).data() == "01:00:00:06"
    assert opened.windowTitle().startswith("film")
    assert opened.spots.selected == (model.row_at(0).id,)
    assert opened.inspector.prompt.text() == "violin"
    until(lambda: (image := model.index(0, 0).data(Qt.ItemDataRole.DecorationRole)) and not image.isNull())


def test_a_dropped_timeline_is_opened(window: Window, film: MadeTimeline, until: Until) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(film.picture)), QUrl.fromLocalFile(str(film.path))])
    drop = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(drop)
    until(lambda: window.pulse.desk.timeline)
    assert drop.isAccepted()


def test_it_is_among_the_recent_ones(opened: Window, film: MadeTimeline, until: Until) -> None:
    opened.deeds.do("close_timeline")
    until(lambda: opened.pulse.desk.timeline is None)
    assert opened.pages.currentWidget() is opened.start
    item = opened.start.recent.item(0)
    assert item.text().startswith("film")
    opened.start.recent.itemActivated.emit(item)
    until(lambda: opened.pulse.desk.timeline)


def test_typing_a_prompt_is_one_edit_that_can_be_undone(opened: Window, qtbot: QtBot) -> None:
    field = opened.inspector.prompt
    opened.deeds.do("go_sound")
    field.selectAll()
    qtbot.keyClicks(field, "old fiddle")
    assert opened.pulse.desk.spots.rows()[0].prompt == "old fiddle"
    assert opened.spots.model.index(0, 2).data() == "old fiddle"
    assert "prompt" in opened.actions_["undo"].text()
    qtbot.keyClick(field, KEY.Key_Z, CTRL)
    assert opened.pulse.desk.spots.rows()[0].prompt == "violin"
    assert field.text() == "violin"
    qtbot.keyClick(field, KEY.Key_Z, CTRL | SHIFT)
    assert field.text() == "old fiddle"


def test_a_selection_is_edited_together(opened: Window) -> None:
    opened.deeds.do("select_all")
    inspector = opened.inspector
    assert inspector.prompt.text() == ""
    assert inspector.prompt.placeholderText() == "several values"
    inspector.steps.setValue(3)
    inspector.seed.said.emit("77")
    assert {cue.steps for cue in map(opened.pulse.desk.spots.cue, opened.spots.model.ids) if cue} == {3}
    opened.deeds.do("undo")
    opened.deeds.do("undo")
    assert not opened.pulse.desk.history().undo


def test_the_list_is_searched_and_filtered(opened: Window) -> None:
    opened.spots.search.setText("trumpet 01:00")
    assert [opened.spots.model.row_at(0).label] == ["trumpet"]
    assert opened.spots.model.rowCount() == 1
    opened.spots.search.setText("")
    opened.spots.states.setCurrentText("Placed")
    assert opened.spots.model.rowCount() == 0
    opened.spots.states.setCurrentText("To do")
    assert opened.spots.model.rowCount() == 2
    opened.spots.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert [opened.spots.model.row_at(place).label for place in range(2)] == ["violin", "trumpet"]


def test_generate_choose_place_and_remove(
    opened: Window, film: MadeTimeline, until: Until, tmp_path: Path
) -> None:
    before = film.path.read_bytes()
    opened.actions_.takes.setValue(2)
    opened.deeds.do("select_all")
    generated(opened, until, *opened.spots.model.ids)
    takes = opened.pulse.desk.takes.rows(opened.spots.model.ids[0])
    assert len(takes) == 2
    assert states(opened) == [SpotState.TAKES] * 2

    opened.deeds.do("place")
    dialog = front_dialog(opened, PlaceDialog)
    assert dialog.table.rowCount() == 2
    dialog.act.click()
    until(lambda: dialog.windowTitle() == "Placed")
    assert "read back: exact" in dialog.table.item(0, 5).text()
    report = opened.pulse.desk.placing.report
    assert report is not None
    assert report.path is not None
    tracks = otio.adapters.read_from_file(str(report.path)).audio_tracks()
    assert [track.name for track in tracks if track.name.startswith("FOLEY")] == [
        "FOLEY violin",
        "FOLEY trumpet",
    ]
    dialog.away.click()
    assert film.path.read_bytes() == before
    assert states(opened) == [SpotState.PLACED] * 2

    opened.deeds.do("remove_placement")
    dialog = front_dialog(opened, PlaceDialog)
    dialog.act.click()
    until(lambda: dialog.windowTitle() == "Removed")
    assert states(opened) == [SpotState.TAKES] * 2


def test_stems_are_exported(opened: Window, until: Until, tmp_path: Path) -> None:
    generated(opened, until, opened.spots.model.ids[0])
    opened.deeds.do("export")
    choice = front_dialog(opened, ExportDialog)
    choice.folder.setText(str(tmp_path / "delivery"))
    choice.package.setChecked(True)
    choice.act.click()
    dialog = front_dialog(opened, PlaceDialog)
    until(lambda: dialog.windowTitle() == "Exported")
    assert {path.suffix for path in (tmp_path / "delivery").iterdir()} >= {".wav", ".otio", ".otioz"}


def test_edits_scrolling_and_cancel_work_while_it_renders(opened: Window, qtbot: QtBot, until: Until) -> None:
    desk = opened.pulse.desk
    opened.inspector.steps.setValue(1000)
    opened.deeds.do("generate")
    until(lambda: any(each.state is QueueState.RUNNING for each in desk.queue.rows()))
    opened.spots.step(1)
    opened.deeds.do("go_sound")
    qtbot.keyClicks(opened.inspector.prompt, "gong")
    assert desk.spots.rows()[1].prompt == "gong"
    opened.deeds.do("go_queue")
    assert opened.tabs.currentWidget() is opened.queue
    qtbot.keyClick(opened.queue.list, KEY.Key_Delete)
    until(lambda: desk.queue.rows()[0].state is QueueState.CANCELLED)
    assert not desk.takes.rows(opened.spots.model.ids[0])


def test_the_queue_is_reordered_by_keyboard(opened: Window, qtbot: QtBot, until: Until) -> None:
    desk, first, second = opened.pulse.desk, *opened.spots.model.ids
    opened.inspector.steps.setValue(1000)
    desk.queue.generate([first], takes=1)
    desk.queue.generate([second], takes=1)
    desk.queue.generate([first], takes=2)
    until(lambda: [each.state for each in desk.queue.rows()][:1] == [QueueState.RUNNING])
    until(lambda: opened.queue.list.count() == 3)
    opened.deeds.do("go_queue")
    waiting = [each.id for each in desk.queue.rows()][1:]
    opened.queue.list.setCurrentRow(2)
    qtbot.keyClick(opened.queue.list, KEY.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert [each.id for each in desk.queue.rows()][1:] == waiting[::-1]
    opened.deeds.do("cancel_all")
    until(lambda: not desk.queue.running)


def test_closing_asks_while_it_renders(opened: Window, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.inspector.steps.setValue(1000)
    opened.deeds.do("generate")
    until(lambda: opened.pulse.desk.queue.running)
    asked: list[str] = []

    def answer(title: str, *_rest: str) -> bool:
        asked.append(title)
        return len(asked) > 1

    monkeypatch.setattr(opened.deeds, "_sure", answer)
    assert not opened.close()
    assert opened.isVisible()
    assert opened.close()
    assert asked == ["Closing the panel ends the render"] * 2
    assert not opened.isVisible()


def test_only_thumbnails_in_sight_are_made(
    window: Window, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()
    monkeypatch.setattr(window.thumbnails._pictures, "thumbnail", lambda cue: asked.add(cue.id))
    path = make_long_timeline(tmp_path / "feature", clips=3000, spots=300)
    window.open_path(path)
    until(lambda: window.spots.model.rowCount() == 300)
    until(lambda: asked)
    lines = window.spots.table.viewport().height() // window.spots.table.rowHeight(0) + 2
    assert len(asked) <= lines
    window.spots.select(window.spots.model.ids[-1:])
    until(lambda: window.spots.model.ids[-1] in asked)
    assert len(asked) <= 2 * lines
