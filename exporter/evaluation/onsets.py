"""Where events begin in a sound: peaks of the rise of a log-mel spectrum. No weights, no training.

What a detector finds is not what is there: heel and toe are two, a bell's beat is one too many. So
every figure stands beside the same figure for the true stem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Times = tuple[float, ...]

TOLERANCE = 0.05
"""Seconds between an onset and its event, as is usual."""

_STEP = 0.005
_WINDOW = 0.0232
_BANDS = 40
_LAG = 3
_DEPTH = 50.0
"""Decibels below the loudest bin that still count."""
_QUIET = -62.0
"""Decibels of full scale (RMS of a window) below which nothing begins."""
_RISE = 3.5
"""Decibels of mean rise over the bands that make an onset."""
_APART = 0.06
_LATENCY = 0.002
"""Seconds that the steepest rise lies behind the event, median over the true stems of generated scenes."""


@dataclass(frozen=True, slots=True)
class Novelty:
    """How much a sound grows, [frames] decibels; frame k is at `k * step` seconds."""

    rise: Float
    level: Float
    step: float


def novelty(wave: Float, *, rate: int) -> Novelty:
    """The rise of every moment against the loudest of a little before.

    Args:
        wave: [samples].
        rate: samples per second.
    """
    frames, hop = _frames(wave, rate)
    bands = _banded(frames, rate)
    top = max(float(bands.max()), 1e-12)
    decibels = 10 * np.log10(np.maximum(bands / top, 10 ** (-_DEPTH / 10)))
    before = np.full_like(decibels, -_DEPTH)
    before[_LAG:] = np.maximum(decibels[:-_LAG], np.roll(decibels, 1, 1)[:-_LAG])
    rise = np.maximum(decibels - before, 0).mean(1)
    level = 10 * np.log10(np.maximum(np.square(frames).mean(1), 1e-12))
    return Novelty(rise.astype(np.float32), level.astype(np.float32), hop / rate)


def spectrum_bands(wave: Float, *, rate: int) -> tuple[Float, float]:
    """Power [frames, bands] and the seconds between two frames."""
    frames, hop = _frames(wave, rate)
    return _banded(frames, rate), hop / rate


def _frames(wave: Float, rate: int) -> tuple[Float, int]:
    hop, length = round(_STEP * rate), round(_WINDOW * rate)
    padded = np.pad(np.asarray(wave, np.float32), (length // 2, length))
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    return windows[: -(-len(wave) // hop) or 1], hop


def _banded(frames: Float, rate: int) -> Float:
    weighted = frames * np.hanning(frames.shape[1]).astype(np.float32)
    power = np.abs(np.fft.rfft(weighted, axis=1)) ** 2
    return np.asarray(power @ _bands(power.shape[1], rate).T, np.float32)


def _bands(bins: int, rate: int) -> Float:
    """Triangles [bands, bins], evenly apart on the mel scale from 80 Hz to 16 kHz."""
    mel = np.linspace(_mel(80.0), _mel(min(16000.0, rate / 2)), _BANDS + 2)
    edges = 700 * (np.exp(mel / 1127) - 1)
    places = np.linspace(0, rate / 2, bins)
    width = rate / 2 / (bins - 1)
    lower, middle, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (places - lower) / np.maximum(middle - lower, width)
    falling = (upper - places) / np.maximum(upper - middle, width)
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


def _mel(frequency: float) -> float:
    return 1127 * float(np.log1p(frequency / 700))


def find_onsets(wave: Float, *, rate: int) -> Times:
    """Seconds at which something begins, ascending; none in silence."""
    found = novelty(wave, rate=rate)
    reach = round(_APART / found.step)
    loud = _ahead(found.level, reach) > _QUIET
    candidates = np.flatnonzero((found.rise >= _RISE) & loud)
    kept: list[int] = []
    for place in sorted(candidates, key=lambda one: -found.rise[one]):
        if all(abs(place - other) > reach for other in kept):
            kept.append(int(place))
    return tuple(max(0.0, place * found.step - _LATENCY) for place in sorted(kept))


def _ahead(values: Float, reach: int) -> Float:
    """The largest of each value and the `reach` after it."""
    padded = np.pad(values, (0, reach), constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(padded, reach + 1).max(1)
