"""Gestures on the picture of mask mode, by mouse and by keys, become places in the source."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from plugin.controller.masking.views import Tool
from plugin.masks.prompts import Box, Click, Gesture, Lasso, Stroke
from plugin.panel.maskcanvas import MaskCanvas
from plugin.panel.maskmarks import OFF, ON
from plugin.panel.palettes import DARK
from tests.panel.made_masks import (
    ALT,
    CTRL,
    MIDDLE,
    RIGHT,
    SHIFT,
    double,
    drag,
    marks,
    move,
    picture,
    press,
    release,
    share,
    turn,
    view,
)

KEY = Qt.Key


class Told:
    """What a canvas has told."""

    def __init__(self, canvas: MaskCanvas) -> None:
        self.gestures: list[Gesture] = []
        self.moved: list[tuple[int, object]] = []
        self.frames: list[int] = []
        self.sizes: list[int] = []
        self.pixels: list[tuple[int, int]] = []
        canvas.gestured.connect(self.gestures.append)
        canvas.moved.connect(lambda index, place: self.moved.append((index, place)))
        canvas.wheeled.connect(self.frames.append)
        canvas.candidate_wanted.connect(self.sizes.append)
        canvas.resized.connect(lambda width, height: self.pixels.append((width, height)))


@pytest.fixture
def canvas(qtbot: QtBot) -> MaskCanvas:
    """A picture of 200 by 100 source pixels on 400 by 300: each source pixel is two, from 50 down."""
    made = MaskCanvas(DARK)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    made.show_view(view())
    made.show_picture(picture())
    return made


@pytest.fixture
def told(canvas: MaskCanvas) -> Told:
    return Told(canvas)


def at(x: float, y: float) -> QPointF:
    """Where a source place is on that canvas."""
    return QPointF(2 * x, 50 + 2 * y)


def shown(canvas: MaskCanvas) -> QImage:
    return canvas.grab().toImage()


def test_left_adds_right_and_alt_take_away(canvas: MaskCanvas, told: Told) -> None:
    drag(canvas, at(20, 30))
    drag(canvas, at(40, 30), button=RIGHT)
    drag(canvas, at(60, 30), keys=ALT)
    assert told.gestures == [Click((20, 30), True), Click((40, 30), False), Click((60, 30), False)]


def test_two_quick_clicks_are_two_points(canvas: MaskCanvas, told: Told) -> None:
    drag(canvas, at(20, 30))
    double(canvas, at(20, 30))
    assert len(told.gestures) == 2


def test_a_box_is_drawn_either_way_and_stays_in_the_picture(canvas: MaskCanvas, told: Told) -> None:
    canvas.show_view(view(tool=Tool.BOX))
    drag(canvas, at(80, 70), at(50, 50), at(20, 30))
    drag(canvas, at(20, 30), at(500, 500))
    drag(canvas, at(20, 30), at(30, 40), button=RIGHT)
    drag(canvas, at(20, 30), at(20.4, 30))  # a slip
    corners = ((20, 30), (30, 30), (30, 40), (20, 40))
    assert told.gestures == [Box(20, 30, 80, 70), Box(20, 30, 200, 100), Lasso(corners, inside=False)]


def test_a_rubber_band_is_seen_while_it_is_dragged(canvas: MaskCanvas) -> None:
    canvas.show_view(view(tool=Tool.BOX))
    press(canvas, at(20, 30))
    move(canvas, at(80, 70))
    image = shown(canvas)
    for x in (20, 80):
        middle = 2 * x
        assert share(image, ON, left=middle - 2, right=middle + 2, top=120, bottom=180) > 0.2
    release(canvas, at(80, 70))
    assert share(shown(canvas), ON, left=0, right=400, top=0, bottom=300) == 0, "the session draws it then"


def test_a_lasso_is_drawn_in_one_go(canvas: MaskCanvas, told: Told) -> None:
    canvas.show_view(view(tool=Tool.LASSO))
    drag(canvas, at(20, 20), at(60, 20), at(60, 60), at(20, 60), at(20, 24))
    drag(canvas, at(20, 20), at(60, 20), at(60, 60), button=RIGHT)
    around, away = told.gestures
    assert isinstance(around, Lasso)
    assert around.inside
    assert around.places == ((20, 20), (60, 20), (60, 60), (20, 60), (20, 24))
    assert away == Lasso(((20, 20), (60, 20), (60, 60)), inside=False)


@pytest.mark.parametrize("how", ["double click", "first corner", "Enter"])
def test_a_lasso_is_drawn_corner_by_corner(canvas: MaskCanvas, told: Told, qtbot: QtBot, how: str) -> None:
    canvas.show_view(view(tool=Tool.LASSO))
    corners = [at(20, 20), at(60, 20), at(60, 60), at(20, 60)]
    for corner in corners:
        drag(canvas, corner)
        move(canvas, corner + QPointF(30, 3), Qt.MouseButton.NoButton)
    assert not told.gestures
    if how == "double click":
        double(canvas, at(20, 60))
    elif how == "first corner":
        drag(canvas, at(20.5, 20.5))
    else:
        move(canvas, corners[-1], Qt.MouseButton.NoButton)
        qtbot.keyClick(canvas, KEY.Key_Return)
    (lasso,) = told.gestures
    assert isinstance(lasso, Lasso)
    assert set(lasso.places) >= {(20, 20), (60, 20), (60, 60), (20, 60)}
    assert len(lasso.places) <= 5


def test_a_corner_is_taken_back_and_a_lasso_is_forgotten(
    canvas: MaskCanvas, told: Told, qtbot: QtBot
) -> None:
    canvas.show_view(view(tool=Tool.LASSO))
    for corner in (at(20, 20), at(60, 20), at(99, 99), at(60, 60)):
        drag(canvas, corner)
    qtbot.keyClick(canvas, KEY.Key_Backspace)
    qtbot.keyClick(canvas, KEY.Key_Backspace)
    drag(canvas, at(60, 60))
    double(canvas, at(20, 60))
    (lasso,) = told.gestures
    assert isinstance(lasso, Lasso)
    assert (99, 99) not in lasso.places
    drag(canvas, at(20, 20))
    assert canvas.drawing
    assert canvas.cancel_drawing()
    assert not canvas.cancel_drawing()


def test_a_stroke_paints_and_erases(canvas: MaskCanvas, told: Told) -> None:
    canvas.show_view(view(tool=Tool.BRUSH, radius=6.0))
    drag(canvas, at(20, 20), at(40, 20), at(60, 20))
    drag(canvas, at(20, 20), button=RIGHT)
    canvas.show_view(view(tool=Tool.BRUSH, radius=6.0, paints=False))
    drag(canvas, at(20, 20))
    drag(canvas, at(20, 20), button=RIGHT)
    assert told.gestures[0] == Stroke(((20, 20), (40, 20), (60, 20)), 6.0, True)
    assert [each.paints for each in told.gestures if isinstance(each, Stroke)] == [True, False, False, True]


def test_the_brush_is_as_large_as_what_it_paints(canvas: MaskCanvas) -> None:
    canvas.show_view(view(tool=Tool.BRUSH, radius=20.0))
    move(canvas, at(100, 50), Qt.MouseButton.NoButton)
    image = shown(canvas)
    light = [x for x in range(130, 271) if image.pixelColor(x, 150).lightness() > 150]
    assert min(light) in range(158, 163)
    assert max(light) in range(237, 242)
    assert all(x < 163 or x > 237 or abs(x - 200) < 6 for x in light), "a ring with a plus in its middle"
    assert canvas.cursor().shape() is Qt.CursorShape.BlankCursor


def test_marks_have_a_sign_and_not_only_a_colour(canvas: MaskCanvas) -> None:
    canvas.show_view(view(marks=marks(Click((50, 50)), Click((150, 50), inside=False))))
    image, white = shown(canvas), QColor("#ffffff")
    for x, colour, upright in ((50, ON, True), (150, OFF, False)):
        left = 2 * x
        assert share(image, colour, left=left - 7, right=left + 7, top=143, bottom=157) > 0.3
        assert share(image, white, left=left - 3, right=left + 3, top=149, bottom=151) > 0.8
        arm = share(image, white, left=left - 1, right=left + 1, top=146, bottom=148)
        assert (arm > 0.5) is upright


@pytest.mark.parametrize("tool", [Tool.MOVE, Tool.POINT])
def test_a_mark_is_chosen_and_moved(canvas: MaskCanvas, told: Told, tool: Tool) -> None:
    canvas.show_view(view(tool=tool, marks=marks(Click((50, 50)), Click((150, 50)))))
    drag(canvas, at(151, 51))
    assert canvas.chosen == 1
    assert not told.moved
    drag(canvas, at(50, 50), at(60, 60), at(70, 20))
    assert canvas.chosen == 0
    assert told.moved == [(0, (70, 20))]
    assert not told.gestures
    chosen = share(shown(canvas), QColor("#ffd84a"), left=85, right=115, top=135, bottom=165)
    assert chosen > 0.02


def test_the_handle_of_a_box_is_no_obstacle_to_a_point(canvas: MaskCanvas, told: Told) -> None:
    """It is in the middle of the object, where one clicks."""
    drawn = marks(Box(20, 30, 80, 70))
    canvas.show_view(view(marks=drawn))
    drag(canvas, at(50, 50))
    assert told.gestures == [Click((50, 50))]
    canvas.show_view(view(tool=Tool.MOVE, marks=drawn))
    drag(canvas, at(50, 50), at(60, 50))
    assert told.moved == [(0, (60, 50))]


def test_what_was_chosen_is_forgotten_with_its_mark(canvas: MaskCanvas) -> None:
    shown_view = view(marks=marks(Click((50, 50))))
    canvas.show_view(shown_view)
    drag(canvas, at(50, 50))
    canvas.show_view(shown_view)
    assert canvas.chosen == 0
    canvas.show_view(view())
    assert canvas.chosen is None


def test_the_wheel_steps_zooms_and_chooses_a_size(canvas: MaskCanvas, told: Told) -> None:
    turn(canvas, 1, at=at(50, 50))
    turn(canvas, -1, at=at(50, 50))
    assert told.frames == [-1, 1]
    canvas.show_picture(picture(candidates=4, candidate=1))
    turn(canvas, 1, at=at(50, 50))
    assert told.frames == [-1, 1, -1], "the click was long ago"
    drag(canvas, at(50, 50))
    turn(canvas, 1, at=at(50, 50))
    turn(canvas, -1, at=at(50, 50))
    assert told.sizes == [1, -1]
    assert told.frames == [-1, 1, -1]
    canvas.show_view(view(frame=11))
    turn(canvas, -1, at=at(50, 50))
    assert told.frames[-1] == 1
    turn(canvas, 1, at=at(50, 50), keys=CTRL)
    assert canvas.sight.zoom == 1.25


def test_tab_chooses_a_size_only_while_there_are_several(
    canvas: MaskCanvas, told: Told, qtbot: QtBot
) -> None:
    canvas.setFocus()
    canvas.show_view(view(marks=marks(Click((50, 50)))))
    drag(canvas, at(50, 50))
    canvas.show_picture(picture(candidates=4, candidate=1))
    qtbot.keyClick(canvas, KEY.Key_Tab)
    qtbot.keyClick(canvas, KEY.Key_Backtab)
    assert told.sizes == [1], "Shift+Tab leaves the picture"


def test_zoom_keeps_what_is_under_the_pointer(canvas: MaskCanvas, told: Told) -> None:
    """Once the picture is larger than the room for it; before, it is in the middle."""
    for _ in range(3):
        turn(canvas, 1, at=at(150, 80), keys=CTRL)
    there = canvas.sight.to_source(at(150, 80))
    assert there[0] == pytest.approx(150)
    for _ in range(5):
        turn(canvas, 1, at=at(150, 80), keys=CTRL)
    drag(canvas, at(150, 80))
    (click,) = told.gestures
    assert isinstance(click, Click)
    assert click.place == (pytest.approx(there[0]), pytest.approx(there[1]))
    before = canvas.sight.to_source(QPointF(200, 150))
    drag(canvas, QPointF(200, 150), QPointF(230, 150), button=MIDDLE)
    assert canvas.sight.to_source(QPointF(230, 150)) == (pytest.approx(before[0]), pytest.approx(before[1]))
    canvas.look_at_all()
    assert canvas.sight.rect.width() == 400


def test_zoomed_out_there_is_nothing_beside_the_picture_to_see(canvas: MaskCanvas) -> None:
    canvas.look_closer(4)
    drag(canvas, QPointF(0, 0), QPointF(5000, 5000), button=MIDDLE)
    assert canvas.sight.to_source(QPointF(0, 0)) == (0, 0)
    canvas.look_closer(0.01)
    assert canvas.sight.zoom == 1
    for _ in range(40):
        canvas.look_closer(2)
    assert canvas.sight.zoom == 32


def test_the_move_tool_moves_the_picture_beside_marks(canvas: MaskCanvas, told: Told) -> None:
    canvas.show_view(view(tool=Tool.MOVE))
    canvas.look_closer(4)
    before = canvas.sight.centre
    drag(canvas, QPointF(200, 150), QPointF(160, 150))
    assert canvas.sight.centre[0] > before[0]
    assert not told.gestures


def test_more_pixels_are_asked_for_closer_but_never_more_than_there_are(qtbot: QtBot) -> None:
    made = MaskCanvas(DARK)
    qtbot.addWidget(made)
    told = Told(made)
    made.resize(400, 300)
    made.show()
    made.show_view(view(width=1920, height=1080))
    ratio = made.devicePixelRatioF()
    assert told.pixels[-1] == (round(400 * ratio), round(225 * ratio))
    made.look_closer(2)
    assert told.pixels[-1] == (round(800 * ratio), round(450 * ratio))
    made.look_closer(16)
    assert told.pixels[-1] == (1920, 1080)
    made.show_view(view(width=7680, height=4320))
    made.look_closer(32)
    assert told.pixels[-1] == (4096, 2304), "8K is not decoded whole"


def test_waiting_is_shown_after_a_tenth_of_a_second(canvas: MaskCanvas, qtbot: QtBot) -> None:
    canvas.show_picture(picture(working=True))
    assert not canvas.waiting
    qtbot.waitUntil(lambda: canvas.waiting)
    with_sign = shown(canvas)
    canvas.show_picture(picture())
    assert not canvas.waiting
    assert shown(canvas) != with_sign
    canvas.show_picture(picture(working=True))
    canvas.show_picture(picture())
    assert not canvas._patience.isActive(), "a quick answer shows none"


def test_everything_can_be_drawn_with_keys(canvas: MaskCanvas, told: Told, qtbot: QtBot) -> None:
    canvas.setFocus()

    def go(key: Qt.Key, times: int) -> None:
        for _ in range(times):
            qtbot.keyClick(canvas, key, ALT)

    go(KEY.Key_Left, 5)  # each step is 4 source pixels here, from the middle (100, 50)
    qtbot.keyClick(canvas, KEY.Key_Return)
    qtbot.keyClick(canvas, KEY.Key_Left, ALT | SHIFT)
    qtbot.keyClick(canvas, KEY.Key_Return, SHIFT)
    assert told.gestures == [Click((80, 50)), Click((79, 50), inside=False)]

    canvas.show_view(view(tool=Tool.BOX))
    qtbot.keyClick(canvas, KEY.Key_Return)
    go(KEY.Key_Right, 5)
    go(KEY.Key_Down, 5)
    qtbot.keyClick(canvas, KEY.Key_Return)
    assert told.gestures[-1] == Box(79, 50, 99, 70)

    canvas.show_view(view(tool=Tool.LASSO))
    for key in (KEY.Key_Right, KEY.Key_Up, KEY.Key_Left):
        qtbot.keyClick(canvas, KEY.Key_Return)
        go(key, 4)
    qtbot.keyClick(canvas, KEY.Key_Return)
    qtbot.keyClick(canvas, KEY.Key_Return)
    assert told.gestures[-1] == Lasso(((99, 70), (115, 70), (115, 54), (99, 54)))

    canvas.show_view(view(tool=Tool.BRUSH))
    qtbot.keyClick(canvas, KEY.Key_Return)
    go(KEY.Key_Left, 2)
    qtbot.keyClick(canvas, KEY.Key_Return)
    assert told.gestures[-1] == Stroke(((99, 54), (95, 54), (91, 54)), 10.0)

    canvas.show_view(view(tool=Tool.MOVE, marks=marks(Click((91, 54)))))
    qtbot.keyClick(canvas, KEY.Key_Return)
    go(KEY.Key_Up, 1)
    qtbot.keyClick(canvas, KEY.Key_Return)
    assert told.moved == [(0, (91, 50))]


def test_a_frame_that_cannot_be_shown_says_so(canvas: MaskCanvas) -> None:
    canvas.show_picture(picture(still=None, notice="shot.mov is not there.", remedy="Relink the clip."))
    assert "shot.mov is not there. Relink the clip." in canvas.accessibleDescription()
    assert share(shown(canvas), QColor("#e8eaee"), left=0, right=400, top=0, bottom=300) > 0.0005


def test_another_frame_forgets_what_was_being_drawn(canvas: MaskCanvas, told: Told) -> None:
    canvas.show_view(view(tool=Tool.BOX))
    press(canvas, at(20, 20))
    canvas.show_view(view(tool=Tool.BOX, frame=11))
    release(canvas, at(80, 80))
    assert not told.gestures
