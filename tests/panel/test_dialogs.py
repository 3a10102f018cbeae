"""Dialogs that add spots, change settings, name licences; what the menus list."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from plugin.panel.about import AboutDialog
from plugin.panel.adding import AddMarker, AddRange, AddTrack
from plugin.panel.settingsdialog import SettingsDialog
from plugin.panel.window import Window
from plugin.settings import FILE_NAME, rows
from tests.cli.made_timelines import make_timeline
from tests.panel.conftest import Until, front_dialog, open_in


def test_a_spot_is_added_between_two_points(opened: Window, until: Until) -> None:
    opened.deeds.do("add_range")
    dialog = front_dialog(opened, AddRange)
    assert dialog.start.text() == "01:00:00:06", "of the spot that is looked at"
    dialog.start.setText("01:00:00:30")
    dialog.end.setText("no timecode")
    dialog.label.setText("door")
    dialog.add.click()
    assert dialog.isVisible()
    assert dialog.fault.text()
    dialog.start.setText("01:00:00:02")
    dialog.end.setText("01:00:00:20")
    dialog.add.click()
    until(lambda: opened.spots.model.rowCount() == 3)
    assert not dialog.isVisible()
    assert "door" in {row.label for row in opened.pulse.desk.spots.rows()}
    opened.deeds.do("undo")
    assert opened.spots.model.rowCount() == 2


def test_points_set_in_the_viewer_are_proposed(opened: Window) -> None:
    playback = opened.stage.screening.playback
    playback.seek(2)
    playback.mark_in()
    playback.seek(9)
    playback.mark_out()
    opened.deeds.do("add_range")
    dialog = front_dialog(opened, AddRange)
    assert (dialog.start.text(), dialog.end.text()) == opened.stage.marked()
    dialog.reject()


def test_a_video_track_is_taken_as_mattes(window: Window, tmp_path: Path, until: Until) -> None:
    film = make_timeline(tmp_path / "film", labels=("MASK violin", "Comp"))
    open_in(window, film.path, until)
    count = window.spots.model.rowCount()
    window.deeds.do("add_track")
    dialog = front_dialog(window, AddTrack)
    dialog.tracks.setCurrentIndex(dialog.tracks.findText("Comp", Qt.MatchFlag.MatchContains))
    dialog.words.setText("trumpet | not violin")
    dialog.add.click()
    until(lambda: window.spots.model.rowCount() == count + 1)
    assert "trumpet" in {row.label for row in window.pulse.desk.spots.rows()}


def test_without_markers_there_is_nothing_to_add(opened: Window) -> None:
    opened.deeds.do("add_marker")
    dialog = front_dialog(opened, AddMarker)
    assert dialog.markers.count() == 0
    assert not dialog.add.isEnabled()
    dialog.reject()


def test_removed_spots_come_back_with_undo(opened: Window) -> None:
    opened.deeds.do("remove_spots")
    assert opened.spots.model.rowCount() == 1
    opened.deeds.do("undo")
    assert opened.spots.model.rowCount() == 2


def test_every_setting_has_its_line(opened: Window) -> None:
    opened.deeds.do("show_settings")
    dialog = front_dialog(opened, SettingsDialog)
    assert set(dialog.fields) == {each.key for each in rows()}
    dialog.reject()


def test_a_setting_that_cannot_be_is_told_at_its_line(opened: Window, tmp_path: Path) -> None:
    opened.deeds.do("show_settings")
    dialog = front_dialog(opened, SettingsDialog)
    takes = dialog.fields["takes"]
    assert isinstance(takes, QLineEdit)
    takes.setText("many")
    assert not dialog.save.isEnabled()
    assert dialog._faults["takes"].text()
    takes.setText("3")
    provider = dialog.fields["provider"]
    assert isinstance(provider, QComboBox)
    provider.setCurrentIndex(provider.findData("cpu"))
    dialog.save.click()
    assert not dialog.isVisible()
    assert "takes = 3" in (tmp_path / "config" / FILE_NAME).read_text()


def test_about_names_the_licences_of_code_weights_and_libraries(opened: Window) -> None:
    opened.deeds.do("show_about")
    dialog = front_dialog(opened, AboutDialog)
    subjects = [dialog.subjects.item(place).text() for place in range(dialog.subjects.count())]
    for wanted in ("Sagafoley", "Weights of", "PySide6", "onnxruntime"):
        assert any(wanted in each for each in subjects)
    assert "MIT License" in dialog.text.toPlainText()
    dialog.accept()


def test_the_first_page_is_shown_once(window: Window) -> None:
    assert window.pulse.desk.machine.first_time
    window.show_installed()
    window.installed.start.click()
    assert window.pages.currentWidget() is window.start
    assert not window.pulse.desk.machine.first_time


def test_messages_are_put_away_with_escape(opened: Window, qtbot: QtBot) -> None:
    opened.notices.say("Something happened.")
    assert opened.notices.isVisible()
    qtbot.keyClick(opened, Qt.Key.Key_Escape)
    assert not opened.notices.isVisible()


def test_the_window_comes_back_as_it_was_left(opened: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    from plugin.panel.remembered import remembered_scheme

    opened.actions_.schemes.actions()[1].trigger()
    assert remembered_scheme().value == "light"
    opened.actions_.schemes.actions()[0].trigger()


def test_recent_timelines_are_in_the_menu(opened: Window) -> None:
    opened.actions_.recent.aboutToShow.emit()
    assert [action.text().split()[0] for action in opened.actions_.recent.actions()] == ["film.otio"]
