"""From a document to masks: what is made, what is kept, what a correction costs, and where work stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from plugin.errors import BadPrompt, Cancelled, OutputError
from plugin.masks.documents import ObjectPrompts
from plugin.masks.made import MadeMasks
from plugin.masks.makers import LOST_FRAMES, Segmented
from plugin.masks.prompts import Box, FramePrompts, Stroke
from plugin.masks.propagating import (
    FrameDone,
    KeyframeDone,
    MaskWork,
    ObjectLost,
    ShotChanged,
    TrackingStarted,
)
from plugin.masks.results import MaskStore
from tests.unit.masks.made_makers import (
    BoxSegmenter,
    MadeFrames,
    ShiftTracker,
    document,
    keyframe,
    work,
)

KEYS = (0, 10, 20)
SQUARE = ObjectPrompts("square", tuple(keyframe(frame) for frame in KEYS))


def everything(made: MadeMasks) -> dict[int, bytes]:
    masks = {frame: made.masks(frame)[0] for frame in range(made.document.first, made.document.last + 1)}
    assert all(mask is not None for mask in masks.values())
    return {frame: mask.tobytes() for frame, mask in masks.items() if mask is not None}


def done(task: MaskWork) -> list[FrameDone]:
    return [event for event in task.propagate() if isinstance(event, FrameDone)]


def test_every_frame_is_told_once_with_its_mask(tmp_path: Path) -> None:
    task = work(document(), tmp_path)
    events = list(task.propagate())
    assert isinstance(events[0], KeyframeDone)
    assert events[1] == TrackingStarted(frames=20, kept=0)
    told = [event for event in events if isinstance(event, FrameDone)]
    assert sorted(event.frame for event in told) == list(range(1, 21))
    assert all(
        event.mask[20, 15 + event.frame] == 255 and event.mask[20, 5 + event.frame] == 0 for event in told
    )
    assert task.made.missing(0) == ()
    assert task.made.confidences(0)[7] == pytest.approx(0.8)


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    first = everything_of(tmp_path)
    segmenter, tracker = BoxSegmenter(), ShiftTracker()
    task = work(document(SQUARE), tmp_path, segmenter=segmenter, tracker=tracker)
    again = done(task)
    assert (segmenter.calls, tracker.worked) == ([], [])
    assert all(event.kept for event in again)
    assert everything(task.made) == first


def everything_of(folder: Path) -> dict[int, bytes]:
    task = work(document(SQUARE), folder)
    done(task)
    return everything(task.made)


@pytest.mark.parametrize(
    ("frame", "gaps"), [(0, (0, 10)), (10, (0, 20)), (20, (10, 20)), (4, (0, 10)), (16, (10, 20))]
)
def test_a_correction_makes_anew_only_what_lies_beside_it(
    tmp_path: Path, frame: int, gaps: tuple[int, int]
) -> None:
    everything_of(tmp_path / "kept")
    said = document(SQUARE.with_gesture(frame, Box(60, 2, 70, 8)))
    segmenter, tracker = BoxSegmenter(), ShiftTracker()
    task = work(said, tmp_path / "kept", segmenter=segmenter, tracker=tracker)
    done(task)
    assert segmenter.calls == [frame]
    beside = set(range(gaps[0], gaps[1] + 1)) - {*KEYS, frame}
    assert set(tracker.worked) == beside
    assert len(tracker.worked) == len(beside)
    afresh = work(said, tmp_path / "afresh")
    done(afresh)
    assert everything(task.made) == everything(afresh.made)


def test_taking_a_keyframe_away_joins_its_gaps_and_putting_it_back_costs_nothing(tmp_path: Path) -> None:
    everything_of(tmp_path)
    tracker = ShiftTracker()
    done(work(document(SQUARE.without_keyframe(10)), tmp_path, tracker=tracker))
    assert tracker.calls == [(0, 20, (0, 20))]
    back = ShiftTracker()
    done(work(document(SQUARE), tmp_path, tracker=back))
    assert back.calls == []


def test_other_makers_other_masks(tmp_path: Path) -> None:
    everything_of(tmp_path)
    newer = ShiftTracker()
    newer.version = "2"
    done(work(document(SQUARE), tmp_path, tracker=newer))
    assert len(newer.worked) == 18
    other = BoxSegmenter()
    other.name = "others"
    tracker = ShiftTracker()
    done(work(document(SQUARE), tmp_path, segmenter=other, tracker=tracker))
    assert other.calls == [0, 10, 20]
    assert tracker.worked == []  # the keyframes' masks came out the same


def test_cancelling_keeps_what_is_done_and_going_on_finishes_it(tmp_path: Path) -> None:
    whole = everything_of(tmp_path / "whole")
    tracker = ShiftTracker()
    told: list[int] = []
    task = work(document(SQUARE), tmp_path / "cut", tracker=tracker)
    events = task.propagate(cancel=lambda: len(tracker.worked) >= 5)
    with pytest.raises(Cancelled):
        told.extend(event.frame for event in events if isinstance(event, FrameDone))
    assert told == [1, 2, 3, 4, 5]
    assert set(range(1, 21)) - set(task.made.missing(0)) >= set(told)
    again = work(document(SQUARE), tmp_path / "cut")
    assert [event.frame for event in done(again) if event.kept] == told
    assert everything(again.made) == whole


def test_a_generator_that_is_dropped_keeps_as_much(tmp_path: Path) -> None:
    events = work(document(), tmp_path).propagate()
    while not isinstance(event := next(events), FrameDone) or event.frame < 7:
        pass
    events.close()
    assert MadeMasks(document(), MaskStore(tmp_path)).missing(0) == tuple(range(8, 21))


def test_going_on_in_the_same_work_does_not_begin_again(tmp_path: Path) -> None:
    """One frame forward, and one more: what an editor does with shift and F."""
    tracker = ShiftTracker()
    task = work(document(), tmp_path, tracker=tracker)
    for frame in (1, 2, 3):
        told = [event for event in task.propagate(first=frame, last=frame) if isinstance(event, FrameDone)]
        assert [event.frame for event in told] == [frame]
    list(task.propagate())
    assert tracker.worked == list(range(1, 21))
    assert len(tracker.calls) == 1


def test_only_what_is_wanted(tmp_path: Path) -> None:
    tracker = ShiftTracker()
    task = work(document(SQUARE), tmp_path, tracker=tracker)
    started = [event for event in task.propagate(first=11, last=20) if isinstance(event, TrackingStarted)]
    assert started == [TrackingStarted(9, 0)]
    assert tracker.calls == [(10, 20, (10, 20))]
    assert task.made.missing(0) == tuple(range(1, 10))


def test_a_lost_object_pauses_with_the_frame_it_was_lost_in(tmp_path: Path) -> None:
    tracker = ShiftTracker(lambda frame: 0.1 if frame >= 8 else 0.9)
    task = work(document(), tmp_path, tracker=tracker)
    events = list(task.propagate())
    assert events[-1] == ObjectLost(0, 8)
    assert tracker.worked == list(range(1, 8 + LOST_FRAMES))
    assert task.made.missing(0) == tuple(range(8 + LOST_FRAMES, 21))


def test_it_can_be_tracked_on_all_the_same(tmp_path: Path) -> None:
    tracker = ShiftTracker(lambda frame: 0.1 if frame >= 8 else 0.9)
    task = work(document(), tmp_path, tracker=tracker)
    list(task.propagate())
    rest = list(task.propagate(pause_when_lost=False))
    assert task.made.missing(0) == ()
    assert tracker.worked == list(range(1, 21))
    assert not any(isinstance(event, ObjectLost) for event in rest)


def test_a_few_weak_frames_are_no_loss(tmp_path: Path) -> None:
    weak = {3, 4, 5, 6, 8, 9, 10, 11}
    task = work(document(), tmp_path, tracker=ShiftTracker(lambda frame: 0.1 if frame in weak else 0.9))
    assert len(done(task)) == 20


def test_an_absent_object_is_not_tracked(tmp_path: Path) -> None:
    said = document(ObjectPrompts("square", (keyframe(0),)).absent_from(6).with_keyframe(keyframe(15)))
    tracker = ShiftTracker()
    task = work(said, tmp_path, tracker=tracker)
    done(task)
    assert sorted(tracker.worked) == [*range(1, 6), *range(16, 21)]
    masks = everything(task.made)
    assert not any(np.frombuffer(masks[frame], np.uint8).any() for frame in range(6, 15))
    assert all(np.frombuffer(masks[frame], np.uint8).any() for frame in (5, 15, 20))


def test_nothing_is_tracked_across_a_shot_change(tmp_path: Path) -> None:
    tracker = ShiftTracker()
    task = work(document(), tmp_path, frames=MadeFrames(cuts=(9,)), tracker=tracker)
    events = list(task.propagate())
    assert [event for event in events if isinstance(event, ShotChanged)] == [ShotChanged(0, 9)]
    assert tracker.worked == list(range(1, 9))
    assert task.made.shot_changes() == (9,)
    assert task.made.missing(0) == ()
    mask = task.made.mask(0, 12)
    assert mask is not None
    assert not mask.mask.any()


def test_a_shot_change_right_after_the_keyframe_is_told_too(tmp_path: Path) -> None:
    said = document(ObjectPrompts("square", (keyframe(8),)), first=4, last=12)
    events = list(work(said, tmp_path, frames=MadeFrames(cuts=(8, 9))).propagate())
    assert {event.frame for event in events if isinstance(event, ShotChanged)} == {8, 9}
    assert not [event for event in events if isinstance(event, FrameDone)]


def test_keyframes_in_both_shots_need_no_word(tmp_path: Path) -> None:
    said = document(ObjectPrompts("square", (keyframe(0), keyframe(15))))
    tracker = ShiftTracker()
    events = list(work(said, tmp_path, frames=MadeFrames(cuts=(9,)), tracker=tracker).propagate())
    assert not [event for event in events if isinstance(event, ShotChanged)]
    assert tracker.calls == [(0, 8, (0,)), (9, 15, (15,)), (15, 20, (15,))]


def test_a_keyframe_outside_of_the_range_is_tracked_from(tmp_path: Path) -> None:
    said = document(ObjectPrompts("square", (keyframe(0),)), first=5, last=9)
    task = work(said, tmp_path)
    assert sorted(event.frame for event in done(task)) == [5, 6, 7, 8, 9]
    assert len(everything(task.made)) == 5


def test_a_range_of_one_frame(tmp_path: Path) -> None:
    said = document(ObjectPrompts("square", (keyframe(4),)), first=4, last=4)
    task = work(said, tmp_path)
    assert done(task) == []
    assert np.frombuffer(everything(task.made)[4], np.uint8).any()


def test_painted_masks_are_taken_as_they_are_and_gestures_start_from_them(tmp_path: Path) -> None:
    painted = np.zeros((40, 120), np.uint8)
    painted[3, 3] = 200
    segmenter = BoxSegmenter()
    said = document(ObjectPrompts("square", (FramePrompts(0, painted="painted-1.png"),)), last=2)
    task = work(said, tmp_path, segmenter=segmenter, painted=lambda _name: painted)
    done(task)
    assert segmenter.calls == []
    assert everything(task.made)[0] == painted.tobytes()
    corrected = document(
        ObjectPrompts("square", (FramePrompts(0, (Box(50, 5, 60, 9),), painted="painted-1.png"),))
    )
    kept = work(corrected, tmp_path, segmenter=segmenter, painted=lambda _name: painted).keyframe(0, 0)
    assert (kept.mask[3, 3], kept.mask[6, 55]) == (200, 255)


def test_objects_share_no_pixel_where_that_is_asked(tmp_path: Path) -> None:
    left, right = Box(10, 10, 40, 30), Box(30, 10, 60, 30)
    both = (
        ObjectPrompts("left", (FramePrompts(0, (left,)),)),
        ObjectPrompts("right", (FramePrompts(0, (right,)),)),
    )
    task = work(document(*both, last=3), tmp_path)
    done(task)
    one, other = task.made.masks(0)
    assert one is not None and other is not None  # noqa: PT018
    assert one[20, 35] == other[20, 35] == 255
    alone = MadeMasks(replace(task.made.document, may_overlap=False), MaskStore(tmp_path))
    one, other = alone.masks(0)
    assert one is not None and other is not None  # noqa: PT018
    assert (one[20, 35], other[20, 35]) == (255, 0)  # both as sure: the first one has it
    assert (one[20, 15], other[20, 55]) == (255, 255)


def test_strays_go_unless_a_hand_drew_them(tmp_path: Path) -> None:
    big, tiny = Box(10, 10, 40, 30), Box(80, 2, 82, 4)
    said = document(ObjectPrompts("square", (FramePrompts(0, (big, tiny)),)), last=1)
    task = work(said, tmp_path)
    done(task)
    (mask,) = task.made.masks(0)
    assert mask is not None
    assert (mask[20, 20], mask[3, 81]) == (255, 0)

    class Brush(BoxSegmenter):
        def segment(self, picture: np.ndarray, prompts: FramePrompts, **more: object) -> Segmented:  # type: ignore[override]
            boxes = replace(prompts, gestures=tuple(g for g in prompts.gestures if isinstance(g, Box)))
            return super().segment(picture, boxes)

    drawn = document(
        ObjectPrompts(
            "square",
            (
                FramePrompts(
                    0,
                    (big, tiny, Stroke(((81, 3),), 1)),
                ),
            ),
        ),
        last=1,
    )
    by_hand = work(drawn, tmp_path, segmenter=Brush())
    done(by_hand)
    (mask,) = by_hand.made.masks(0)
    assert mask is not None
    assert mask[3, 81] == 255


def test_prompts_that_mean_nothing_are_told(tmp_path: Path) -> None:
    class Refusing(BoxSegmenter):
        def segment(self, picture: np.ndarray, prompts: FramePrompts, **more: object) -> Segmented:  # type: ignore[override]
            raise BadPrompt("No object.", remedy="Click elsewhere.")

    task = work(document(), tmp_path, segmenter=Refusing())
    with pytest.raises(BadPrompt, match="No object"):
        list(task.propagate())
    assert task.made.missing(0) == tuple(range(21))


def test_a_disk_that_keeps_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Masks cannot be kept") as caught:
        list(work(document(), tmp_path / "file").propagate())
    assert caught.value.remedy


def test_a_damaged_result_is_made_again(tmp_path: Path) -> None:
    whole = everything_of(tmp_path)
    for path in tmp_path.rglob("00000005.mask"):
        path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    task = work(document(SQUARE), tmp_path)
    again = [event.frame for event in done(task) if not event.kept]
    assert again == [5]
    assert everything(task.made) == whole


def test_without_keyframes_nothing_happens(tmp_path: Path) -> None:
    task = work(document(ObjectPrompts("nothing yet")), tmp_path)
    assert list(task.propagate()) == [TrackingStarted(0, 0)]
