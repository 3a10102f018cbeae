from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from pytestqt.qtbot import QtBot

from plugin.controller.focusing import Region
from plugin.controller.overlays import Overlay
from plugin.controller.projector import FocusMode, FrameWish, Still, ViewerFrame
from plugin.media.stills import Size
from plugin.panel.overlaymenu import OverlayMenu
from plugin.panel.palettes import DARK, LIGHT
from plugin.panel.viewer import BACKDROP, Viewer
from plugin.panel.window import Window
from tests.made_cues import cue
from tests.panel.conftest import Until


def frame(still: Still | None, **more: object) -> ViewerFrame:
    wish = FrameWish(cue(1), Fraction(3600), Fraction(1, 25), Size(100, 100))
    return ViewerFrame(wish, still, **more)  # type: ignore[arg-type]


def quarters(width: int = 64, height: int = 36) -> Still:
    """Red, green over blue, white."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (255, 0, 0)
    picture[: height // 2, width // 2 :] = (0, 255, 0)
    picture[height // 2 :, : width // 2] = (0, 0, 255)
    picture[height // 2 :, width // 2 :] = (255, 255, 255)
    return Still.of(picture)


@pytest.fixture
def viewer(qtbot: QtBot) -> Viewer:
    made = Viewer(DARK)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def painted(viewer: Viewer) -> QImage:
    return viewer.grab().toImage()


def share(image: QImage, colour: QColor, *, rect: QRectF | None = None) -> float:
    """Which part of the pixels is nearly of that colour."""
    pixels = image.convertToFormat(QImage.Format.Format_RGB888)
    data = np.frombuffer(pixels.constBits(), np.uint8).reshape(pixels.height(), pixels.bytesPerLine())
    rgb = data[:, : pixels.width() * 3].reshape(pixels.height(), pixels.width(), 3).astype(int)
    if rect is not None:
        rgb = rgb[round(rect.top()) : round(rect.bottom()), round(rect.left()) : round(rect.right())]
    near = np.abs(rgb - [colour.red(), colour.green(), colour.blue()]).max(axis=2) < 12
    return float(near.mean())


def test_the_picture_keeps_its_shape_and_its_colours(viewer: Viewer) -> None:
    viewer.show_frame(frame(quarters()))
    image = painted(viewer)

    assert viewer.picture_rect == QRectF(0, 38, 400, 225)
    for at, colour in (
        (QPoint(100, 80), "#ff0000"),
        (QPoint(300, 80), "#00ff00"),
        (QPoint(100, 220), "#0000ff"),
        (QPoint(300, 220), "#ffffff"),
        (QPoint(200, 20), BACKDROP.name()),
        (QPoint(200, 280), BACKDROP.name()),
    ):
        assert image.pixelColor(at).name() == colour


@pytest.mark.parametrize(("width", "height"), [(100, 300), (300, 100), (1, 1), (1921, 1081)])
def test_pictures_of_any_size_are_shown_whole(viewer: Viewer, width: int, height: int) -> None:
    viewer.show_frame(frame(quarters(width, height)))

    rect = viewer.picture_rect
    assert QRectF(viewer.rect()).contains(rect)
    assert max(rect.width() / 400, rect.height() / 300) == pytest.approx(1, abs=0.01)
    assert painted(viewer).size() == QSize(400, 300)


def test_rows_that_are_no_multiple_of_four_bytes_are_not_slanted(viewer: Viewer) -> None:
    viewer.show_frame(frame(quarters(33, 21)))
    rect = viewer.picture_rect
    image = painted(viewer)

    for down in (0.05, 0.2, 0.35):
        left = QPointF(rect.left() + rect.width() * 0.2, rect.top() + rect.height() * down).toPoint()
        assert image.pixelColor(left).name() == "#ff0000"


@pytest.mark.parametrize("height", [225, 224, 226])
def test_a_picture_decoded_for_the_widget_is_painted_pixel_by_pixel(viewer: Viewer, height: int) -> None:
    grain = np.random.default_rng(1).integers(0, 256, (height, 400, 3), np.uint8)
    viewer.show_frame(frame(Still.of(grain)))
    viewer.clearFocus()
    image = painted(viewer)
    rect = viewer.picture_rect.toRect()

    assert (rect.width(), rect.height()) == (400, height)
    for x, y in ((0, 0), (17, 100), (399, height - 1)):
        shown = image.pixelColor(rect.left() + x, rect.top() + y)
        assert [shown.red(), shown.green(), shown.blue()] == grain[y, x].tolist()


def test_it_tells_how_many_pixels_there_are(viewer: Viewer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(viewer.resized) as told:
        viewer.resize(500, 320)

    ratio = viewer.devicePixelRatioF()
    assert told.args == [round(500 * ratio), round(320 * ratio)]


def test_the_focus_is_drawn_where_it_is(viewer: Viewer) -> None:
    grey = Still.of(np.full((36, 64, 3), 90, np.uint8))
    viewer.show_frame(frame(grey, focus=Region(0.25, 0.25, 0.75, 0.75)))
    image = painted(viewer)
    yellow = QColor("#ffd84a")

    rect = viewer.picture_rect
    inside = QRectF(rect.left() + rect.width() * 0.3, rect.top() + rect.height() * 0.3, 100, 60)
    assert share(image, yellow, rect=QRectF(98, rect.top(), 6, rect.height())) > 0.05
    assert share(image, yellow, rect=inside) == 0
    assert share(image, yellow, rect=QRectF(0, 0, 90, 300)) == 0


def test_missing_media_is_told_in_words(viewer: Viewer) -> None:
    viewer.show_frame(frame(quarters()))
    viewer.show_frame(frame(None, notice="boat.mov is not there.", remedy="Relink the clip."))
    image = painted(viewer)

    assert viewer.picture_rect.isEmpty()
    assert viewer.accessibleDescription() == "boat.mov is not there. Relink the clip."
    assert share(image, QColor("#ff0000")) == 0
    assert share(image, QColor("#e8eaee")) > 0.0001


def test_a_notice_lies_over_the_picture(viewer: Viewer) -> None:
    viewer.show_frame(frame(quarters()))
    before = painted(viewer)
    viewer.show_frame(frame(quarters(), notice="The matte has no alpha channel.", remedy="Choose another."))
    after = painted(viewer)

    assert after.pixelColor(100, 80) == before.pixelColor(100, 80)
    assert after.copy(0, 270, 400, 30) != before.copy(0, 270, 400, 30)
    assert "Choose another." in viewer.accessibleDescription()


def test_nothing_chosen_says_so(viewer: Viewer) -> None:
    viewer.show_frame(frame(quarters()))
    viewer.show_nothing("Choose a spot.")

    assert share(painted(viewer), QColor("#a9b1bd")) > 0.0001
    assert viewer.accessibleDescription() == "Choose a spot."


def test_the_wheel_steps(viewer: Viewer, qtbot: QtBot) -> None:
    for turned, frames in ((120, -1), (-120, 1)):
        event = QWheelEvent(
            QPointF(50, 50),
            QPointF(50, 50),
            QPoint(0, 0),
            QPoint(0, turned),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        with qtbot.waitSignal(viewer.wheeled) as told:
            viewer.wheelEvent(event)
        assert told.args == [frames]


def test_keyboard_focus_can_be_seen_in_both_palettes(viewer: Viewer, qtbot: QtBot) -> None:
    for shades in (DARK, LIGHT):
        viewer.wear(shades)
        viewer.setFocus()
        qtbot.waitUntil(viewer.hasFocus)
        assert share(painted(viewer), shades.colour("accent"), rect=QRectF(0, 0, 400, 2)) > 0.9


def test_the_menu_asks_for_other_looks(qtbot: QtBot) -> None:
    menu = OverlayMenu()
    qtbot.addWidget(menu)
    wanted: list[object] = []
    menu.overlay_wanted.connect(wanted.append)
    menu.focus_wanted.connect(wanted.append)

    menu.show_state(Overlay(shown=False), FocusMode.CROP)
    assert not menu.matte.isChecked()
    assert menu.focus.isChecked()
    menu.toggle_matte()
    menu.toggle_outline()
    menu.next_focus()
    assert wanted == [Overlay(), Overlay(outline=False), FocusMode.OFF]
    wanted.clear()
    actions = {action.text(): action for action in menu.matte.menu().actions()}
    actions["Cyan"].trigger()
    actions["80%"].trigger()
    assert wanted == [Overlay(shown=False, colour=(64, 210, 255)), Overlay(shown=False, opacity=0.8)]


def test_the_chosen_spot_is_seen_with_its_matte(opened: Window, until: Until) -> None:
    stage = opened.stage
    until(lambda: stage.screening.frame is not None and stage.screening.frame.still is not None)
    with_matte = stage.screening.frame

    stage.menu.toggle_matte()
    until(lambda: stage.screening.frame is not with_matte)

    assert with_matte is not None
    assert with_matte.still is not None
    assert stage.screening.frame is not None
    assert stage.screening.frame.still is not None
    assert stage.screening.frame.still.rgb != with_matte.still.rgb
    assert not stage.menu.matte.isChecked()


def test_the_focus_of_the_model_is_shown(opened: Window, until: Until) -> None:
    stage = opened.stage
    stage.menu.next_focus()
    until(lambda: stage.screening.frame is not None and stage.screening.frame.focus is not None)
    whole = stage.screening.frame.still if stage.screening.frame else None

    stage.menu.next_focus()
    until(lambda: stage.screening.frame is not None and stage.screening.frame.wish.focus is FocusMode.CROP)

    assert stage.screening.frame is not None
    assert stage.screening.frame.still != whole
    assert stage.menu.focus.isChecked()


def test_media_that_goes_away_is_told_in_the_viewer(opened: Window, until: Until) -> None:
    stage = opened.stage
    until(lambda: stage.screening.frame is not None and stage.screening.frame.still is not None)
    cue_shown = stage.screening.cue
    assert cue_shown is not None
    assert cue_shown.spot.picture is not None
    media = cue_shown.spot.picture.media
    assert media is not None
    media.path.unlink()  # type: ignore[union-attr]
    stage.reread()
    until(lambda: stage.screening.frame is not None and stage.screening.frame.still is None)

    assert "is not there" in stage.viewer.accessibleDescription()
    assert opened.isVisible()
