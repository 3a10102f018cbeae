"""How much the matte moves: one curve per cue, for comparing sound and picture by eye."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from plugin.controller.shots import Shot
from plugin.cues import Spot
from plugin.errors import Cancelled
from plugin.media.stills import Size

MOTION_RATE = 25
"""Values per second, the pace at which the models look at pictures."""

_LONGEST = 6000
_SIZE = Size(192, 192)
_GRAIN = 0.02
"""At most this much of the change is taken for grain and coding: what the stillest fifth of the cue shows."""

_LEAST = 0.02
"""A matte that changes less than this beyond its grain is drawn as still."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A matte's motion.

    Attributes:
        start: absolute record seconds of the first value.
        step: seconds from one value to the next.
        values: 0 (still) to 1 (the most of this cue); each is of the step that ends at its time.
        notice: why there is none, a sentence; "" when there is.
    """

    start: Fraction
    step: Fraction
    values: tuple[float, ...]
    notice: str = ""


def matte_motion(spot: Spot, *, cancel: Callable[[], bool]) -> Motion:
    """How much of the matte changes from step to step, relative to its size. Reads the whole matte.

    Raises:
        MediaError: the matte cannot be read.
        Cancelled: `cancel` said so.
    """
    record = spot.record
    step = max(Fraction(1, MOTION_RATE), record.duration / _LONGEST)
    if spot.matte is None:
        return Motion(record.start, step, (), notice="Without a matte there is no motion to draw.")
    times = [record.start + index * step for index in range(int(record.duration / step) + 1)]
    backwards = spot.matte.clip.speed < 0  # motion is the same both ways, and decoding is not
    changes = _changes(spot, times[::-1] if backwards else times, cancel=cancel)
    values = _scaled(np.array(changes[::-1] if backwards else changes))
    return Motion(record.start, step, (0.0, *(float(value) for value in values)))


def _scaled(changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """0..1: without the grain, and the most of it as 1 unless there is next to nothing."""
    if not len(changes):
        return changes
    moved = np.maximum(changes - min(float(np.percentile(changes, 20)), _GRAIN), 0.0)
    return np.asarray(moved / max(float(moved.max()), _LEAST), np.float64)


def _changes(spot: Spot, times: list[Fraction], *, cancel: Callable[[], bool]) -> list[float]:
    """Between each time and the next: the changed part of the matte, 0 for none to 1 for all."""
    changes: list[float] = []
    with Shot.open(spot) as shot:
        if shot.matte_error is not None:
            raise shot.matte_error
        before = None
        for time in times:
            if cancel():
                raise Cancelled
            mask = shot.mask(time, size=_SIZE)
            now = None if mask is None else mask.astype(np.int32)
            if now is not None and before is not None:
                area = int(now.sum()) + int(before.sum())
                changes.append(float(np.abs(now - before).sum()) / area if area else 0.0)
            before = now
    return changes
