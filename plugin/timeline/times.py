"""OTIO's float times as exact fractions of a second."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

from plugin.timebase import TimeSpan, snap_rate

_WHOLE_FRAME = 1e-4
_FARTHEST = 10**10
"""Seconds, 317 years: nothing that is meant lies further away, and the sum of a thousand such times still
fits into the 64-bit sample position of a Broadcast WAV."""


class BadTime(ValueError):
    """A time or rate that means nothing: no positive finite rate, no finite value, or centuries away."""


@lru_cache(maxsize=512)
def exact_rate(rate: float) -> Fraction:
    """The exact rate meant by a float, snapped once for the whole program.

    Raises:
        BadTime: the rate is not positive and finite.
    """
    if not math.isfinite(rate) or rate <= 0:
        raise BadTime(f"rate {rate}")
    exact = snap_rate(rate)
    if exact == 0:
        raise BadTime(f"rate {rate}")
    return exact


def exact_frames(value: float) -> Fraction:
    """A frame count; within 0.0001 of a whole frame it is that frame, else exactly what is written.

    Raises:
        BadTime: the value is not finite.
    """
    if not math.isfinite(value):
        raise BadTime(f"value {value}")
    whole = round(value)
    return Fraction(whole) if abs(value - whole) <= _WHOLE_FRAME else Fraction(value)


def seconds_of(time: Any) -> Fraction:
    """Exact seconds of an OTIO `RationalTime`, whatever its rate.

    Raises:
        BadTime: its value or rate means nothing.
    """
    return _seconds(time.value, time.rate)


@lru_cache(maxsize=8192)
def _seconds(value: float, rate: float) -> Fraction:
    seconds = exact_frames(value) / exact_rate(rate)
    if abs(seconds) > _FARTHEST:
        raise BadTime(f"value {value:g}")
    return seconds


def span_of(time_range: Any) -> TimeSpan:
    """Exact half-open span of an OTIO `TimeRange`; start and duration may differ in rate.

    Raises:
        BadTime: one of its numbers means nothing.
    """
    start = seconds_of(time_range.start_time)
    return TimeSpan(start, start + seconds_of(time_range.duration))
