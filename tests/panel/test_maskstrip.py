"""What the strip of mask mode says of every frame, with and without colours."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from plugin.controller.masking.views import FrameState
from plugin.panel.maskstrip import FILLS, HEIGHT, RULER, Look, MaskStrip, columns_of, looks_of
from plugin.panel.palettes import DARK, LIGHT, Shades
from tests.panel.made_masks import drag, share, strip, turn, view

K, T, LOST, ABSENT, STALE, GAP = (
    FrameState.KEYFRAME,
    FrameState.TRACKED,
    FrameState.LOST,
    FrameState.ABSENT,
    FrameState.STALE,
    FrameState.GAP,
)
RUNS = (
    (10, T, 0.9),  # of 100 frames on 1000 pixels: 0 to 100
    (10, T, 0.5),  # 100 to 200
    (10, T, 0.1),  # 200 to 300
    (10, ABSENT, 1.0),
    (10, STALE, 0.9),
    (10, LOST, 0.1),  # 500 to 600
    (40, GAP, 0.0),
)


@pytest.fixture(params=[DARK, LIGHT], ids=["dark", "light"])
def shades(request: pytest.FixtureRequest) -> Shades:
    return request.param


@pytest.fixture
def shown(qtbot: QtBot, shades: Shades) -> MaskStrip:
    made = MaskStrip(shades)
    qtbot.addWidget(made)
    made.resize(1000, HEIGHT)
    made.show()
    made.show_strip(strip(RUNS, keyframes=(5, 62)))
    made.show_view(view(frame=90))
    return made


def lane(image: QImage, first: int, last: int, colour: QColor) -> float:
    """Which part of the lane between two frames is of that colour."""
    return share(image, colour, left=first * 10 + 2, right=last * 10 - 2, top=RULER + 4, bottom=HEIGHT - 4)


def test_confidence_has_a_colour(shown: MaskStrip) -> None:
    image = shown.grab().toImage()
    assert lane(image, 0, 10, FILLS[Look.GOOD]) > 0.99
    assert lane(image, 10, 20, FILLS[Look.FAIR]) > 0.5
    assert lane(image, 20, 30, FILLS[Look.POOR]) > 0.3
    assert lane(image, 50, 60, FILLS[Look.POOR]) > 0.3, "lost is as bad as can be"


def test_confidence_is_hatched_too(shown: MaskStrip) -> None:
    """In grey, each kind still differs from its neighbour: nothing, lines one way, lines both ways."""
    image = shown.grab().toImage()

    def inked(first: int, last: int) -> float:
        dark = 0
        for x in range(first * 10 + 2, last * 10 - 2):
            for y in range(RULER + 5, HEIGHT - 5):
                dark += image.pixelColor(x, y).lightness() < 70
        return dark / ((last - first) * 10 - 4) / (HEIGHT - 10 - RULER)

    good, fair, poor = inked(0, 10), inked(10, 20), inked(20, 30)
    assert good == 0
    assert 0.05 < fair < 0.3
    assert poor > 1.6 * fair


def test_absent_stale_and_gaps_are_not_coloured(shown: MaskStrip, shades: Shades) -> None:
    image = shown.grab().toImage()
    for first, last in ((30, 40), (40, 50), (65, 85)):
        for colour in FILLS.values():
            assert lane(image, first, last, colour) == 0
    assert lane(image, 65, 85, shades.colour("base")) == 1
    assert lane(image, 30, 40, shades.colour("faint")) > 0.05, "absent: a line through"
    assert 0.02 < lane(image, 40, 50, shades.colour("faint")) < 0.5, "stale: hatched"


def test_keyframes_are_diamonds(shown: MaskStrip, shades: Shades) -> None:
    image, ink = shown.grab().toImage(), shades.colour("text")
    for frame in (5, 62):
        middle = 10 * frame + 5
        assert share(image, ink, left=middle - 3, right=middle + 3, top=7, bottom=12) > 0.6
    assert share(image, ink, left=200, right=300, top=2, bottom=12) == 0


def test_playhead_and_range_are_seen(shown: MaskStrip, shades: Shades) -> None:
    ink = shades.colour("text")
    before = shown.grab().toImage()
    assert share(before, ink, left=904, right=906, top=1, bottom=HEIGHT - 1) > 0.4
    shown.show_view(view(frame=3, mark_in=20, mark_out=79))
    after = shown.grab().toImage()
    assert share(after, ink, left=904, right=906, top=1, bottom=HEIGHT - 1) < 0.1
    for place in (201, 799):
        accent = shades.colour("accent")
        assert share(after, accent, left=place - 1, right=place + 1, top=1, bottom=HEIGHT - 1) > 0.4
    assert lane(after, 10, 19, FILLS[Look.FAIR]) == 0, "outside the range it is dimmed"


def test_the_worst_of_the_frames_in_a_pixel_is_seen() -> None:
    looks = looks_of(strip([(1000, T, 0.9), (1, T, 0.1), (999, T, 0.9)]))
    columns = columns_of(looks, 100)
    assert len(columns) == 100
    assert columns.count(Look.POOR) == 1
    assert columns[50] == Look.POOR
    assert set(columns_of(looks_of(strip([(3, T, 0.9)])), 100)) == {Look.GOOD}
    assert columns_of(b"", 100) == b""


def test_the_mouse_scrubs(shown: MaskStrip, qtbot: QtBot) -> None:
    went: list[int] = []
    shown.sought.connect(went.append)
    drag(shown, QPointF(5, 10), QPointF(255, 30), QPointF(2000, 30), QPointF(-40, 30))
    assert went == [0, 25, 99, 0]
    went.clear()
    turn(shown, -1, at=QPointF(100, 20))
    turn(shown, 1, at=QPointF(100, 20))
    assert went == [91, 89]


def test_frames_of_the_source_need_not_begin_at_zero(qtbot: QtBot) -> None:
    made = MaskStrip(DARK)
    qtbot.addWidget(made)
    made.resize(1000, HEIGHT)
    shown = strip([(100, T, 0.9)])
    made.show_strip(
        type(shown)(500, 599, shown.frames, (type(shown.runs[0])(500, 599, T, shown.runs[0].trust),), (510,))
    )
    made.show_view(view(first=500, last=599, frame=510, spot_first=520, spot_last=560))
    went: list[int] = []
    made.sought.connect(went.append)
    drag(made, QPointF(5, 10))
    assert went == [500]
    assert made.words_at(510) == "Frame 510: keyframe, tracked well"


def test_it_speaks(shown: MaskStrip) -> None:
    assert "Frame 90: not tracked" in shown.accessibleDescription()
    assert "60 are known, 30 of them unsure" in shown.accessibleDescription()
    shown.show_view(view(frame=33))
    assert "marked absent" in shown.accessibleDescription()


def test_three_thousand_frames_are_painted_quickly(qtbot: QtBot) -> None:
    """Scrubbing paints only the playhead anew; all of it costs far less than a picture of a film lasts."""
    made = MaskStrip(DARK)
    qtbot.addWidget(made)
    made.resize(1200, HEIGHT)
    made.show()
    shown = strip(
        [(1, T, (frame * 37 % 100) / 100) for frame in range(3000)], keyframes=tuple(range(0, 3000, 50))
    )

    def seconds() -> float:
        begun = time.process_time()
        made.grab()
        return time.process_time() - begun

    made.show_strip(shown)
    made.show_view(view(last=2999))
    anew = seconds()
    made.show_view(view(last=2999, frame=1500))
    again = min(seconds() for _ in range(5))
    assert anew < 0.25, "measured: 0.014 s"
    assert again < anew / 2
