"""Voices: in time, at the level of their events, silent elsewhere, and told apart by ear."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest

from exporter.synth.chance import stream
from exporter.synth.makers import CLASS_NAMES, MAKERS, names_of
from exporter.synth.modal import Partials, Strike, at_level, ring, struck
from exporter.synth.noises import Band, fast_length, noise
from exporter.synth.rhythm import Span, Tempo, strokes
from exporter.synth.rooms import DRY, draw_room
from exporter.synth.scores import SAMPLE_RATE, Event, Score
from exporter.synth.sounding import Part, dry_sound

IMPACTS = names_of("impact")
CONTINUOUS = names_of("continuous")
SPARSE = Score(2.0, (Event(0.3, 1.0), Event(1.2, 0.25)))
MILLISECOND = SAMPLE_RATE // 1000


def played(name: str, score: Score, *, seed: int = 0, variant: int = 0) -> np.ndarray:
    return dry_sound(Part(name, variant, score, 0.5, 0.0, 0.5), stream(seed, 77))


@pytest.mark.parametrize("name", IMPACTS)
def test_an_impact_begins_within_a_millisecond_of_its_event(name: str) -> None:
    for variant in range(MAKERS[name].variants):
        sound = np.abs(played(name, SPARSE, variant=variant))
        start = round(0.3 * SAMPLE_RATE)
        assert not sound[:start].any()
        assert sound[start : start + MILLISECOND].max() > 0.1 * sound.max()


@pytest.mark.parametrize("name", IMPACTS)
def test_the_level_of_an_impact_follows_its_gain(name: str) -> None:
    loud, soft = (
        np.sqrt(np.mean(played(name, Score(2.0, (Event(0.3, gain),)), variant=0) ** 2))
        for gain in (1.0, 0.25)
    )
    assert 0.5 < soft / loud / 0.25 < 2.0
    assert np.abs(played(name, SPARSE)).max() == pytest.approx(0.5, rel=1e-3)


DAMPED = tuple(
    name
    for name in IMPACTS
    if name not in {"bell", "cymbal", "plucked_string", "anvil", "glass", "xylophone"}
)


@pytest.mark.parametrize("name", DAMPED)
def test_damped_things_are_silent_between_events(name: str) -> None:
    sound = np.abs(played(name, SPARSE))
    assert sound[round(1.0 * SAMPLE_RATE) : round(1.2 * SAMPLE_RATE) - 1].max() < 1e-3


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_continuous_sound_follows_its_drive_and_ends_with_it(name: str) -> None:
    score = strokes(stream(4), Span(0.3, 4.7, 5.12), length=Tempo(0.6, 0.9), pause=Tempo(0.3, 0.6))
    for variant in range(MAKERS[name].variants):
        sound = played(name, score, variant=variant)
        times = np.arange(len(sound)) / SAMPLE_RATE
        drive = score.drive_at(times)
        assert np.abs(sound[drive == 0]).max() < 1e-3
        envelope = np.sqrt(np.mean(sound[: 441 * 512].reshape(256, 882) ** 2, axis=1))
        assert np.corrcoef(envelope, drive[441::882][:256])[0, 1] > 0.75


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_a_score_without_events_is_silence(name: str) -> None:
    assert not played(name, Score(1.0)).any()


@cache
def _spectra(seed: int) -> np.ndarray:
    """Log spectra in 40 bands, and how much of the sound is within 60 ms of its event, per class."""
    score = strokes(stream(9), Span(0, 2, 2), length=Tempo(0.5, 0.6), pause=Tempo(0.3, 0.4), tones=4)
    edges = np.geomspace(60, 16_000, 41)
    rows = []
    for name in CLASS_NAMES:
        sound = played(name, score if MAKERS[name].kind == "continuous" else SPARSE, seed=seed, variant=0)
        power = np.abs(np.fft.rfft(sound)) ** 2
        hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
        bands = np.array([power[(hertz >= a) & (hertz < b)].sum() for a, b in itertools.pairwise(edges)])
        energy = np.cumsum(sound.astype(float) ** 2)
        near = np.max(energy[2646:] - energy[:-2646]) / energy[-1]
        rows.append(np.append(np.log10(bands / bands.sum() + 1e-5), 2 * near))
    return np.array(rows)


def test_classes_are_told_apart_by_their_spectra_alone() -> None:
    known = np.mean([_spectra(seed) for seed in range(3)], axis=0)
    right = 0
    for seed in range(4, 6):
        distance = np.linalg.norm(_spectra(seed)[:, None] - known[None], axis=2)
        right += int(np.sum(distance.argmin(axis=1) == np.arange(len(CLASS_NAMES))))
    assert right / (2 * len(CLASS_NAMES)) > 0.75


def test_voices_of_one_class_differ() -> None:
    first, second = (played("bell", SPARSE, seed=seed) for seed in (1, 2))
    assert np.corrcoef(first, second)[0, 1] < 0.5


def test_a_ring_is_the_sum_of_its_damped_partials() -> None:
    partials = Partials(np.array([440.0, 1000.0]), np.array([0.2, 0.1]), np.array([1.0, 0.0]))
    sound = ring(partials, stream(0), seconds=0.5, strands=1, spread=0.0)
    time = np.arange(len(sound)) / SAMPLE_RATE
    basis = np.exp(-time / 0.2) * np.array([np.cos(2 * np.pi * 440 * time), np.sin(2 * np.pi * 440 * time)])
    after = slice(100, None)
    fit, residual, *_ = np.linalg.lstsq(basis[:, after].T, sound[after], rcond=None)
    assert np.hypot(*fit) == pytest.approx(1.0, rel=1e-3)
    assert residual[0] < 1e-6


def test_partials_have_a_width() -> None:
    partials = Partials(np.array([440.0]), np.array([5.0]), np.array([1.0]))
    wide = ring(partials, stream(0), seconds=2.0, spread=0.002)
    envelope = np.abs(wide[: 86 * 1024].reshape(86, 1024)).max(axis=1)
    assert envelope.std() / envelope.mean() > 0.05


def test_hard_blows_are_brighter() -> None:
    strike = Strike(300, (1.0, 2.7, 5.4, 8.9), 0.2)
    soft, hard = (_centroid(struck(strike, stream(0), hardness=hardness)) for hardness in (0.0, 1.0))
    assert hard > 1.3 * soft


def _centroid(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    return float((power * np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)).sum() / power.sum())


def test_noise_lies_in_its_band_and_has_unit_level() -> None:
    sound = noise(stream(1), Band(1000, 2000, slope=6), samples=50_000)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(1.0, rel=1e-3)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    assert power[(hertz > 900) & (hertz < 2200)].sum() > 0.9 * power.sum()


@pytest.mark.parametrize("samples", [1, 2, 7, 1025, 225_792, 240_000, 251_001])
def test_fast_lengths_are_the_smallest_smooth_ones(samples: int) -> None:
    def smooth(number: int) -> bool:
        for factor in (2, 3, 5):
            while number % factor == 0:
                number //= factor
        return number == 1

    found = fast_length(samples)
    assert found >= samples
    assert smooth(found)
    assert not any(smooth(number) for number in range(samples, found))


def test_a_room_is_causal_keeps_the_direct_sound_and_dies_away() -> None:
    room = draw_room(stream(3))
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[1000] = 0.5
    near, far = (room.placed(click, distance=distance) for distance in (0.0, 1.0))
    assert not far[:1000].any()
    assert far[1000] == pytest.approx(0.5, abs=1e-4)
    answer_near, answer_far = (np.sum(sound[1001:].astype(float) ** 2) for sound in (near, far))
    assert 0 < answer_near < answer_far
    assert np.abs(far[-2000:]).max() < 1e-4
    assert np.array_equal(DRY.placed(click, distance=1.0), click)


def test_level_is_that_of_the_loudest_hundredth_second() -> None:
    sound = at_level(np.concatenate([np.ones(441), np.zeros(4000)]).astype(np.float32), level=0.25)
    assert sound[:441].mean() == pytest.approx(0.25, rel=1e-6)
