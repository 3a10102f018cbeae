"""Mattes gone wrong, held frames, other colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exporter.synth.chance import stream
from exporter.synth.colours import (
    blocky,
    coarse,
    degraded,
    grainy,
    hue_turned,
    inverted,
    recoloured,
    saturated,
    smeared,
    softened,
    toned,
)
from exporter.synth.frame_rates import frame_times, held_frames
from exporter.synth.generating import generate
from exporter.synth.mattes import (
    PERTURBATIONS,
    blurred,
    boxed,
    dilated,
    eroded,
    held_every,
    jittered,
    late,
    perturbed,
    shifted,
    still_box,
    union,
)
from exporter.synth.settings import SceneSettings


def moving_disc() -> np.ndarray:
    rows, columns = np.mgrid[0:64, 0:64]
    return np.stack([255 * ((rows - 32) ** 2 + (columns - 15 - t) ** 2 < 64) for t in range(24)]).astype(
        np.uint8
    )


MASKS = moving_disc()


def test_dilation_and_erosion_move_the_edge() -> None:
    grown, shrunk = dilated(MASKS, pixels=3), eroded(MASKS, pixels=3)
    assert np.ptp(np.flatnonzero(grown[0].any(axis=0))) - np.ptp(np.flatnonzero(MASKS[0].any(axis=0))) == 6
    assert np.ptp(np.flatnonzero(MASKS[0].any(axis=0))) - np.ptp(np.flatnonzero(shrunk[0].any(axis=0))) == 6
    assert eroded(MASKS, pixels=20).any(axis=(1, 2)).all()


def test_blur_softens_and_keeps_the_middle() -> None:
    soft = blurred(MASKS, sigma=2.0)
    assert soft[0, 32, 15] > 240
    assert len(np.unique(soft[0])) > 20


def test_holding_repeats_and_lateness_delays() -> None:
    kept = held_every(MASKS, frames=4)
    assert all(np.array_equal(kept[t], MASKS[t // 4 * 4]) for t in range(len(MASKS)))
    assert np.array_equal(late(MASKS, frames=2)[5], MASKS[3])
    assert np.array_equal(late(MASKS, frames=-1)[23], MASKS[23])


def test_unions_and_boxes_cover_the_object() -> None:
    for cover in (union(MASKS), boxed(MASKS), still_box(MASKS)):
        assert cover.shape == MASKS.shape
        assert np.all(cover >= MASKS)
    assert np.array_equal(union(MASKS)[0], union(MASKS)[-1])
    assert (boxed(MASKS)[0] > 0).sum() == 15 * 15
    assert boxed(np.zeros((1, 8, 8), np.uint8)).max() == 0


def test_shift_and_jitter_move_without_changing_the_shape() -> None:
    assert np.array_equal(shifted(MASKS, right=3, down=-2)[0, 10:40, 13:40], MASKS[0, 12:42, 10:37])
    shaken = jittered(MASKS, stream(1), pixels=2)
    assert np.array_equal((shaken > 0).sum(axis=(1, 2)), (MASKS > 0).sum(axis=(1, 2)))
    assert not np.array_equal(shaken, MASKS)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_every_perturbation_is_pure_and_keeps_shape_and_object(name: str) -> None:
    before = MASKS.copy()
    after = perturbed(MASKS, stream(3), names=(name,))
    assert np.array_equal(MASKS, before)
    assert after.shape == MASKS.shape
    assert after.dtype == np.uint8
    overlap = np.minimum(after, MASKS).astype(float).sum() / MASKS.astype(float).sum()
    assert overlap > 0.5
    assert np.array_equal(after, perturbed(MASKS, stream(3), names=(name,)))


def test_frame_times_are_the_middles_of_source_frames() -> None:
    assert frame_times(4, fps=25) == pytest.approx([0.02, 0.06, 0.10, 0.14])
    assert frame_times(4, fps=25, source=12.5) == pytest.approx([0.04, 0.04, 0.12, 0.12])


@pytest.mark.parametrize(("source", "repeats"), [(24.0, 5), (30.0, 0), (12.5, 64)])
def test_the_nearest_frame_of_another_source_is_shown(source: float, repeats: int) -> None:
    shown = frame_times(128, fps=25, source=source)
    assert np.sum(np.diff(shown) == 0) == repeats
    assert np.abs(shown - (np.arange(128) + 0.5) / 25).max() <= 0.5 / source + 1e-9
    numbers = shown * source - 0.5
    assert numbers == pytest.approx(np.round(numbers), abs=1e-6)


@pytest.mark.parametrize(("source", "repeats"), [(12.5, 64), (24.0, 6)])
def test_slower_sources_that_come_late_repeat_frames(source: float, repeats: int) -> None:
    shown = held_frames(128, fps=25, source=source, ahead=0.0)
    assert np.sum(np.diff(shown) == 0) == repeats
    assert max(k - index for k, index in enumerate(shown)) == 1
    assert min(k - index for k, index in enumerate(shown)) == 0


def test_faster_sources_that_come_late_leave_frames_out() -> None:
    shown = held_frames(128, fps=25, source=30.0, ahead=0.0)
    assert all(k - 1 <= index <= k for k, index in enumerate(shown))
    assert len(set(shown)) < 110


def test_a_scene_of_another_source_is_the_same_scene_at_other_moments() -> None:
    settings = SceneSettings(size=32, seconds=2.0, held=0.0)
    plain, film = generate(3, settings), generate(3, replace(settings, source=24.0))
    assert np.abs(film.times - plain.times).max() <= 0.5 / 24 + 1e-9
    assert not np.array_equal(film.times, plain.times)
    assert not np.array_equal(film.frames, plain.frames)
    assert all(np.array_equal(a.wet, b.wet) for a, b in zip(plain.objects, film.objects, strict=True))


FRAMES = stream(5).integers(40, 200, (3, 24, 24, 3)).astype(np.uint8)


def test_hue_turns_a_third_of_the_wheel_to_the_next_channel() -> None:
    red = np.zeros((1, 2, 2, 3), np.uint8)
    red[..., 0] = 90
    assert hue_turned(red, degrees=120)[0, 0, 0].tolist() == pytest.approx([0, 90, 0], abs=1)
    assert np.abs(hue_turned(FRAMES, degrees=360).astype(int) - FRAMES).max() <= 1


def test_saturation_zero_is_grey_and_one_is_the_same() -> None:
    assert np.ptp(saturated(FRAMES, amount=0.0).astype(int), axis=3).max() <= 1
    assert np.abs(saturated(FRAMES, amount=1.0).astype(int) - FRAMES).max() <= 1


def test_tone_curves() -> None:
    assert toned(FRAMES).tolist() == FRAMES.tolist()
    assert toned(FRAMES, gamma=2.0).mean() < FRAMES.mean() < toned(FRAMES, gamma=0.5).mean()
    assert toned(FRAMES, contrast=0.5).std() < 0.6 * FRAMES.std()
    assert np.array_equal(inverted(inverted(FRAMES)), FRAMES)


def test_faults_change_the_picture_but_not_its_colours() -> None:
    smooth = softened(FRAMES, sigma=1.0)
    assert smooth.std() < 0.6 * FRAMES.std()
    assert 4 < (grainy(FRAMES, stream(1), sigma=6).astype(int) - FRAMES).std() < 8
    assert coarse(FRAMES, factor=2.0).std() < FRAMES.std()
    smear = smeared(FRAMES, share=0.25)
    assert np.abs(smear[1] - (0.75 * FRAMES[1] + 0.25 * FRAMES[0])).max() < 1
    assert np.array_equal(smear[0], FRAMES[0])
    packed = blocky(smooth, quality=30)
    assert 0.5 < np.abs(packed.astype(int) - smooth).mean() < 20
    assert packed.mean(axis=(0, 1, 2)) == pytest.approx(smooth.mean(axis=(0, 1, 2)), abs=4)


@pytest.mark.parametrize("change", [recoloured, degraded])
def test_random_changes_are_seeded_and_pure(change: object) -> None:
    before = FRAMES.copy()
    first, again, other = (change(FRAMES, stream(seed)) for seed in (1, 1, 2))  # type: ignore[operator]
    assert np.array_equal(FRAMES, before)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == FRAMES.shape
    assert first.dtype == np.uint8
