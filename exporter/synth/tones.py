"""Periodic sounds with a changing pitch: one period in a table, read at a moving phase."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.noises import smooth_noise
from exporter.synth.scores import CONTROL_RATE, SAMPLE_RATE

_TABLE = 4096


def period(rng: Random, levels: Float64) -> Float32:
    """One period of the harmonics with these levels `[H]` and random phases; peak 1."""
    spectrum = np.zeros(_TABLE // 2 + 1, np.complex128)
    phases = rng.uniform(0, 2 * np.pi, len(levels))
    spectrum[1 : len(levels) + 1] = levels * np.exp(1j * phases)
    table = np.fft.irfft(spectrum)
    return (table / np.abs(table).max()).astype(np.float32)


def shaped_levels(rng: Random, harmonics: int, *, tilt: float, ripple: float = 0.5) -> Float64:
    """`[harmonics]` levels that fall as `k**-tilt`, unevenly."""
    index = np.arange(1, harmonics + 1)
    return np.asarray(index, np.float64) ** -tilt * np.exp(ripple * rng.standard_normal(harmonics))


def phase_of(frequency: Float64, *, samples: int) -> Float64:
    """Cycles gone `[samples]` for a frequency `[ticks]` in Hz at the control rate."""
    ticks = np.concatenate([[0.0], np.cumsum((frequency[1:] + frequency[:-1]) / 2) / CONTROL_RATE])
    return to_samples(ticks, samples=samples)


def played(table: Float32, phase: Float64) -> Float32:
    """The table read at these cycles."""
    return table[(phase * _TABLE).astype(np.int64) & (_TABLE - 1)]


def unsteady(rng: Random, count: int, *, amount: float, seconds: float = 0.04) -> Float64:
    """`[count]` factors around 1 at the control rate: no pitch or force is quite steady."""
    return 1 + amount * smooth_noise(rng, count, step=max(1, round(seconds * CONTROL_RATE)))


def to_samples(values: Float64, *, samples: int) -> Float64:
    """A curve at the control rate as a curve `[samples]`, linear in between."""
    return np.interp(_positions(samples), np.arange(len(values)), values)


_positions_of: dict[int, Float64] = {}


def _positions(samples: int) -> Float64:
    if samples not in _positions_of:
        _positions_of[samples] = np.arange(samples, dtype=np.float64) * (CONTROL_RATE / SAMPLE_RATE)
    return _positions_of[samples]
