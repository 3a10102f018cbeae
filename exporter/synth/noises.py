"""Noise with a spectrum: bands, resonances, bursts; all made in the frequency domain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.scores import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Band:
    """Where a noise lies.

    Attributes:
        low: Hz of the lower corner.
        high: Hz of the upper corner.
        slope: order of both slopes, 6 dB per octave each.
        peaks: resonances as (Hz, relative width, linear gain).
    """

    low: float
    high: float
    slope: float = 2.0
    peaks: tuple[tuple[float, float, float], ...] = ()

    def gain_at(self, frequencies: Float32) -> Float32:
        """Linear gain `[F]` at these Hz."""
        hertz = np.maximum(frequencies, 1.0)
        gain = 1 / np.sqrt(1 + (self.low / hertz) ** (2 * self.slope))
        gain /= np.sqrt(1 + (hertz / self.high) ** (2 * self.slope))
        for centre, width, height in self.peaks:
            gain *= 1 + height / (1 + ((hertz / centre - 1) / width) ** 2)
        return gain.astype(np.float32, copy=False)


def noise(rng: Random, band: Band, *, samples: int) -> Float32:
    """Steady noise of RMS 1."""
    size = fast_length(samples)
    bins = size // 2 + 1
    spectrum = rng.standard_normal((bins, 2), dtype=np.float32).view(np.complex64)[:, 0]
    spectrum *= band.gain_at(_frequencies(size))
    spectrum[0] = 0
    sound = np.fft.irfft(spectrum, size)[:samples].astype(np.float32, copy=False)
    return sound / np.float32(max(float(np.sqrt(np.mean(sound**2))), 1e-9))


def burst(rng: Random, band: Band, *, decay: float) -> Float32:
    """Noise that starts at once and dies away; peak 1.

    Args:
        rng: where the noise comes from.
        band: its spectrum.
        decay: seconds to 1/e.
    """
    samples = max(64, round(7 * decay * SAMPLE_RATE))
    sound = noise(rng, band, samples=samples)
    sound *= np.exp(-np.arange(samples, dtype=np.float32) / np.float32(decay * SAMPLE_RATE))
    return sound / np.float32(np.abs(sound).max())


@lru_cache(maxsize=64)
def _frequencies(size: int) -> Float32:
    return np.fft.rfftfreq(size, 1 / SAMPLE_RATE).astype(np.float32)


@lru_cache(maxsize=4096)
def fast_length(samples: int) -> int:
    """The smallest length of at least `samples` with the factors 2, 3, 5 only."""
    best = 1 << max(1, (samples - 1).bit_length())
    three = 1
    while three < best:
        five = three
        while five < best:
            rest = -(-samples // five)
            best = min(best, five << max(0, (rest - 1).bit_length()))
            five *= 5
        three *= 3
    return best


def smooth_noise(rng: Random, count: int, *, step: int) -> Float64:
    """`[count]` values of RMS about 1 that change over `step` values: slow irregularity."""
    knots = rng.standard_normal(count // step + 3)
    return np.interp(np.arange(count) / step, np.arange(len(knots)), knots)
