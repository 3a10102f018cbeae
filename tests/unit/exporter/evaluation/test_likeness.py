"""Classes are told by their sound, and intervals hold their value."""

import numpy as np
import pytest

from exporter.evaluation.intervals import figure
from exporter.evaluation.likeness import description
from exporter.likeness import Likeness

RATE = 16000


def tone(frequency, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(RATE // 2) / RATE
    wave = np.sin(2 * np.pi * frequency * rng.uniform(0.9, 1.1) * t) * np.exp(-t / 0.1)
    return (0.3 * wave + 0.001 * rng.standard_normal(len(t))).astype(np.float32)


def described(frequency, seeds):
    return [description(tone(frequency, seed), rate=RATE) for seed in seeds]


def test_unseen_sounds_get_their_class():
    known = [("low", one) for one in described(300, range(24))] + [
        ("high", one) for one in described(3000, range(24))
    ]
    likeness = Likeness.learn(known)
    assert [likeness.name(one) for one in described(300, range(60, 64))] == ["low"] * 4
    assert [likeness.name(one) for one in described(3000, range(60, 64))] == ["high"] * 4


def test_description_does_not_depend_on_level():
    loud = tone(500, 1)
    assert description(0.1 * loud, rate=RATE)[:-8] == pytest.approx(
        description(loud, rate=RATE)[:-8], abs=0.05
    )


def test_silence_can_be_described():
    assert np.isfinite(description(np.zeros(RATE, np.float32), rate=RATE)).all()


def test_interval_holds_the_value_and_shrinks_with_more_scenes():
    rng = np.random.default_rng(0)
    few, many = list(rng.normal(5, 1, 10)), list(rng.normal(5, 1, 400))
    one, other = (figure(values, lambda chosen: float(np.mean(chosen))) for values in (few, many))
    assert one.low < one.value < one.high
    assert other.low < 5 < other.high
    assert other.high - other.low < 0.5 * (one.high - one.low)
    assert other.scenes == 400


def test_no_figure_without_anything_measured():
    assert figure([], lambda _: 1.0) is None
    assert figure([1, 2], lambda _: float("nan")) is None
