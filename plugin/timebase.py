"""Exact time: rates as fractions, half-open spans in seconds, sample positions, timecode.

A time is a `Fraction` of seconds. On a timeline it counts from midnight of its timecode, so
01:00:00:00 at 24000/1001 is 3603.6 s (86,400 frames of 1001/24000 s). Drop-frame exists only in
`parse_timecode` and `format_timecode`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

STEM_RATE = 48_000
"""Samples per second of every stem."""

_NTSC = (24, 30, 48, 60, 120)
_SMPTE_RATES = tuple(
    sorted(
        [Fraction(r) for r in (24, 25, 30, 48, 50, 60, 100, 120)] + [Fraction(r * 1000, 1001) for r in _NTSC]
    )
)
_SNAP_TOLERANCE = Fraction(1, 200)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A half-open range `[start, end)` in exact seconds."""

    start: Fraction
    end: Fraction

    @property
    def duration(self) -> Fraction:
        """Length in seconds; negative never occurs in a valid span."""
        return self.end - self.start

    def intersect(self, other: TimeSpan) -> TimeSpan | None:
        """The part shared with `other`, or None when they do not overlap."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return TimeSpan(start, end) if start < end else None

    def contains(self, time: Fraction) -> bool:
        """Whether `time` lies in `[start, end)`."""
        return self.start <= time < self.end


def snap_rate(rate: float | Fraction) -> Fraction:
    """The exact rate meant by a float such as 23.976, 23.976025 or 59.94.

    A value within 0.005 of an SMPTE rate is that rate; any other is the nearest fraction with a
    denominator up to 1001.

    Raises:
        ValueError: the rate is not a positive finite number.
    """
    exact = Fraction(rate)
    if exact <= 0:
        raise ValueError(f"frame rate must be positive, not {rate!r}")
    nearest = min(_SMPTE_RATES, key=lambda known: abs(known - exact))
    if abs(nearest - exact) <= _SNAP_TOLERANCE:
        return nearest
    return exact.limit_denominator(1001)


_RATE = re.compile(r"\d{1,7}(\.\d{1,12}|/[1-9]\d{0,6})?")


def parse_rate(text: str) -> Fraction:
    """The exact rate of `25`, `29.97` or `30000/1001`, snapped as by `snap_rate`.

    Raises:
        ValueError: not such a number, or zero.
    """
    if _RATE.fullmatch(text.strip()) is None:
        raise ValueError(f"not a frame rate: {text!r}")
    return snap_rate(Fraction(text.strip()))


def is_smpte_rate(rate: Fraction) -> bool:
    """Whether timecode exists for this rate."""
    return rate in _SMPTE_RATES


def sample_position(time: Fraction, *, sample_rate: int = STEM_RATE) -> int:
    """Index of the sample nearest to an absolute time; 0 is midnight (or time zero).

    Lengths are differences of two positions, never rounded durations, so adjoining pieces tile.
    """
    return round(time * sample_rate)


def span_samples(span: TimeSpan, *, sample_rate: int = STEM_RATE) -> int:
    """Number of samples of a stem piece: `round(end * rate) - round(start * rate)`."""
    return sample_position(span.end, sample_rate=sample_rate) - sample_position(
        span.start, sample_rate=sample_rate
    )


def frame_at(time: Fraction, rate: Fraction) -> int:
    """Number of the frame on screen at `time` (floor), frame 0 at time 0."""
    return (time * rate).__floor__()


def frame_time(frame: int, rate: Fraction) -> Fraction:
    """Start of a frame in exact seconds."""
    return Fraction(frame) / rate


def supports_drop_frame(rate: Fraction) -> bool:
    """Drop-frame timecode exists for 30000/1001 and its doubles only."""
    return rate.denominator == 1001 and rate.numerator % 30_000 == 0


def frames_per_day(rate: Fraction, *, drop_frame: bool = False) -> int:
    """Frames until timecode begins again.

    Raises:
        ValueError: drop-frame is asked for at a rate that has none.
    """
    dropped = _dropped_per_minute(rate) if drop_frame else 0
    return 86_400 * round(rate) - dropped * (1440 - 144)


def format_timecode(frame: int, rate: Fraction, *, drop_frame: bool = False) -> str:
    """Timecode of a frame counted from midnight: `01:00:00:00`, or `01:00:00;00` in drop-frame.

    After 24 hours it begins again at `00:00:00:00`, as on every machine that counts timecode; a frame
    before midnight is written with a minus.

    Raises:
        ValueError: drop-frame is asked for at a rate that has none.
    """
    nominal = round(rate)
    if frame >= 0:
        frame %= frames_per_day(rate, drop_frame=drop_frame)
    if drop_frame:
        frame = _with_dropped_numbers(frame, rate)
    sign = "-" if frame < 0 else ""
    seconds, frames = divmod(abs(frame), nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    separator = ";" if drop_frame else ":"
    width = max(2, len(str(nominal - 1)))
    return f"{sign}{hours:02}:{minutes:02}:{seconds:02}{separator}{frames:0{width}}"


_TIMECODE = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)([:;.,])(\d{2,3})")


def parse_timecode(text: str, rate: Fraction) -> int:
    """Frame number, counted from midnight, of `HH:MM:SS:FF` (a `;`, `,` or `.` means drop-frame).

    Raises:
        ValueError: not a timecode, a frame number the rate does not have, or drop-frame at a rate
            that has none.
    """
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a timecode: {text!r} (expected HH:MM:SS:FF)")
    hours, minutes, seconds, frames = (int(match[i]) for i in (1, 2, 3, 5))
    nominal = round(rate)
    if frames >= nominal:
        raise ValueError(f"timecode {text!r} has frame {frames}, but the rate counts {nominal} a second")
    number = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    if match[4] == ":":
        return number
    dropped = _dropped_per_minute(rate)
    if seconds == 0 and frames < dropped and minutes % 10:
        raise ValueError(f"timecode {text!r} does not exist in drop-frame")
    total_minutes = hours * 60 + minutes
    return number - dropped * (total_minutes - total_minutes // 10)


def _dropped_per_minute(rate: Fraction) -> int:
    if not supports_drop_frame(rate):
        raise ValueError(f"drop-frame timecode does not exist at {float(rate):.3f} fps")
    return 2 * rate.numerator // 30_000


def _with_dropped_numbers(frame: int, rate: Fraction) -> int:
    """Add the frame numbers that drop-frame skips, so plain division gives the printed fields."""
    dropped = _dropped_per_minute(rate)
    nominal = round(rate)
    per_ten_minutes = nominal * 600 - 9 * dropped
    tens, rest = divmod(frame, per_ten_minutes)
    skipped = 9 * dropped * tens
    if rest >= nominal * 60:
        skipped += dropped * (1 + (rest - nominal * 60) // (nominal * 60 - dropped))
    return frame + skipped
