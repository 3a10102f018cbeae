"""The tracker without weights: what it follows, and how it keeps to the keyframes."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import cv2
import numpy as np
import pytest

from plugin.errors import BadPrompt, Cancelled, MatteMismatch, UndecodableMedia
from plugin.masks.flow_tracker import FlowTracker, stretches
from plugin.masks.makers import LOST_BELOW, LOST_FRAMES, Mask, Tracked
from tests.unit.masks.drawn_scenes import HIGH, WIDE, Bytes, Drawn, ground, moving, overlap, sliding

EMPTY = np.zeros((HIGH, WIDE), np.uint8)


def track(
    scene: Drawn, keys: Mapping[int, Mask], first: int = 0, last: int | None = None
) -> dict[int, Tracked]:
    end = len(scene.pictures) - 1 if last is None else last
    answers = list(FlowTracker().track(scene, keys, first=first, last=end))
    by_frame = {answer.frame: answer for answer in answers}
    assert len(by_frame) == len(answers), "a frame came twice"
    assert sorted(by_frame) == list(range(first, end + 1))
    return by_frame


def overlaps(scene: Drawn, answers: Mapping[int, Tracked]) -> list[float]:
    return [overlap(answers[k].mask, scene.masks[k]) for k in sorted(answers)]


def test_a_sliding_thing_is_followed_both_ways() -> None:
    scene = sliding(11)
    assert min(overlaps(scene, track(scene, {5: scene.masks[5]}))) > 0.9


def test_a_turning_thing_is_followed() -> None:
    scene = moving([(80, 56)] * 10, angles=[6.0 * k for k in range(10)])
    assert min(overlaps(scene, track(scene, {0: scene.masks[0]}))) > 0.85


def test_a_bounce_of_a_fifth_of_the_picture_per_frame_is_followed() -> None:
    heights = [30, 30, 45, 68, 85, 66, 44, 30, 46, 70, 86]
    scene = moving([(50 + 6 * k, y) for k, y in enumerate(heights)])
    assert min(overlaps(scene, track(scene, {0: scene.masks[0]}))) > 0.85


def test_what_is_covered_is_left_out_of_the_mask() -> None:
    scene = moving([(40 + 5 * k, 56) for k in range(14)], bar=(78, 88))
    found = track(scene, {0: scene.masks[0]})
    assert min(overlaps(scene, found)) > 0.75
    assert not (found[8].mask[:, 80:86] >= 128).any()
    assert overlap(found[13].mask, scene.masks[13]) > 0.8


def test_a_thing_that_leaves_and_returns_is_found_again() -> None:
    places = [(130 + 12 * k, 50) for k in range(6)] + [(250, 50)] * 6 + [(190 - 12 * k, 64) for k in range(8)]
    scene = moving(places)
    found = track(scene, {0: scene.masks[0]})
    assert not (found[10].mask >= 128).any()
    assert found[11].lost
    assert found[11].confidence < LOST_BELOW
    assert overlap(found[19].mask, scene.masks[19]) > 0.85
    assert not found[19].lost


def test_a_thing_that_enters_is_completed() -> None:
    scene = moving([(4 + 5 * k, 56) for k in range(10)])
    found = track(scene, {0: scene.masks[0]})
    assert overlap(found[9].mask, scene.masks[9]) > 0.85


def test_confidence_tells_when_the_thing_is_gone() -> None:
    scene = sliding(5)
    for _ in range(LOST_FRAMES + 2):
        scene.pictures.append(ground())
        scene.masks.append(EMPTY)
    found = track(scene, {0: scene.masks[0]})
    assert min(found[k].confidence for k in range(1, 5)) > 0.6
    assert [found[k].lost for k in range(5)] == [False] * 5
    assert found[5].confidence < LOST_BELOW
    assert not found[4 + LOST_FRAMES - 1].lost
    assert found[4 + LOST_FRAMES].lost


def test_keyframes_come_as_they_were_given_with_full_confidence() -> None:
    scene = sliding(5)
    odd = scene.masks[2].copy()
    odd[0, 0] = 200
    found = track(scene, {2: odd})
    assert found[2] == Tracked(2, found[2].mask, 1.0)
    assert np.array_equal(found[2].mask, odd)


def test_between_two_keyframes_both_are_heard() -> None:
    """Keyframes that disagree: the mask near each is like that one, in the middle both have a share."""
    scene = moving([(80, 56)] * 9)
    whole, left = scene.masks[0], scene.masks[0].copy()
    left[:, 80:] = 0
    found = track(scene, {0: whole, 8: left})
    shares = [float(found[k].mask[50:62, 84:90].mean()) / 255 for k in range(9)]
    assert shares == sorted(shares, reverse=True)
    assert shares[1] > 0.75
    assert shares[7] < 0.25
    assert 0.25 < shares[4] < 0.75


def test_an_empty_keyframe_means_absent_until_the_next() -> None:
    scene = sliding(9)
    found = track(scene, {1: scene.masks[1], 4: EMPTY, 7: scene.masks[7]})
    assert [bool((found[k].mask >= 128).any()) for k in range(9)] == [True] * 4 + [False] * 3 + [True] * 2
    assert found[5].confidence == 1.0
    assert not found[5].lost


def test_nothing_is_known_before_an_empty_first_keyframe() -> None:
    scene = sliding(4)
    found = track(scene, {2: EMPTY})
    assert not any(answer.mask.any() for answer in found.values())
    assert [found[k].confidence for k in range(4)] == [0.0, 0.0, 1.0, 1.0]


def test_a_range_of_one_frame() -> None:
    scene = sliding(4)
    assert list(track(scene, {2: scene.masks[2]}, 2, 2)) == [2]
    assert overlap(track(scene, {2: scene.masks[2]}, 3, 3)[3].mask, scene.masks[3]) > 0.9


def test_keyframes_outside_of_the_range_are_started_from() -> None:
    scene = sliding(9)
    found = track(scene, {1: scene.masks[1], 8: scene.masks[8]}, 4, 5)
    assert min(overlaps(scene, found)) > 0.9


def test_frames_beyond_the_range_and_its_keyframes_are_not_looked_at() -> None:
    scene = sliding(9)
    track(scene, {4: scene.masks[4]}, 3, 6)
    assert set(scene.looked_at) == {3, 4, 5, 6}


def test_the_same_input_gives_the_same_bytes_in_another_thread_too() -> None:
    scene = moving([(50 + 6 * k, 56 + 9 * (k % 3)) for k in range(7)])
    keys = {0: scene.masks[0], 6: scene.masks[6]}
    here = track(scene, keys)
    cv2.setRNGSeed(77)
    there: dict[int, Tracked] = {}
    worker = threading.Thread(target=lambda: there.update(track(scene, keys)))
    worker.start()
    worker.join()
    assert [here[k].confidence for k in here] == [there[k].confidence for k in here]
    assert all(here[k].mask.tobytes() == there[k].mask.tobytes() for k in here)


def test_frames_come_as_soon_as_they_are_known() -> None:
    scene = sliding(9)
    answers = FlowTracker().track(scene, {0: scene.masks[0]}, first=0, last=8)
    assert [next(answers).frame for _ in range(3)] == [0, 1, 2]
    assert max(scene.looked_at) == 2


def test_cancel_is_asked_before_every_frame() -> None:
    scene = sliding(9)
    stop = threading.Event()
    answers = FlowTracker().track(scene, {0: scene.masks[0]}, first=0, last=8, cancel=stop.is_set)
    assert [next(answers).frame for _ in range(3)] == [0, 1, 2]
    stop.set()
    with pytest.raises(Cancelled):
        next(answers)
    assert max(scene.looked_at) == 2


def test_cancel_stops_the_first_of_two_runs_too() -> None:
    scene = sliding(9)
    asked: list[int] = []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > 4

    with pytest.raises(Cancelled):
        list(
            FlowTracker().track(scene, {0: scene.masks[0], 8: scene.masks[8]}, first=0, last=8, cancel=cancel)
        )
    assert max(scene.looked_at) < 8


def test_frames_of_other_sizes_are_refused_in_words() -> None:
    scene = sliding(5)
    scene.pictures[3] = ground(high=56, wide=80)
    answers = FlowTracker().track(scene, {0: scene.masks[0]}, first=0, last=4)
    assert [next(answers).frame for _ in range(3)] == [0, 1, 2]
    with pytest.raises(MatteMismatch, match=r"Frame 3 has 80 x 56 pixels.*160 x 112"):
        next(answers)


def test_a_keyframe_of_another_size_is_refused() -> None:
    scene = sliding(5)
    with pytest.raises(MatteMismatch, match="keyframe 4 "):
        list(FlowTracker().track(scene, {0: scene.masks[0], 4: EMPTY[:56]}, first=0, last=4))


def test_no_keyframe_is_refused() -> None:
    with pytest.raises(BadPrompt):
        list(FlowTracker().track(sliding(2), {}, first=0, last=1))


def test_what_came_before_a_damaged_frame_stays() -> None:
    class Damaged(Drawn):
        def picture(self, frame: int) -> Bytes:
            if frame == 3:
                raise UndecodableMedia("Frame 3 cannot be decoded.", remedy="Copy the file again.")
            return super().picture(frame)

    scene = sliding(5)
    damaged = Damaged(scene.pictures, scene.masks)
    answers = FlowTracker().track(damaged, {0: scene.masks[0]}, first=0, last=4)
    kept = [next(answers) for _ in range(3)]
    with pytest.raises(UndecodableMedia):
        next(answers)
    assert min(overlap(answer.mask, scene.masks[answer.frame]) for answer in kept) > 0.9


def test_nothing_is_tracked_across_a_cut() -> None:
    scene = sliding(4)
    other = moving([(90, 40)] * 4, ground_seed=2)
    scene.pictures += other.pictures
    scene.masks += other.masks
    found = track(scene, {0: scene.masks[0]})
    assert [bool(found[k].mask.any()) for k in range(8)] == [True] * 4 + [False] * 4
    assert found[4].lost
    assert found[4].confidence == 0.0


@pytest.mark.parametrize("length", [1, 3])
def test_a_flash_does_not_end_the_run(length: int) -> None:
    scene = sliding(10)
    for frame in range(3, 3 + length):
        scene.pictures[frame] = np.full_like(scene.pictures[0], 255)
    found = track(scene, {0: scene.masks[0]})
    assert min(overlap(found[k].mask, scene.masks[k]) for k in range(6, 10)) > 0.85
    assert overlap(found[3].mask, scene.masks[3]) > 0.5
    assert found[3].confidence < found[2].confidence
    assert not any(answer.lost for answer in found.values())


def test_beyond_a_cut_only_the_keyframe_of_that_shot_counts() -> None:
    scene = sliding(4)
    other = moving([(90, 40)] * 4, ground_seed=2)
    scene.pictures += other.pictures
    scene.masks += other.masks
    found = track(scene, {0: scene.masks[0], 7: scene.masks[7]})
    assert min(overlaps(scene, found)) > 0.9


def test_a_small_thing_in_a_picture_of_8k_costs_no_more_than_its_window() -> None:
    high, wide = 4320, 7680
    picture = np.full((high, wide, 3), 60, np.uint8)
    scene = Drawn()
    for k in range(2):
        frame, mask = picture.copy(), np.zeros((high, wide), np.uint8)
        frame[2000 + 40 * k : 2400 + 40 * k, 3000:3300] = (220, 160, 40)
        mask[2000 + 40 * k : 2400 + 40 * k, 3000:3300] = 255
        scene.pictures.append(frame)
        scene.masks.append(mask)
    found = track(scene, {0: scene.masks[0]})
    assert found[1].mask.shape == (high, wide)
    assert overlap(found[1].mask, scene.masks[1]) > 0.95


def test_stretches_lie_between_keyframes_and_the_ends() -> None:
    parts = stretches([3, 7], first=1, last=9)
    assert [(part.before, part.after, part.first, part.last) for part in parts] == [
        (None, 3, 1, 2),
        (3, 7, 4, 6),
        (7, None, 8, 9),
    ]
