"""What goes wrong leaves a working window and a clear message."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import signal
import sys
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from plugin.controller.desk import Desk
from plugin.controller.views import Action, QueueState
from plugin.errors import HostNotRunning, HostRefused
from plugin.filehost import FileHost
from plugin.folders import Folders
from plugin.hosts import HostInfo
from plugin.panel import starting
from plugin.panel.placedialog import PlaceDialog
from plugin.panel.window import Window
from tests.cli.made_timelines import MadeTimeline, make_timeline
from tests.panel.conftest import Until, close_window, front_dialog, open_in


def still_works(window: Window, until: Until) -> None:
    """An edit, and a render that ends well."""
    window.spots.select(window.spots.model.ids[-1:])
    window.inspector.steps.setValue(2)
    window.inspector.takes.setValue(1)
    window.deeds.do("generate")
    until(lambda: not window.pulse.desk.queue.running)
    assert window.pulse.desk.queue.rows()[-1].state is QueueState.DONE


def begin_long_render(window: Window, until: Until) -> None:
    window.spots.select(window.spots.model.ids[:1])
    window.inspector.steps.setValue(1000)
    window.inspector.takes.setValue(50)
    window.deeds.do("generate")
    until(
        lambda: any(
            row.state is QueueState.RUNNING and row.progress for row in window.pulse.desk.queue.rows()
        )
    )


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_render_process_costs_one_render(opened: Window, until: Until) -> None:
    begin_long_render(opened, until)
    os.kill(opened.pulse.desk.queue._child.process.pid, signal.SIGKILL)
    until(lambda: not opened.pulse.desk.queue.running)
    assert opened.notices.isVisible()
    assert "memory" in opened.notices.text.text()
    assert opened.problems.list.count() == 1
    until(lambda: opened.tabs.tabText(2) == "Problems (1)")
    opened.queue.list.setCurrentRow(0)
    assert opened.queue.again.isEnabled()
    still_works(opened, until)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of another process")
def test_a_full_disk_is_told_and_nothing_is_lost(opened: Window, until: Until) -> None:
    """As on a disk without room, the render process can let no file grow."""
    import resource

    still_works(opened, until)
    process = opened.pulse.desk.queue._child.process.pid
    before = resource.prlimit(process, resource.RLIMIT_FSIZE, (20_000, -1))
    opened.spots.select(opened.spots.model.ids[:1])
    opened.deeds.do("generate")
    until(lambda: not opened.pulse.desk.queue.running)
    resource.prlimit(process, resource.RLIMIT_FSIZE, before)
    row = opened.pulse.desk.queue.rows()[-1]
    assert row.state is QueueState.FAILED
    assert row.remedy
    assert row.message in opened.queue.list.item(1).toolTip()
    assert row.message in opened.notices.text.text()
    still_works(opened, until)


def test_media_deleted_while_open(opened: Window, film: MadeTimeline, until: Until) -> None:
    film.picture.unlink()
    opened.problems.recheck.click()
    until(opened.problems.list.count)
    opened.deeds.do("go_problems")
    opened.problems.list.setCurrentRow(0)
    assert "picture.mp4" in opened.problems.list.item(0).text()
    assert opened.problems.remedy.text()
    until(opened.status.problems.isVisible)
    opened.deeds.do("generate")
    until(lambda: not opened.pulse.desk.queue.running)
    assert opened.notices.isVisible()
    make_timeline(film.path.parent)
    opened.deeds.do("refresh")
    until(lambda: all(row.actions[0].action is Action.RETRY for row in opened.pulse.desk.problems.rows()))
    still_works(opened, until)


def test_media_are_relinked_with_a_button(
    opened: Window, film: MadeTimeline, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "elsewhere" / film.picture.name
    moved.parent.mkdir()
    shutil.move(film.picture, moved)
    opened.problems.recheck.click()
    until(opened.problems.list.count)
    monkeypatch.setattr("plugin.panel.problempage.QFileDialog.getOpenFileName", lambda *_: (str(moved), ""))
    monkeypatch.setattr(
        "plugin.panel.problempage.QFileDialog.getExistingDirectory", lambda *_: str(moved.parent)
    )
    opened.problems._buttons.itemAt(0).widget().click()
    until(lambda: not opened.problems.list.count())
    still_works(opened, until)


def test_the_folder_of_a_problem_is_opened(
    opened: Window, film: MadeTimeline, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(
        "plugin.panel.problempage.QDesktopServices.openUrl", lambda url: shown.append(url.toLocalFile())
    )
    film.picture.unlink()
    opened.problems.recheck.click()
    until(opened.problems.list.count)
    opened.deeds.do("go_problems")
    buttons = {each.text(): each for each in opened.problems.findChildren(QPushButton) if each.isVisible()}
    buttons["Open folder"].click()
    assert shown == [str(film.picture.parent)], "the nearest that is there"
    assert not opened.notices.isVisible()


def test_edits_that_the_disk_refuses_are_not_lost_without_a_question(
    opened: Window, film: MadeTimeline, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(opened.deeds, "_sure", lambda title, *_: bool(asked.append(title)))

    def full(path: Path, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr("plugin.wholefile.write_durably", full)
        opened.inspector.prompt.said.emit("never lost")
        opened.close()
        opened.deeds.do("close_timeline")
        assert asked == ["Some edits are not saved"] * 2
        assert opened.isVisible()
        assert "The disk is full" in opened.notices.text.text()
    opened.deeds.do("close_timeline")
    assert len(asked) == 2
    assert "never lost" in film.path.with_name("film.cues.toml").read_text()


def test_a_problem_leads_to_its_spot(window: Window, tmp_path: Path, until: Until) -> None:
    film = make_timeline(tmp_path / "film")
    film.matte.unlink()
    open_in(window, film.path, until)
    until(lambda: window.problems.list.count() == 2)
    item = window.problems.list.item(1)
    window.problems.list.itemActivated.emit(item)
    assert window.spots.selected == (window.spots.model.ids[1],)


def test_what_is_no_timeline_is_told_and_changes_nothing(
    opened: Window, tmp_path: Path, until: Until
) -> None:
    broken = tmp_path / "broken.otio"
    broken.write_text("{")
    opened.open_path(broken)
    until(lambda: not opened.pulse.desk.opening and opened.notices.isVisible())
    assert "broken.otio" in opened.notices.text.text()
    assert opened.spots.model.rowCount() == 2


class Editor(FileHost):
    """A running editor that holds a file's timeline, and stalls."""

    wake = Event()

    def info(self) -> HostInfo:
        return HostInfo("resolve", "Made Editor", "1", "film", moves_playhead=False)

    def place(self, _pieces: object, **_how: object) -> tuple[()]:
        self.wake.wait(60)
        raise HostRefused("Made Editor answered nothing.", remedy="Try again.")


def test_an_editor_that_stalls_leaves_the_window_alive(
    qtbot: QtBot, folders: Folders, film: MadeTimeline, until: Until, tmp_path: Path
) -> None:
    editor = Editor(film.path, folder=tmp_path / "placed")
    window = starting.make_window(Desk.open(folders=folders, connect=lambda: editor))
    window.show()
    window.deeds.do("open_editor")
    until(window.spots.model.rowCount)
    still_works(window, until)
    window.deeds.do("place")
    dialog = front_dialog(window, PlaceDialog)
    dialog.act.click()
    beats: list[int] = []
    timer = QTimer(window, interval=10)
    timer.timeout.connect(lambda: beats.append(1))
    timer.start()
    until(lambda: len(beats) > 20)
    window.inspector.prompt.said.emit("meanwhile")
    assert window.pulse.desk.spots.rows()[-1].prompt == "meanwhile"
    assert window.pulse.desk.placing.busy
    editor.wake.set()
    until(lambda: not window.pulse.desk.placing.busy)
    assert "answered nothing" in dialog.sentence.text() + dialog.notes.text()
    close_window(window)


def test_no_editor_is_told(qtbot: QtBot, folders: Folders, until: Until) -> None:
    def nobody() -> FileHost:
        raise HostNotRunning("DaVinci Resolve does not answer.", remedy="Start it.")

    window = starting.make_window(Desk.open(folders=folders, connect=nobody))
    window.show()
    window.start.editor.click()
    until(window.notices.isVisible)
    assert window.notices.text.text() == "DaVinci Resolve does not answer. Start it."
    close_window(window)


def test_what_nobody_thought_of_is_told_and_the_window_goes_on(
    opened: Window, caplog: pytest.LogCaptureFixture
) -> None:
    starting._tell_unforeseen(opened, RuntimeError, RuntimeError("a surprise"), None)
    assert "a surprise" in opened.notices.text.text()
    assert "Traceback" not in opened.notices.text.text()
    caplog.clear()


def test_pauses_are_kept_short() -> None:
    """Neither another thread nor the collector may hold the window up for long."""
    before, interval = gc.get_freeze_count(), sys.getswitchinterval()
    try:
        starting.keep_pauses_short()
        assert gc.get_freeze_count() > before
        assert sys.getswitchinterval() < 0.001
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval)
