"""Levels and envelopes: where a sound is loud, and how alike two sounds' courses are."""

from __future__ import annotations

import numpy as np

from exporter.evaluation.matching import exclusive
from exporter.evaluation.onsets import Float, Times

RATE = 100
"""Values of an envelope per second."""
FLOOR_DB = -60.0
"""Of an envelope, under its loudest value: what lies deeper is silence."""
SILENT_DB = -120.0
EVENT = (-0.02, 0.15)
"""Seconds around an event that its energy is measured in."""


def level(wave: Float) -> float:
    """Decibels of full scale, RMS; `SILENT_DB` at least."""
    power = float(np.mean(np.square(wave, dtype=np.float64))) if len(wave) else 0.0
    return 10 * float(np.log10(max(power, 10 ** (SILENT_DB / 10))))


def envelope(wave: Float, *, rate: int) -> Float:
    """RMS of every hundredth of a second, [frames]."""
    hop = round(rate / RATE)
    whole = len(wave) // hop * hop
    frames = np.asarray(wave[:whole], np.float64).reshape(-1, hop)
    return np.sqrt(np.square(frames).mean(1)).astype(np.float32)


def envelope_correlation(first: Float, second: Float) -> float:
    """Pearson's r of two envelopes in decibels, smoothed over 50 ms, the longer one cut; 0 where one is even.

    Args:
        first: envelope of `envelope`.
        second: another one.
    """
    count = min(len(first), len(second))
    one, other = _decibels(first[:count]), _decibels(second[:count])
    if one.std() < 1e-6 or other.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _decibels(values: Float) -> Float:
    smooth = np.convolve(np.pad(values, 2, mode="edge"), np.full(5, 0.2), "valid")
    top = max(float(smooth.max(initial=0.0)), 1e-9)
    return np.asarray(20 * np.log10(np.maximum(smooth / top, 10 ** (FLOOR_DB / 20))), np.float32)


def event_energy_ratio(wave: Float, *, rate: int, own: Times, others: Times) -> float | None:
    """Decibels between the mean power at one's own events and at others'; None where neither can be judged.

    The others' events count where none of one's own is near. Beyond 60 dB nobody hears a difference.
    """
    alone = exclusive(others, own)
    if not own or not alone:
        return None
    mine, theirs = _power(wave, own, rate), _power(wave, alone, rate)
    quiet = 10 ** (SILENT_DB / 10)
    ratio = 10 * float(np.log10(max(mine, quiet) / max(theirs, quiet)))
    return float(np.clip(ratio, FLOOR_DB, -FLOOR_DB))


def _power(wave: Float, times: Times, rate: int) -> float:
    parts = [wave[max(0, round((t + EVENT[0]) * rate)) : round((t + EVENT[1]) * rate)] for t in times]
    return float(
        np.mean([np.mean(np.square(part, dtype=np.float64)) if len(part) else 0.0 for part in parts])
    )


def is_swapped(made: tuple[Float, Float], true: tuple[Float, Float]) -> bool:
    """Each of two renders of one picture is more like its own object's stem than like the other's.

    Args:
        made: envelopes of what was made for either mask.
        true: envelopes of the two stems.
    """
    likeness = [[envelope_correlation(one, other) for other in true] for one in made]
    return likeness[0][0] > likeness[0][1] and likeness[1][1] > likeness[1][0]


def event_levels(wave: Float, *, rate: int, times: Times) -> Float:
    """Decibels of the loudest hundredth of a second within 60 ms of each event, [events]."""
    course = envelope(wave, rate=rate)
    first = [max(0, round(time * RATE) - 2) for time in times]
    peaks = [float(course[one : one + 9].max(initial=1e-6)) for one in first]
    return 20 * np.log10(np.maximum(np.asarray(peaks, np.float32), 1e-6))


def gain_correlation(levels: Float, gains: Float) -> float | None:
    """Pearson's r between events' levels and the decibels of their gains; None where gains hardly differ."""
    wanted = 20 * np.log10(np.maximum(np.asarray(gains, np.float64), 1e-3))
    if len(levels) < 4 or wanted.std() < 1.5:
        return None
    if levels.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(levels, wanted)[0, 1])
