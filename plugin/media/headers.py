"""What media files say about themselves, read from their headers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from plugin.timebase import parse_timecode, snap_rate

_STATED_SLACK = Fraction(1, 10)
_CONTAINER_SLACK = Fraction(1)
_SLOWEST, _FASTEST = Fraction(1, 100), 1000


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a source says about itself; None where it says nothing.

    Attributes:
        width: pixels, after rotation.
        height: pixels, after rotation.
        duration: seconds, as the file states it; `extent()` tells the truth. None for one image.
        start_timecode: seconds of the first frame's timecode since midnight.
        rate: nominal frames per second, for a VFR file a mean; never compute times from it.
        rotation: degrees, counter-clockwise, already applied to pictures: 0, 90, 180 or 270.
        has_alpha: the frames carry alpha.
        codec: FFmpeg's name of the codec, "" for sequences of mixed kinds.
        is_still: one image, on screen for ever.
    """

    width: int
    height: int
    duration: Fraction | None
    start_timecode: Fraction | None
    rate: Fraction | None
    rotation: int
    has_alpha: bool
    codec: str
    is_still: bool


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a source really ends.

    Attributes:
        last: start of the last frame that can be shown, seconds.
        end: its end, seconds; what lies past it can only be a held last frame.
        stated: the end that the file claims, None when it claims none.
        complete: nothing that the file claims is missing. False for a truncated file.
    """

    last: Fraction
    end: Fraction
    stated: Fraction | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What opening a file finds out, the same for every reader of it; see `movies.Movie`.

    Attributes:
        info: see there.
        first_pts: see there.
        time_base: see there.
        tolerance: see there.
        lead: seconds before a frame from which it may take decoding.
        slack: seconds by which the stated duration may be off.
        clocked_by_decoding: see there.
        damaged: what was left out up to the first frame.
    """

    info: MediaInfo
    first_pts: int
    time_base: Fraction
    tolerance: Fraction
    lead: Fraction
    slack: Fraction
    clocked_by_decoding: bool
    damaged: int


def states_alpha(stream: Any) -> bool:
    """Whether a WebM says that its packets carry alpha beside the picture."""
    return any(key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items())


def nominal_rate(stream: Any) -> Fraction | None:
    """Frames per second that the stream means, snapped; a mean for VFR, None when it makes no sense."""
    for rate in (stream.guessed_rate, stream.average_rate):
        if rate and _SLOWEST <= rate <= _FASTEST:
            return snap_rate(Fraction(rate))
    return None


def stated_duration(container: Any, stream: Any) -> tuple[Fraction | None, Fraction]:
    """Seconds that the file claims for its picture, and by how much the claim is usually off."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base, _STATED_SLACK
    if tagged := _seconds_of_tag(stream.metadata.get("DURATION", "")):
        return tagged, _STATED_SLACK
    if container.duration:
        return Fraction(container.duration, av.time_base), _CONTAINER_SLACK
    return None, _STATED_SLACK


def on_frame_grid(duration: Fraction, rate: Fraction | None) -> Fraction:
    """A duration that the file rounded to milliseconds, as the whole number of frames it was."""
    if rate is None:
        return duration
    whole = round(duration * rate) / rate
    return whole if abs(whole - duration) <= Fraction(1, 1000) else duration


def _seconds_of_tag(text: str) -> Fraction | None:
    """`00:00:05.400000000`, as Matroska writes it, in seconds."""
    try:
        hours, minutes, seconds = text.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    except ValueError:
        return None


def start_timecode(container: Any, rate: Fraction | None) -> Fraction | None:
    """Seconds since midnight of the first timecode found in the picture, another stream or the file."""
    streams = [*container.streams.video, *container.streams]
    texts = [source.metadata.get("timecode") for source in [*streams, container]]
    text = next((text for text in texts if text), None)
    if text is None or rate is None:
        return None
    try:
        return parse_timecode(text, rate) / rate
    except ValueError:
        return None
