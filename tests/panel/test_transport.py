from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from plugin.controller.playback import TransportView
from plugin.panel import takes, transport
from plugin.panel.palettes import DARK, LIGHT
from plugin.panel.stage import Stage
from plugin.panel.transport import Transport
from plugin.panel.window import Window
from tests.panel.conftest import Until

KEY = Qt.Key
ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
VIEW = TransportView(
    frame=10,
    frames=100,
    timecode="01:00:00;10",
    length="100 frames",
    playing=False,
    speed="",
    loop=True,
    mark_in=20,
    mark_out=39,
    volume=1.0,
    muted=False,
)


@pytest.fixture
def shown(qtbot: QtBot) -> Transport:
    made = Transport(DARK)
    qtbot.addWidget(made)
    made.resize(500, 80)
    made.show()
    made.show_view(VIEW)
    return made


def test_it_shows_what_it_is_told(shown: Transport) -> None:
    assert shown.timecode.text() == "01:00:00;10"
    assert shown.speed.text() == "100 frames"
    assert shown.loop.isChecked()
    assert shown.bar.value() == 10
    assert shown.play.accessibleName() == "Play"


def test_without_a_spot_nothing_can_be_moved(shown: Transport) -> None:
    shown.show_view(TransportView(0, 0, "", "", False, "", True, None, None, 1.0, False))

    assert not shown.bar.isEnabled()
    assert not shown.play.isEnabled()
    assert shown.timecode.text() == "--:--:--:--"


@pytest.mark.parametrize(("left", "frame"), [(0, 0), (3, 0), (5, 1), (250, 50), (499, 99)])
def test_a_click_on_the_bar_names_the_frame_under_it(
    shown: Transport, qtbot: QtBot, left: int, frame: int
) -> None:
    with qtbot.waitSignal(shown.seek_wanted) as told:
        qtbot.mouseClick(shown.bar, Qt.MouseButton.LeftButton, pos=QPoint(left, 10))

    assert told.args == [frame]


def test_dragging_scrubs(shown: Transport, qtbot: QtBot) -> None:
    sought: list[int] = []
    shown.seek_wanted.connect(sought.append)
    qtbot.mousePress(shown.bar, Qt.MouseButton.LeftButton, pos=QPoint(100, 10))
    qtbot.mouseMove(shown.bar, QPoint(200, 10))
    qtbot.mouseRelease(shown.bar, Qt.MouseButton.LeftButton, pos=QPoint(200, 10))

    assert sought[0] == 20


def test_the_marked_range_and_the_playhead_are_drawn(shown: Transport) -> None:
    for shades in (DARK, LIGHT):
        shown.wear(shades)
        image = shown.bar.grab().toImage()
        assert image.pixelColor(52, 15) == shades.colour("accent")
        assert image.pixelColor(101, 11) == shades.colour("accent")
        inside, outside = image.pixelColor(150, 10), image.pixelColor(350, 10)
        assert inside != outside
        assert outside == shades.colour("raised")


def test_why_it_is_silent_takes_room_only_when_there_is_a_reason(shown: Transport) -> None:
    assert not shown.reason.isVisible()
    shown.show_reason("No sound device was found. Connect one, then play again.")
    assert shown.reason.isVisible()
    assert shown.reason.text() == "Silent: No sound device was found. Connect one, then play again."
    shown.show_reason("")
    assert not shown.reason.isVisible()


@pytest.fixture
def stage(opened: Window, until: Until) -> Stage:
    until(lambda: opened.stage.screening.frame is not None)
    opened.stage.viewer.setFocus()
    until(opened.stage.viewer.hasFocus)
    return opened.stage


def press(qtbot: QtBot, widget: QWidget, *keys: Qt.Key) -> None:
    for key in keys:
        qtbot.keyClick(widget, key)


def test_arrows_home_and_end_step(stage: Stage, qtbot: QtBot) -> None:
    playback, last = stage.screening.playback, stage.screening.playback.view().frames - 1
    press(qtbot, stage.viewer, KEY.Key_Right, KEY.Key_Right, KEY.Key_Right, KEY.Key_Left)
    assert playback.frame() == 2
    press(qtbot, stage.viewer, KEY.Key_End)
    assert playback.frame() == last
    press(qtbot, stage.viewer, KEY.Key_Left)
    assert playback.frame() == last - 1
    press(qtbot, stage.viewer, KEY.Key_Home)
    assert playback.frame() == 0
    qtbot.keyClick(stage.viewer, KEY.Key_Right, SHIFT)
    assert playback.frame() == min(last, round(playback.ruler.rate))
    assert stage.transport.timecode.text() == playback.view().timecode
    assert stage.transport.bar.value() == playback.frame()


def test_the_picture_follows_the_playhead(stage: Stage, qtbot: QtBot, until: Until) -> None:
    press(qtbot, stage.viewer, KEY.Key_Right, KEY.Key_Right)
    wanted = stage.screening.playback.time()
    until(lambda: stage.screening.frame is not None and stage.screening.frame.wish.time == wanted)


def test_space_plays_loops_and_stops(stage: Stage, qtbot: QtBot, until: Until) -> None:
    playback = stage.screening.playback
    press(qtbot, stage.viewer, KEY.Key_Space)
    assert playback.playing
    assert stage.transport.play.accessibleName() == "Stop"
    until(lambda: playback.frame() > 3)
    press(qtbot, stage.viewer, KEY.Key_Space)
    assert not playback.playing
    assert stage.transport.bar.value() == playback.frame()


def test_without_a_device_it_plays_and_says_why(stage: Stage, qtbot: QtBot, until: Until) -> None:
    press(qtbot, stage.viewer, KEY.Key_Space)
    until(stage.transport.reason.isVisible)

    assert stage.transport.reason.text().startswith("Silent: No sound device was found.")
    assert stage.screening.playback.playing


def test_j_k_and_l_shuttle(stage: Stage, qtbot: QtBot) -> None:
    playback = stage.screening.playback
    speeds = []
    for key in (KEY.Key_L, KEY.Key_L, KEY.Key_J, KEY.Key_J, KEY.Key_K):
        press(qtbot, stage.viewer, key)
        speeds.append(playback.speed)

    assert speeds == [1, 2, -1, -2, 0]


def test_marks_are_set_told_and_cleared(stage: Stage, qtbot: QtBot) -> None:
    press(qtbot, stage.viewer, KEY.Key_Right, KEY.Key_Right, KEY.Key_I)
    press(qtbot, stage.viewer, KEY.Key_Right, KEY.Key_Right, KEY.Key_O)
    view = stage.screening.playback.view()
    assert (view.mark_in, view.mark_out) == (2, 4)
    assert stage.marked() is not None
    assert stage.transport.speed.text() == "3 frames"
    qtbot.keyClick(stage.viewer, KEY.Key_X, ALT)
    assert stage.marked() is None


def test_loop_and_mute_are_switched_by_keyboard(stage: Stage, qtbot: QtBot) -> None:
    qtbot.keyClick(stage.viewer, KEY.Key_L, CTRL)
    qtbot.keyClick(stage.viewer, KEY.Key_S, SHIFT)

    assert not stage.screening.playback.loop
    assert stage.screening.playback.muted


def test_the_matte_and_the_focus_are_switched_by_keyboard(stage: Stage, qtbot: QtBot) -> None:
    press(qtbot, stage.viewer, KEY.Key_M, KEY.Key_F)
    assert not stage.screening.overlay.shown
    assert stage.screening.focus.value == "rectangle"
    qtbot.keyClick(stage.viewer, KEY.Key_M, SHIFT)
    assert stage.screening.overlay.shown
    assert not stage.screening.overlay.outline


def test_keys_play_from_the_list_but_words_stay_words(opened: Window, qtbot: QtBot) -> None:
    playback = opened.stage.screening.playback
    opened.spots.table.setFocus()
    press(qtbot, opened.spots.table, KEY.Key_L)
    assert playback.playing
    press(qtbot, opened.spots.table, KEY.Key_K)
    field = opened.inspector.prompt
    opened.deeds.do("go_sound")
    field.selectAll()
    qtbot.keyClicks(field, "jkl mio")
    assert not playback.playing
    assert field.text() == "jkl mio"


def test_space_presses_the_button_that_has_the_keys(stage: Stage, qtbot: QtBot, until: Until) -> None:
    stage.transport.loop.setFocus()
    until(stage.transport.loop.hasFocus)
    press(qtbot, stage.transport.loop, KEY.Key_Space)

    assert not stage.screening.playback.loop
    assert not stage.screening.playback.playing


def test_scrubbing_works_while_it_renders(opened: Window, stage: Stage, qtbot: QtBot, until: Until) -> None:
    desk = opened.pulse.desk
    desk.queue.generate((stage.screening.cue_id,), takes=20)
    until(lambda: desk.queue.running)
    seen = []
    for _ in range(5):
        press(qtbot, stage.viewer, KEY.Key_Right)
        wanted = stage.screening.playback.time()
        until(lambda wanted=wanted: stage.screening.frame and stage.screening.frame.wish.time == wanted)
        seen.append(desk.queue.running)
    desk.queue.cancel_all()
    until(lambda: not desk.queue.running)

    assert seen[0]
    assert stage.screening.playback.frame() == 5


def test_another_spot_begins_at_its_first_frame(opened: Window, stage: Stage, until: Until) -> None:
    stage.screening.playback.step(5)
    rows = opened.pulse.desk.spots.rows()
    opened.spots.select((rows[1].id,))
    until(lambda: stage.screening.cue_id == rows[1].id)

    assert stage.screening.playback.frame() == 0
    assert stage.transport.timecode.text() == rows[1].start
    assert stage.transport.bar.maximum() == stage.screening.playback.view().frames - 1


def test_every_key_of_the_sheet_is_one(stage: Stage) -> None:
    bound = {each.key().toString() for each in stage.findChildren(QShortcut)}
    told = {
        QKeySequence(key.strip()).toString()
        for keys, _ in transport.KEYS
        for key in keys.split(",")
        if key.strip()
    }

    assert told <= bound
    assert len({keys for keys, _ in takes.KEYS}) == len(takes.KEYS)


def test_everything_has_a_name_for_screen_readers(stage: Stage) -> None:
    nameless = [
        each
        for each in stage.findChildren(QWidget)
        if each.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not each.accessibleName()
        and each.isVisible()
        and each.objectName() != "qt_spinbox_lineedit"
    ]
    assert [type(each).__name__ for each in nameless] == []
