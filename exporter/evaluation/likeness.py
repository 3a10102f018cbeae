"""Which class a sound is of, by its likeness to the generator's own sounds; nobody's weights.

A description of a few dozen numbers (shape of the spectrum when it is loud, how it decays, how it is
spread in time), compared with those of sounds of other seeds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exporter.evaluation.levels import envelope
from exporter.evaluation.onsets import Float, novelty, spectrum_bands

Vectors = npt.NDArray[np.float64]


def description(wave: Float, *, rate: int) -> Vectors:
    """Numbers that tell classes apart and do not depend on level or on when things happen, [n]."""
    bands, step = spectrum_bands(wave, rate=rate)
    course = bands.sum(1)
    top = max(float(course.max(initial=0.0)), 1e-10)
    loud, fading = course > 0.1 * top, (course > 1e-4 * top) & (course <= 0.03 * top)
    shapes = [_shape(bands[where] if where.any() else bands) for where in (loud, fading)]
    rise = novelty(wave, rate=rate).rise
    above = [float((course > share * top).mean()) for share in (0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4)]
    curve = envelope(wave, rate=rate)
    change = float(np.abs(np.diff(curve)).mean() / max(float(curve.mean()), 1e-9)) if len(curve) > 1 else 0.0
    flatness = [_flatness(bands[where] if where.any() else bands) for where in (loud, fading)]
    timing = [float((rise > 4).mean()) * 10, float(np.percentile(rise, 95)), change, step]
    return np.concatenate([*shapes, np.sqrt(above) * 8, timing, flatness])


def _shape(bands: Float) -> Vectors:
    """The mean spectrum in decibels under its own maximum, tempered."""
    mean = bands.mean(0)
    decibels = 10 * np.log10(np.maximum(mean / max(float(mean.max()), 1e-12), 1e-5))
    return np.asarray(decibels / 10, np.float64)


def _flatness(bands: Float) -> float:
    """Geometric over arithmetic mean of the bands, of each moment, averaged."""
    safe = np.maximum(bands, 1e-12)
    return float((np.exp(np.log(safe).mean(1)) / safe.mean(1)).mean()) * 5
