"""Where something begins to sound: jumps of the spectrum, for comparing sound and picture by eye."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Curve = NDArray[np.float64]

_WINDOW = 1024
_HOPS_PER_SECOND = 200
_BACK = 2
"""Hops over which a jump is measured: 10 ms."""

_BANDS = 30
_LOWEST, _HIGHEST = 60.0, 16_000.0
_FLOOR = 1e-3
"""Band amplitudes (full scale 1) well under this do not count: -60 dB."""

_APART = 10
"""Hops (50 ms) around an onset without a larger jump."""

_AROUND = 60
"""Hops (0.3 s) on each side that a jump is compared with."""

_LEAST = 6.0
"""Smallest jump: the sum over bands of the rise of log(1 + amplitude / floor)."""

_ABOVE = 3.5
"""How many times the usual jump around it an onset must be; steady noise stays under it."""

_PART = 0.12
"""And which part of the sound's largest."""

_TAIL = 4
"""Hops at the end in which nothing counts: a sound that is cut off is no onset."""

_FRAMES_AT_ONCE = 2000


def find_onsets(samples: Samples, *, sample_rate: int) -> tuple[int, ...]:
    """Sample positions of onsets, ascending, to about 5 ms; none in silence or in a steady sound's middle.

    Args:
        samples: mono float32 `[n]`.
        sample_rate: samples per second.
    """
    if not len(samples):
        return ()
    hop = sample_rate // _HOPS_PER_SECOND
    jumps = _jumps(_band_levels(samples, hop=hop, sample_rate=sample_rate))
    peaks = _peaks(jumps)
    return tuple(peak * hop for peak in peaks if peak * hop <= max(0, len(samples) - _TAIL * hop))


def _band_levels(samples: Samples, *, hop: int, sample_rate: int) -> Curve:
    """`[frames, bands]`: log(1 + amplitude / floor); frame k is centred on sample `k * hop`."""
    window = np.hanning(_WINDOW)
    edges = _band_edges(sample_rate)
    padded = np.pad(samples, (_WINDOW // 2 + _BACK * hop, _WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::hop]
    parts = []
    for first in range(0, len(frames), _FRAMES_AT_ONCE):
        spectrum = np.abs(np.fft.rfft(frames[first : first + _FRAMES_AT_ONCE] * window)) ** 2
        power = np.add.reduceat(spectrum, edges, axis=1)[:, :-1]
        parts.append(np.log1p(np.sqrt(power) * (2 / window.sum()) / _FLOOR))
    return np.concatenate(parts)


def _band_edges(sample_rate: int) -> NDArray[np.int64]:
    """First bins of the bands, and the first after the last; every band has a bin at least."""
    highest = min(_HIGHEST, sample_rate * 0.45)
    edges = np.geomspace(_LOWEST, highest, _BANDS + 1) * _WINDOW / sample_rate
    return np.unique(np.round(edges).astype(np.int64))


def _jumps(levels: Curve) -> Curve:
    """How much all bands together rise in the `_BACK` hops that end at hop k of the sound.

    A logarithm rises as soon as a window touches an onset, half a window before its centre reaches it:
    so the jump is largest when the later of both windows is centred on it.
    """
    rises: Curve = np.maximum(levels[_BACK:] - levels[:-_BACK], 0)
    return np.asarray(rises.sum(axis=1), np.float64)


def _peaks(jumps: Curve) -> list[int]:
    """Hops whose jump is the largest near it and stands out."""
    least = max(_LEAST, _PART * float(jumps.max(initial=0.0)))
    found: list[int] = []
    for index in np.flatnonzero(jumps >= least).tolist():
        near = jumps[max(index - _APART, 0) : index + _APART + 1]
        around = jumps[max(index - _AROUND, 0) : index + _AROUND + 1]
        first_of_equals = int(np.argmax(near)) + max(index - _APART, 0) == index
        if first_of_equals and jumps[index] >= _ABOVE * float(np.median(around)):
            found.append(index)
    return found
