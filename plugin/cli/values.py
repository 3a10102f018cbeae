"""Readers of what is typed after an option: numbers, times, rates, tracks."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from fractions import Fraction

from plugin.timebase import is_smpte_rate, parse_rate

_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)")


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """A reader of whole numbers in `[lowest, highest]` for argparse."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,19}", text) or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {lowest} to {highest}")
        return int(text)

    return read


def real_number(lowest: float, highest: float) -> Callable[[str], float]:
    """A reader of finite numbers in `[lowest, highest]` for argparse."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {lowest:g} to {highest:g}")
        return value

    return read


def mask_track(text: str) -> tuple[int, str]:
    """A track number and its words from `2=violin | not trumpet`."""
    number, equals, words = text.partition("=")
    if not equals or not re.fullmatch(r"\d{1,4}", number.strip()) or int(number) < 1 or not words.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not a track number and its words (say 2=violin)")
    return int(number), words.strip()


def frame_rate(text: str) -> Fraction:
    """An exact rate from `24`, `29.97` or `30000/1001`."""
    try:
        rate = parse_rate(text)
    except ValueError:
        rate = Fraction(0)
    if not is_smpte_rate(rate):
        raise argparse.ArgumentTypeError(f"{text!r} is not a frame rate with timecode (say 24 or 29.97)")
    return rate


def seconds(text: str) -> Fraction:
    """Exact seconds from `1.5`, `0:01.5` or `1:02:03.25`; never negative."""
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + Fraction(clock[3])
    if re.fullmatch(r"\d{1,7}(\.\d{1,9})?", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time (say 1.5 or 0:01.5)")
    return Fraction(text)


def positive_seconds(text: str) -> Fraction:
    """As `seconds`, but more than nothing."""
    value = seconds(text)
    if value == 0:
        raise argparse.ArgumentTypeError("a duration of zero gives no sound")
    return value
