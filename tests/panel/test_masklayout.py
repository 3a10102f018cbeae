"""Mask mode at any width: nothing is cut, everything has a name, and Tab reaches it."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QToolButton
from pytestqt.qtbot import QtBot

from plugin.controller.masking.views import (
    Direction,
    FrameState,
    SaveReport,
    SavingView,
    Tool,
    TrackingState,
    TrackingView,
)
from plugin.panel.maskkeys import KEYS, TRACK_KEYS
from plugin.panel.maskpage import MaskPage
from plugin.panel.masktools import TOOLS
from plugin.panel.palettes import DARK, LIGHT, Shades, dress
from plugin.panel.parts import wear_icons
from plugin.panel.window import Window
from tests.panel.conftest import Until
from tests.panel.made_masks import picture, strip, view
from tests.panel.test_layout import assert_nothing_is_cut, assert_reachable, inputs

LONG = "SC012_TK03_A-camera_strings_wide_2398_graded_v7.mov"
PAUSED = TrackingView(
    TrackingState.PAUSED,
    Direction.BOTH,
    "violin",
    120,
    300,
    120,
    14.2,
    12.0,
    "The object may be gone or changed.",
    "Click it again, or mark it absent here.",
)
RUNNING = TrackingView(
    TrackingState.RUNNING,
    Direction.BOTH,
    "violin",
    120,
    300,
    120,
    14.2,
    12.0,
    "violin: 120 of 300 frames, 12 s left",
)
SAVED = SaveReport(
    (), "'violin' lies on track MASK violin. Nothing was tracked there: 40 of 300 frames are black."
)


@pytest.fixture(params=[(720, 620), (1280, 720)], ids=["narrow", "wide"])
def page(qtbot: QtBot, request: pytest.FixtureRequest) -> MaskPage:
    made = MaskPage(DARK)
    qtbot.addWidget(made)
    made.resize(*request.param)
    made.show()
    qtbot.waitExposed(made)
    made.show_strip(strip([(40, FrameState.TRACKED, 0.9), (60, FrameState.GAP, 0.0)], keyframes=(10,)))
    made.show_view(view(title=LONG, clicks_need_model=True))
    made.show_picture(picture())
    QApplication.processEvents()
    assert (made.width(), made.height()) == request.param, "it wants to be larger"
    return made


@pytest.mark.parametrize("state", ["drawing", "tracking", "paused", "saving", "saved"])
def test_no_text_is_cut(page: MaskPage, state: str) -> None:
    page.show_tracking({"tracking": RUNNING, "paused": PAUSED}.get(state))
    if state == "saving":
        page.show_saving(SavingView(10, 300, "Writing mattes: 10 of 300 frames"), None)
    elif state == "saved":
        page.show_saving(None, SAVED)
    QApplication.processEvents()
    page.title.setText("")  # these two end with dots where there is no room, and a tip says all
    page.makers.setText("")
    assert_nothing_is_cut(page)


@pytest.mark.parametrize("tool", list(Tool))
def test_no_hint_of_a_tool_is_cut_and_the_picture_does_not_jump(page: MaskPage, tool: Tool) -> None:
    before = page.canvas.height()
    page.show_view(view(title="shot", tool=tool, clicks_need_model=True))
    page.makers.setText("")
    QApplication.processEvents()
    assert_nothing_is_cut(page)
    assert page.canvas.height() == before


def test_the_title_ends_with_dots_and_its_tip_says_all(page: MaskPage) -> None:
    assert page.title.toolTip() == LONG
    assert page.title.width() < page.title.fontMetrics().horizontalAdvance(LONG) or page.width() > 1000


def test_tab_reaches_everything_and_everything_has_a_name(page: MaskPage) -> None:
    page.show_tracking(PAUSED)
    page.show_saving(None, SAVED)
    QApplication.processEvents()
    assert_reachable(page)
    nameless = [
        type(each).__name__
        for each in inputs(page)
        if not each.accessibleName() and not (isinstance(each, QAbstractButton) and each.text())
    ]
    assert nameless == []
    for part in (page.canvas, page.strip):
        assert part.accessibleName()
        assert part.accessibleDescription()


def test_every_button_tells_its_key(page: MaskPage) -> None:
    without = [
        each.accessibleName()
        for each in page.findChildren(QToolButton)
        if "(" not in each.toolTip() and not each.objectName().startswith("qt_")
    ]
    assert (
        without == ["Save in another form, or into a folder", "Remove the object; undo brings it back"][::-1]
    )


@pytest.mark.parametrize("shades", [DARK, LIGHT], ids=["dark", "light"])
def test_palettes_are_worn(page: MaskPage, shades: Shades, qapp: QApplication) -> None:
    dress(qapp, shades)
    page.wear(shades)
    wear_icons(page, shades)
    image = page.grab().toImage()
    assert image.pixelColor(3, 3) == shades.colour("window")
    assert image.pixelColor(page.canvas.x() + 5, page.canvas.y() + 5).lightness() < 40, "the picture's ground"
    tool = page.tools.tools[Tool.MOVE]
    drawn = tool.icon().pixmap(16, 16).toImage()
    ink = [
        QColor(drawn.pixelColor(x, y))
        for x in range(16)
        for y in range(16)
        if drawn.pixelColor(x, y).alpha() > 250
    ]
    assert ink
    assert all(abs(each.lightness() - shades.colour("text").lightness()) < 20 for each in ink)


def test_no_key_of_mask_mode_means_two_things(window: Window, until: Until) -> None:
    page = window.masks.page
    keys = [each.key().toString() for each in page.findChildren(QShortcut)]
    assert len(keys) == len(set(keys))
    actions = {key.toString() for each in window.actions_._actions.values() for key in each.shortcuts()}
    assert not actions & set(keys), "a key that the menus have is theirs"


def test_every_key_is_in_the_shortcut_sheet(window: Window) -> None:
    told = ", ".join(keys for keys, _ in (*KEYS, *TRACK_KEYS))
    words = {each.strip() for each in told.replace(" or ", ",").split(",")}
    if "1 to 9" in words:
        words |= set("123456789")
    page = window.masks.page
    missing = []
    for each in page.findChildren(QShortcut):
        key = each.key().toString()
        plain = {"Del": "Delete", "Shift+Del": "Shift+Delete", "=": "+"}.get(key, key)
        if plain not in words and not plain.startswith("Shift+") and plain not in {"[", "]"}:
            missing.append(key)
    assert missing == []
    assert all(QKeySequence(key).toString() == key for _, _, key, *_ in TOOLS)
    groups = dict(window.more_keys())
    assert groups["Making a matte"] is KEYS
