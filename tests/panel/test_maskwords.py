"""Objects found by words in mask mode's page: typed, numbered on the picture, chosen, put away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from plugin.controller.desk import Desk
from plugin.controller.masking.views import FindingView, FoundPlace, FrameState, Tool
from plugin.errors import BundleMissing
from plugin.folders import Folders
from plugin.masks.prompts import Box, Click, Lasso
from plugin.panel.maskmode import MaskMode
from plugin.panel.maskplaces import Laid, laid_out, words_of
from plugin.panel.masksight import Sight
from plugin.panel.palettes import DARK
from plugin.panel.pulse import Pulse
from tests.panel.conftest import Until
from tests.panel.made_masks import drag, move, share, view
from tests.panel.mask_crew import Crewed, crewed

KEY = Qt.Key
LARGE, SMALL = (20.0, 20.0, 110.0, 80.0), (50.0, 40.0, 70.0, 60.0)
YELLOW = QColor("#ffd200")


class Words:
    """The page over a session without any object yet, and short words for what a person does."""

    def __init__(self, page: MaskMode, made: Crewed, qtbot: QtBot, until: Until) -> None:
        self.page, self.session, self.finder = page, made.session, made.finder
        self.qtbot, self.until = qtbot, until

    def at(self, x: float, y: float) -> QPointF:
        return self.page.canvas.sight.to_widget((x, y))

    def key(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(QApplication.focusWidget() or self.page, key)

    def say(self, words: str) -> None:
        self.key(KEY.Key_W)
        self.qtbot.keyClicks(QApplication.focusWidget(), words)
        self.key(KEY.Key_Return)

    def find(self, *boxes: tuple[float, float, float, float], words: str = "red drum 2") -> None:
        self.finder.boxes = boxes
        self.say(words)
        self.until(lambda: not self.session.finding.view.looking)
        self.until(lambda: self.page.canvas._places.view.places)

    @property
    def gestures(self) -> tuple[object, ...]:
        prompts = self.session.marking.prompts()
        return prompts.gestures if prompts else ()


@pytest.fixture
def words(tmp_path: Path, qtbot: QtBot, folders: Folders, until: Until) -> Iterator[Words]:
    desk = Desk.open(folders=folders)
    page = MaskMode(Pulse(desk), DARK)
    qtbot.addWidget(page)
    page.resize(900, 640)
    page.show()
    qtbot.waitExposed(page)
    page.activateWindow()
    made = crewed(tmp_path / "shot", ready=page.wake, label="")
    page.work_on(made.session)
    until(lambda: made.session.picture is not None and made.session.picture.still is not None)
    yield Words(page, made, qtbot, until)
    made.finder.gate.set()
    page.put_away()
    made.session.close()
    desk.close()


def test_words_are_typed_and_a_digit_chooses(words: Words) -> None:
    words.find(LARGE, SMALL)
    assert words.gestures == ()
    assert words.page.canvas.hasFocus(), "the digits choose, they do not write"
    assert "Place 2: score 0.82, 20 by 20 pixels at 50, 40." in words.page.canvas.accessibleDescription()
    words.key(KEY.Key_3)
    assert words.gestures == (), "there is no third one"
    words.key(KEY.Key_2)
    assert words.gestures == (Box(*SMALL, "red drum 2"),)
    assert words.page.objects.list.currentText() == "red drum 2"
    words.until(
        lambda: words.session.picture.state is FrameState.KEYFRAME and not words.session.picture.working
    )
    assert not words.page.escape(), "nothing is left to put away"
    words.page.undo()
    assert words.session.view().objects == ()
    assert not words.session.view().undo


def test_a_click_chooses_the_smallest_box_under_it(words: Words) -> None:
    words.find(LARGE, SMALL)
    drag(words.page.canvas, words.at(60, 50))
    assert words.gestures == (Box(*SMALL, "red drum 2"),)
    words.page.undo()
    words.find(LARGE, SMALL)
    drag(words.page.canvas, words.at(30, 30))
    assert words.gestures == (Box(*LARGE, "red drum 2"),)


def test_what_is_drawn_by_hand_puts_the_places_away(words: Words) -> None:
    words.find(SMALL)
    words.page.tools.tools[Tool.LASSO].click()
    around = ((55, 45), (65, 45), (65, 55), (55, 55))  # it begins in the box, but it is no click
    drag(words.page.canvas, *(words.at(x, y) for x, y in around))
    (lasso,) = words.gestures
    assert isinstance(lasso, Lasso)
    assert lasso.places[0] == (pytest.approx(55, abs=0.3), pytest.approx(45, abs=0.3))
    assert words.session.finding.view == FindingView()
    words.page.tools.tools[Tool.POINT].click()
    words.find(SMALL)
    drag(words.page.canvas, words.at(140, 80))
    assert isinstance(words.gestures[-1], Click), "a click beside the boxes is a point"
    assert not words.page.canvas._places.view.places


def test_escape_puts_the_places_away_before_anything_else(words: Words) -> None:
    words.find(LARGE)
    assert words.page.escape()
    assert words.page.canvas._places.view == FindingView()
    words.key(KEY.Key_1)
    assert words.gestures == ()
    words.key(KEY.Key_W)
    assert words.page.escape()
    assert words.page.canvas.hasFocus()


def test_waiting_is_shown_on_the_picture_and_can_be_given_up(words: Words) -> None:
    words.finder.gate.clear()
    words.say("red drum")
    words.until(lambda: words.page.canvas.waiting)
    assert words.session.finding.view.looking
    assert words.page.escape()
    assert not words.page.canvas.waiting
    words.finder.gate.set()
    words.until(lambda: not words.session.finding._thread.busy)
    words.page.beat()
    assert words.page.canvas._places.view == FindingView()


def test_places_are_seen_in_their_frame_only(words: Words) -> None:
    words.find(SMALL)
    image = words.page.canvas.grab().toImage()
    seen = share(image, YELLOW, left=0, right=image.width(), top=0, bottom=image.height())
    assert seen > 0.0005
    words.key(KEY.Key_Right)
    words.key(KEY.Key_1)
    assert words.gestures == ()
    image = words.page.canvas.grab().toImage()
    assert share(image, YELLOW, left=0, right=image.width(), top=0, bottom=image.height()) == 0
    words.key(KEY.Key_Left)
    words.key(KEY.Key_1)
    assert words.gestures == (Box(*SMALL, "red drum 2"),)


def test_the_one_under_the_pointer_stands_out(words: Words) -> None:
    words.find(SMALL)
    before = words.page.canvas.grab().toImage()
    move(words.page.canvas, words.at(60, 50), Qt.MouseButton.NoButton)
    middle = words.at(65, 55).toPoint()
    assert words.page.canvas.grab().toImage().pixelColor(middle) != before.pixelColor(middle)


def test_all_places_are_brought_into_sight(words: Words) -> None:
    for _ in range(9):
        words.key(KEY.Key_Plus)
    words.find((2.0, 2.0, 8.0, 8.0), SMALL)
    assert words.page.canvas.sight.zoom == 1


def test_why_there_is_nothing_is_told_and_can_be_copied(words: Words) -> None:
    words.say("tuba")
    words.until(words.page.found.isVisible)
    assert words.page.found.text.text().startswith("Nothing in frame 0 looks like 'tuba'.")
    assert words.page.found.text.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    assert words.page.escape()
    assert not words.page.found.isVisible()
    words.finder.fault = BundleMissing("No finder.", remedy="Run `sagafoley models fetch owlv2-base`.")
    words.say("drum")
    words.until(words.page.found.isVisible)
    assert "No finder. Run `sagafoley models fetch owlv2-base`." in words.page.found.text.text()
    words.page.found.away.click()
    assert not words.page.found.isVisible()


def test_the_field_writes_letters_and_digits_and_nothing_else_happens(words: Words) -> None:
    tool = words.session.view().tool
    words.key(KEY.Key_W)
    words.qtbot.keyClicks(QApplication.focusWidget(), "bell 1w")
    assert words.page.line.word.text() == "bell 1w"
    assert words.session.view().tool is tool
    words.key(KEY.Key_W)
    assert words.page.line.word.text() == "bell 1ww"


# -- where tags lie ---------------------------------------------------------------------------------


def laid(*boxes: tuple[float, float, float, float], sight: Sight | None = None) -> tuple[Laid, ...]:
    """On a widget of 400 by 300, where the picture lies from 50 down, each source pixel two."""
    places = [FoundPlace(number, Box(*box, "drum"), 0.5) for number, box in enumerate(boxes, start=1)]
    at = sight or Sight((200, 100), (400, 300))
    metrics = QFontMetricsF(QApplication.font())
    return laid_out(places, at, ground=QRectF(0, 0, 400, 300), metrics=metrics)


def clashes(tags: tuple[Laid, ...]) -> list[tuple[int, int]]:
    return [
        (one.place.number, other.place.number)
        for one in tags
        for other in tags
        if one.place.number < other.place.number and one.tag.intersects(other.tag)
    ]


@pytest.mark.parametrize(
    "box",
    [(90, 40, 110, 60), (0, 0, 200, 100), (0, 0, 5, 5), (195, 95, 200, 100), (100, 50, 100.2, 50.1)],
    ids=["middle", "all of it", "corner", "other corner", "less than a pixel"],
)
def test_a_tag_is_whole_and_at_its_box(qtbot: QtBot, box: tuple[float, float, float, float]) -> None:
    (one,) = laid(box)
    assert QRectF(0, 0, 400, 300).contains(one.tag)
    assert one.tag.adjusted(-4, -4, 4, 4).intersects(one.rect)
    assert min(one.rect.width(), one.rect.height()) >= 8


def test_tags_of_many_places_do_not_hide_each_other(qtbot: QtBot) -> None:
    crowd = laid(*[(90 + number, 40 + number / 2, 110, 60) for number in range(9)])
    assert len(crowd) == 9
    assert clashes(crowd) == []
    assert clashes(laid(*[(0.0, 0.0, 3.0, 3.0)] * 10)) == []


def test_what_is_out_of_sight_has_no_tag(qtbot: QtBot) -> None:
    near = Sight((200, 100), (400, 300)).zoomed(8, at=QPointF(200, 150))
    assert [one.place.number for one in laid((0, 0, 5, 5), (95, 45, 105, 55), sight=near)] == [2]


@pytest.mark.parametrize("room", [120.0, 320.0, 900.0])
def test_long_words_leave_what_to_do_to_be_read(qtbot: QtBot, room: float) -> None:
    metrics = QFontMetricsF(QApplication.font())
    long = " ".join(["very old weathered wooden drum"] * 3)
    place = FoundPlace(1, Box(0, 0, 9, 9, long), 0.5)
    said = words_of(FindingView(long, 3, places=(place, place)), 3, room=room, metrics=metrics)
    assert said.endswith(": press 1 to 2 or click; Esc for none")
    assert words_of(FindingView(long, 3, looking=True), 4, room=900, metrics=metrics).endswith("frame 3 ...")
    assert words_of(FindingView("lid", 3, places=(place,)), 3, room=900, metrics=metrics) == (
        "lid: press 1 or click it; Esc for none"
    )
    assert words_of(FindingView(), 3, room=900, metrics=metrics) == ""


def test_the_field_tells_why_words_do_nothing_yet_and_takes_them_all_the_same(words: Words) -> None:
    line = words.page.line
    assert line.word.placeholderText() == "word, such as violin"
    reason = "Nothing on this machine finds objects by their words. Run `sagafoley models fetch owlv2-base`."
    line.show_view(view(no_words=reason))
    assert line.word.placeholderText() == "word: needs a model"
    assert line.word.toolTip() == line.word.accessibleDescription() == reason
    assert line.word.isEnabled()
    line.show_view(view())
    assert "you choose" in line.word.toolTip()
