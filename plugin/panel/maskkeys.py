"""The keys of mask mode: while it is on, they are its own; text fields keep what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

KEYS = (
    ("V, P, B, L, E", "Move, point, box, lasso, brush"),
    ("Left, right or Alt+left button", "Add to the object, take away"),
    ("X, [ and ]", "Brush erases; smaller, larger"),
    ("Tab, wheel", "Another size after a single click"),
    ("Delete", "Remove the chosen mark"),
    ("Alt with arrows, Enter", "A cross to draw with; Shift: finer, take away"),
    ("Ctrl+Z, Ctrl+Shift+Z", "Undo, redo a gesture"),
    ("M", "Mask: none, outline, tint, matte"),
    ("+, -, 0, Ctrl with wheel", "Closer, farther, the whole picture"),
    ("N, Shift+N, H", "Rename, another object, hide it"),
    ("Q", "Next object"),
)
"""Drawing, for the shortcut sheet."""

TRACK_KEYS = (
    ("T", "Track both ways from here"),
    ("F, R", "Track forward, back"),
    ("Shift+F, Shift+R", "Track one frame forward, back"),
    ("Esc", "Stop; what was tracked stays"),
    ("A", "Object absent from here on, or back"),
    ("Shift+Delete", "Remove this frame's keyframe"),
    ("Space, J, K, L", "Play, backwards, stop, forwards (L: while it plays)"),
    ("Left, Right", "One frame back, on; with Shift: ten"),
    ("Ctrl+Left, Ctrl+Right", "Keyframe before, next"),
    ("Home, End", "First, last frame"),
    ("I, O, Alt+X", "Track from here, up to here; the whole range"),
    ("Ctrl+S", "Save the matte"),
)
"""Tracking and moving, for the shortcut sheet."""


def bind(page: QWidget, deeds: Mapping[str, Callable[[], object]]) -> None:
    """Let keys do something wherever in the page the keyboard is."""
    for keys, do in deeds.items():
        shortcut = QShortcut(QKeySequence(keys), page)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.setAutoRepeat(keys in _REPEATED)
        shortcut.activated.connect(do)


_REPEATED = frozenset({"Left", "Right", "Shift+Left", "Shift+Right", "[", "]", "+", "-", "="})
