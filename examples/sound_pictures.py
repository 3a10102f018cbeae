"""Sound made visible with numpy alone: a waveform's outline and a spectrogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pictures import Picture

Samples = NDArray[np.float32]

_FLOOR_DB = -90.0
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 20_000.0
_COLOURS = np.array(
    [[6, 5, 20], [46, 15, 92], [120, 28, 109], [200, 62, 76], [247, 140, 40], [252, 240, 180]], np.float32
)


def outline(samples: Samples, *, columns: int) -> tuple[Samples, Samples]:
    """Lowest and highest sample of each of `columns` equal stretches, `[columns]` each, -1..1."""
    edges = np.linspace(0, samples.size, columns + 1).astype(int)
    starts = np.minimum(edges[:-1], samples.size - 1)
    return np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def spectrogram(samples: Samples, *, rate: int, columns: int, rows: int = 144) -> Picture:
    """Levels from -90 to 0 dB as a picture `[rows, columns, 3]`; logarithmic pitch, 60 Hz at the bottom."""
    levels = _levels(samples, columns=columns, size=2048)
    pitches = np.geomspace(_HIGHEST_HZ, _LOWEST_HZ, rows)
    bins = np.clip(pitches * 2048 / rate, 0, levels.shape[0] - 1)
    below = np.floor(bins).astype(int)
    above = np.minimum(below + 1, levels.shape[0] - 1)
    weight = (bins - below)[:, None]
    shown = levels[below] * (1 - weight) + levels[above] * weight
    return _coloured(np.clip(1 - shown / _FLOOR_DB, 0, 1))


def _levels(samples: Samples, *, columns: int, size: int) -> Samples:
    """Levels in dB of a Hann-windowed transform at `columns` even places, `[size / 2 + 1, columns]`."""
    padded = np.pad(samples, size // 2)
    starts = np.linspace(0, samples.size - 1, columns).astype(int)
    pieces = np.stack([padded[start : start + size] for start in starts]) * np.hanning(size)
    power = np.abs(np.fft.rfft(pieces, axis=1)) / (size / 4)
    return np.asarray(20 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 20))).T, np.float32)


def _coloured(values: NDArray[np.floating]) -> Picture:
    """Values 0..1 as RGB on a dark-to-light scale."""
    place = values * (len(_COLOURS) - 1)
    below = np.minimum(place.astype(int), len(_COLOURS) - 2)
    weight = (place - below)[..., None]
    mixed = _COLOURS[below] * (1 - weight) + _COLOURS[below + 1] * weight
    return np.asarray(np.rint(mixed), np.uint8)
