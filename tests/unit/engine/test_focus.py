from __future__ import annotations

import numpy as np
import pytest

from plugin.engine.focus import Box, crop_to, find_focus

SIDE, CROP_MIN = 224, 56


def _masks(*boxes: tuple[int, int, int, int] | None, value: float = 1.0) -> np.ndarray:
    masks = np.zeros((len(boxes), SIDE, SIDE), np.float32)
    for mask, box in zip(masks, boxes, strict=True):
        if box is not None:
            x0, y0, x1, y1 = box
            mask[y0 : y1 + 1, x0 : x1 + 1] = value
    return masks


def _box(masks: np.ndarray, *, threshold: float = 0.5) -> Box:
    return find_focus(masks, crop_min=CROP_MIN, threshold=threshold).box


def test_a_still_object_loses_its_last_row_and_column() -> None:
    assert _box(_masks((80, 60, 160, 150))) == Box(80, 60, 160, 150)


def test_frames_without_the_object_do_not_count() -> None:
    focus = find_focus(
        _masks((120, 100, 180, 190), None, (121, 100, 181, 190)), crop_min=CROP_MIN, threshold=0.5
    )
    assert focus.box == Box(120, 100, 181, 190)
    assert not focus.empty


def test_no_object_at_all_is_the_whole_picture_and_is_told() -> None:
    focus = find_focus(_masks(None, None), crop_min=CROP_MIN, threshold=0.5)
    assert focus.box == Box(0, 0, SIDE, SIDE)
    assert focus.empty


def test_a_faint_pixel_does_not_stretch_the_box() -> None:
    masks = _masks((80, 60, 160, 150))
    masks[0, 5, 7] = 0.1
    assert _box(masks) == Box(80, 60, 160, 150)
    assert _box(masks, threshold=0.0) == Box(7, 5, 160, 150)


def test_a_matte_that_is_soft_throughout_is_judged_by_its_own_peak() -> None:
    focus = find_focus(_masks((80, 60, 160, 150), value=0.4), crop_min=CROP_MIN, threshold=0.5)
    assert focus.box == Box(80, 60, 160, 150)
    assert not focus.empty


def test_compression_noise_alone_is_no_object() -> None:
    assert find_focus(_masks((10, 10, 12, 12), value=0.02), crop_min=CROP_MIN, threshold=0.5).empty


@pytest.mark.parametrize("corner", [(0, 0), (220, 0), (0, 220), (220, 220)])
def test_the_box_never_leaves_the_picture_and_is_never_too_small(corner: tuple[int, int]) -> None:
    x, y = corner
    box = _box(_masks((x, y, x + 3, y + 3)))
    assert 0 <= box.x0 < box.x1 <= SIDE
    assert 0 <= box.y0 < box.y1 <= SIDE
    assert (box.x1 - box.x0, box.y1 - box.y0) == (CROP_MIN, CROP_MIN)


def test_cropping_enlarges_each_axis_on_its_own() -> None:
    pictures = np.zeros((1, 3, SIDE, SIDE), np.float32)
    pictures[:, :, 50:106, 20:132] = 1.0
    assert np.allclose(crop_to(pictures, Box(20, 50, 132, 106), size=SIDE), 1.0)
