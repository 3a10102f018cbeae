"""From opening to placing without a mouse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
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


def test_no_letter_of_the_window_means_two_things(opened: Window) -> None:
    """Alt and a letter opens a menu or goes to a field, never one of two in turn."""
    texts = [action.text() for action in opened.menuBar().actions()]
    texts += [each.text() for each in opened.findChildren(QLabel) if each.buddy()]
    texts += [each.text() for each in opened.findChildren(QAbstractButton)]
    keys = [key for text in texts if (key := QKeySequence.mnemonic(text).toString())]
    assert len(keys) > 15
    assert sorted(keys) == sorted(set(keys))


def test_delete_and_arrows_in_the_list(opened: Window, qtbot: QtBot) -> None:
    table, playback = opened.spots.table, opened.stage.screening.playback
    opened.activateWindow()
    table.setFocus()
    qtbot.keyClick(table, KEY.Key_Right)
    qtbot.keyClick(table, KEY.Key_Right)
    qtbot.keyClick(table, KEY.Key_Left)
    assert playback.view().frame == 1
    qtbot.keyClick(table, KEY.Key_Delete)
    assert opened.spots.model.rowCount() == 1
    qtbot.keyClick(table, KEY.Key_Z, CTRL)
    assert opened.spots.model.rowCount() == 2


def test_enter_presses_the_button_that_has_the_keys(window: Window, qtbot: QtBot) -> None:
    window.activateWindow()
    window.show_installed()
    qtbot.keyClick(window.installed.start, KEY.Key_Return)
    assert window.pages.currentWidget() is window.start


def test_colour_and_opacity_of_the_matte_are_in_a_menu(opened: Window) -> None:
    menus = {action.text(): action.menu() for action in opened.actions_.menu("&View").actions()}
    actions = {each.text(): each for each in menus["&Matte over the picture"].actions()}
    actions["Green"].trigger()
    actions["80%"].trigger()
    overlay = opened.stage.screening.overlay
    assert (overlay.colour, overlay.opacity) == ((48, 209, 88), 0.8)


def test_a_label_of_two_words_can_be_typed(opened: Window, until: Until, qtbot: QtBot) -> None:
    desk, field = opened.pulse.desk, opened.inspector.label
    opened.activateWindow()
    field.setFocus()
    field.selectAll()
    qtbot.keyClick(field, KEY.Key_Backspace)  # an empty one is refused, but is not filled while one types
    qtbot.keyClicks(field, "big ")
    until(lambda: desk.status().saved == "saved")
    qtbot.keyClicks(field, "dog ")
    assert desk.spots.rows()[0].label == "big dog"
    opened.spots.table.setFocus()
    assert field.text() == "big dog"
    assert desk.history().undo == "Change object"


@pytest.mark.parametrize("text", ["99999999999", "9999999999999999999"])
def test_a_seed_of_any_length_is_taken_or_refused(opened: Window, qtbot: QtBot, text: str) -> None:
    field, row = opened.inspector.seed, opened.spots.model.ids[0]
    opened.activateWindow()
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    opened.spots.table.setFocus()
    cue = opened.pulse.desk.spots.cue(row)
    assert cue is not None
    assert field.text() == str(cue.seed)
    assert opened.notices.isVisible() is (field.text() != text)


def test_a_number_can_be_typed_while_its_spot_is_rendered(opened: Window, until: Until, qtbot: QtBot) -> None:
    desk, steps = opened.pulse.desk, opened.inspector.steps
    opened.activateWindow()
    steps.setValue(1000)
    opened.inspector.takes.setValue(50)
    opened.deeds.do("generate")
    until(lambda: any(row.progress for row in desk.queue.rows()))
    steps.setFocus()
    steps.selectAll()
    for digit in "25":
        qtbot.keyClicks(steps, digit)
        seen = desk.queue.rows()[0].progress
        until(lambda seen=seen: desk.queue.rows()[0].progress != seen)
    assert steps.text() == "25"
    qtbot.keyClick(steps, KEY.Key_G, CTRL)  # what is typed counts, though Enter was not pressed
    assert [row.cue_id for row in desk.queue.rows()] == ["001", "001"]
    assert desk.queue._items[1].cue.steps == 25
