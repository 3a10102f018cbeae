from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QInputDialog, QWidget
from pytestqt.qtbot import QtBot

from plugin.controller.lanes import LaneView, MotionView, Peaks
from plugin.controller.views import TakeRow
from plugin.panel.lanes import TakeLane
from plugin.panel.palettes import DARK, LIGHT, Shades
from plugin.panel.takes import TakesPanel
from plugin.panel.window import Window
from plugin.timebase import TimeSpan
from tests.panel.conftest import Until

KEY = Qt.Key
COLUMNS = 400


def row(number: int, **changes: Any) -> TakeRow:
    made = TakeRow(
        name=f"film_001_ball_t{number:02}",
        cue_id="001",
        title=f"Take {number}",
        path=Path(f"/stems/t{number}.wav"),
        star=False,
        chosen=number == 1,
        current=True,
        note="",
        preview=False,
        seed=number,
        steps=12,
        prompt="ball",
        created="",
        record=TimeSpan(Fraction(3600), Fraction(3604)),
        level="-20.0 LUFS, -6.0 dBTP",
        true_peak=-6.0,
        loudness=-20.0,
        gain_db=0.0,
        fade_in=0.0,
        fade_out=0.0,
        made_by="",
        licence="",
        warnings=(),
    )
    return replace(made, **changes)


def lane(take: TakeRow, **changes: Any) -> LaneView:
    """A wave in the first half only, an onset in the middle."""
    half = COLUMNS // 2
    made = LaneView(
        name=take.name,
        title=take.title,
        star=take.star,
        chosen=take.chosen,
        peaks=Peaks((-1.0,) * half + (0.0,) * half, (1.0,) * half + (0.0,) * half),
        curve=(1.0,) * COLUMNS,
        start=0.0,
        end=1.0,
        onsets=(0.75,),
        level=take.level,
        clips=False,
        gain="",
        notice="",
        spoken=f"{take.title}, {take.level}",
    )
    return replace(made, **changes)


@pytest.fixture
def takes(qtbot: QtBot) -> TakesPanel:
    made = TakesPanel(DARK)
    qtbot.addWidget(made)
    made.resize(420, 320)
    made.show()
    show(made, row(1), row(2), row(3))
    return made


def show(panel: TakesPanel, *rows: TakeRow, heard: str = "film_001_ball_t01") -> None:
    panel.show_takes([(take, lane(take)) for take in rows], heard=heard)


def test_a_lane_for_each_take_each_with_a_name(takes: TakesPanel) -> None:
    assert [each.accessibleName() for each in takes.lanes] == [
        f"Take {number}, -20.0 LUFS, -6.0 dBTP" for number in (1, 2, 3)
    ]
    assert takes.title.text() == "Take 1"
    assert not takes.empty.isVisible()


def test_lanes_come_and_go(takes: TakesPanel) -> None:
    show(takes, row(2))
    assert len(takes.lanes) == 1
    show(takes, heard="")
    assert takes.lanes == []
    assert takes.empty.isVisible()
    assert not takes.gain.isEnabled()
    assert takes.title.text() == ""
    show(takes, row(1), row(2))
    assert len(takes.lanes) == 2


def drawn(widget: QWidget, shades: Shades, use: str, left: float) -> bool:
    """Whether a column (0..1) of a lane's wave has this colour."""
    image = widget.grab().toImage()
    column = round(left * image.width())
    return any(image.pixelColor(column, down) == shades.colour(use) for down in range(24, image.height() - 2))


def test_the_wave_the_onset_and_the_playhead_are_where_they_belong(takes: TakesPanel) -> None:
    for shades in (DARK, LIGHT):
        takes.wear(shades)
        takes.show_place(0.9)
        heard, other = takes.lanes[0], takes.lanes[1]
        assert drawn(heard, shades, "accent", 0.3)
        assert not drawn(heard, shades, "accent", 0.6)
        assert drawn(other, shades, "off", 0.3)
        assert drawn(other, shades, "warn", 0.75)
        assert drawn(other, shades, "accent", 0.9)
        assert not drawn(other, shades, "accent", 0.3)


def test_the_playhead_moves(takes: TakesPanel) -> None:
    takes.show_place(0.6)
    before = takes.lanes[1].grab().toImage()
    takes.show_place(0.65)
    after = takes.lanes[1].grab().toImage()

    assert before != after
    assert drawn(takes.lanes[1], DARK, "accent", 0.65)
    assert not drawn(takes.lanes[1], DARK, "accent", 0.6)


def test_quiet_takes_fill_their_lane(takes: TakesPanel) -> None:
    quiet = lane(row(1), peaks=Peaks((-0.1,) * COLUMNS, (0.1,) * COLUMNS))
    takes.show_takes([(row(1), quiet)], heard="", full=1.0)
    small = takes.lanes[0].grab().toImage()
    takes.show_takes([(row(1), quiet)], heard="", full=0.1)
    large = takes.lanes[0].grab().toImage()

    def height(image: Any) -> int:
        return sum(image.pixelColor(100, down) == DARK.colour("off") for down in range(image.height()))

    assert height(large) > 4 * height(small)


def test_fades_are_drawn_over_the_wave(takes: TakesPanel) -> None:
    flat = takes.lanes[1].grab().toImage()
    faded = lane(row(2), curve=tuple(column / COLUMNS for column in range(COLUMNS)))
    takes.show_takes([(row(1), lane(row(1))), (row(2), faded)], heard="film_001_ball_t01")

    assert takes.lanes[1].grab().toImage() != flat


def test_lanes_lie_under_each_other_to_the_pixel(takes: TakesPanel, qtbot: QtBot) -> None:
    rows = tuple(row(number) for number in range(1, 9))
    show(takes, *rows)
    qtbot.waitUntil(lambda: takes.area.verticalScrollBar().isVisible())
    qtbot.waitUntil(lambda: takes.motion.width() == takes.lanes[0].width())

    motion = takes.motion.mapTo(takes, QPoint(0, 0)).x()
    assert motion == takes.lanes[0].mapTo(takes, QPoint(0, 0)).x()


def test_motion_is_drawn_or_its_absence_told(takes: TakesPanel) -> None:
    values = (0.0,) * (COLUMNS // 2) + (1.0,) * (COLUMNS // 2)
    takes.show_motion(MotionView(values), (0.25,))
    image = takes.motion.grab().toImage()

    def coloured(left: float, top: int) -> bool:
        return image.pixelColor(round(left * image.width()), top) != DARK.colour("alternate")

    assert coloured(0.9, 15)
    assert not coloured(0.4, 20)
    takes.show_motion(MotionView((), "Without a matte there is no motion to draw."), ())
    assert takes.motion.accessibleDescription().startswith("Without a matte")


def test_a_click_means_the_take_and_the_moment(takes: TakesPanel, qtbot: QtBot) -> None:
    second = takes.lanes[1]
    with qtbot.waitSignals([takes.hear_wanted, takes.sought]):
        qtbot.mouseClick(second, Qt.MouseButton.LeftButton, pos=QPoint(second.width() // 2, 40))
    with qtbot.waitSignal(takes.choose_wanted) as told:
        qtbot.mouseDClick(second, Qt.MouseButton.LeftButton, pos=QPoint(10, 40))
    assert told.args == ["film_001_ball_t02"]


@pytest.mark.parametrize(
    ("key", "signal", "given"),
    [
        (KEY.Key_Down, "hear_wanted", ["film_001_ball_t02"]),
        (KEY.Key_3, "hear_wanted", ["film_001_ball_t03"]),
        (KEY.Key_Return, "choose_wanted", ["film_001_ball_t01"]),
        (KEY.Key_S, "star_wanted", ["film_001_ball_t01", True]),
        (KEY.Key_Delete, "delete_wanted", ["film_001_ball_t01"]),
    ],
)
def test_keys_work_on_the_take_that_is_heard(
    takes: TakesPanel, qtbot: QtBot, key: Qt.Key, signal: str, given: list[Any]
) -> None:
    with qtbot.waitSignal(getattr(takes, signal)) as told:
        qtbot.keyClick(takes, key)

    assert told.args == given


def test_gain_has_a_key_and_is_told(takes: TakesPanel, qtbot: QtBot) -> None:
    takes.setFocus()
    qtbot.keyClick(takes, KEY.Key_G)
    qtbot.waitUntil(takes.gain.hasFocus)
    with qtbot.waitSignal(takes.level_wanted) as told:
        qtbot.keyClick(takes.gain, KEY.Key_Down)

    assert told.args == ["film_001_ball_t01", -0.5, 0.0, 0.0]


def test_it_can_be_seen_that_keys_go_to_the_takes(takes: TakesPanel, qtbot: QtBot) -> None:
    takes.gain.setFocus()
    qtbot.waitUntil(takes.gain.hasFocus)
    without = takes.lanes[0].grab().toImage()
    takes.setFocus()
    qtbot.waitUntil(takes.hasFocus)
    framed = takes.lanes[0].grab().toImage()

    assert framed.pixelColor(200, 0) == DARK.colour("accent")
    assert without.pixelColor(200, 0) != DARK.colour("accent")


def test_level_of_another_take_is_shown_without_being_told_back(takes: TakesPanel) -> None:
    told: list[object] = []
    takes.level_wanted.connect(lambda *given: told.append(given))
    show(takes, row(1), row(2, gain_db=-3.0, fade_in=0.25, fade_out=1.5), heard="film_001_ball_t02")

    assert (takes.gain.value(), takes.fade_in.value(), takes.fade_out.value()) == (-3.0, 0.25, 1.5)
    assert takes.fade_in.maximum() == 4.0
    assert told == []


def test_renaming_asks(takes: TakesPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("the good one", True))
    with qtbot.waitSignal(takes.rename_wanted) as told:
        qtbot.keyClick(takes, KEY.Key_R)

    assert told.args == ["film_001_ball_t01", "the good one"]


def test_clipping_and_titles_that_are_too_long_fit_the_lane(qtbot: QtBot) -> None:
    made = TakeLane(DARK)
    qtbot.addWidget(made)
    made.resize(160, made.height())
    made.show_view(lane(row(1), title="a very long name indeed " * 5, clips=True), heard=True, full=1.0)
    image = made.grab().toImage()

    reddest = max(
        image.pixelColor(x, y).red() - image.pixelColor(x, y).blue()
        for x in range(image.width())
        for y in range(18)
    )
    assert reddest > 60


@pytest.fixture
def rendered(opened: Window, until: Until) -> Window:
    """Two takes of the first spot, the newest heard."""
    desk = opened.pulse.desk
    first = desk.spots.rows()[0].id
    opened.spots.select((first,))
    desk.queue.generate((first,), takes=2)
    until(lambda: len(desk.takes.rows(first)) == 2 and not desk.queue.running)
    until(lambda: len(opened.stage.takes.lanes) == 2)
    until(lambda: all(lane.view and lane.view.peaks for lane in opened.stage.takes.lanes))
    return opened


def test_takes_are_compared_chosen_levelled_and_deleted(rendered: Window, qtbot: QtBot, until: Until) -> None:
    desk, stage, panel = rendered.pulse.desk, rendered.stage, rendered.stage.takes
    cue_id = stage.screening.cue_id
    names = [take.name for take in desk.takes.rows(cue_id)]
    panel.setFocus()
    until(panel.hasFocus)

    first = stage.screening.heard
    qtbot.keyClick(panel, KEY.Key_B)
    assert stage.screening.heard == next(name for name in names if name != first)
    qtbot.keyClick(panel, KEY.Key_B)
    assert stage.screening.heard == first

    qtbot.keyClick(panel, KEY.Key_1)
    qtbot.keyClick(panel, KEY.Key_Return)
    until(lambda: desk.takes.rows(cue_id)[0].chosen)
    qtbot.keyClick(panel, KEY.Key_S)
    until(lambda: desk.takes.rows(cue_id)[0].star)

    panel.gain.setValue(-6.0)
    panel.fade_in.setValue(0.2)
    until(lambda: desk.takes.rows(cue_id)[0].gain_db == -6.0)
    view = panel.lanes[0].view
    assert view is not None
    assert view.gain == "-6.0 dB"
    assert view.curve[0] < 0.05
    assert max(view.curve) == pytest.approx(0.501, abs=0.01)

    panel.setFocus()
    until(panel.hasFocus)
    qtbot.keyClick(panel, KEY.Key_Delete)
    until(lambda: len(panel.lanes) == 1)
    assert stage.screening.heard == names[1]
    rendered.deeds.do("undo")
    until(lambda: len(panel.lanes) == 2)
    assert desk.takes.rows(cue_id)[0].star


def test_the_motion_and_the_level_come_in_time(rendered: Window, until: Until) -> None:
    stage = rendered.stage
    until(lambda: not stage.screening.motion(columns=100).notice)
    lanes = [lane.view for lane in stage.takes.lanes if lane.view]

    assert len(lanes) == 2
    assert all("dBTP" in view.level or view.level == "silence" for view in lanes)
    assert all((view.start, round(view.end, 3)) == (0.0, 1.0) for view in lanes)


def test_the_scrub_bar_lies_over_the_lanes(rendered: Window, until: Until) -> None:
    stage = rendered.stage
    until(lambda: stage.takes.motion.width() == stage.transport.bar.width())

    left = stage.transport.bar.mapTo(stage, QPoint(0, 0)).x()
    assert left == stage.takes.lanes[0].mapTo(stage, QPoint(0, 0)).x()
    assert stage.transport.bar.width() == stage.takes.lanes[0].width()
