"""From opening to placing without a mouse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from plugin.controller.views import SpotState
from plugin.panel.placedialog import PlaceDialog
from plugin.panel.window import Window
from tests.cli.made_timelines import MadeTimeline
from tests.panel.conftest import Until, front_dialog

KEY = Qt.Key
CTRL, SHIFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
PLAIN = Qt.KeyboardModifier.NoModifier


def test_from_opening_to_placing_by_keys_alone(
    window: Window, film: MadeTimeline, until: Until, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = window.pulse.desk

    def press(key: Qt.Key, modifier: Qt.KeyboardModifier = PLAIN) -> None:
        qtbot.keyClick(QApplication.focusWidget() or window, key, modifier)

    window.activateWindow()
    monkeypatch.setattr("plugin.panel.deeds.QFileDialog.getOpenFileName", lambda *_: (str(film.path), ""))
    press(KEY.Key_O, CTRL)
    until(window.spots.model.rowCount)
    assert window.spots.table.hasFocus()

    press(KEY.Key_Down)  # the list
    assert window.spots.current == window.spots.model.ids[1]
    press(KEY.Key_Up)
    press(KEY.Key_Space)  # the picture plays, and stops
    assert window.stage.screening.playback.playing
    press(KEY.Key_K)
    assert not window.stage.screening.playback.playing
    press(KEY.Key_2, CTRL)
    press(KEY.Key_Home)
    press(KEY.Key_Right)
    assert window.stage.screening.playback.view().frame == 1

    press(KEY.Key_4, CTRL)  # what it should sound like
    qtbot.keyClicks(QApplication.focusWidget(), "fiddle J K L")
    assert desk.spots.rows()[0].prompt == "fiddle J K L", "letters are letters in a field"
    press(KEY.Key_Z, CTRL)
    assert desk.spots.rows()[0].prompt == "violin"

    press(KEY.Key_1, CTRL)
    press(KEY.Key_A, CTRL)
    press(KEY.Key_G, CTRL | SHIFT)  # the selection
    until(lambda: all(row.state is SpotState.TAKES for row in desk.spots.rows()))
    until(lambda: not desk.queue.running)
    press(KEY.Key_Home, CTRL)

    press(KEY.Key_3, CTRL)  # takes
    assert window.stage.takes.isAncestorOf(QApplication.focusWidget())
    press(KEY.Key_Return, CTRL)
    dialog = front_dialog(window, PlaceDialog)
    qtbot.keyClick(dialog, KEY.Key_Return)
    until(lambda: dialog.windowTitle() == "Placed")
    qtbot.keyClick(dialog, KEY.Key_Escape)
    assert {row.state for row in desk.spots.rows()} == {SpotState.PLACED}


def test_space_presses_a_button_that_has_the_keys(opened: Window, qtbot: QtBot) -> None:
    box = opened.inspector.invert
    box.setFocus()
    before = box.isChecked()
    qtbot.keyClick(box, KEY.Key_Space)
    assert box.isChecked() is not before
    assert not opened.stage.screening.playback.playing
    assert opened.pulse.desk.history().undo


def test_delete_means_what_has_the_keys(opened: Window, until: Until, qtbot: QtBot) -> None:
    desk, first = opened.pulse.desk, opened.spots.model.ids[0]
    opened.deeds.do("generate")
    until(lambda: desk.takes.rows(first) and not desk.queue.running)
    opened.deeds.do("go_takes")
    until(lambda: opened.stage.takes.isAncestorOf(QApplication.focusWidget()))
    qtbot.keyClick(QApplication.focusWidget(), KEY.Key_Delete)
    assert desk.takes.rows(first) == ()
    assert opened.spots.model.rowCount() == 2, "no spot was deleted"
    qtbot.keyClick(opened, KEY.Key_Z, CTRL)
    assert len(desk.takes.rows(first)) == 1


def test_a_field_of_numbers_leaves_undo_to_the_window(opened: Window, qtbot: QtBot) -> None:
    steps = opened.inspector.steps
    before = steps.value()
    steps.setFocus()
    qtbot.keyClick(steps, KEY.Key_Up)
    assert steps.value() == before + 1
    qtbot.keyClick(QApplication.focusWidget(), KEY.Key_Z, CTRL)
    assert steps.value() == before
