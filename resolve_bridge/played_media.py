"""Which part of its media an item plays, and how fast, from what Resolve tells of it.

Resolve tells the first and last media frame of an item, the last one inclusive or exclusive depending on
version and rates, sometimes one off, and 0 and 0 where it does not know. A retime is what remains of the
difference between media frames and timeline frames after all of that is granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

_ROUND_PERCENTS = (100, 50, 25, 10, 5, 1)


@dataclass(frozen=True, slots=True)
class Played:
    """What an item plays.

    Attributes:
        start: lowest media frame, from the file's first frame, at the media's rate.
        speed: media seconds per record second; 0 a still, negative backwards.
        unsure: Resolve did not tell the speed, and 1 was taken.
    """

    start: Fraction
    speed: Fraction = Fraction(1)
    unsure: bool = False


def played_by(item: Mapping[str, Any], *, media_rate: Fraction, rate: Fraction) -> Played:
    """What an item on a video track plays.

    Args:
        item: as `inside.reading` gives it.
        media_rate: of its media.
        rate: of the timeline.
    """
    first, last = item.get("source_start"), item.get("source_end")
    trimmed = Fraction(item.get("left_offset") or 0) * media_rate / rate
    told = item.get("speed")
    usual = Fraction(item["duration"]) * media_rate / rate
    if first is None or last is None:
        return Played(trimmed)
    if first == last == 0 and usual > 2:
        return Played(trimmed, Fraction(0)) if told == 0 else Played(trimmed, unsure=told is None)
    speed = _speed(first, last, usual=usual, told=told, exact=media_rate == rate)
    if speed == 1 and media_rate == rate and abs(trimmed - first) <= 1:
        return Played(trimmed)
    return Played(Fraction(min(first, last)), speed)


def _speed(first: int, last: int, *, usual: Fraction, told: float | None, exact: bool) -> Fraction:
    """Media frames played in place of the usual number, as the roundest speed that fits."""
    span = abs(last - first)
    sign = -1 if first > last else 1
    if sign == 1 and span - 1 <= usual <= span + 2 and _agrees(told, Fraction(1)):
        return Fraction(1)
    slack = 0 if exact else 1
    least = span - slack - (sign < 0)  # backwards, an inclusive end lies below the first frame
    low, high = max(Fraction(0), least / usual), (span + 1 + slack) / usual
    for ratio in _ratios(told):
        if low - 2 / usual <= ratio <= high + 2 / usual:
            return sign * ratio
    if span <= 1 and usual > 3:
        return Fraction(0)
    return sign * _roundest(low, high)


def _ratios(told: float | None) -> list[Fraction]:
    """What a speed may mean that is told as percent or as a ratio."""
    if told is None:
        return []
    exact = abs(Fraction(told).limit_denominator(10_000))
    return [exact / 100, exact]


def _agrees(told: float | None, speed: Fraction) -> bool:
    return told is None or speed in _ratios(told)


def _roundest(low: Fraction, high: Fraction) -> Fraction:
    """A speed in whole percent between two bounds, the roundest there is; their middle without one."""
    for step in _ROUND_PERCENTS:
        first = ceil(low * 100 / step)
        if 0 < first <= floor(high * 100 / step):
            return Fraction(first * step, 100)
    return ((low + high) / 2).limit_denominator(1000)
