"""Frame counts and timecode as an editor shows them; written apart from the product on purpose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d+)")


@dataclass(frozen=True, slots=True)
class Rate:
    """A frame rate.

    Attributes:
        exact: frames per second.
        drop: whether timecode drops numbers.
    """

    exact: Fraction
    drop: bool = False

    @property
    def nominal(self) -> int:
        """Whole frames that one second of timecode counts."""
        return round(self.exact)

    @property
    def number(self) -> float:
        """As an editor prints it: 23.976, 25.0."""
        return round(float(self.exact), 3)


RATES: dict[str, Rate] = {
    "23.976": Rate(Fraction(24000, 1001)),
    "24": Rate(Fraction(24)),
    "25": Rate(Fraction(25)),
    "29.97": Rate(Fraction(30000, 1001)),
    "29.97 DF": Rate(Fraction(30000, 1001), drop=True),
    "30": Rate(Fraction(30)),
    "47.952": Rate(Fraction(48000, 1001)),
    "48": Rate(Fraction(48)),
    "50": Rate(Fraction(50)),
    "59.94": Rate(Fraction(60000, 1001)),
    "59.94 DF": Rate(Fraction(60000, 1001), drop=True),
    "60": Rate(Fraction(60)),
}


def rate_name(rate: Rate) -> str:
    """The key of `RATES`."""
    return next(name for name, known in RATES.items() if known == rate)


def nearest_rate(exact: Fraction) -> Rate:
    """The rate that the editor would call a file's rate."""
    plain = [rate for rate in RATES.values() if not rate.drop]
    return min(plain, key=lambda rate: abs(rate.exact - exact))


def frames_of(timecode: str, rate: Rate) -> int:
    """Frames counted from 00:00:00:00.

    Raises:
        ValueError: it is no timecode of that rate.
    """
    found = _TIMECODE.fullmatch(timecode)
    if found is None:
        raise ValueError(timecode)
    hours, minutes, seconds, frames = (int(found[place]) for place in (1, 2, 3, 5))
    if minutes > 59 or seconds > 59 or frames >= rate.nominal:
        raise ValueError(timecode)
    counted = ((hours * 60 + minutes) * 60 + seconds) * rate.nominal + frames
    if not rate.drop:
        return counted
    dropped = rate.nominal // 15
    if minutes % 10 and seconds == 0 and frames < dropped:
        raise ValueError(timecode)
    total_minutes = hours * 60 + minutes
    return counted - dropped * (total_minutes - total_minutes // 10)


def timecode_of(frames: int, rate: Rate) -> str:
    """`frames` counted from 00:00:00:00 as timecode; `;` before the frames of drop-frame."""
    if rate.drop:
        dropped = rate.nominal // 15
        per_minute = rate.nominal * 60 - dropped
        per_ten = per_minute * 10 + dropped
        tens, rest = divmod(frames, per_ten)
        frames += dropped * 9 * tens
        if rest >= rate.nominal * 60:
            frames += dropped * (1 + (rest - rate.nominal * 60) // per_minute)
    seconds, frame = divmod(frames, rate.nominal)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    mark = ";" if rate.drop else ":"
    return f"{hours:02d}:{minute:02d}:{second:02d}{mark}{frame:02d}"
