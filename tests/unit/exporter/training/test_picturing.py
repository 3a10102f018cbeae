"""Masks and pictures in training: the runtime's focus, and wear that does what its name says."""

import numpy as np
import pytest
import torch

from exporter.training.asking import draw_kind, wanted
from exporter.training.config import Mattes
from exporter.training.matching import Tally, match_onsets, pick_onsets
from exporter.training.picturing import Box, draw_wear, find_box, no_wear, views
from exporter.training.scenes import ScenePool
from exporter.training.targets import energy_curve, onset_curve
from plugin.engine.focus import find_focus

NOTHING = dict.fromkeys(
    (
        "edge",
        "blur",
        "shift",
        "jitter",
        "late",
        "hold",
        "static",
        "boxed",
        "repeat",
        "colour",
        "grey",
        "flip",
    ),
    0.0,
)


@pytest.mark.parametrize("seed", range(12))
def test_the_box_is_the_runtimes(seed):
    rng = np.random.default_rng(seed)
    masks = np.zeros((6, 64, 64), np.float32)
    for frame in masks[: 6 - seed % 2]:
        x, y = rng.integers(0, 60, 2)
        frame[y : y + rng.integers(1, 20), x : x + rng.integers(1, 20)] = rng.choice([0.3, 0.7, 1.0])
    box = find_box(torch.from_numpy(masks), crop_min=16)
    assert box == Box(*_numbers(find_focus(masks, crop_min=16, threshold=0.5).box))


def test_an_empty_mask_focuses_on_everything():
    assert find_box(torch.zeros(3, 16, 16), crop_min=4) == Box(0, 0, 16, 16)


def _numbers(box):
    return box.x0, box.y0, box.x1, box.y1


def test_views_show_the_crop_and_the_whole():
    frames = torch.zeros(2, 3, 16, 16)
    frames[..., 4:8, 4:8] = 1
    masks = frames[:, 0]
    seen = views(frames, masks, Box(4, 4, 8, 8), shrink=2)
    assert seen.frames.shape == (2, 3, 8, 8)
    assert torch.all(seen.detail_frames == 1)
    assert torch.all(seen.detail_mask == 1)
    assert seen.frames.mean() == pytest.approx(2 / 16 - 1)
    assert seen.frames[0, 0, 2, 2] == 1


@pytest.mark.parametrize("name", ["edge", "blur", "shift", "jitter", "late", "hold", "static", "boxed"])
def test_each_wear_of_the_mask_changes_it_alone(name):
    masks = np.zeros((40, 32, 32), np.uint8)
    for k in range(40):
        masks[k, 8:16, k // 2 : k // 2 + 8] = 255
        masks[k, 8, k // 2] = 0
    frames = np.zeros((40, 32, 32, 3), np.uint8)
    changed = 0
    for seed in range(8):
        wear = draw_wear(np.random.default_rng(seed), Mattes(**{**NOTHING, name: 1.0}), count=40, rate=25)
        changed += not np.array_equal(wear.worn_masks(masks).numpy() * 255, masks)
        assert not wear.worn_frames(frames, slice(0, 4)).any()
    assert changed >= 5


def test_no_wear_is_the_scene():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (9, 8, 8, 3)).astype(np.uint8)
    worn = draw_wear(rng, Mattes(**NOTHING), count=9, rate=25).worn_frames(frames, slice(2, 5))
    assert torch.equal(worn, no_wear(9).worn_frames(frames, slice(2, 5)))
    assert np.array_equal((worn * 255).round().byte().numpy().transpose(0, 2, 3, 1), frames[2:5])


def test_flips_and_colours_keep_the_mask_in_step():
    frames = np.zeros((4, 8, 8, 3), np.uint8)
    frames[:, :, :3] = (250, 30, 30)
    masks = np.zeros((4, 8, 8), np.uint8)
    masks[:, :, :3] = 255
    wear = draw_wear(
        np.random.default_rng(1), Mattes(**{**NOTHING, "flip": 1.0, "colour": 1.0}), count=4, rate=25
    )
    worn, mask = wear.worn_frames(frames, slice(None)), wear.worn_masks(masks)
    assert mask[0, 0].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert (worn[0, :, 0, 7] - worn[0, :, 0, 0]).abs().max() > 0.05
    assert torch.equal(worn[..., 5], worn[..., 7])


def test_frames_of_other_rates_are_held():
    always = Mattes(**{**NOTHING, "repeat": 1.0})
    orders = [draw_wear(np.random.default_rng(k), always, count=100, rate=25.0).order for k in range(40)]
    assert all(np.abs(order - np.arange(100)).max() <= 1 for order in orders)
    assert {len(set(order.tolist())) for order in orders} >= {50, 96}


def test_the_pool_moves_on_and_forgets(make, squares):
    pool = ScenePool(squares, make().data, stage="sync")
    assert pool.window(0) == range(1)
    assert pool.window(30) == range(7, 11)
    pool.draw(0, np.random.default_rng(0))
    assert list(pool.kept) == [0]
    pool.draw(30, np.random.default_rng(0))
    assert min(pool.kept) >= 7


def test_kinds_of_samples(squares):
    scene, rng = squares.scene(0), np.random.default_rng(0)
    kinds = {draw_kind(rng, null_mask=0.2, full_mask=0.2, several=0.2) for _ in range(60)}
    assert kinds == {"one", "several", "full", "null"}
    full = wanted(scene, "full", rng)
    assert full.masks.min() == 255
    assert np.array_equal(full.stem, scene.mixture)
    assert len(full.onsets) == 8
    assert full.captions[0] == "a low beep and a high beep"
    null = wanted(scene, "null", rng)
    assert not null.masks.any()
    assert not null.stem.any()
    assert null.onsets == ()
    both = wanted(scene, "several", rng)
    assert both.labels == (0, 1)
    assert np.array_equal(both.masks, scene.things[0].masks | scene.things[1].masks)


def test_targets_stand_where_the_events_are():
    curve = onset_curve((0.11, 0.5), bins=50, rate=50)
    assert set(np.flatnonzero(curve > 0.6)) == {5, 24, 25}
    assert not onset_curve((), bins=5, rate=50).any()
    stem = np.zeros(1000, np.float32)
    stem[100:120] = 1
    energy = energy_curve(stem, bins=50, samples_per_bin=20)
    assert energy[5] == pytest.approx(1)
    assert energy[[4, 6]].tolist() == [0, 0]


def test_onsets_are_matched_one_to_one():
    assert match_onsets((1.0, 1.01), (1.02,)) == Tally(2, 1, 1)
    assert match_onsets((), (1.0,)) == Tally(0, 1, 0)
    assert match_onsets((1.0,), (1.06,)).fit == 0
    assert (match_onsets((1.0,), (1.0,)) + match_onsets((1.0,), ())).f1 == pytest.approx(2 / 3)
    curve = onset_curve((0.313, 0.7), bins=50, rate=50)
    found = pick_onsets(curve, rate=50, threshold=0.4)
    assert found == pytest.approx((0.313, 0.7), abs=0.004)
