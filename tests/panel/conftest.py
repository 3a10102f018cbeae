"""The real window over the real desk and the golden bundle, drawn without a screen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from plugin.controller.desk import Desk
from plugin.errors import SoundUnavailable
from plugin.folders import Folders
from plugin.panel.starting import make_window
from plugin.panel.window import Window
from plugin.settings import Settings, change_settings, save_settings
from tests.cli.made_timelines import MadeTimeline, make_timeline

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
GENEROUS = 20_000
"""Milliseconds; nothing here takes a tenth of it."""

Until = Callable[[Callable[[], object]], None]
Dialog = TypeVar("Dialog", bound=QDialog)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A user whose bundle is the golden one."""
    made = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    save_settings(change_settings(Settings(), {"bundle": str(GOLDEN), "provider": "cpu"}), made.config)
    return made


@pytest.fixture(autouse=True)
def silent_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test plays anything on a device of the machine it runs on."""

    def nothing() -> None:
        raise SoundUnavailable("No sound device was found.", remedy="Connect one, then play again.")

    monkeypatch.setattr("plugin.controller.devices._load_library", nothing)


@pytest.fixture
def until(qtbot: QtBot) -> Until:
    """Lets the event loop run until something is so."""
    return lambda condition: qtbot.waitUntil(lambda: bool(condition()), timeout=GENEROUS)


@pytest.fixture
def window(qtbot: QtBot, folders: Folders, tmp_path: Path) -> Iterator[Window]:
    """The window of that user, nothing opened yet."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "window"))
    made = make_window(Desk.open(folders=folders))
    made.show()
    qtbot.waitExposed(made)
    yield made
    close_window(made)


@pytest.fixture
def film(tmp_path: Path) -> MadeTimeline:
    """One shot of a second and a half, a violin and a trumpet marked in it."""
    return make_timeline(tmp_path / "film")


@pytest.fixture
def opened(window: Window, film: MadeTimeline, until: Until) -> Window:
    """The window with the film on its desk."""
    return open_in(window, film.path, until)


def close_window(window: Window) -> None:
    """End what is rendered, without being asked, and close."""
    window.deeds.may_end_renders = lambda _doing: True  # type: ignore[method-assign]
    window.close()
    window.deleteLater()


def open_in(window: Window, path: Path, until: Until) -> Window:
    window.open_path(path)
    until(lambda: window.spots.model.rowCount() and window.pulse.desk.timeline)
    return window


def front_dialog(window: Window, kind: type[Dialog]) -> Dialog:
    """The dialog of that kind that the window shows."""
    shown = [each for each in window.findChildren(kind) if each.isVisible()]
    assert shown, f"no {kind.__name__} is shown"
    return shown[-1]
