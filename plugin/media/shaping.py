"""Gain and fades of a take: a curve over its samples, the same wherever it is heard, drawn or written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is done to a sound of a known length.

    Attributes:
        gain_db: decibels.
        fade_in: samples from silence to full level.
        fade_out: samples from full level to silence.
    """

    gain_db: float = 0.0
    fade_in: int = 0
    fade_out: int = 0

    @classmethod
    def of(cls, *, gain_db: float, fade_in: float, fade_out: float, sample_rate: int) -> Shape:
        """The shape with its fades given in seconds."""
        return cls(gain_db, round(fade_in * sample_rate), round(fade_out * sample_rate))

    @property
    def gain(self) -> float:
        """The gain as a factor."""
        return float(10 ** (self.gain_db / 20))

    def curve(self, positions: NDArray[np.int64], *, total: int) -> Samples:
        """Factors float32 `[n]` at sample positions `[n]` of a sound of `total` samples.

        Fades are raised cosines. The first sample of a fade-in is silent, and so is the last of a fade-out.
        """
        factors = np.full(len(positions), self.gain, np.float32)
        if self.fade_in > 0:
            factors *= _rise(positions / self.fade_in)
        if self.fade_out > 0:
            factors *= _rise((total - 1 - positions) / self.fade_out)
        return factors

    def applied(self, samples: Samples, *, first: int = 0, total: int | None = None) -> Samples:
        """The samples `[n]` (or `[n, channels]`), of which the first is number `first` of `total`, shaped."""
        whole = first + len(samples) if total is None else total
        factors = self.curve(np.arange(first, first + len(samples)), total=whole)
        return np.asarray(samples * factors.reshape(-1, *[1] * (samples.ndim - 1)), np.float32)


def _rise(progress: NDArray[np.float64]) -> Samples:
    """0 before 0, 1 from 1 on, a raised cosine between."""
    return (0.5 - 0.5 * np.cos(np.pi * np.clip(progress, 0.0, 1.0))).astype(np.float32)
