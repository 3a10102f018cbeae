"""What time effects do: the speed of an item, and which end of its media a reversed one starts at.

Time effects never change ranges in OTIO: a clip of 48 frames at double speed still takes 48 frames on
its track and shows 96 frames of media. See docs/adr/0003-placing.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from plugin.timebase import TimeSpan

_FINEST_SPEED = 1_000_000
_FASTEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Retime:
    """The product of an item's time effects.

    Attributes:
        speed: media seconds per record second; 0 freezes, negative plays backwards.
        fault: why the speed is not known, "" when it is; completes `the clip ...`.
    """

    speed: Fraction
    fault: str = ""


NORMAL = Retime(Fraction(1))


def retime_of(item: Any) -> Retime:
    """The speed of a clip or nested composition; disabled effects and plain effects do not count."""
    retime = NORMAL
    for effect in item.effects:
        if isinstance(effect, otio.schema.TimeEffect) and getattr(effect, "enabled", True):
            retime = _combined(retime, _effect_speed(effect))
    return retime


def _combined(first: Retime, second: Retime) -> Retime:
    return Retime(first.speed * second.speed, first.fault or second.fault)


def _effect_speed(effect: Any) -> Retime:
    scalar = getattr(effect, "time_scalar", None)
    if isinstance(effect, otio.schema.FreezeFrame):
        scalar = 0.0
    if scalar is None:
        return Retime(Fraction(1), "has a speed change without a constant speed")
    if not math.isfinite(scalar) or abs(scalar) > _FASTEST:
        return Retime(Fraction(1), f"has a speed of {scalar}")
    return Retime(Fraction(scalar).limit_denominator(_FINEST_SPEED))


def media_start(trimmed: TimeSpan, speed: Fraction, available: TimeSpan | None) -> Fraction:
    """Media time at an item's first frame; for a reversed item the exclusive end that it starts from.

    A reversed item plays the media that its range names, from the back. Some writers mean the other
    reading, backwards from the range's start; it is taken only where the first does not fit into the
    available media and it does.
    """
    if speed >= 0:
        return trimmed.start
    length = trimmed.duration * -speed
    end = trimmed.start + length
    if available is None or (available.start <= trimmed.start and end <= available.end):
        return end
    if available.start <= trimmed.start - length and trimmed.start <= available.end:
        return trimmed.start
    return end
