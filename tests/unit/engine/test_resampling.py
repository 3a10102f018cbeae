from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from plugin.engine.resampling import Section, bilinear_weights, enlarge_bilinear, resize_bicubic, whole


def _noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(height * width).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("height", "width"), [(270, 480), (301, 173), (224, 224), (64, 1000), (17, 23), (290, 3), (1, 1)]
)
@pytest.mark.parametrize("size", [128, 224])
@pytest.mark.parametrize("channels", [1, 3])
def test_agrees_with_pillow_but_for_its_finer_weights(
    height: int, width: int, size: int, channels: int
) -> None:
    picture = _noise(height, width, channels)
    ours = resize_bicubic(picture, columns=whole(size), rows=whole(size))
    theirs = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))
    difference = np.abs(ours.astype(int) - theirs)
    assert ours.shape == theirs.shape
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.02, (
        "weights of 16 bits where Pillow's have 22; equal to torch's (tests/parity)"
    )


def test_a_section_is_a_cut_of_the_whole() -> None:
    picture = _noise(108, 192)
    full = resize_bicubic(picture, columns=whole(398), rows=whole(224))
    cut = resize_bicubic(picture, columns=Section(398, 87, 224), rows=whole(224))
    assert np.array_equal(cut, full[:, 87:311])


def test_the_same_size_changes_nothing() -> None:
    picture = _noise(40, 40)
    assert np.array_equal(resize_bicubic(picture, columns=whole(40), rows=whole(40)), picture)


def test_the_horizontal_pass_is_rounded_before_the_vertical_one() -> None:
    picture = _noise(90, 90)
    narrow = resize_bicubic(picture, columns=whole(31), rows=whole(90))
    assert np.array_equal(
        resize_bicubic(picture, columns=whole(31), rows=whole(31)),
        resize_bicubic(narrow, columns=whole(31), rows=whole(31)),
    )


def test_overshoot_is_clamped() -> None:
    picture = np.zeros((40, 40), np.uint8)
    picture[:, 20:] = 255
    enlarged = resize_bicubic(picture, columns=whole(160), rows=whole(160))
    assert enlarged.min() == 0
    assert enlarged.max() == 255


def test_bilinear_rows_sum_to_one_and_repeat_the_edges() -> None:
    weights = bilinear_weights(3, 9)
    assert np.allclose(weights.sum(axis=1), 1)
    assert np.allclose(weights[0], [1, 0, 0])
    assert np.allclose(weights[2], [2 / 3, 1 / 3, 0])


def test_a_ramp_stays_a_ramp_when_enlarged() -> None:
    ramp = np.tile(np.arange(8, dtype=np.float32), (8, 1))
    large = enlarge_bilinear(ramp[None], size=16)[0]
    assert np.allclose(large[5, 1:-1], np.arange(1, 15) * 0.5 - 0.25, atol=1e-6)
    assert np.allclose(large[:, 0], 0)
    assert np.allclose(large[:, -1], 7)
