"""Levels, envelopes and what is compared with them; each figure is wrong when the sound is."""

import numpy as np
import pytest

from exporter.evaluation.levels import (
    SILENT_DB,
    envelope,
    envelope_correlation,
    event_energy_ratio,
    event_levels,
    gain_correlation,
    is_swapped,
    level,
)

RATE = 8000


def hits(times, gains=None, *, seconds=2.0):
    rng = np.random.default_rng(3)
    wave = np.zeros(round(seconds * RATE), np.float32)
    fade = np.exp(-np.arange(RATE // 5) / (0.03 * RATE))
    for time, gain in zip(times, gains or [0.3] * len(times), strict=True):
        first = round(time * RATE)
        length = min(len(fade), len(wave) - first)
        wave[first : first + length] += gain * (fade * rng.standard_normal(len(fade)))[:length]
    return wave


def test_level_in_decibels_of_full_scale():
    assert level(np.full(100, 0.1, np.float32)) == pytest.approx(-20, abs=0.01)
    assert level(np.zeros(100, np.float32)) == SILENT_DB
    assert level(np.zeros(0, np.float32)) == SILENT_DB


def test_envelope_has_a_value_per_hundredth():
    course = envelope(np.concatenate([np.zeros(RATE), np.full(RATE, 0.5)]).astype(np.float32), rate=RATE)
    assert course.shape == (200,)
    assert course[:100].max() == 0
    assert course[100:] == pytest.approx(0.5)


def test_envelopes_of_the_same_course_correlate_whatever_their_level():
    one, other = envelope(hits((0.3, 1.1)), rate=RATE), envelope(hits((0.7, 1.6)), rate=RATE)
    assert envelope_correlation(one, 0.05 * one) == pytest.approx(1, abs=1e-3)
    assert envelope_correlation(one, other) < 0.3
    assert envelope_correlation(one, np.full_like(one, 0.1)) == 0
    assert envelope_correlation(one, one[:150]) == pytest.approx(1, abs=1e-3)


def test_energy_at_own_events_against_others():
    own, others = (0.3, 1.1), (0.7, 1.6)
    clean = event_energy_ratio(hits(own), rate=RATE, own=own, others=others)
    mixed = event_energy_ratio(hits(own) + hits(others), rate=RATE, own=own, others=others)
    wrong = event_energy_ratio(hits(others), rate=RATE, own=own, others=others)
    assert clean > 30
    assert abs(mixed) < 3
    assert wrong < -20
    assert event_energy_ratio(hits(own), rate=RATE, own=own, others=(0.35,)) is None
    assert event_energy_ratio(np.zeros(2 * RATE, np.float32), rate=RATE, own=own, others=others) == 0


def test_swap_needs_both_to_be_right():
    a, b = (envelope(hits(times), rate=RATE) for times in ((0.3, 1.1), (0.7, 1.6)))
    assert is_swapped((a, b), (a, b))
    assert not is_swapped((b, a), (a, b))
    assert not is_swapped((a, a), (a, b))


def test_levels_of_events_follow_their_gains():
    times, gains = (0.2, 0.6, 1.0, 1.4, 1.8), (0.4, 0.1, 0.05, 0.3, 0.02)
    levels = event_levels(hits(times, gains), rate=RATE, times=times)
    assert gain_correlation(levels, np.asarray(gains, np.float32)) > 0.95
    assert gain_correlation(levels[::-1], np.asarray(gains, np.float32)) < 0.5
    assert gain_correlation(np.full(5, -20.0), np.asarray(gains, np.float32)) == 0
    assert gain_correlation(levels, np.full(5, 0.3, np.float32)) is None
    assert gain_correlation(levels[:2], np.asarray(gains[:2], np.float32)) is None
