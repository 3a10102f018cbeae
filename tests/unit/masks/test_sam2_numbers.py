"""SAM 2.1's numbers without its networks: choosing, memory, resizing, 16 bits, gestures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from exporter import fill
from models_onnx.mask_manifest import MemorySpec
from plugin.errors import BadPrompt
from plugin.masks.prompts import Box, Click, FramePrompts, Lasso, Stroke
from plugin.masks.sam2_choosing import NO_OBJECT, Chosen, best_reading, choose, single_mask, stability
from plugin.masks.sam2_memory import Bank, Remembered
from plugin.masks.sam2_pictures import (
    antialiased,
    enlarged,
    from_bfloat16,
    probability,
    soft_mask,
    squashed,
    squashed_mask,
    to_bfloat16,
)
from plugin.masks.sam2_prompting import finished, points_of, read_gestures
from tests.parity.golden_files import GoldenFile

SPEC = MemorySpec(width=32, memory_width=8, grid=4, low_size=16, previous=6, pointers=16)


def outputs(*, iou=(0.9, 0.2, 0.8, 0.5), score=1.0, shift=0.0):
    masks = np.stack([np.full((4, 4), 10.0 * index - 15 + shift) for index in range(4)])[None]
    pointers = np.arange(4, dtype=np.float32)[None, :, None].repeat(3, 2)
    return {
        "masks": masks.astype(np.float32),
        "iou": np.array([iou], np.float32),
        "pointers": pointers,
        "score": np.array([[score]], np.float32),
    }


NO_POINTER = np.full(3, -7, np.float32)


@pytest.mark.parametrize("case", ["stable", "unstable"])
def test_the_published_choice_among_masks(case: str) -> None:
    golden = GoldenFile.load("sam2_heads")
    drawn = fill.network_input(f"sam2_select_{case}", (1, 4, 48, 48), kind="normal").numpy()
    masks = (golden.whole(f"select_{case}/scale") * drawn)[0]
    iou = golden.whole(f"select_{case}/iou4")[0]
    assert [stability(mask) for mask in masks] == pytest.approx(golden.whole(f"select_{case}/stability4")[0])
    assert single_mask(masks, iou) == int(golden.whole(f"select_{case}/chosen"))


def test_at_most_one_point_means_the_best_reading_with_its_own_pointer() -> None:
    for points in (0, 1):
        chosen = choose(outputs(), points=points, no_obj_ptr=NO_POINTER)
        assert chosen.pointer[0] == 2
        assert chosen.logits[0, 0] == 5
        assert chosen.iou == pytest.approx(0.8)


def test_more_points_mean_mask_0_and_its_pointer_even_where_another_mask_is_taken() -> None:
    stable = choose(outputs(), points=2, no_obj_ptr=NO_POINTER)
    assert (stable.logits[0, 0], stable.pointer[0]) == (-15, 0)
    unsure = outputs()
    unsure["masks"][0, 0, 0] = [0.01, 0.02, 0.0, -0.01]
    taken = choose(unsure, points=2, no_obj_ptr=NO_POINTER)
    assert (taken.logits[0, 0], taken.pointer[0]) == (5, 0)


@pytest.mark.parametrize("score", [0.0, -0.5])
def test_an_object_that_cannot_be_seen_has_no_mask_and_the_pointer_of_none(score: float) -> None:
    chosen = choose(outputs(score=score), points=1, no_obj_ptr=NO_POINTER)
    assert (chosen.logits == NO_OBJECT).all()
    assert (chosen.pointer == NO_POINTER).all()
    assert not chosen.is_present
    assert chosen.confidence <= 0.5


def test_a_mask_of_nothing_is_stable() -> None:
    assert stability(np.full((2, 2), -1, np.float32)) == 1
    assert best_reading(np.array([9, 0, 1, 0.5], np.float32)) == 2


# -- memory ---------------------------------------------------------------------------------------


def remembered(value: float) -> Remembered:
    chosen = Chosen(np.zeros((16, 16), np.float32), np.full(32, value, np.float32), 0.9, 1.0)
    return Remembered(chosen, to_bfloat16(np.full((8, 4, 4), value, np.float32)))


def bank(prompted=(0,), tracked=(), *, frames=100) -> Bank:
    return Bank({n: remembered(n) for n in prompted}, {n: remembered(n) for n in tracked}, frames, SPEC)


def test_six_frames_before_are_read_with_their_distance_and_prompted_ones_always() -> None:
    reading = bank((3, 50), range(4, 20)).read(20, direction=1)
    assert reading.mem[:, 0, 0, 0].tolist() == [3, 50, 14, 15, 16, 17, 18, 19]
    assert reading.tidx.tolist() == [6, 6, 5, 4, 3, 2, 1, 0]


def test_missing_frames_are_left_out_not_filled_up() -> None:
    reading = bank((3,), (4, 6)).read(7, direction=1)
    assert reading.mem[:, 0, 0, 0].tolist() == [3, 4, 6]
    assert reading.tidx.tolist() == [6, 2, 0]


def test_pointers_of_prompted_frames_count_only_from_behind() -> None:
    both = bank((3, 50), (4,))
    assert both.read(5, direction=1).ptr[:, 0].tolist() == [3, 4]
    assert both.read(5, direction=-1).ptr[:, 0].tolist() == [50]
    assert both.read(50, direction=1).ptr[:, 0].tolist() == [3, 50]


def test_in_reverse_the_frames_after_are_those_before() -> None:
    reading = bank((20,), range(12, 20)).read(11, direction=-1)
    assert reading.mem[:, 0, 0, 0].tolist() == [20, 17, 16, 15, 14, 13, 12]
    assert reading.ptr[:, 0].tolist() == [20, *range(12, 20)]


def test_pointers_reach_fifteen_frames_back_at_most() -> None:
    reading = bank((0,), range(1, 40)).read(40, direction=1)
    assert reading.ptr[:, 0].tolist() == [0, *range(39, 24, -1)]


def test_a_short_clip_changes_the_code_of_time() -> None:
    long, short = (bank((0,), (1,), frames=frames).read(2, direction=1) for frames in (100, 10))
    wanted = torch.tensor([2 / 9, 1 / 9])[:, None] / 10000.0 ** (2 * (torch.arange(16) // 2) / 16)
    expected = torch.cat([wanted.sin(), wanted.cos()], 1).numpy()
    assert short.tsine == pytest.approx(expected, abs=1e-6)
    assert not np.allclose(long.tsine, short.tsine)
    assert np.isfinite(bank((0,), (), frames=1).read(0, direction=1).tsine).all()


def test_rounding_to_16_bits_is_torchs() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(size=1000), [0, -0.0, 1.00390625, 1e-30, 3e38]])
    single = values.astype(np.float32)
    expected = torch.from_numpy(single).to(torch.bfloat16).float().numpy()
    assert np.array_equal(from_bfloat16(to_bfloat16(single)), expected)


# -- pictures -------------------------------------------------------------------------------------


def test_resizing_is_torchs() -> None:
    values = np.random.default_rng(1).normal(size=(16, 16)).astype(np.float32)
    given = torch.from_numpy(values)[None, None]
    up = interpolate(given, size=(54, 96), mode="bilinear", align_corners=False)[0, 0].numpy()
    assert enlarged(values, height=54, width=96) == pytest.approx(up, abs=1e-5)
    down = interpolate(given, size=(5, 7), mode="bilinear", align_corners=False, antialias=True)[0, 0]
    assert antialiased(values, height=5, width=7) == pytest.approx(down.numpy(), abs=1e-5)


def test_a_soft_mask_is_inside_exactly_where_the_logit_is_above_0() -> None:
    logits = np.array([[-1024, -1e-6, 0.0], [1e-6, 0.3, 40.0]], np.float32)
    mask = soft_mask(logits, height=2, width=3)
    assert mask.tolist() == [[0, 127, 127], [128, 146, 255]]
    assert probability(np.array([0.0], np.float32))[0] == 0.5


def test_a_tall_mask_has_no_seams() -> None:
    logits = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    mask = soft_mask(logits, height=600, width=32)
    assert np.array_equal(mask >= 128, enlarged(logits, height=600, width=32) > 0)


def test_pictures_are_squashed_not_cropped() -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 40:] = 200
    small, large = squashed(picture, 16), squashed(picture, 128)
    assert small.shape == (16, 16, 3)
    assert (small[:, :8] == 0).all()
    assert (small[:, 8:] == 200).all()
    assert large.shape == (128, 128, 3)


def test_a_tiny_object_is_not_lost_in_the_square() -> None:
    mask = np.zeros((2000, 2000), np.uint8)
    assert not squashed_mask(mask, 64).any()
    mask[700:705, 300:304] = 255
    found = np.argwhere(squashed_mask(mask, 64))
    assert [tuple(place) for place in found] == [(22, 9)]


# -- gestures -------------------------------------------------------------------------------------


def read(*gestures):
    return read_gestures(FramePrompts(0, gestures), height=50, width=100)


def test_a_box_is_two_points_that_come_first() -> None:
    asked = read(Click((50, 25)), Box(10, 5, 60, 45), Click((0, 0), inside=False))
    points = points_of(asked.box, asked.clicks, height=50, width=100, size=64)
    assert points.labels.tolist() == [2, 3, 1, 0]
    assert points.places.tolist() == pytest.approx(
        np.array([[6.4, 6.4], [38.4, 57.6], [32, 32], [0, 0]], np.float32)
    )


def test_a_lasso_is_a_box_whose_mask_ends_at_the_line() -> None:
    asked = read(Lasso(((10, 10), (30, 10), (10, 30))))
    assert asked.box == Box(10, 10, 30, 30)
    mask = finished(np.full((50, 100), 255, np.uint8), asked)
    assert mask[12, 12] == 255
    assert mask[29, 29] == 0
    assert mask[40, 50] == 0


def test_what_is_taken_away_and_strokes_act_on_the_mask() -> None:
    asked = read(
        Lasso(((10, 10), (30, 10), (30, 30), (10, 30)), inside=False),
        Stroke(((60, 20), (80, 20)), 4.0),
        Stroke(((70, 20),), 2.0, paints=False),
    )
    assert not asked.names_the_object
    start = np.zeros((50, 100), np.uint8)
    start[15, 15] = 255
    mask = finished(start, asked)
    assert start[15, 15] == 255
    assert mask[15, 15] == 0
    assert mask[20, 62] == mask[20, 78] == mask[23, 62] == 255
    assert mask[20, 70] == mask[26, 62] == 0


@pytest.mark.parametrize(
    ("gesture", "words"),
    [
        (Click((101, 10)), "outside of frame 0"),
        (Click((10, -1)), "outside of frame 0"),
        (Box(200, 0, 300, 10), "empty or outside"),
        (Box(20, 10, 20, 30), "empty or outside"),
    ],
)
def test_gestures_outside_of_the_picture_are_told(gesture: object, words: str) -> None:
    with pytest.raises(BadPrompt, match=words):
        read(gesture)


def test_a_box_that_leaves_the_picture_is_cut() -> None:
    assert read(Box(-5, -5, 300, 300)).box == Box(0, 0, 100, 50)
