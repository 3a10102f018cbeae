"""Scenes: reproducible, consistent, level-controlled."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest

from exporter.synth.excerpts import excerpt
from exporter.synth.generating import generate, scenes, sounding_objects
from exporter.synth.makers import CLASS_NAMES, MAKERS
from exporter.synth.scenes import Scene
from exporter.synth.settings import SceneSettings
from exporter.synth.sounding import LOUDEST

SMALL = SceneSettings(size=48)
SEEDS = range(100, 124)


@cache
def small(seed: int) -> Scene:
    return generate(seed, SMALL)


def test_there_are_enough_classes_with_several_looks_each() -> None:
    assert len(CLASS_NAMES) >= 16
    sounding = [MAKERS[name] for name in CLASS_NAMES]
    assert sum(maker.variants >= 2 for maker in sounding) == len(sounding)
    assert min(len(set(maker.phrases)) for maker in sounding) >= 3


def test_same_seed_same_scene_and_other_seed_another() -> None:
    again = generate(100, SMALL)
    first = small(100)
    assert np.array_equal(first.frames, again.frames)
    assert np.array_equal(first.mixture, again.mixture)
    assert [item.caption for item in first.objects] == [item.caption for item in again.objects]
    assert not np.array_equal(first.frames, small(101).frames)


def test_default_length_is_128_frames_and_as_much_sound() -> None:
    scene = small(100)
    assert scene.frames.shape == (128, 48, 48, 3)
    assert scene.frames.dtype == np.uint8
    assert scene.ids.shape == (128, 48, 48)
    assert scene.mixture.shape == (225_792,)
    assert all(item.dry.shape == item.wet.shape == (225_792,) for item in scene.objects)
    assert all(item.wet.dtype == np.float32 for item in scene.objects)


@pytest.mark.parametrize("seed", SEEDS)
def test_sound_is_finite_bounded_and_adds_up(seed: int) -> None:
    scene = small(seed)
    everything = [*scene.objects, *scene.offscreen]
    assert all(
        np.isfinite(item.wet).all() and np.abs(item.wet).max() <= LOUDEST + 1e-4 for item in everything
    )
    assert np.abs(scene.mixture).max() <= LOUDEST + 1e-4
    np.testing.assert_allclose(
        scene.mixture, sum(item.wet.astype(np.float64) for item in everything), atol=1e-5
    )
    for item in everything:
        if item.score.events:
            assert item.wet.any()
        if item.name == "silent":
            assert not item.wet.any()


@pytest.mark.parametrize("seed", SEEDS)
def test_ids_name_the_objects_and_masks_do_not_overlap(seed: int) -> None:
    scene = small(seed)
    assert 1 <= len(scene.objects) <= 4
    assert scene.ids.max() <= len(scene.objects)
    masks = [scene.mask(index) > 0 for index in range(len(scene.objects))]
    assert np.sum(masks, axis=0).max() <= 1
    assert np.array_equal(scene.joint_mask(tuple(range(len(masks)))) > 0, np.any(masks, axis=0))
    assert np.mean([mask.any() for mask in masks]) > 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_events_are_in_order_inside_the_scene_with_gains(seed: int) -> None:
    for item in small(seed).objects:
        assert item.score.seconds == pytest.approx(5.12)
        times, gains = item.score.times, item.score.gains
        assert np.all(np.diff(times) > 0.05)
        assert np.all((times >= 0) & (times < 5.12))
        assert np.all((gains > 0.1) & (gains <= 1))


def test_scenes_vary() -> None:
    made = [small(seed) for seed in SEEDS]
    assert {len(scene.objects) for scene in made} >= {1, 2, 3}
    assert len({item.name for scene in made for item in scene.objects}) >= 12
    assert any(item.name == "silent" for scene in made for item in scene.objects)
    assert any(scene.offscreen for scene in made)
    assert {scene.room.decay > 0 for scene in made} == {True, False}
    assert any(not np.allclose(np.diff(scene.times), 0.04) for scene in made)


def test_settings_are_obeyed() -> None:
    wanted = SceneSettings(
        size=32, seconds=2.56, objects=(2, 2), classes=("drum", "saw"), silent_object=0, offscreen=1, idle=0
    )
    scene = generate(7, wanted)
    assert scene.frames.shape == (64, 32, 32, 3)
    assert len(scene.mixture) == 112_896
    assert len(scene.objects) == 2
    assert {item.name for item in scene.objects} <= {"drum", "saw"}
    assert len(scene.offscreen) == 1
    assert len(sounding_objects(scene)) == 2


def test_idle_objects_have_a_mask_and_no_sound() -> None:
    scene = generate(3, replace(SMALL, idle=1.0, offscreen=0, passing=0, occluder=0))
    assert not scene.mixture.any()
    assert all(scene.mask(index).any() for index in range(len(scene.objects)))
    assert sounding_objects(scene) == ()


def test_workers_share_the_seeds() -> None:
    tiny = SceneSettings(size=16, seconds=0.64, objects=(1, 1))
    seeds = [scene.seed for start in (5, 6) for scene in islice(scenes(start, tiny, step=2), 3)]
    assert sorted(seeds) == [5, 6, 7, 8, 9, 10]


def test_camera_shake_moves_the_background() -> None:
    still = SceneSettings(size=48, shake=0, degraded=0, held=0, decoy=0, occluder=0)
    shaking = replace(still, shake=1)
    differences = [
        np.mean(
            [
                np.abs(np.diff(generate(seed, wanted).frames[:, :6].astype(int), axis=0)).mean()
                for seed in range(6)
            ]
        )
        for wanted in (still, shaking)
    ]
    assert differences[1] > differences[0]


def test_what_is_foreign_is_not_in_the_mask() -> None:
    alone = SceneSettings(
        size=96, objects=(1, 1), classes=("anvil",), silent_object=0, decoy=0, occluder=0, passing=0, idle=0
    )
    with_tool, without = (
        np.mean([(generate(seed, replace(alone, foreign_tool=p)).ids > 0).sum() for seed in range(4)])
        for p in (0, 1)
    )
    assert 0.3 * with_tool < without < 0.95 * with_tool


def test_an_excerpt_is_cut_to_the_frame_and_the_sample() -> None:
    whole = generate(
        4, SceneSettings(size=32, objects=(2, 2), classes=("bell", "fan"), silent_object=0, midway=0)
    )
    part = excerpt(whole, 25, frames=64)
    assert np.array_equal(part.frames, whole.frames[25:89])
    assert part.times == pytest.approx(whole.times[25:89] - 1.0)
    for before, after in zip(whole.objects, part.objects, strict=True):
        assert np.array_equal(after.wet, before.wet[44_100 : 44_100 + 112_896])
        inside = [event.time - 1.0 for event in before.score.events if 1.0 <= event.time < 3.56]
        assert after.score.times == pytest.approx(inside)
        moments = np.array([0.0, 0.7, 2.5])
        assert after.score.drive_at(moments) == pytest.approx(before.score.drive_at(moments + 1.0))
    with pytest.raises(ValueError, match="frames"):
        excerpt(whole, 100, frames=64)


def test_scenes_may_begin_in_the_middle_of_things() -> None:
    wanted = SceneSettings(size=16, objects=(1, 1), classes=("bell",), silent_object=0, idle=0, passing=0)
    starts = {}
    for midway in (0.0, 1.0):
        made = [generate(seed, replace(wanted, midway=midway)) for seed in range(8)]
        assert all(len(scene.frames) == 128 and len(scene.mixture) == 225_792 for scene in made)
        starts[midway] = [bool(scene.mixture[:441].any()) for scene in made]
    assert not any(starts[0.0])
    assert any(starts[1.0])
