"""What the window remembers of how it was left: its place on the screen and its palette."""

from __future__ import annotations

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMainWindow, QSplitter

from plugin.panel.palettes import Scheme


def _store() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "sagafoley", "window")


def remembered_scheme() -> Scheme:
    """The palette that was chosen last."""
    word = str(_store().value("palette", Scheme.SYSTEM.value))
    return Scheme(word) if word in set(Scheme) else Scheme.SYSTEM


def remember_scheme(scheme: Scheme) -> None:
    """Keep the palette for the next start."""
    _store().setValue("palette", scheme.value)


def remember_window(window: QMainWindow, *splitters: QSplitter) -> None:
    """Keep place, size and proportions."""
    store = _store()
    store.setValue("geometry", window.saveGeometry())
    for number, splitter in enumerate(splitters):
        store.setValue(f"splitter{number}", splitter.saveState())


def restore_window(window: QMainWindow, *splitters: QSplitter) -> None:
    """Put the window where it was; where nothing is known it stays as it is."""
    store = _store()
    geometry = store.value("geometry")
    if geometry is not None:
        window.restoreGeometry(geometry)
    for number, splitter in enumerate(splitters):
        state = store.value(f"splitter{number}")
        if state is not None:
            splitter.restoreState(state)
