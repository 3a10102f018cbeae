"""The values of a cue file: what each key may hold, and what it becomes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from plugin.cueing import NO_MATTE
from plugin.cues import MAX_GUIDANCE, MAX_SEED, MAX_STEPS, MAX_TAKES, MatteChannel, Resize
from plugin.timebase import frame_time, parse_rate, parse_timecode

Check = Callable[[Any, Fraction | None], Any]
"""Turns a TOML value into ours, given the file's frame rate; raises `WrongValue`."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")


class WrongValue(Exception):
    """What is wrong with one value, to be read after the name of its key."""


def frame_rate(value: Any) -> Fraction:
    """The exact rate of `rate = ...`.

    Raises:
        WrongValue: not a rate.
    """
    try:
        rate = parse_rate(str(value))
    except ValueError:
        rate = Fraction(0)
    if not 1 <= rate <= 1000:
        raise WrongValue(f'is {value!r}; it must look like 25 or "24000/1001"')
    return rate


def _words(value: Any, _rate: Fraction | None) -> str:
    if not isinstance(value, str):
        raise WrongValue("must be text in quotes")
    return value


def _name(value: Any, rate: Fraction | None) -> str:
    if not _words(value, rate).strip():
        raise WrongValue("must not be empty")
    return str(value)


def _identifier(value: Any, _rate: Fraction | None) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise WrongValue(f"is {value!r}; it must be 1 to 32 letters, digits or '-' in quotes")
    return value


def _flag(value: Any, _rate: Fraction | None) -> bool:
    if not isinstance(value, bool):
        raise WrongValue(f"is {value!r}; it must be true or false")
    return value


def _matte(value: Any, _rate: Fraction | None) -> str:
    allowed = [*MatteChannel, NO_MATTE]
    if value not in allowed:
        raise WrongValue(f"is {value!r}; it must be one of {', '.join(allowed)}")
    return str(value)


def _resize(value: Any, _rate: Fraction | None) -> Resize:
    if value not in list(Resize):
        raise WrongValue(f"is {value!r}; it must be one of {', '.join(Resize)}")
    return Resize(value)


def _whole(lowest: int, highest: int) -> Check:
    def check(value: Any, _rate: Fraction | None) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise WrongValue(f"is {value!r}; it must be a whole number from {lowest} to {highest}")
        return value

    return check


def _guidance(value: Any, _rate: Fraction | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_GUIDANCE:
        raise WrongValue(f"is {value!r}; it must be a number from 0 to {MAX_GUIDANCE:g}")
    return float(value)


def _time(value: Any, rate: Fraction | None) -> Fraction:
    """Absolute seconds from timecode, `n/d`, or a number."""
    if isinstance(value, dt.time):
        raise WrongValue("is a time of day; put timecode in quotes")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongValue(f"is {value!r}; it must be timecode in quotes, or seconds")
    text = str(value).strip()
    if text.count(":") + text.count(";") >= 2:
        if rate is None:
            raise WrongValue('is timecode, but the file has no rate (say rate = "24" at its top)')
        try:
            return frame_time(parse_timecode(text, rate), rate)
        except ValueError as error:
            raise WrongValue(f"is wrong: {error}") from error
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,12}|/[1-9]\d{0,8})?", text):
        raise WrongValue(f"is {value!r}; it must be timecode in quotes, or seconds")
    return Fraction(text)


CUE_KEYS: Mapping[str, Check] = {
    "id": _identifier,
    "source": _words,
    "start": _time,
    "end": _time,
    "label": _name,
    "prompt": _words,
    "negative_prompt": _words,
    "preset": _name,
    "steps": _whole(1, MAX_STEPS),
    "guidance": _guidance,
    "seed": _whole(0, MAX_SEED),
    "takes": _whole(1, MAX_TAKES),
    "resize": _resize,
    "matte": _matte,
    "invert": _flag,
    "enabled": _flag,
}
"""Every key of a `[[cue]]`."""
