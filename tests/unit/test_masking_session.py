"""A mask session with makers that are instant: what a window sees after gestures, tracking, corrections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from plugin.controller.masking.views import Direction, FrameState, MaskOverlay, Tool, TrackingState, Trust
from plugin.errors import MaskError, UsageError
from plugin.masks.prompts import Click
from tests.unit.masking_fakes import (
    FakeSegmenter,
    two_shots,
)
from tests.unit.masking_stage import LAST, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    for session in made.sessions:
        session.close()


def pink(stage: Stage) -> int:
    """How many pixels of the shown picture are not the film's grey."""
    picture = stage.session.picture
    assert picture is not None
    assert picture.still is not None
    rgb = np.frombuffer(picture.still.rgb, np.uint8).reshape(-1, 3).astype(int)
    return int((np.ptp(rgb, axis=1) > 30).sum())


def test_a_click_is_shown_and_every_state_is_told(stage: Stage) -> None:
    stage.segmenter.gate.clear()
    stage.until(lambda: stage.session.picture)
    assert pink(stage) == 0
    stage.session.marking.click((30, 30))
    stage.until(lambda: stage.session.picture and stage.session.picture.working)
    stage.segmenter.gate.set()
    stage.settle()
    picture = stage.session.picture
    assert picture is not None
    assert (picture.state, picture.candidates, picture.candidate) == (FrameState.KEYFRAME, 3, 1)
    assert 150 < pink(stage) < 400  # 16 x 16, its line included
    assert stage.states() == "K" + "." * LAST


def test_sizes_cycle(stage: Stage) -> None:
    stage.session.marking.click((30, 30))
    stage.settle()
    sizes = []
    for _ in range(3):
        stage.session.cycle(1)
        stage.settle()
        assert stage.session.picture is not None
        sizes.append((stage.session.picture.candidate, pink(stage)))
    assert [size for size, _ in sizes] == [2, 0, 1]
    assert sizes[1][1] < sizes[2][1] < sizes[0][1]
    assert len(stage.segmenter.asked) == 1  # all sizes came with the first answer
    stage.session.marking.undo()
    stage.settle()
    assert stage.session.marking.prompts() is not None
    assert stage.session.marking.prompts().gestures == (Click((30.0, 30.0)),)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction.BOTH, "tttttttttttttttKtttt"),
        (Direction.FORWARD, "...............Ktttt"),
        (Direction.REVERSE, "tttttttttttttttK...."),
        (Direction.NEXT, "...............Kt..."),
        (Direction.PREVIOUS, "..............tK...."),
    ],
)
def test_directions(stage: Stage, direction: Direction, expected: str) -> None:
    stage.session.show(15)
    stage.session.marking.click((30, 30))
    stage.track(direction)
    assert stage.states() == expected
    view = stage.session.tracking
    assert view is not None
    assert (view.state, view.done, view.total) == (
        TrackingState.DONE,
        expected.count("t"),
        expected.count("t"),
    )
    assert f"{view.done} frame" in view.text


def test_marks_limit_what_is_tracked(stage: Stage) -> None:
    stage.session.show(8)
    stage.session.marking.click((30, 30))
    stage.session.show(5)
    stage.session.playback.mark_in()
    stage.session.show(12)
    stage.session.playback.mark_out()
    stage.track()
    assert stage.states() == ".....tttKtttt......."
    stage.session.show(12)
    with pytest.raises(UsageError, match="range ends"):
        stage.session.track(Direction.NEXT)


def test_a_correction_makes_anew_what_lies_between_its_neighbours(stage: Stage) -> None:
    for frame in (0, 10, 19):
        stage.session.show(frame)
        stage.session.marking.box((10, 10), (30, 30))
    stage.track()
    stage.tracker.tracked.clear()
    stage.session.show(5)
    stage.settle()
    stage.session.marking.stroke([(50, 30)], radius=6)
    stage.settle()
    assert stage.segmenter.befores[-1]  # the correction began with the tracked mask
    assert stage.states() == "KssssKssssKttttttttK"
    assert pink(stage) > 0
    stage.session.show(3)
    stage.settle()
    assert pink(stage) > 0  # a stale frame shows what it had
    stage.track()
    assert stage.states() == "KttttKttttKttttttttK"
    assert set(stage.tracker.tracked) <= set(range(11))
    stage.session.marking.undo()
    stage.settle()
    assert stage.states() == "KtttttttttKttttttttK"  # what was made before is still there
    assert stage.session.frame == 5


def test_absent_frames_are_not_tracked(stage: Stage) -> None:
    stage.session.marking.click((30, 30))
    stage.session.show(5)
    stage.session.marking.absent()
    stage.session.show(15)
    assert not stage.session.marking.back()
    stage.session.marking.click((30, 30))
    stage.track()
    assert stage.states() == "KttttaaaaaaaaaaKtttt"
    stage.session.show(7)
    stage.settle()
    assert pink(stage) == 0


def test_a_lost_object_pauses_with_a_sentence_and_goes_on_when_told(stage: Stage) -> None:
    stage.tracker.doubts = dict.fromkeys(range(6, 13), 0.1)
    stage.session.marking.click((30, 30))
    stage.track()
    view = stage.session.tracking
    assert view is not None
    assert (view.state, view.text) == (TrackingState.PAUSED, "The object may be gone or changed.")
    assert view.remedy == "Click it again, or mark it absent here."
    assert stage.session.frame == 6
    assert stage.states() == "Ktttttlllll........."
    stage.track(anyway=True)
    assert stage.states() == "Ktttttlllllllttttttt"
    strip = stage.session.strip()
    assert strip is not None
    assert [(run.first, run.last, run.trust) for run in strip.runs if run.state is FrameState.LOST] == [
        (6, 12, Trust.POOR)
    ]


def test_tracking_stops_at_a_cut_and_says_so(tmp_path: Path) -> None:
    stage = Stage(tmp_path, draw=two_shots)
    stage.session.marking.click((30, 30))
    stage.track()
    view = stage.session.tracking
    assert view is not None
    assert view.state is TrackingState.PAUSED
    assert "Another shot begins at frame 10" in view.text
    assert view.remedy
    assert stage.states() == "Kttttttttt.........."
    strip = stage.session.strip()
    assert strip is not None
    assert strip.cuts == (10,)
    stage.session.close()


def test_stopping_keeps_what_is_done_and_goes_on_later(stage: Stage) -> None:
    stage.tracker.step = threading.Semaphore(5)
    stage.session.marking.click((30, 30))
    stage.session.track(Direction.BOTH)
    stage.until(lambda: stage.session.tracking and stage.session.tracking.done == 4)
    stage.session.stop()
    stage.tracker.step.release()
    stage.settle()
    view = stage.session.tracking
    assert view is not None
    assert (view.state, view.text) == (TrackingState.STOPPED, "object: stopped; 4 frames kept.")
    assert stage.states() == "Ktttt..............."
    stage.tracker.step = None
    stage.track()
    assert stage.states() == "K" + "t" * LAST


def test_an_edit_of_what_is_tracked_stops_it(stage: Stage) -> None:
    stage.tracker.step = threading.Semaphore(5)
    stage.session.marking.click((30, 30))
    stage.session.track(Direction.FORWARD)
    stage.until(lambda: stage.session.tracking and stage.session.tracking.done == 4)
    stage.session.show(2)
    stage.session.marking.click((40, 30))
    stage.tracker.step.release()
    stage.settle()
    assert stage.session.tracking is not None
    assert stage.session.tracking.state is TrackingState.STOPPED
    assert stage.states() == "KsKss..............."


def test_the_playhead_follows_until_it_is_moved(stage: Stage) -> None:
    stage.tracker.step = threading.Semaphore(6)
    stage.session.marking.click((30, 30))
    stage.session.track(Direction.FORWARD)
    stage.until(lambda: stage.session.frame == 5)
    stage.session.show(2)
    stage.tracker.step.release(100)
    stage.settle()
    assert stage.session.frame == 2


def test_nothing_to_track_from_is_said(stage: Stage) -> None:
    with pytest.raises(UsageError, match="Nothing is drawn"):
        stage.session.track(Direction.BOTH)
    stage.session.marking.add_object("violin")
    stage.session.marking.absent()
    with pytest.raises(UsageError, match="absent"):
        stage.session.track(Direction.BOTH)


def test_prompts_that_mean_nothing_are_said_on_the_picture(stage: Stage) -> None:
    stage.session.marking.stroke([(30, 30)], radius=5, paints=False)
    stage.settle()
    picture = stage.session.picture
    assert picture is not None
    assert (picture.notice, picture.remedy, picture.working) == (
        "Nothing is there.",
        "Draw elsewhere.",
        False,
    )
    with pytest.raises(MaskError, match="Nothing is there"):
        stage.session.track(Direction.BOTH)


def test_a_session_is_taken_up_where_it_was_left(stage: Stage) -> None:
    stage.session.marking.add_object("violin")
    stage.session.marking.click((30, 30))
    stage.track()
    stage.session.show(4)
    stage.settle()
    stage.session.marking.stroke([(50, 30)], radius=6)
    stage.track()
    assert stage.states() == "KtttKttttttttttttttt"
    assert stage.session.view().saved == "saved"
    before = stage.states(), stage.session.marking.document
    assert stage.session.close() is None
    asked = len(stage.segmenter.asked)
    stage.begin()
    stage.settle()
    assert (stage.states(), stage.session.marking.document) == before
    assert len(stage.segmenter.asked) == asked  # masks are kept, not made again


def test_two_objects_are_drawn_each_in_its_colour(stage: Stage) -> None:
    stage.session.marking.add_object("violin")
    stage.session.marking.box((5, 5), (25, 25))
    stage.session.marking.add_object("trumpet")
    stage.session.marking.box((50, 30), (80, 60))
    stage.settle()
    rows = stage.session.view().objects
    assert [(row.label, row.keyframes) for row in rows] == [("violin", 1), ("trumpet", 1)]
    assert rows[0].colour != rows[1].colour
    both = pink(stage)
    stage.session.show_object("1", shown=False)
    stage.settle()
    one = pink(stage)
    stage.session.draw(MaskOverlay.OUTLINE)
    stage.settle()
    line = pink(stage)
    assert both > one > line > 0
    stage.session.draw(MaskOverlay.OFF)
    stage.settle()
    assert pink(stage) == 0
    stage.session.show_object("1", shown=True)
    stage.session.draw(MaskOverlay.MATTE)
    stage.settle()
    picture = stage.session.picture
    assert picture is not None
    assert picture.still is not None
    assert set(picture.still.rgb) == {0, 255}


def test_the_segmenter_gets_ready_where_the_playhead_stands(stage: Stage) -> None:
    stage.settle()
    stage.until(lambda: len(stage.segmenter.prepared) == 1)
    stage.session.show(9)
    stage.until(lambda: len(stage.segmenter.prepared) == 2)
    stage.session.choose_tool(Tool.MOVE)
    stage.session.show(3)
    stage.settle()
    stage.session.beat()
    stage.session.beat()
    assert not stage.session.busy
    assert len(stage.segmenter.prepared) == 2


def test_the_shown_frame_is_decoded_before_anything_is_drawn(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeSegmenter, "prepare", None)
    stage.until(lambda: 0 in decoded(stage))
    stage.session.show(9)
    stage.until(lambda: 9 in decoded(stage))
    assert not stage.session.marking.document.objects


def decoded(stage: Stage) -> tuple[int, ...]:
    """Frames that the makers have ready."""
    frames = stage.session._studio._worked._frames
    return tuple(frames._kept) if frames is not None else ()


def test_frames_that_a_matte_would_be_black_in_are_counted(stage: Stage) -> None:
    session = stage.session
    assert session.black() == ()
    session.marking.click((30, 30))
    stage.settle()
    assert [(one.label, one.frames, one.stale) for one in session.black()] == [("object", 19, 0)]
    stage.track(Direction.FORWARD)
    assert session.black() == ()
    session.show(10)
    session.marking.click((40, 30))
    stage.settle()
    assert [one.text for one in session.black()] == [
        "object: 18 of 20 frames, 18 of them to be tracked again"
    ]
    session.marking.add_object("drum")
    assert len(session.black()) == 1, "nothing is drawn of the drum: no matte of it"


def test_both_ways_come_back_and_one_way_leads_to_its_end(stage: Stage) -> None:
    stage.session.show(7)
    stage.session.marking.click((30, 30))
    stage.track(Direction.BOTH)
    assert stage.states() == "t" * 7 + "K" + "t" * 12
    assert stage.session.frame == 7
    stage.session.marking.click((34, 30))
    stage.track(Direction.FORWARD)
    assert stage.session.frame == 19


def test_a_killed_mask_process_keeps_what_was_done(stage: Stage) -> None:
    stage.tracker.step = threading.Semaphore(5)
    stage.session.marking.click((30, 30))
    stage.session.track(Direction.BOTH)
    stage.until(lambda: stage.session.tracking and stage.session.tracking.done == 4)
    stage.children[0].exit_status = -9
    stage.settle()
    view = stage.session.tracking
    assert view is not None
    assert view.state is TrackingState.FAILED
    assert "every frame that was done is kept" in view.text
    assert stage.said == [f"{view.text} {view.remedy}"]
    assert stage.states() == "Ktttt..............."
    stage.tracker.step.release(100)
    stage.track()
    assert len(stage.children) == 2
    assert stage.states() == "K" + "t" * LAST


def test_a_range_of_one_frame(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.begin(first=7, last=7)
    stage.session.marking.click((30, 30))
    stage.track()
    assert stage.session.tracking is not None
    assert stage.session.tracking.text == "object: nothing was left to track."
    stage.session.save()
    stage.until(lambda: stage.session.report)
    report = stage.session.report
    assert report is not None
    assert not report.failed
    assert [matte.frames for matte in report.mattes] == [1]
    for session in stage.sessions:
        session.close()


def test_a_film_that_goes_away_is_said_and_nothing_is_lost(stage: Stage) -> None:
    stage.session.marking.click((30, 30))
    stage.track(Direction.NEXT)
    stage.film.media.path.unlink()  # type: ignore[union-attr]
    stage.session.close()
    stage.begin()
    stage.until(lambda: stage.session.picture and stage.session.picture.notice)
    picture = stage.session.picture
    assert picture is not None
    assert picture.still is None
    assert picture.remedy
    stage.until(lambda: not stage.session.busy)
    assert stage.states() == "Kt.................."
    stage.tracker.looks = True
    stage.session.track(Direction.FORWARD)
    stage.until(lambda: not stage.session.busy)
    view = stage.session.tracking
    assert view is not None
    assert view.state is TrackingState.FAILED
    assert "shot.mp4" in view.text
    assert view.remedy
