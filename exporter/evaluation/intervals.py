"""Figures with intervals: whole scenes are drawn again, for what is in a scene belongs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
DRAWS = 400


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with the interval that holds it in 95 of 100 draws, and how many scenes it is of."""

    value: float
    low: float
    high: float
    scenes: int


def figure(
    scenes: Sequence[Item], value: Callable[[Sequence[Item]], float], *, draws: int = DRAWS, seed: int = 0
) -> Figure | None:
    """The value over all scenes with its bootstrap interval; None without scenes.

    Args:
        scenes: what was found in each.
        value: of any selection of scenes; NaN where it has none.
        draws: how often scenes are drawn again.
        seed: of the draws.
    """
    if not scenes or np.isnan(value(scenes)):
        return None
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(scenes), size=(draws, len(scenes)))
    values = np.array([value([scenes[one] for one in row]) for row in rows])
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return Figure(float(value(scenes)), float(low), float(high), len(scenes))
