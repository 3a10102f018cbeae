"""Onsets found and onsets that are there: peaks of a curve, one-to-one matching, F1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.training.scenes import Float

TOLERANCE = 0.05
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many were found, were there, and fit one to one."""

    found: int = 0
    there: int = 0
    fit: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.found + other.found, self.there + other.there, self.fit + other.fit)

    @property
    def f1(self) -> float:
        """Between 0 and 1; 0 when nothing was found or there."""
        return 2 * self.fit / max(self.found + self.there, 1)


def pick_onsets(curve: Float, *, rate: float, threshold: float) -> tuple[float, ...]:
    """Times of the peaks above a threshold, between bins by a parabola; `rate` bins per second."""
    edged = np.concatenate([[-1.0], curve, [-1.0]])
    middle, left, right = edged[1:-1], edged[:-2], edged[2:]
    peaks = np.flatnonzero((middle >= threshold) & (middle > left) & (middle >= right))
    bend = left[peaks] - 2 * middle[peaks] + right[peaks]
    inside = (peaks > 0) & (peaks < len(curve) - 1) & (bend < 0)
    offset = np.where(inside, 0.5 * (left[peaks] - right[peaks]) / np.where(bend < 0, bend, -1.0), 0.0)
    return tuple(((peaks + 0.5 + offset) / rate).tolist())


def match_onsets(found: tuple[float, ...], there: tuple[float, ...]) -> Tally:
    """The nearest pairs first, each onset used once."""
    distances = np.abs(np.subtract.outer(np.asarray(found), np.asarray(there)))
    fit = 0
    while distances.size and distances.min() <= TOLERANCE:
        row, column = np.unravel_index(distances.argmin(), distances.shape)
        distances[row], distances[:, column] = np.inf, np.inf
        fit += 1
    return Tally(len(found), len(there), fit)
