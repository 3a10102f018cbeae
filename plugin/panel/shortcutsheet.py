"""The shortcut sheet: every key of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from plugin.panel.commands import COMMANDS, Command
from plugin.panel.parts import button, column, label, row, scrolled

Keys = Sequence[tuple[str, str]]
_COLUMNS = 3
LISTS: Keys = (
    ("Up, Down", "Another line"),
    ("Shift or Ctrl with arrows", "Several lines"),
    ("Enter", "Go to the spot of a problem"),
    ("Left, Right", "One frame back, on"),
    ("Delete", "Remove a spot, a queue item, a take"),
    ("Alt+Up, Alt+Down", "Reorder the queue"),
    ("Tab, Shift+Tab", "Next, previous part of the window"),
    ("Esc", "Put a message away, close a dialog"),
)


class ShortcutSheet(QDialog):
    """All keys, by menu, in columns."""

    def __init__(self, more: Sequence[tuple[str, Keys]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        groups: list[tuple[str, Keys]] = [*_of_menus(), *more, ("Lists", LISTS)]
        columns: list[QVBoxLayout] = [QVBoxLayout() for _ in range(_COLUMNS)]
        heights = [0] * _COLUMNS
        for title, keys in groups:
            shortest = heights.index(min(heights))
            heights[shortest] += len(keys) + 2
            columns[shortest].addLayout(_group(title, keys))
            columns[shortest].addSpacing(12)
        sheet = QHBoxLayout()
        sheet.setSpacing(32)
        for each in columns:
            each.addStretch(1)
            sheet.addLayout(each)
        inside = QWidget()
        sheet.setContentsMargins(12, 8, 12, 8)
        inside.setLayout(sheet)
        foot = row(None, button("Close", self.accept, main=True), edge=10)
        self.setLayout(column(scrolled(inside, title="Keys"), foot, space=0, edge=6))
        self.resize(max(1180, inside.minimumSizeHint().width() + 40), 680)


def _of_menus() -> list[tuple[str, Keys]]:
    titles = dict.fromkeys(each.menu for each in COMMANDS)
    found: list[tuple[str, Keys]] = []
    for title in titles:
        keys = [
            (", ".join(QKeySequence(each_key).toString() for each_key in each.shortcuts), _plain(each.title))
            for each in COMMANDS
            if isinstance(each, Command) and each.menu == title and each.shortcuts
        ]
        found.append((_plain(title), keys))
    return found


def _plain(title: str) -> str:
    return title.replace("&", "").rstrip(".")


def _group(title: str, keys: Keys) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(4)
    grid.addWidget(label(title, use="heading", wraps=False), 0, 0, 1, 2)
    for line, (pressed, does) in enumerate(keys, start=1):
        grid.addWidget(label(pressed, use="faint", wraps=False), line, 0)
        grid.addWidget(label(does, wraps=False), line, 1)
    grid.setColumnStretch(1, 1)
    return grid
