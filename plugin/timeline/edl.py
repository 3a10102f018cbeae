"""What a CMX3600 EDL says that OTIO's reader drops: its rate and its record start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from plugin.timeline.clock import RATE_ASSUMED
from plugin.timeline.wishes import NAMESPACE

_EVENT = re.compile(r"^\s*\d+\s")
_TIMECODE = re.compile(r"\b\d{1,2}:\d{2}:\d{2}([:;.,])(\d{2})\b")
_DROP = re.compile(r"^\s*FCM:\s*DROP FRAME", re.IGNORECASE | re.MULTILINE)
_FILM, _PAL, _NTSC = Fraction(24), Fraction(25), Fraction(30_000, 1001)


@dataclass(frozen=True, slots=True)
class EdlRate:
    """The rate of an EDL.

    Attributes:
        rate: frames per second.
        drop_frame: whether its timecode skips numbers.
        certain: the caller or the file said it; False means it is only the slowest rate that fits.
    """

    rate: Fraction
    drop_frame: bool
    certain: bool


def edl_rate(text: str, *, told: Fraction | None = None) -> EdlRate:
    """The rate that an EDL's timecodes were written at.

    The format has no field for it. Drop-frame timecode means 29.97; otherwise the highest frame number
    decides: up to 23 is 24, 24 is 25, up to 29 is 30, up to 49 is 50, more is 60.
    """
    drops = bool(_DROP.search(text)) or any(match[1] != ":" for match in _event_times(text))
    if told is not None:
        return EdlRate(told, drops, certain=True)
    highest = max((int(match[2]) for match in _event_times(text)), default=0)
    if drops:
        return EdlRate(_NTSC if highest < 30 else 2 * _NTSC, drop_frame=True, certain=True)
    rate = next((Fraction(nominal) for nominal in (24, 25, 30, 50) if highest < nominal), Fraction(60))
    return EdlRate(rate, drop_frame=False, certain=False)


def _event_times(text: str) -> list[re.Match[str]]:
    lines = (line for line in text.splitlines() if _EVENT.match(line))
    return [match for line in lines for match in _TIMECODE.finditer(line)]


def restore_record_start(timeline: Any) -> None:
    """Moves a freshly read EDL to its record timecode: earliest event first, tracks in step.

    OTIO's reader leaves each track's first record time, negated, as the start of its source range, so
    its tracks neither share a zero nor show their own clips.
    """
    starts = [_record_start(track) for track in timeline.tracks]
    if not starts:
        return
    first = min(starts)
    for track, start in zip(timeline.tracks, starts, strict=True):
        track.source_range = None
        late = start - first
        if late.value > 0:
            zero = otio.opentime.RationalTime(0, late.rate)
            track.insert(0, otio.schema.Gap(source_range=otio.opentime.TimeRange(zero, late)))
    timeline.global_start_time = first


def _record_start(track: Any) -> Any:
    if track.source_range is not None:
        return -track.source_range.start_time
    return otio.opentime.RationalTime(0, track.available_range().duration.rate)


def remember_rate(timeline: Any, found: EdlRate) -> None:
    """Leaves in our metadata what the document itself cannot say."""
    timeline.metadata[NAMESPACE] = {"drop_frame": found.drop_frame, RATE_ASSUMED: not found.certain}
