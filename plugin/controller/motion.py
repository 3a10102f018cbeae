"""How much the matte moves: one curve per cue, for comparing sound and picture by eye."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from plugin.controller.shots import Shot
from plugin.cues import Spot
from plugin.errors import Cancelled
from plugin.media.stills import Size

MOTION_RATE = 25
"""Values per second, the pace at which the models look at pictures."""

_LONGEST = 6000
_SIZE = Size(96, 96)
_STILL = 0.02
"""What a still matte may seem to move: grain and coding."""


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
    values = np.array([0.0, *(changes[::-1] if backwards else changes)])
    scale = max(float(values.max()), _STILL * 5)
    return Motion(record.start, step, tuple(float(value) for value in np.maximum(values - _STILL, 0) / scale))


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
