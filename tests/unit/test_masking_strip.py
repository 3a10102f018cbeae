"""The strip of a mask session, what is known behind it, and a propagation in words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from plugin.controller.masking.knowledge import Knowledge
from plugin.controller.masking.orders import TrackOrder, order_of_message, order_to_message, reach_of
from plugin.controller.masking.propagation import death_of_tracking
from plugin.controller.masking.runs import Run
from plugin.controller.masking.strip import strip_of, words_of_strip
from plugin.controller.masking.views import Direction, FrameState, TrackingState, Trust, trust_of
from plugin.controller.wire import decoded, encoded
from plugin.cues import MediaFile
from plugin.errors import EngineError, OutOfMemory, UsageError
from plugin.masks.documents import Film, MadeBy, ObjectPrompts, PromptsDocument
from plugin.masks.prompts import Click, FramePrompts
from plugin.masks.results import MaskStore

FILM = Film(MediaFile(Path("/film/shot.mov")), "ab" * 32, Fraction(25), 50, 200, 100)
HERE = (Click((1.0, 2.0)),)


def drawn(*frames: int, label: str = "violin", absent: tuple[int, ...] = ()) -> ObjectPrompts:
    said = [FramePrompts(frame, HERE) for frame in frames]
    said += [FramePrompts(frame, absent=True) for frame in absent]
    return ObjectPrompts(label, tuple(sorted(said, key=lambda one: one.frame)))


def document(*objects: ObjectPrompts) -> PromptsDocument:
    return PromptsDocument(FILM, 0, 49, MadeBy("s", "1"), MadeBy("t", "1"), objects)


def test_frames_are_put_together_as_they_are_painted() -> None:
    sure = {4: 0.9, 5: 0.5, 6: 0.2, 7: 0.9}
    view = strip_of(drawn(3, absent=(9,)), sure, earlier={2: 0.4, 4: 0.1}, first=1, last=11, cuts=(1, 8, 12))
    assert [(run.first, run.last, run.state, run.trust) for run in view.runs] == [
        (1, 1, FrameState.GAP, Trust.POOR),
        (2, 2, FrameState.STALE, Trust.FAIR),
        (3, 3, FrameState.KEYFRAME, Trust.GOOD),
        (4, 4, FrameState.TRACKED, Trust.GOOD),
        (5, 5, FrameState.TRACKED, Trust.FAIR),
        (6, 6, FrameState.TRACKED, Trust.POOR),
        (7, 7, FrameState.TRACKED, Trust.GOOD),
        (8, 8, FrameState.GAP, Trust.POOR),
        (9, 11, FrameState.ABSENT, Trust.GOOD),
    ]
    assert (view.keyframes, view.cuts) == ((3, 9), (8,))
    assert words_of_strip(view) == "2 keyframes, 8 of 11 frames, 1 to track again"


@pytest.mark.parametrize(("frames", "state"), [(4, FrameState.TRACKED), (5, FrameState.LOST)])
def test_a_few_doubtful_frames_are_not_lost(frames: int, state: FrameState) -> None:
    sure = dict.fromkeys(range(1, 20), 0.8) | dict.fromkeys(range(5, 5 + frames), 0.29)
    view = strip_of(drawn(0), sure, earlier={}, first=0, last=19)
    assert {one.state for one in view.frames[5 : 5 + frames]} == {state}


def test_an_absence_that_began_before_the_range_holds_in_it() -> None:
    view = strip_of(drawn(12, absent=(2,)), {13: 0.7}, earlier={}, first=10, last=13)
    assert [one.state for one in view.frames] == [
        FrameState.ABSENT,
        FrameState.ABSENT,
        FrameState.KEYFRAME,
        FrameState.TRACKED,
    ]


@pytest.mark.parametrize(
    ("confidence", "trust"),
    [(1, Trust.GOOD), (0.61, Trust.GOOD), (0.6, Trust.FAIR), (0.3, Trust.FAIR), (0.29, Trust.POOR)],
)
def test_confidence_in_colours(confidence: float, trust: Trust) -> None:
    assert trust_of(confidence) is trust


def test_an_edit_makes_stale_what_hangs_on_it_and_nothing_else() -> None:
    knowledge = Knowledge(document(drawn(0, 20, 40), drawn(5, label="drum")))
    knowledge.look((dict.fromkeys(range(50), 0.8), dict.fromkeys(range(50), 0.7)), (30,))
    knowledge.change(document(drawn(0, 10, 20, 40), drawn(5, label="drum")))
    assert sorted(knowledge.made(0)) == [0, *range(20, 50)]
    assert knowledge.made(1) == dict.fromkeys(range(50), 0.7)
    before = knowledge.before(0, 15)
    assert before is not None
    assert (before.number, before.confidence, len(before.document.objects[0].keyframes)) == (0, 0.8, 3)
    assert knowledge.cuts == (30,)


def test_an_object_that_is_removed_takes_nothing_of_the_others_along() -> None:
    knowledge = Knowledge(document(drawn(0), drawn(5, label="drum")))
    knowledge.look(({1: 0.8}, {6: 0.7}), ())
    knowledge.change(document(drawn(5, label="drum")))
    assert knowledge.made(0) == {6: 0.7}
    knowledge.change(document(drawn(5, label="drum"), drawn(9, label="bell")))
    assert (knowledge.made(0), knowledge.made(1)) == ({6: 0.7}, {})


def run(direction: Direction = Direction.BOTH) -> Run:
    order = TrackOrder(document(drawn(0)), 0, 0, 49, direction, pause=True, tracker="{}")
    return Run(order, "1", state=TrackingState.RUNNING, total=49)


def test_pace_and_time_left_are_of_frames_that_were_made() -> None:
    going = run()
    for frame in range(1, 20):
        going.add(frame, kept=True, now=0.0)
    assert (going.view().rate, going.view().text) == (None, "violin: 19 of 49 frames")
    for frame in range(20, 31):
        going.add(frame, kept=False, now=(frame - 20) / 4)
    view = going.view()
    assert (view.rate, view.seconds_left, view.frame, view.progress) == (4.0, 4.75, 30, 30 / 49)
    assert view.text == "violin: 30 of 49 frames, 4.0 frames/s, 5 s left"
    going.state = TrackingState.STOPPING
    assert going.view().text.endswith("left, stopping")


def test_a_long_wait_is_told_in_minutes() -> None:
    going = run()
    going.total = 2000
    for frame in (1, 2):
        going.add(frame, kept=False, now=float(frame))
    assert going.view().text.endswith("33 min left")


@pytest.mark.parametrize(
    ("direction", "frame", "span"),
    [
        (Direction.FORWARD, 10, (10, 40)),
        (Direction.FORWARD, 2, (5, 40)),
        (Direction.REVERSE, 10, (5, 10)),
        (Direction.REVERSE, 45, (5, 40)),
        (Direction.BOTH, 10, (5, 40)),
        (Direction.NEXT, 10, (11, 11)),
        (Direction.PREVIOUS, 10, (9, 9)),
    ],
)
def test_where_directions_lead(direction: Direction, frame: int, span: tuple[int, int]) -> None:
    assert reach_of(direction, frame, (5, 40)) == span


@pytest.mark.parametrize(
    ("direction", "frame"),
    [(Direction.FORWARD, 41), (Direction.REVERSE, 4), (Direction.NEXT, 40), (Direction.PREVIOUS, 5)],
)
def test_where_they_end(direction: Direction, frame: int) -> None:
    with pytest.raises(UsageError, match="range ends"):
        reach_of(direction, frame, (5, 40))


def test_an_order_comes_over_as_it_was(tmp_path: Path) -> None:
    order = run(Direction.REVERSE).order
    message = order_to_message(order, item=3, store=MaskStore(tmp_path), painted=tmp_path)
    received = decoded(encoded(message))
    assert received is not None
    assert order_of_message(received) == order
    assert (received["item"], received["store"]) == ("3", str(tmp_path))


def test_the_end_of_a_mask_process_in_words() -> None:
    killed = death_of_tracking(-9, label="violin", last_words="")
    crashed = death_of_tracking(-11, label="violin", last_words="boom")
    left = death_of_tracking(3, label="violin", last_words="")
    assert isinstance(killed, OutOfMemory)
    assert "lack of memory" in killed.message
    assert isinstance(crashed, EngineError)
    assert "SIGSEGV" in crashed.message
    assert crashed.detail == "boom"
    assert "exit status 3" in left.message
    for error in (killed, crashed, left):
        assert "every frame that was done is kept" in error.message
        assert error.remedy.endswith("it goes on where it was.")
