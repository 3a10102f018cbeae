"""The table of commands as menus, keys and a tool bar."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QSpinBox,
    QToolBar,
    QToolButton,
    QWidget,
)

from plugin.controller.views import SortBy
from plugin.cues import MAX_TAKES
from plugin.panel.commands import COMMANDS, Command
from plugin.panel.palettes import Scheme
from plugin.panel.parts import CheckBox, mark, name


class Actions:
    """Every command as a `QAction`, by key; menus and tool bar of the window.

    Attributes:
        takes: how many takes more are made at once; 0 leaves that to the spot.
        recent: the menu of timelines that were open before.
        schemes: the menu of palettes.
        sorts: the menu of what the list of spots is sorted by.
    """

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._actions: dict[str, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        self.recent = QMenu("Open re&cent", window)
        self.schemes = QMenu("P&alette", window)
        self.sorts = QMenu("S&ort spots by", window)
        self.takes = QSpinBox()
        self.bar = QToolBar("Tools", window)

    def __getitem__(self, key: str) -> QAction:
        """The action of a command."""
        return self._actions[key]

    def build(self, do: Callable[[str], None]) -> None:
        """Make everything; `do` is told the key of the command that was asked for."""
        for each in COMMANDS:
            menu = self._menu(each.menu)
            if isinstance(each, Command):
                action = self._action(each, do)
                menu.addAction(action)
                if each.key == "open_editor":
                    menu.addMenu(self.recent)
            else:
                menu.addSeparator()
        self._menus["&View"].addSeparator()
        self._menus["&View"].addMenu(self.sorts)
        self._menus["&View"].addMenu(self.schemes)
        self._build_bar()

    def menu(self, title: str) -> QMenu:
        """The menu of that title."""
        return self._menus[title]

    def enable(self, *, timeline: bool, spot: bool) -> None:
        """Let only those be used whose needs are met."""
        there = {"": True, "timeline": timeline, "spot": timeline and spot}
        for each in COMMANDS:
            if isinstance(each, Command):
                self._actions[each.key].setEnabled(there[each.needs])

    def offer_schemes(self, chosen: Scheme, choose: Callable[[Scheme], None]) -> None:
        """Fill the menu of palettes."""
        group = QActionGroup(self._window)
        for scheme in Scheme:
            action = self.schemes.addAction(scheme.value.capitalize())
            action.setCheckable(True)
            action.setChecked(scheme is chosen)
            action.triggered.connect(lambda _checked, scheme=scheme: choose(scheme))
            group.addAction(action)

    def offer_sorts(self, sort: Callable[[SortBy, bool], None]) -> None:
        """Fill the menu of orders; `sort` is told by what spots are sorted, and whether the last is first."""
        group = QActionGroup(self._window)
        last_first = QAction("Last first", self._window)
        last_first.setCheckable(True)
        last_first.toggled.connect(lambda _: sort(_chosen(group), last_first.isChecked()))
        for by in SortBy:
            action = self.sorts.addAction(by.value.capitalize())
            action.setCheckable(True)
            action.setChecked(by is SortBy.RECORD)
            action.setData(by)
            action.triggered.connect(lambda _: sort(_chosen(group), last_first.isChecked()))
            group.addAction(action)
        self.sorts.addSeparator()
        self.sorts.addAction(last_first)

    def _menu(self, title: str) -> QMenu:
        if title not in self._menus:
            self._menus[title] = self._window.menuBar().addMenu(title)
            self._menus[title].setToolTipsVisible(True)
        return self._menus[title]

    def _action(self, each: Command, do: Callable[[str], None]) -> QAction:
        action = QAction(each.title, self._window)
        action.setShortcuts([QKeySequence(keys) for keys in each.shortcuts])
        action.setCheckable(each.switch)
        keys = f" ({QKeySequence(each.shortcuts[0]).toString()})" if each.shortcuts else ""
        action.setToolTip(f"{each.tells}{keys}")
        action.setStatusTip("")
        action.triggered.connect(lambda _checked=False: do(each.key))
        mark(action, each.icon)
        self._actions[each.key] = action
        return action

    def _build_bar(self) -> None:
        bar = self.bar
        bar.setObjectName("tools")
        bar.setMovable(False)
        bar.setIconSize(QSize(18, 18))
        bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        bar.toggleViewAction().setEnabled(False)
        self._buttons("open_file", "open_editor", "undo", "redo")
        bar.addSeparator()
        self._buttons("make_matte", "generate", "generate_selection", "generate_stale")
        self._build_takes()
        bar.addSeparator()
        self._buttons("place", "remove_placement", "export")
        self._window.addToolBar(bar)

    def _build_takes(self) -> None:
        self.takes.setRange(0, MAX_TAKES)
        self.takes.setSpecialValueText("as set")
        tells = "How many takes more are made of each spot; as set: those that the spot asks for."
        self.takes.setToolTip(tells)
        name(self.takes, "Takes more", tells)
        self.bar.addWidget(_spacer(8))
        title = QLabel(" Takes ")
        self.bar.addWidget(title)
        self.bar.addWidget(self.takes)
        action, preview = self._actions["preview_first"], CheckBox("Previe&w")
        preview.setToolTip(action.toolTip())
        name(preview, "Preview quality", action.toolTip())
        preview.toggled.connect(action.setChecked)
        action.toggled.connect(preview.setChecked)
        self.bar.addWidget(_spacer(8))
        self.bar.addWidget(preview)

    def _buttons(self, *keys: str) -> None:
        commands = {each.key: each for each in COMMANDS if isinstance(each, Command)}
        for key in keys:
            self.bar.addWidget(_bar_button(commands[key], self._actions[key]))


def _bar_button(each: Command, action: QAction) -> QToolButton:
    made = QToolButton()
    made.setDefaultAction(action)
    made.setAutoRaise(True)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    words = "" if each.bar == "-" else each.bar
    beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    made.setToolButtonStyle(beside if words else Qt.ToolButtonStyle.ToolButtonIconOnly)
    if words:
        made.setText(words)
        action.changed.connect(lambda: made.setText(words))
    name(made, each.title.replace("&", "").rstrip("."), each.tells)
    return made


def _chosen(group: QActionGroup) -> SortBy:
    return SortBy(group.checkedAction().data())


def _spacer(width: int) -> QWidget:
    gap = QWidget()
    gap.setFixedWidth(width)
    return gap
