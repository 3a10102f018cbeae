"""How a Resolve timeline counts: its rate however it is written, and frames against absolute seconds.

The absolute time of the first frame comes from the start timecode, not from the start frame: what
`GetStartFrame` gives on a drop-frame timeline (107892 or 108000) is not documented, and both are right here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from plugin.errors import HostRefused
from plugin.timebase import format_timecode, parse_timecode, snap_rate, supports_drop_frame

_CUT_SHORT = {23: 24, 29: 30, 47: 48, 59: 60, 119: 120}
"""Some builds write 23 for 23.976."""


@dataclass(frozen=True, slots=True)
class FrameCount:
    """Frames of one timeline against absolute seconds.

    Attributes:
        rate: frames per second, exact.
        start_frame: what Resolve calls the first frame.
        start_count: the first frame as its timecode counts it, from midnight.
        drop_frame: how timecode is printed.
    """

    rate: Fraction
    start_frame: int
    start_count: int
    drop_frame: bool

    @property
    def start(self) -> Fraction:
        """Absolute seconds of the first frame."""
        return self.start_count / self.rate

    def seconds(self, frame: Fraction | int) -> Fraction:
        """Absolute seconds of a frame in Resolve's count."""
        return self.start + (frame - self.start_frame) / self.rate

    def frame(self, seconds: Fraction) -> Fraction:
        """Frame in Resolve's count of an absolute time; whole when it is on a frame."""
        return self.start_frame + (seconds - self.start) * self.rate

    def timecode(self, seconds: Fraction) -> str:
        """Timecode of the frame on screen at an absolute time."""
        frame = (seconds * self.rate).__floor__()
        return format_timecode(frame, self.rate, drop_frame=self.drop_frame)


def count_of(snapshot: Mapping[str, Any]) -> FrameCount:
    """The count of a timeline that was read.

    Raises:
        HostRefused: its rate is no rate, or Resolve does not say where it begins.
    """
    rate = rate_of(snapshot.get("rate"))
    if rate is None:
        raise HostRefused(
            f"DaVinci Resolve gives {snapshot.get('rate')!r} as the timeline's frame rate.",
            remedy="Choose a frame rate in the timeline's settings.",
        )
    start, timecode = snapshot.get("start_frame"), str(snapshot.get("start_timecode") or "")
    if not isinstance(start, int):
        raise HostRefused(
            "DaVinci Resolve does not say where the timeline begins.",
            remedy="Wait until Resolve is ready and its timeline is open, then do it again.",
        )
    drop = supports_drop_frame(rate) and _drops_frames(snapshot, timecode, rate, start)
    count = timecode_frames(timecode, rate, drop_frame=drop)
    return FrameCount(rate, start, start if count is None else count, drop)


def rate_of(value: object) -> Fraction | None:
    """The exact rate in 24.0, "23.976", "23" or "29.97 DF"; None for what is no rate."""
    text = str(value if value is not None else "").upper().replace("DF", "").replace("FPS", "").strip()
    try:
        number = Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
    if number <= 0:
        return None
    if number in _CUT_SHORT:
        return Fraction(_CUT_SHORT[int(number)] * 1000, 1001)
    return snap_rate(number)


def timecode_frames(timecode: str, rate: Fraction, *, drop_frame: bool) -> int | None:
    """Frames from midnight; None for what is no timecode of that rate."""
    text = timecode.replace(";", ":").replace(",", ":").replace(".", ":")
    if drop_frame:
        text = ";".join(text.rsplit(":", 1))
    try:
        return parse_timecode(text, rate)
    except ValueError:
        return None


def _drops_frames(snapshot: Mapping[str, Any], timecode: str, rate: Fraction, start: int) -> bool:
    if "DF" in str(snapshot.get("rate")).upper() or ";" in timecode + str(snapshot.get("playhead")):
        return True
    if not timecode:
        return str(snapshot.get("drop_frame")) == "1"
    plain = timecode_frames(timecode, rate, drop_frame=False)
    return plain != start and timecode_frames(timecode, rate, drop_frame=True) == start
