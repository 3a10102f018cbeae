"""Cuts are found; flashes, fast motion, fades of light and things that pass close by are none."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from plugin.masks.shot_changes import is_cut, thumbnail
from tests.unit.masks.drawn_scenes import ground, moving

Bytes = npt.NDArray[np.uint8]

SHOT = moving([(60, 50), (72, 58), (84, 50), (96, 40), (108, 50)]).pictures
OTHER = moving([(60, 50)] * 5, ground_seed=9).pictures
BLACK = np.zeros_like(SHOT[0])
WHITE = np.full_like(SHOT[0], 255)


def cut_at(pictures: Sequence[Bytes], frame: int) -> bool:
    """Whether a shot ends before that frame of these."""

    def later(ahead: int) -> npt.NDArray[np.float32] | None:
        return thumbnail(pictures[frame + ahead]) if frame + ahead < len(pictures) else None

    return is_cut(thumbnail(pictures[frame - 1]), thumbnail(pictures[frame]), later)


def test_another_shot_is_a_cut() -> None:
    assert cut_at([*SHOT, *OTHER], 5)
    assert cut_at([*SHOT, OTHER[0]], 5)


def test_black_between_shots_is_a_cut() -> None:
    assert cut_at([*SHOT, BLACK, BLACK, *OTHER], 5)
    assert cut_at([BLACK, BLACK, *OTHER], 2)
    assert not cut_at([BLACK, BLACK, BLACK], 1)


def test_a_fast_thing_is_no_cut() -> None:
    assert not any(cut_at(SHOT, frame) for frame in range(1, 5))


@pytest.mark.parametrize("flash", [WHITE, BLACK, ground(5)])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_picture_that_comes_back_was_only_interrupted(flash: Bytes, length: int) -> None:
    assert not cut_at([*SHOT, *[flash] * length, *SHOT[::-1]], 5)


def test_an_interruption_that_lasts_is_a_cut() -> None:
    assert cut_at([*SHOT, *[WHITE] * 5, *SHOT[::-1]], 5)


@pytest.mark.parametrize("gain", [0.3, 1.6])
def test_light_that_changes_is_no_cut(gain: float) -> None:
    changed = np.clip(SHOT[1].astype(np.float32) * gain, 0, 255).astype(np.uint8)
    assert not cut_at([SHOT[0], changed, changed], 1)


def test_a_whip_of_the_camera_is_no_cut() -> None:
    wide = ground(3, wide=320)
    assert not cut_at([np.ascontiguousarray(wide[:, x : x + 160]) for x in (0, 24, 48)], 1)


def test_a_large_picture_costs_no_more_than_a_small_one() -> None:
    large = cv2.resize(SHOT[0], (3200, 2240), interpolation=cv2.INTER_LINEAR)
    assert float(np.abs(thumbnail(np.asarray(large, np.uint8)) - thumbnail(SHOT[0])).max()) < 0.6
