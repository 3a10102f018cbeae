"""Objects looked for by words in a mask session: numbered places, one of which becomes the object's box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.controller.masking.views import FindingView, FrameState
from plugin.errors import UsageError
from plugin.masks.document_files import read_document
from plugin.masks.makers import Candidate
from plugin.masks.prompts import Box
from tests.unit.masking_fakes import WIDTH
from tests.unit.masking_stage import Stage

DRUM = Candidate(Box(10, 10, 40, 40, "red drum"), 0.62)
LID = Candidate(Box(50.5, 20, 70, 30, "red drum"), 0.13)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    made.finder.places = {"red drum": (DRUM, LID)}
    yield made
    made.finder.gate.set()
    for session in made.sessions:
        session.close()


def found(stage: Stage, words: str = "red drum") -> FindingView:
    stage.session.look_for(words)
    stage.until(lambda: not stage.session.finding.view.looking)
    return stage.session.finding.view


def test_places_are_numbered_and_one_becomes_the_box_with_its_words(stage: Stage) -> None:
    stage.session.show(3)
    stage.finder.gate.clear()
    stage.session.look_for("  red   drum ")
    assert stage.session.finding.view == FindingView("red drum", 3, looking=True)
    stage.finder.gate.set()
    stage.until(lambda: stage.session.finding.view.places)
    view = stage.session.finding.view
    assert [(one.number, one.score) for one in view.places] == [(1, 0.62), (2, 0.13)]
    assert view.places[0].text == "1: score 0.62, 30 by 30 pixels at 10, 10"
    assert stage.session.marking.document.objects == (), "nothing is drawn before one is chosen"
    assert stage.finder.asked == [("red drum", WIDTH)]
    assert stage.session.choose_place(2)
    assert stage.session.finding.view == FindingView()
    (drawn,) = stage.session.marking.document.objects
    assert drawn.label == "red drum"
    (prompts,) = drawn.keyframes
    assert (prompts.frame, prompts.gestures) == (3, (LID.box,))
    stage.settle()
    assert stage.states()[3] == "K"
    assert stage.session.view().marks[0].text.startswith("box found for 'red drum'")
    stage.session.keep()
    assert read_document(stage.path).objects == (drawn,)
    assert stage.finder.open == 0, "its memory is given back"


def test_choosing_is_one_edit(stage: Stage) -> None:
    found(stage)
    stage.session.choose_place(1)
    assert stage.session.marking.undo_title == "Found: red drum"
    stage.session.marking.undo()
    assert stage.session.marking.document.objects == ()
    assert not stage.session.marking.undo_title
    stage.session.marking.redo()
    assert stage.session.marking.prompts().gestures == (DRUM.box,)


def test_an_object_that_has_a_name_keeps_it(stage: Stage) -> None:
    stage.session.marking.add_object("kit")
    found(stage)
    stage.session.choose_place(1)
    assert [one.label for one in stage.session.marking.document.objects] == ["kit"]


def test_what_is_dismissed_is_not_waited_for_and_the_answer_is_remembered(stage: Stage) -> None:
    stage.finder.gate.clear()
    stage.session.look_for("red drum")
    assert stage.session.finding.dismiss()
    assert not stage.session.finding.dismiss()
    stage.finder.gate.set()
    stage.until(lambda: stage.session.finding._known)
    assert stage.session.finding.view == FindingView()
    stage.session.look_for("red drum")
    assert len(stage.session.finding.view.places) == 2, "at once"
    assert len(stage.finder.asked) == 1
    stage.session.show(1)
    found(stage)
    assert len(stage.finder.asked) == 2, "another frame is another picture"


def test_only_the_newest_words_count(stage: Stage) -> None:
    stage.finder.places["lid"] = (LID,)
    stage.finder.gate.clear()
    stage.session.look_for("red drum")
    stage.until(lambda: stage.finder.asked)
    for words in ("stick", "lid"):
        stage.session.look_for(words)
    stage.finder.gate.set()
    stage.until(lambda: stage.session.finding.view.places)
    assert stage.session.finding.view.words == "lid"
    assert [words for words, _ in stage.finder.asked] == ["red drum", "lid"]


def test_a_place_is_chosen_in_its_own_frame_only(stage: Stage) -> None:
    found(stage)
    stage.session.show(5)
    assert not stage.session.choose_place(1)
    stage.session.show(0)
    assert not stage.session.choose_place(3)
    assert not stage.session.choose_place(0)
    assert stage.session.choose_place(1)


def test_nothing_found_is_said_with_what_to_do(stage: Stage) -> None:
    stage.session.show(4)
    view = found(stage, "trumpet")
    assert view.notice == "Nothing in frame 4 looks like 'trumpet'."
    assert "say another word, or draw a lasso or a box around the object." in view.remedy
    assert view.places == ()


def test_words_that_say_nothing_or_too_much_are_refused(stage: Stage) -> None:
    with pytest.raises(UsageError, match="no word"):
        stage.session.look_for("  ")
    with pytest.raises(UsageError, match="101 characters"):
        stage.session.look_for("x" * 101)
    assert stage.session.finding.view == FindingView()


def test_a_finder_that_breaks_is_said_and_the_session_goes_on(stage: Stage) -> None:
    stage.finder.fault = RuntimeError("boom")
    view = found(stage)
    assert "looking for words" in view.notice
    assert view.remedy
    stage.finder.fault = None
    assert len(found(stage).places) == 2, "a failure is not remembered"


def test_a_film_that_is_gone_is_said(stage: Stage) -> None:
    stage.until(lambda: stage.session.picture)
    stage.film.media.path.unlink()
    view = found(stage)
    assert "shot.mp4" in view.notice
    assert view.remedy


def test_a_search_does_not_hold_up_masks(stage: Stage) -> None:
    stage.finder.gate.clear()
    stage.session.look_for("red drum")
    stage.session.marking.click((30, 30))
    stage.settle()
    assert stage.session.picture.state is FrameState.KEYFRAME
    assert stage.session.finding.view.looking
