"""The page of mask mode over a real session: gestures, undo, sizes, tracking, leaving."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from plugin.controller.desk import Desk
from plugin.controller.masking.views import FrameState, MaskOverlay, Tool, TrackingState
from plugin.errors import BadPrompt
from plugin.folders import Folders
from plugin.masks.prompts import Box, Click, Lasso, Stroke
from plugin.panel.maskmode import MaskMode
from plugin.panel.palettes import DARK
from plugin.panel.pulse import Pulse
from tests.panel.conftest import Until
from tests.panel.made_masks import ALT, CTRL, RIGHT, SHIFT, drag, turn
from tests.panel.mask_crew import FRAMES, HEIGHT, SIZES, WIDTH, Crewed, crewed

KEY = Qt.Key


class Mode:
    """The page, its session, and short words for what a person does."""

    def __init__(self, page: MaskMode, made: Crewed, qtbot: QtBot) -> None:
        self.page, self.session, self.qtbot = page, made.session, qtbot
        self.segmenter, self.tracker = made.segmenter, made.tracker

    def at(self, x: float, y: float) -> QPointF:
        return self.page.canvas.sight.to_widget((x, y))

    def drag(self, *places: tuple[float, float], **how: object) -> None:
        drag(self.page.canvas, *(self.at(x, y) for x, y in places), **how)  # type: ignore[arg-type]

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.qtbot.keyClick(QApplication.focusWidget() or self.page, key, keys)

    @property
    def gestures(self) -> tuple[object, ...]:
        prompts = self.session.marking.prompts()
        return prompts.gestures if prompts else ()

    @property
    def states(self) -> str:
        """A letter for each frame of the strip."""
        strip = self.session.strip()
        return "".join(each.state.value[0] for each in strip.frames) if strip else ""


@pytest.fixture
def made(tmp_path: Path, qtbot: QtBot, folders: Folders) -> Iterator[tuple[MaskMode, Pulse]]:
    desk = Desk.open(folders=folders)
    pulse = Pulse(desk)
    page = MaskMode(pulse, DARK)
    qtbot.addWidget(page)
    page.resize(900, 640)
    page.show()
    qtbot.waitExposed(page)
    page.activateWindow()
    yield page, pulse
    page.put_away()
    desk.close()


@pytest.fixture
def mode(made: tuple[MaskMode, Pulse], tmp_path: Path, qtbot: QtBot, until: Until) -> Iterator[Mode]:
    page, _ = made
    crew = crewed(tmp_path / "shot", ready=page.wake)
    page.work_on(crew.session)
    until(lambda: crew.session.picture is not None and crew.session.picture.still is not None)
    yield Mode(page, crew, qtbot)
    crew.segmenter.gate.set()
    page.put_away()
    crew.session.close()


def test_the_first_picture_comes_and_fits(mode: Mode) -> None:
    rect = mode.page.canvas.sight.rect
    assert rect.width() / rect.height() == pytest.approx(WIDTH / HEIGHT)
    assert mode.page.title.text() == "film.mp4"
    assert mode.page.objects.list.currentText() == "violin"
    assert not mode.page.save.isEnabled()


@pytest.mark.parametrize(
    ("key", "tool"),
    [("V", Tool.MOVE), ("P", Tool.POINT), ("B", Tool.BOX), ("L", Tool.LASSO), ("E", Tool.BRUSH)],
)
def test_tools_by_key_and_by_button(mode: Mode, key: str, tool: Tool) -> None:
    other = Tool.BOX if tool is not Tool.BOX else Tool.POINT
    mode.page.tools.tools[other].click()
    assert mode.session.view().tool is other
    mode.qtbot.keyClicks(mode.page, key)
    assert mode.session.view().tool is tool
    assert mode.page.tools.tools[tool].isChecked()
    assert not mode.page.tools.tools[other].isChecked()


def test_every_gesture_is_said_and_undone_one_by_one(mode: Mode, until: Until) -> None:
    mode.drag((40, 45))
    mode.key(KEY.Key_B)
    mode.drag((20, 30), (50, 60))
    mode.key(KEY.Key_L)
    mode.drag((60, 10), (80, 10), (80, 30), (60, 30), button=RIGHT)
    mode.key(KEY.Key_E)
    mode.drag((30, 30), (60, 30))
    mode.key(KEY.Key_X)
    mode.drag((30, 30), (40, 30))
    kinds = [type(each) for each in mode.gestures]
    assert kinds[-3:] == [Lasso, Stroke, Stroke]
    assert {Click, Box} <= set(kinds)
    lasso, paint, erase = mode.gestures[-3:]
    assert (lasso.inside, paint.paints, erase.paints) == (False, True, False)
    for left in range(len(kinds) - 1, -1, -1):
        mode.page.undo()
        assert len(mode.gestures) == left
    assert not mode.session.view().undo
    for now in range(1, len(kinds) + 1):
        mode.page.redo()
        assert len(mode.gestures) == now
    until(lambda: not mode.session.picture.working)
    assert mode.page.save.isEnabled()


def test_right_and_alt_take_away(mode: Mode) -> None:
    mode.drag((40, 45))
    mode.drag((100, 45), button=RIGHT)
    mode.drag((110, 45), keys=ALT)
    assert [each.inside for each in mode.gestures] == [True, False, False]


def test_places_are_those_of_the_source_however_near_one_looks(mode: Mode) -> None:
    for _ in range(9):
        mode.key(KEY.Key_Plus)
    assert mode.page.canvas.sight.zoom > 7
    mode.drag((80.25, 44.75))
    (click,) = mode.gestures
    assert click.place == (pytest.approx(80.25), pytest.approx(44.75))
    mode.key(KEY.Key_0)
    assert mode.page.canvas.sight.zoom == 1


def test_a_single_click_offers_sizes(mode: Mode, until: Until) -> None:
    mode.drag((60, 45))
    until(lambda: mode.session.picture.candidates == len(SIZES))
    mode.key(KEY.Key_Tab)
    until(lambda: mode.session.picture.candidate == 2)
    turn(mode.page.canvas, -1, at=mode.at(60, 45))
    until(lambda: mode.session.picture.candidate == 1)
    assert len(mode.gestures) == 1, "a size is not another gesture"
    mode.key(KEY.Key_Right)
    turn(mode.page.canvas, -1, at=mode.at(60, 45))
    assert mode.session.frame == 2, "in another frame the wheel steps"


def test_a_point_is_moved_and_removed(mode: Mode) -> None:
    mode.drag((40, 45))
    mode.drag((100, 45), button=RIGHT)
    mode.key(KEY.Key_V)
    mode.drag((40, 45), (50, 40))
    assert mode.gestures[0].place == (pytest.approx(50), pytest.approx(40))
    mode.drag((100, 45))
    mode.key(KEY.Key_Delete)
    assert len(mode.gestures) == 1
    mode.key(KEY.Key_Delete)
    assert len(mode.gestures) == 1, "nothing is chosen any more"
    mode.page.undo()
    mode.page.undo()
    assert [each.place[0] for each in mode.gestures] == [pytest.approx(40), pytest.approx(100)]


def test_the_brush_has_a_size(mode: Mode) -> None:
    mode.key(KEY.Key_E)
    before = mode.session.view().radius
    mode.key(KEY.Key_BracketRight)
    mode.key(KEY.Key_BracketRight)
    assert mode.session.view().radius > before
    mode.key(KEY.Key_BracketLeft)
    mode.page.line.radius.setValue(17)
    assert mode.session.view().radius == 17
    mode.drag((30, 30), (60, 30))
    (stroke,) = mode.gestures
    assert stroke.radius == 17


def test_the_overlay_goes_round(mode: Mode, until: Until) -> None:
    mode.key(KEY.Key_B)
    mode.drag((20, 30), (50, 60))
    until(lambda: not mode.session.picture.working and mode.states[0] == "k")
    until(lambda: not mode.session.busy)
    seen = {}
    for _ in range(4):
        before = mode.session.picture.still.rgb
        mode.key(KEY.Key_M)
        until(lambda before=before: mode.session.picture.still.rgb != before)
        seen[mode.session.view().overlay] = mode.session.picture.still.rgb
    assert set(seen) == set(MaskOverlay)
    assert len(set(seen.values())) == 4
    mode.page.line.overlay.setCurrentIndex(mode.page.line.overlay.findData(MaskOverlay.MATTE.value))
    mode.page.line.overlay.activated.emit(mode.page.line.overlay.currentIndex())
    assert mode.session.view().overlay is MaskOverlay.MATTE


def test_waiting_for_a_mask_is_shown_on_the_picture(mode: Mode, until: Until) -> None:
    mode.segmenter.gate.clear()
    mode.drag((60, 45))
    until(lambda: mode.page.canvas.waiting)
    mode.segmenter.gate.set()
    until(lambda: not mode.page.canvas.waiting)
    assert mode.session.picture.state is FrameState.KEYFRAME


def test_the_playhead_goes_where_keys_say(mode: Mode) -> None:
    frames = []
    for key, keys in (
        (KEY.Key_Right, None),
        (KEY.Key_Right, SHIFT),
        (KEY.Key_Left, None),
        (KEY.Key_End, None),
        (KEY.Key_Left, SHIFT),
        (KEY.Key_Home, None),
    ):
        mode.key(key, keys or Qt.KeyboardModifier.NoModifier)
        frames.append(mode.session.frame)
    assert frames == [1, 11, 10, FRAMES - 1, FRAMES - 11, 0]
    assert "Frame 0" in mode.page.canvas.accessibleDescription()


def test_l_is_the_lasso_until_something_plays(mode: Mode) -> None:
    mode.key(KEY.Key_L)
    assert mode.session.view().tool is Tool.LASSO
    assert not mode.session.playback.playing
    mode.key(KEY.Key_Space)
    mode.key(KEY.Key_L)
    assert mode.session.playback.speed == 2
    mode.key(KEY.Key_K)
    mode.key(KEY.Key_J)
    assert mode.session.playback.speed == -1
    mode.key(KEY.Key_K)
    mode.key(KEY.Key_L, SHIFT)
    assert mode.session.playback.speed == 1
    mode.key(KEY.Key_K)
    assert mode.session.view().tool is Tool.LASSO


def box_in_frame(mode: Mode, frame: int, until: Until) -> None:
    mode.session.show(frame)
    mode.key(KEY.Key_B)
    mode.drag((20 + frame, 30), (50 + frame, 60))
    until(lambda: mode.states[frame] == "k" and not mode.session.picture.working)


def test_tracking_forward_back_and_one_frame(mode: Mode, until: Until) -> None:
    box_in_frame(mode, 20, until)
    mode.key(KEY.Key_F, SHIFT)
    until(lambda: mode.states[21] == "t" and not mode.session.tracking.running)
    assert mode.states.count("t") == 1
    mode.session.show(20)
    mode.key(KEY.Key_R, SHIFT)
    until(lambda: mode.states[19] == "t" and not mode.session.tracking.running)
    mode.session.show(20)
    mode.key(KEY.Key_F)
    until(lambda: mode.session.tracking.state is TrackingState.DONE)
    assert mode.states[20:] == "k" + 19 * "t"
    assert mode.states[:19] == 19 * "g"
    mode.session.show(20)
    mode.key(KEY.Key_R)
    until(lambda: mode.states[:20] == 20 * "t")


def test_the_range_limits_tracking(mode: Mode, until: Until) -> None:
    box_in_frame(mode, 20, until)
    mode.session.show(15)
    mode.key(KEY.Key_I)
    mode.session.show(25)
    mode.key(KEY.Key_O)
    mode.session.show(20)
    mode.page.track.both.click()
    until(lambda: mode.session.tracking is not None and mode.session.tracking.state is TrackingState.DONE)
    assert mode.states == 15 * "g" + 5 * "t" + "k" + 5 * "t" + 14 * "g"
    mode.key(KEY.Key_X, ALT)
    assert mode.session.view().mark_in is None


def test_cancel_keeps_what_was_tracked(mode: Mode, until: Until) -> None:
    mode.tracker.room = threading.Semaphore(0)
    box_in_frame(mode, 20, until)
    mode.key(KEY.Key_T)
    for _ in range(8):
        mode.tracker.room.release()
    until(lambda: mode.states.count("t") >= 6)
    assert mode.page.track.stop.isVisible()
    assert mode.page.track.bar.isVisible()
    kept = mode.states.count("t")
    assert mode.page.escape()
    until(lambda: not mode.session.tracking.running)
    assert mode.session.tracking.state is TrackingState.STOPPED
    assert mode.states.count("t") >= kept
    assert not mode.page.track.stop.isVisible()
    mode.tracker.room = None
    mode.session.show(20)
    mode.key(KEY.Key_T)
    until(lambda: mode.states.count("t") == FRAMES - 1)


def lose_at(mode: Mode, frame: int, until: Until) -> None:
    mode.tracker.surety = lambda each: 0.1 if each >= frame else 0.9
    box_in_frame(mode, 5, until)
    mode.key(KEY.Key_F)
    until(lambda: mode.session.tracking is not None and mode.session.tracking.state is TrackingState.PAUSED)
    until(mode.page.pause.isVisible)


def test_a_lost_object_pauses_and_can_be_marked_absent(mode: Mode, until: Until) -> None:
    lose_at(mode, 12, until)
    words = mode.page.pause.text.text()
    assert "The object may be gone or changed" in words
    assert "Click it again, or mark it absent here." in words
    assert mode.session.frame == 12
    mode.page.pause.absent.click()
    assert not mode.page.pause.isVisible()
    assert mode.states[12:] == (FRAMES - 12) * "a"


def test_a_lost_object_can_be_marked_again(mode: Mode, until: Until) -> None:
    lose_at(mode, 12, until)
    mode.page.pause.again.click()
    assert mode.session.view().tool is Tool.POINT
    assert mode.page.canvas.hasFocus()
    mode.drag((40, 45))
    until(lambda: mode.states[12] == "k")
    assert not mode.page.pause.isVisible()


def test_absent_and_back(mode: Mode, until: Until) -> None:
    box_in_frame(mode, 5, until)
    mode.session.show(10)
    mode.key(KEY.Key_A)
    assert mode.states[10:] == (FRAMES - 10) * "a"
    until(mode.page.transport.absent.isChecked)
    told: list[str] = []
    mode.page.told.connect(told.append)
    mode.session.show(20)
    until(lambda: mode.session.picture.frame == 20)
    mode.key(KEY.Key_A)
    assert "draw the object in this frame" in told[0]
    mode.session.show(10)
    until(lambda: mode.session.picture.frame == 10)
    mode.key(KEY.Key_A)
    assert "a" not in mode.states


def test_keyframes_are_stepped_through_and_removed(mode: Mode, until: Until) -> None:
    box_in_frame(mode, 5, until)
    box_in_frame(mode, 25, until)
    mode.key(KEY.Key_Left, CTRL)
    assert mode.session.frame == 5
    mode.key(KEY.Key_Right, CTRL)
    assert mode.session.frame == 25
    until(lambda: mode.session.picture.frame == 25)
    mode.key(KEY.Key_Delete, SHIFT)
    assert mode.states.count("k") == 1


def test_the_strip_is_scrubbed(mode: Mode) -> None:
    strip = mode.page.strip
    drag(strip, QPointF(strip.place_of(30) + 2, 10))
    assert mode.session.frame == 30


def test_several_objects(mode: Mode, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    box_in_frame(mode, 0, until)
    monkeypatch.setattr("plugin.panel.maskobjects.QInputDialog.getText", lambda *_, **__: ("trumpet", True))
    mode.key(KEY.Key_N, SHIFT)
    assert mode.page.objects.list.currentText() == "trumpet"
    assert mode.gestures == ()
    mode.drag((100, 20), (120, 40))
    assert len(mode.gestures) == 1
    mode.key(KEY.Key_Q)
    assert mode.page.objects.list.currentText() == "violin"
    mode.key(KEY.Key_H)
    assert not mode.session.view().objects[0].shown
    monkeypatch.setattr("plugin.panel.maskobjects.QInputDialog.getText", lambda *_, **__: ("fiddle", True))
    mode.key(KEY.Key_N)
    assert [each.label for each in mode.session.view().objects] == ["fiddle", "trumpet"]
    mode.page.objects.remove.click()
    assert [each.label for each in mode.session.view().objects] == ["trumpet"]
    mode.page.undo()
    assert len(mode.session.view().objects) == 2


def test_two_objects_of_one_name_are_refused_in_words(
    mode: Mode, made: tuple[MaskMode, Pulse], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    made[1].failed.connect(lambda error: told.append(str(error)))
    monkeypatch.setattr("plugin.panel.maskobjects.QInputDialog.getText", lambda *_, **__: ("violin", True))
    mode.key(KEY.Key_N, SHIFT)
    assert "Another object is called 'violin'" in told[0]


def test_tracking_without_a_gesture_is_refused_in_words(mode: Mode, made: tuple[MaskMode, Pulse]) -> None:
    told: list[str] = []
    made[1].failed.connect(lambda error: told.append(str(error)))
    mode.key(KEY.Key_F)
    assert "Nothing is drawn yet" in told[0]
    assert not mode.page.track.both.isEnabled()


def test_text_fields_keep_their_letters(mode: Mode) -> None:
    mode.key(KEY.Key_E)
    mode.page.line.radius.setFocus()
    before = mode.session.view().tool, mode.session.frame
    mode.page.line.radius.lineEdit().selectAll()
    mode.qtbot.keyClicks(mode.page.line.radius, "25PB")
    mode.qtbot.keyClick(mode.page.line.radius, KEY.Key_Left)
    mode.qtbot.keyClick(mode.page.line.radius, KEY.Key_Home)
    assert (mode.session.view().tool, mode.session.frame) == before
    assert mode.session.view().radius == 25


def test_arrows_step_wherever_the_keys_are(mode: Mode) -> None:
    for part in (mode.page.strip, mode.page.tools.flip, mode.page.track.both, mode.page.objects.list):
        part.setEnabled(True)
        part.setFocus()
        before = mode.session.frame
        mode.qtbot.keyClick(part, KEY.Key_Right)
        assert mode.session.frame == before + 1


def test_space_presses_a_button_that_has_the_keys(mode: Mode) -> None:
    button = mode.page.tools.tools[Tool.BOX]
    button.setFocus()
    mode.key(KEY.Key_Space)
    assert mode.session.view().tool is Tool.BOX
    assert not mode.session.playback.playing


def test_a_click_beside_the_picture_is_told_for_a_while(mode: Mode, made: tuple[MaskMode, Pulse]) -> None:
    told: list[str] = []
    failed: list[object] = []
    mode.page.told.connect(told.append)
    made[1].failed.connect(failed.append)
    mode.key(KEY.Key_P)
    rect = mode.page.canvas.sight.rect
    left, top = (edge / 2 for edge in (rect.left(), rect.top()))
    drag(
        mode.page.canvas, QPointF(left, rect.center().y()) if left > top else QPointF(rect.center().x(), top)
    )
    assert told == ["The click lies beside the picture. Click on the picture itself."]
    assert failed == [], "it need not be put away"
    assert mode.gestures == ()


def test_a_gesture_that_means_nothing_is_said_on_the_picture_and_under_it(mode: Mode, until: Until) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise BadPrompt("There is no object under the click.", remedy="Draw a lasso.")

    mode.segmenter.segment = nothing  # type: ignore[method-assign]
    mode.drag((40, 45))
    until(lambda: mode.session.picture.notice)
    assert "There is no object under the click. Draw a lasso." in mode.page.canvas.accessibleDescription()
    assert mode.page.transport.state.text() == "keyframe without a mask"
    mode.page.undo()
    until(lambda: not mode.session.picture.notice)
    assert mode.page.transport.state.text() == "nothing known here"
