"""The keys of mask mode: while it is on, they are its own; text fields keep what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

KEYS = (
    ("V, P, B, L, E", "Move, point, box, lasso, brush"),
    ("Left button", "Add to the object"),
    ("Right, or Alt+left", "Take away from it"),
    ("X, [, ]", "Brush erases; smaller, larger"),
    ("Tab, wheel", "Another size after one click"),
    ("Delete", "Remove the chosen mark"),
    ("Alt+arrows, Enter", "Draw with a cross"),
    ("Shift+Enter", "Take away with the cross"),
    ("Ctrl+Z, Ctrl+Shift+Z", "Undo, redo a gesture"),
    ("M", "No mask, outline, tint, matte"),
    ("+, -, Ctrl+wheel", "Closer, farther"),
    ("0", "The whole picture"),
    ("W, Enter", "Look for the object by its word"),
    ("1 to 9", "Choose one of what was found"),
    ("N, Shift+N", "Rename; another object"),
    ("Q, H", "Next object; hide it"),
)
"""Drawing, for the shortcut sheet."""

TRACK_KEYS = (
    ("T, F, R", "Track both ways, forward, back"),
    ("Shift+F, Shift+R", "Track one frame on, back"),
    ("Esc", "Stop; what was tracked stays"),
    ("A", "Absent from here on, or back"),
    ("Shift+Delete", "Remove this keyframe"),
    ("Space, J, K", "Play, backwards, stop"),
    ("L", "Faster while it plays; else lasso"),
    ("Shift+L", "Play on, also from standing"),
    ("Left, Right", "One frame; with Shift: ten"),
    ("Ctrl+Left, Ctrl+Right", "Keyframe before, next"),
    ("Home, End", "First, last frame"),
    ("I, O, Alt+X", "Range to track; all of it"),
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
