"""Voices of the generator for a bank: played at several efforts, one after the other."""

import numpy as np
import pytest

from exporter.sizes import TINY
from exporter.synth.makers import CLASS_NAMES, MAKERS
from exporter.synth.scores import SAMPLE_RATE
from exporter.training.synthetic import IMPACT, STROKED, SyntheticScenes

EFFORTS, SECONDS, ONSET = (1.0, 0.4, 0.1), 1.0, 0.25
STEADY = next(name for name in CLASS_NAMES if MAKERS[name].kind != IMPACT)


@pytest.fixture(scope="module")
def source():
    return SyntheticScenes(TINY)


def efforts_of(source, name, *, seed=3):
    wave = source.voice(CLASS_NAMES.index(name), seed, efforts=EFFORTS, seconds=SECONDS, onset=ONSET)
    assert wave.shape == (round(len(EFFORTS) * SECONDS * SAMPLE_RATE),)
    return wave.reshape(len(EFFORTS), -1)


def power(wave):
    return float(np.square(wave, dtype=np.float64).mean())


@pytest.mark.parametrize("name", ["wood_block", "drum"])
def test_events_come_at_the_asked_times_and_the_hardest_is_loudest(source, name):
    played = efforts_of(source, name)
    first = round(ONSET * SAMPLE_RATE)
    for one in played:
        assert power(one[first : first + 4410]) > 20 * power(one[: first - 441])
    loudness = [power(one[first:]) for one in played]
    assert loudness == sorted(loudness, reverse=True)
    assert loudness[0] > 3 * loudness[-1]


def test_what_is_steady_sounds_throughout_every_drive(source):
    played = efforts_of(source, STEADY)
    for one in played[:2]:
        parts = [power(part) for part in one.reshape(5, -1)]
        assert min(parts) > 1e-3 * max(parts) > 0
    assert power(played[0]) > power(played[-1])


def test_classes_that_are_struck_are_not_steady(source):
    assert not source.steady(CLASS_NAMES.index("bell"))
    assert all(source.steady(CLASS_NAMES.index(name)) for name in STROKED)


def test_an_example_is_a_sound_of_the_class_and_each_seed_another(source):
    first, second = (source.example(CLASS_NAMES.index("drum"), seed) for seed in (1, 2))
    assert power(first) > 0
    assert not np.array_equal(first, second)
    assert np.array_equal(first, source.example(CLASS_NAMES.index("drum"), 1))
    assert source.steady(CLASS_NAMES.index(STEADY))


def test_a_voice_is_always_the_same_and_each_seed_another(source):
    first = efforts_of(source, "drum")
    assert np.array_equal(first, efforts_of(source, "drum"))
    assert not np.allclose(first, efforts_of(source, "drum", seed=4))


def test_things_know_how_hard_their_events_are(source):
    for index in range(6):
        for thing in source.scene(index).things:
            assert len(thing.gains) == len(thing.onsets)
            assert all(gain > 0 for gain in thing.gains)
