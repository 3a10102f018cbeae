"""The question before a matte that would be black in places, and what follows from its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from plugin.controller.masking.views import BlackFrames, TrackingState
from plugin.panel.maskgaps import Answer, Completion, ask_about

VIOLIN = BlackFrames("0", "violin", frames=12, stale=4, total=125)
DRUM = BlackFrames("1", "drum", frames=125, stale=0, total=125)


@dataclass
class Stub:
    """A session that tracks when the test says so."""

    missing: list[BlackFrames]
    told: list[str] = field(default_factory=list)
    tracking: Any = None
    chosen: str = ""

    @property
    def marking(self) -> SimpleNamespace:
        return SimpleNamespace(choose_object=lambda key: setattr(self, "chosen", key))

    def black(self) -> tuple[BlackFrames, ...]:
        return tuple(self.missing)

    def track(self, _way: object) -> None:
        self.told.append(f"track {self.chosen}")
        self.tracking = SimpleNamespace(running=True, state=TrackingState.RUNNING, lost=False)

    def end(self, state: TrackingState, *, lost: bool = False, whole: bool = True) -> None:
        self.missing = [one for one in self.missing if not whole or one.id != self.chosen]
        self.tracking = SimpleNamespace(running=False, state=state, lost=lost)

    def save(self) -> None:
        self.told.append("save")


def completion(stub: Stub, *answers: Answer) -> tuple[Completion, list[bool]]:
    asked: list[bool] = []
    left = list(answers)

    def ask(black: Sequence[BlackFrames], *, may_track: bool) -> Answer:
        assert black
        asked.append(may_track)
        return left.pop(0)

    def do(what: Callable[[Any], object]) -> None:
        what(stub)

    return Completion(ask, do), asked


def wish(stub: Any) -> None:
    stub.save()


def test_nothing_is_asked_where_nothing_is_missing() -> None:
    stub = Stub([])
    made, asked = completion(stub)
    made.save(stub, wish)  # type: ignore[arg-type]
    assert (stub.told, asked) == (["save"], [])


@pytest.mark.parametrize(("answer", "told"), [(Answer.SAVE, ["save"]), (Answer.CANCEL, [])])
def test_black_frames_are_asked_about(answer: Answer, told: list[str]) -> None:
    stub = Stub([VIOLIN])
    made, asked = completion(stub, answer)
    made.save(stub, wish)  # type: ignore[arg-type]
    assert (stub.told, asked) == (told, [True])


def test_every_object_is_tracked_before_anything_is_saved() -> None:
    stub = Stub([VIOLIN, DRUM])
    made, asked = completion(stub, Answer.TRACK)
    made.save(stub, wish)  # type: ignore[arg-type]
    made.follow(stub)  # type: ignore[arg-type]
    assert stub.told == ["track 0"], "it runs still"
    stub.end(TrackingState.DONE)
    made.follow(stub)  # type: ignore[arg-type]
    stub.end(TrackingState.PAUSED)
    made.follow(stub)  # type: ignore[arg-type]
    assert stub.told == ["track 0", "track 1", "save"]
    assert asked == [True]
    assert not made.waiting


@pytest.mark.parametrize("state", [TrackingState.STOPPED, TrackingState.FAILED, TrackingState.PAUSED])
def test_nothing_is_saved_where_tracking_did_not_come_to_its_end(state: TrackingState) -> None:
    stub = Stub([VIOLIN])
    made, _ = completion(stub, Answer.TRACK)
    made.save(stub, wish)  # type: ignore[arg-type]
    stub.end(state, lost=state is TrackingState.PAUSED, whole=False)
    made.follow(stub)  # type: ignore[arg-type]
    assert stub.told == ["track 0"]
    assert not made.waiting


def test_what_cannot_be_tracked_is_asked_about_once_more() -> None:
    stub = Stub([VIOLIN])
    made, asked = completion(stub, Answer.TRACK, Answer.SAVE)
    made.save(stub, wish)  # type: ignore[arg-type]
    stub.end(TrackingState.PAUSED, whole=False)
    made.follow(stub)  # type: ignore[arg-type]
    assert stub.told == ["track 0", "save"]
    assert asked == [True, False], "tracking again would not help"


@pytest.mark.parametrize("answer", list(Answer))
def test_the_question_names_objects_and_takes_an_answer(qtbot: QtBot, answer: Answer) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    seen: list[str] = []

    def press() -> None:
        question = QApplication.activeModalWidget()
        assert isinstance(question, QMessageBox)
        seen.append(question.informativeText())
        next(each for each in question.buttons() if each.text() == answer.value).click()

    QTimer.singleShot(0, press)
    assert ask_about(parent, [VIOLIN, DRUM], may_track=True) is answer
    assert seen == ["violin: 12 of 125 frames, 4 of them to be tracked again\ndrum: 125 of 125 frames"]
