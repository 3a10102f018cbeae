"""No text is cut, everything has a name, and the keyboard reaches everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QTabBar,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from plugin.panel.about import AboutDialog
from plugin.panel.adding import AddMarker, AddRange, AddTrack
from plugin.panel.commands import COMMANDS, Command
from plugin.panel.palettes import Scheme
from plugin.panel.placedialog import ExportDialog, PlaceDialog
from plugin.panel.settingsdialog import SettingsDialog
from plugin.panel.shortcutsheet import ShortcutSheet
from plugin.panel.window import Window
from tests.panel.conftest import Until

INPUTS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QAbstractItemView)
DIALOGS = {
    "place": PlaceDialog,
    "remove_placement": PlaceDialog,
    "export": ExportDialog,
    "show_settings": SettingsDialog,
    "show_shortcuts": ShortcutSheet,
    "show_about": AboutDialog,
    "add_range": AddRange,
    "add_marker": AddMarker,
    "add_track": AddTrack,
}


def texts(root: QWidget) -> Iterator[QLabel | QAbstractButton]:
    for kind in (QLabel, QAbstractButton):
        for each in root.findChildren(kind):
            if each.isVisible() and each.text():
                yield each


def too_small(each: QLabel | QAbstractButton) -> str:
    """What is cut of a label or button, "" when it has room."""
    width, height = each.width(), each.height()
    if isinstance(each, QLabel) and each.wordWrap():
        flags = Qt.TextFlag.TextWordWrap
        box = each.fontMetrics().boundingRect(
            QRect(0, 0, each.contentsRect().width(), 10_000), flags, each.text()
        )
        wanted = (box.width(), box.height())
    else:
        hint = each.minimumSizeHint() if isinstance(each, QToolButton) else each.sizeHint()
        wanted = (hint.width(), hint.height())
    # a pixel of rounding either way
    if wanted[0] > width + 1 or wanted[1] > height + 1:
        return f"{type(each).__name__} {each.text()!r} wants {wanted} and has {(width, height)}"
    return ""


def outside(each: QWidget, root: QWidget) -> str:
    """Where a widget sticks out of the window, unless it can be scrolled to."""
    above: QWidget | None = each
    while above is not None and above is not root:
        if isinstance(above, QScrollArea):
            never = above.horizontalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAlwaysOff
            right = each.mapTo(above, QPoint(each.width(), 0)).x()
            return f"{type(each).__name__} is cut at the right" if never and right > above.width() else ""
        above = above.parentWidget()
    place = QRect(each.mapTo(root, QPoint(0, 0)), each.size())
    return "" if root.rect().contains(place) else f"{type(each).__name__} sticks out: {place}"


def assert_nothing_is_cut(root: QWidget) -> None:
    QApplication.processEvents()
    faults = [fault for each in texts(root) for fault in (too_small(each), outside(each, root)) if fault]
    assert faults == []
    for bar in root.findChildren(QTabBar):
        if bar.isVisible():
            assert sum(bar.tabSizeHint(tab).width() for tab in range(bar.count())) <= bar.width() + 1


def open_dialog(window: Window, key: str) -> QDialog:
    window.deeds.do(key)
    QApplication.processEvents()
    return next(each for each in window.findChildren(DIALOGS[key]) if each.isVisible())


@pytest.fixture
def small(opened: Window) -> Window:
    opened.resize(1280, 720)
    QApplication.processEvents()
    assert (opened.width(), opened.height()) == (1280, 720), "the window itself wants to be larger"
    return opened


@pytest.fixture
def rendered(small: Window, until: Until) -> Window:
    """With a take to place."""
    small.deeds.do("generate")
    until(lambda: not small.pulse.desk.queue.running)
    return small


@pytest.mark.parametrize("tab", [0, 1, 2])
def test_no_text_is_cut_at_1280_by_720(small: Window, until: Until, tab: int) -> None:
    until(small.spots.model.rowCount)
    small.notices.say(
        "A message that is long enough to need more than one line where there is little room. " * 2
    )
    small.tabs.setCurrentIndex(tab)
    assert_nothing_is_cut(small)


@pytest.mark.parametrize("page", ["start", "installed", "doctor"])
def test_no_text_of_a_page_is_cut(window: Window, until: Until, page: str) -> None:
    window.resize(1280, 720)
    if page == "installed":
        window.show_installed()
    elif page == "doctor":
        window.show_doctor()
        until(lambda: not window.pulse.desk.machine.doctor.running)
    assert_nothing_is_cut(window)


@pytest.mark.parametrize("key", DIALOGS)
def test_no_text_of_a_dialog_is_cut(small: Window, key: str) -> None:
    dialog = open_dialog(small, key)
    assert dialog.width() <= 1280
    assert dialog.height() <= 720
    assert_nothing_is_cut(dialog)
    dialog.close()


@pytest.mark.parametrize("key", DIALOGS)
def test_every_dialog_can_be_worked_by_keyboard(small: Window, qtbot: QtBot, key: str) -> None:
    dialog = open_dialog(small, key)
    assert_reachable(dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


@pytest.mark.parametrize("key", ["remove_placement", "export", "place"])
def test_enter_does_what_a_dialog_offers(rendered: Window, qtbot: QtBot, key: str) -> None:
    """It is the button in colour that Enter presses, wherever the keys are first."""
    dialog = open_dialog(rendered, key)
    pressed: list[str] = []
    for each in dialog.findChildren(QPushButton):
        each.clicked.disconnect()
        each.clicked.connect(lambda _=False, each=each: pressed.append(each.text()))
    focused = dialog.focusWidget()
    qtbot.keyClick(focused, Qt.Key.Key_Return)
    assert pressed == [dialog.act.text()]  # type: ignore[attr-defined]
    dialog.close()


@pytest.mark.parametrize("key", ["add_range", "add_marker", "add_track"])
def test_tab_goes_down_a_form(small: Window, key: str) -> None:
    dialog = open_dialog(small, key)
    form = dialog.form  # type: ignore[attr-defined]
    fields = [form.itemAt(line, form.ItemRole.FieldRole).widget() for line in range(form.rowCount())]
    each, places = dialog.focusWidget(), []
    assert each in fields
    for _ in range(len(fields)):
        places.append(fields.index(each))
        each = each.nextInFocusChain()
        while each not in (*fields, dialog.add, dialog._away):  # type: ignore[attr-defined]
            each = each.nextInFocusChain()
        if each not in fields:
            break
    assert places == list(range(places[0], len(fields)))
    dialog.close()


def inputs(root: QWidget) -> list[QWidget]:
    """What a person can use there; the inner parts of spin boxes and combo boxes belong to them."""
    found = []
    for each in root.findChildren(QWidget):
        inner = (
            isinstance(each, QHeaderView)
            or isinstance(each.parent(), QAbstractSpinBox | QComboBox | QTabBar)
            or (each.objectName().startswith("qt_") or isinstance(each.parent(), QLineEdit))
        )
        if isinstance(each, INPUTS) and not inner and each.isVisible() and each.isEnabled():
            found.append(each)
    return found


def assert_reachable(root: QWidget) -> None:
    """Tab comes to everything that can be used."""
    wanted = {each for each in inputs(root) if each.focusPolicy() & Qt.FocusPolicy.TabFocus}
    never = [each for each in inputs(root) if not each.focusPolicy() & Qt.FocusPolicy.TabFocus]
    hidden = [each for each in never if not (isinstance(each, QToolButton) and each.toolTip())]
    assert [f"{type(each).__name__} {each.accessibleName()}" for each in hidden] == []
    chain, each = set(), root.nextInFocusChain()
    while each not in chain:
        chain.add(each)
        each = each.nextInFocusChain()
    assert [f"{type(each).__name__} {each.accessibleName()}" for each in wanted - chain] == []


def test_tab_reaches_everything(small: Window) -> None:
    assert_reachable(small)
    seen = set()
    small.spots.table.setFocus()
    for _ in range(80):
        seen.add(QApplication.focusWidget())
        small.focusNextChild()
    for part in (small.spots.search, small.spots.table, small.inspector.prompt, small.inspector.handle_out):
        assert part in seen


def test_everything_that_can_be_used_has_a_name(small: Window) -> None:
    for tab in range(small.tabs.count()):
        small.tabs.setCurrentIndex(tab)
        nameless = [
            type(each).__name__
            for each in inputs(small)
            if not each.accessibleName() and not (isinstance(each, QAbstractButton) and each.text())
        ]
        assert nameless == []


def test_the_list_is_sorted_by_menu_too(small: Window) -> None:
    by = {action.text(): action for action in small.actions_.sorts.actions()}
    by["Label"].trigger()
    assert [small.spots.model.row_at(place).label for place in range(2)] == ["trumpet", "violin"]
    by["Last first"].trigger()
    assert [small.spots.model.row_at(place).label for place in range(2)] == ["violin", "trumpet"]


def test_no_key_means_two_things() -> None:
    keys = [key for each in COMMANDS if isinstance(each, Command) for key in each.shortcuts]
    assert len(keys) == len(set(keys))


def test_every_command_has_a_deed(small: Window) -> None:
    for each in COMMANDS:
        if isinstance(each, Command):
            assert callable(getattr(small.deeds, each.key))
            assert each.tells.endswith(".")


@pytest.mark.parametrize("scheme", list(Scheme))
def test_palettes_are_worn_everywhere(small: Window, scheme: Scheme) -> None:
    small.actions_.schemes.actions()[list(Scheme).index(scheme)].trigger()
    ground = small.grab().toImage().pixelColor(640, 705)
    assert (ground.lightness() > 128) is (scheme is Scheme.LIGHT)
