"""What the sync encoder is asked for, densely: onsets, energy and class for every short bin."""

from __future__ import annotations

import numpy as np

from exporter.models.voices import BINS
from exporter.training.scenes import Float

__all__ = ["BINS", "energy_curve", "onset_curve", "strike_curve"]

ONSET_WIDTH = 0.8
"""Deviation of an onset's bump, in bins."""

MISSED = 4.0
"""How much more a missed onset costs than a false one."""

SOFTEST = 0.03
"""Gain below which events are all as soft."""

QUIET = -9.0
"""Natural logarithm of the power that counts as silence."""


def onset_curve(onsets: tuple[float, ...], *, bins: int, rate: float) -> Float:
    """A bump of height 1 at every onset, [bins]; `rate` bins per second."""
    centres = (np.arange(bins) + 0.5)[:, None]
    if not onsets:
        return np.zeros(bins, np.float32)
    distance = (centres - np.asarray(onsets)[None] * rate) / ONSET_WIDTH
    return np.exp(-0.5 * distance**2).max(1).astype(np.float32)


def strike_curve(onsets: tuple[float, ...], gains: tuple[float, ...], *, bins: int, rate: float) -> Float:
    """How hard the event nearest to every bin is: log10 of its gain, [bins]; 0 without events."""
    if not gains:
        return np.zeros(bins, np.float32)
    centres = (np.arange(bins) + 0.5)[:, None] / rate
    nearest = np.abs(centres - np.asarray(onsets)[None]).argmin(1)
    return np.log10(np.maximum(np.asarray(gains), SOFTEST))[nearest].astype(np.float32)


def energy_curve(stem: Float, *, bins: int, samples_per_bin: float) -> Float:
    """Log power per bin, [bins], 0 for silence and about 1 for a loud sound."""
    edges = np.round(np.arange(bins + 1) * samples_per_bin).astype(np.int64)
    padded = np.zeros(edges[-1], np.float64)
    padded[: min(len(stem), edges[-1])] = stem[: edges[-1]]
    power = np.add.reduceat(padded**2, edges[:-1]) / np.diff(edges)
    return (1 - np.log(np.maximum(power, np.exp(QUIET))) / QUIET).astype(np.float32)
