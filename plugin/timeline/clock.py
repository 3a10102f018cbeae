"""A timeline's rate, start and way of counting, found out once.

Rate: that of the start timecode when it says anything (a value other than zero); otherwise the rate
most used by the items of the picture tracks, ties going to the start's rate and then to the first
seen; 24 when nothing has a rate. Drop-frame: what is told, else what the document says (our metadata,
Final Cut Pro XML, an EDL's FCM line), else the counting in which the start timecode is the rounder
number, else drop-frame, as OTIO itself prints 29.97 and 59.94.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from plugin.timebase import format_timecode, supports_drop_frame
from plugin.timeline.times import BadTime, exact_rate, seconds_of
from plugin.timeline.wishes import our_metadata

DEFAULT_RATE = Fraction(24)
_FASTEST_PICTURE = 1000

RATE_ASSUMED = "rate_assumed"
"""Key in our metadata: the rate was found out, not read."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How a timeline counts.

    Attributes:
        rate: frames per second, exact.
        start: record time of the first frame, absolute seconds.
        drop_frame: how timecode is printed.
        notes: what had to be assumed, whole sentences.
    """

    rate: Fraction
    start: Fraction
    drop_frame: bool
    notes: tuple[str, ...] = ()


def clock_of(timeline: Any, *, drop_frame: bool | None = None) -> Clock:
    """The clock of a timeline.

    Args:
        timeline: an OTIO Timeline.
        drop_frame: how its timecode is counted, when the caller knows.
    """
    notes: list[str] = []
    start = _start_of(timeline, notes)
    rate = _rate_of(timeline, notes)
    if our_metadata(timeline).get(RATE_ASSUMED) is True:
        notes.append(f"An EDL does not say its rate; {float(rate):g} was taken, the lowest that fits.")
    dropped = _drops_frames(timeline, rate, start, told=drop_frame)
    return Clock(rate, start, dropped, tuple(notes))


def _start_of(timeline: Any, notes: list[str]) -> Fraction:
    given = timeline.global_start_time
    if given is None:
        notes.append("The timeline has no start timecode; its first frame is taken as 00:00:00:00.")
        return Fraction(0)
    try:
        return seconds_of(given)
    except BadTime:
        notes.append("The timeline's start timecode is not a time; its first frame is taken as 00:00:00:00.")
        return Fraction(0)


def _rate_of(timeline: Any, notes: list[str]) -> Fraction:
    given = timeline.global_start_time
    said = None if given is None else _picture_rate(given.rate)
    if said is not None and given.value:
        return said
    used = Counter(_item_rates(timeline))
    if not used:
        if said is None:
            notes.append("Nothing on the timeline has a frame rate; 24 frames per second are assumed.")
        return said or DEFAULT_RATE
    most = max(used.values())
    if said is not None and used[said] == most:
        return said
    return next(rate for rate, count in used.items() if count == most)


def _item_rates(timeline: Any) -> Iterator[Fraction]:
    for track in timeline.tracks or ():
        if not isinstance(track, otio.schema.Track) or track.kind != otio.schema.TrackKind.Video:
            continue
        for item in track:
            given = getattr(item, "source_range", None)
            rate = _picture_rate(given.duration.rate) if given else None
            if rate is not None:
                yield rate


def _picture_rate(rate: float) -> Fraction | None:
    """The exact rate, None where it cannot be a picture's (OTIO's default 1, audio sample rates)."""
    try:
        exact = exact_rate(rate)
    except BadTime:
        return None
    return exact if 1 < exact <= _FASTEST_PICTURE else None


def _drops_frames(timeline: Any, rate: Fraction, start: Fraction, *, told: bool | None) -> bool:
    if not supports_drop_frame(rate):
        return False
    if told is not None:
        return told
    said = _said_by_document(timeline)
    if said is not None:
        return said
    frame = round(start * rate)
    plain = _roundness(format_timecode(frame, rate))
    dropped = _roundness(format_timecode(frame, rate, drop_frame=True))
    return dropped >= plain


def _said_by_document(timeline: Any) -> bool | None:
    ours = our_metadata(timeline).get("drop_frame")
    if isinstance(ours, bool):
        return ours
    said = _final_cut_display(timeline.metadata)
    return {"DF": True, "NDF": False}.get(said.strip().upper())


def _final_cut_display(metadata: Any) -> str:
    """`DF` or `NDF` from the sequence's timecode element, "" when there is none."""
    owners = [metadata]  # OTIO's inner dictionaries die with the outer ones
    for key in ("fcp_xml", "timecode", "displayformat"):
        if not isinstance(owners[-1], Mapping) or key not in owners[-1]:
            return ""
        owners.append(owners[-1][key])
    return str(owners[-1])


def _roundness(timecode: str) -> int:
    """Number of trailing zero fields: 01:00:00:00 has three."""
    fields = timecode.replace(";", ":").split(":")
    count = 0
    for field in reversed(fields[1:]):
        if int(field):
            break
        count += 1
    return count
