"""Every clip as the finished timeline shows it: nested compositions opened, positions absolute.

Offsets inside a track are summed once per track, in fractions; OTIO's own `range_in_parent` walks the
track again for every clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from plugin.errors import UsageError
from plugin.timebase import TimeSpan
from plugin.timeline.clock import Clock
from plugin.timeline.lengths import Lengths, NoLength, Part
from plugin.timeline.references import available_of, is_missing
from plugin.timeline.retimes import NORMAL, Retime, media_start, retime_of
from plugin.timeline.views import View
from plugin.timeline.wishes import (
    ROLE_MASK,
    ROLE_PICTURE,
    Wish,
    described,
    mask_wish,
    our_metadata,
    role_of,
    with_metadata,
)

MAX_DEPTH = 64
"""Levels of nesting that are opened; no editor goes near it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One item as the finished timeline shows it.

    Attributes:
        item: an OTIO Clip, or a Gap, Track or Stack that carries markers.
        span: its trimmed range in its own count, before time effects.
        place: the part of `span` that is shown, and when.
        source: the part of its media that is shown, and when (time effects applied).
        enabled: it and everything around it is enabled.
        video: it lies on video tracks only.
        track_name: the nearest track's name.
        layer: place in the order of compositing; greater is nearer to the viewer.
        mask: the words of its mask track, None when it is no matte.
        fault: why its speed is not known, "" when it is; completes `the clip ...`.
    """

    item: Any
    span: TimeSpan
    place: View
    source: View
    enabled: bool
    video: bool
    track_name: str
    layer: tuple[int, ...]
    mask: Wish | None
    fault: str

    @property
    def record(self) -> TimeSpan:
        """When it is shown, absolute seconds."""
        return self.place.record

    @property
    def is_clip(self) -> bool:
        """Whether it is a clip."""
        return isinstance(self.item, otio.schema.Clip)

    @property
    def name(self) -> str:
        """The item's name, or what kind of thing it is."""
        return name_of(self.item)

    @property
    def has_media(self) -> bool:
        """Whether its media reference names a file."""
        return self.is_clip and not is_missing(self.item.media_reference)


@dataclass(frozen=True, slots=True)
class Fault:
    """An item that could not be placed, and why, in a sentence that names it."""

    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Flattened:
    """A timeline without nesting.

    Attributes:
        shown: every clip, and every other item with markers, in document order.
        faults: what could not be placed.
        record: the timeline's extent, absolute seconds.
    """

    shown: tuple[Shown, ...]
    faults: tuple[Fault, ...]
    record: TimeSpan


def flatten(timeline: Any, clock: Clock, *, mask_tracks: Mapping[int, str] | None = None) -> Flattened:
    """Every clip of a timeline with its absolute record range and the media that it shows.

    Args:
        timeline: an OTIO Timeline.
        clock: its clock.
        mask_tracks: words of tracks that hold mattes whatever their names say; key 1 is the lowest
            video track.

    Raises:
        UsageError: `mask_tracks` names a track that is not there.
    """
    stack = timeline.tracks
    if stack is None:
        return Flattened((), (), TimeSpan(clock.start, clock.start))
    walk = _Walk(_by_index(stack, mask_tracks or {}))
    try:
        span = walk.lengths.trimmed(stack)
    except NoLength:
        span = TimeSpan(Fraction(0), Fraction(0))
    record = TimeSpan(clock.start, clock.start + span.duration)
    shown: tuple[Shown, ...] = ()
    if record.duration:
        shown = tuple(walk.items(stack, span, View(record, span.start, Fraction(1)), _Around()))
    return Flattened(shown, tuple(walk.faults), record)


def name_of(item: Any) -> str:
    """The item's name for messages."""
    return item.name or f"unnamed {type(item).__name__.lower()}"


def track_name(track: Any) -> str:
    """A track's name; Final Cut Pro XML keeps it where OTIO's reader only copies it to metadata."""
    if track.name:
        return str(track.name)
    ours = _fcp_metadata(track)
    return str(ours.get("@MZ.TrackName") or ours.get("name") or "")


def is_enabled(item: Any) -> bool:
    """Whether an item is switched on, here or in Final Cut Pro XML's own field."""
    return bool(item.enabled) and str(_fcp_metadata(item).get("enabled", "")).strip().upper() != "FALSE"


def _fcp_metadata(item: Any) -> Mapping[str, Any]:
    metadata = item.metadata
    if "fcp_xml" not in metadata:
        return {}
    found = metadata["fcp_xml"]
    if not isinstance(found, Mapping):
        return {}
    return {key: found[key] for key in ("@MZ.TrackName", "name", "enabled") if key in found}


@dataclass(frozen=True, slots=True)
class _Around:
    """What an item inherits from the compositions around it."""

    enabled: bool = True
    video: bool = True
    track_name: str = ""
    layer: tuple[int, ...] = ()
    mask: Wish | None = None
    fault: str = ""


@dataclass(slots=True)
class _Walk:
    """One pass over a timeline; collects what cannot be placed."""

    told: Mapping[int, str]
    lengths: Lengths = field(default_factory=Lengths)
    faults: list[Fault] = field(default_factory=list)

    def items(self, item: Any, span: TimeSpan, place: View, around: _Around) -> Iterator[Shown]:
        """The item and everything in it that is shown; `span` and `place` are in its own count."""
        retime = retime_of(item) if len(item.effects) else NORMAL
        source = _source_view(item, span, place, retime)
        enabled = around.enabled and is_enabled(item)
        around = replace(around, enabled=enabled, fault=around.fault or retime.fault)
        if isinstance(item, otio.schema.Clip) or len(item.markers):
            yield _shown(item, span, place, source, around)
        if isinstance(item, otio.core.Composition):
            yield from self._children(item, source, around)

    def _children(self, parent: Any, source: View, around: _Around) -> Iterator[Shown]:
        if len(around.layer) >= MAX_DEPTH:
            self._fault(parent, f"is nested deeper than {MAX_DEPTH} levels and was not opened")
            return
        in_row = isinstance(parent, otio.schema.Track)
        parts = self.lengths.parts(parent)
        for part in parts.usable:
            place = source.of_part(part.range, start=part.span.start)
            if place is not None:
                yield from self.items(part.item, part.span, place, self._inherited(part, around, in_row))
            elif part.range.duration == 0:
                self._note_empty(part.item)
        for child, reason in parts.unusable:
            rest = ", and neither can anything after it on its track" if in_row else ""
            self._fault(child, f"{reason}; it cannot be placed{rest}")

    def _note_empty(self, item: Any) -> None:
        clips = item.find_clips() if isinstance(item, otio.core.Composition) else [item]
        for clip in clips:
            if isinstance(clip, otio.schema.Clip):
                self._fault(clip, "has no length and was left out")

    def _inherited(self, part: Part, around: _Around, in_row: bool) -> _Around:  # noqa: FBT001
        item, ours = part.item, our_metadata(part.item)
        layer = (*around.layer, 0 if in_row else part.index)
        if not isinstance(item, otio.schema.Track):
            return replace(around, layer=layer, mask=_mask_of_item(around.mask, ours))
        video = around.video and item.kind == otio.schema.TrackKind.Video
        told = None if around.layer else self.told.get(part.index)
        name = track_name(item)
        mask = _mask_of_track(name, told, ours, around.mask) if video else None
        return replace(around, layer=layer, video=video, track_name=name or around.track_name, mask=mask)

    def _fault(self, item: Any, message: str) -> None:
        name = name_of(item)
        self.faults.append(Fault(name, f"The {type(item).__name__.lower()} {name!r} {message}."))


def _by_index(stack: Any, told: Mapping[int, str]) -> dict[int, str]:
    """Words of told mask tracks by child number instead of video track number."""
    kind = otio.schema.TrackKind.Video
    video = [
        index
        for index, track in enumerate(stack)
        if isinstance(track, otio.schema.Track) and track.kind == kind
    ]
    for number in told:
        if not 1 <= number <= len(video):
            there = f"{len(video)} video track" + "s" * (len(video) != 1)
            raise UsageError(
                f"There is no video track {number} to take mattes from; the timeline has {there}.",
                remedy="Count video tracks from 1, the lowest.",
            )
    return {video[number - 1]: words for number, words in told.items()}


def _mask_of_track(name: str, told: str | None, ours: Mapping[str, Any], outer: Wish | None) -> Wish | None:
    role = role_of(ours)
    if told is not None:
        return with_metadata(described(told), ours)
    if role == ROLE_PICTURE:
        return None
    own = mask_wish(name)
    if own is None and role == ROLE_MASK:
        own = outer or described(name)
    if own is None:
        return outer
    return with_metadata(own, ours)


def _mask_of_item(inherited: Wish | None, ours: Mapping[str, Any]) -> Wish | None:
    role = role_of(ours)
    if role == ROLE_PICTURE:
        return None
    if inherited is None and role != ROLE_MASK:
        return None
    return with_metadata(inherited or Wish(), ours)


def _source_view(item: Any, span: TimeSpan, place: View, retime: Retime) -> View:
    if retime.speed == 1:
        return place
    available = available_of(item.media_reference) if isinstance(item, otio.schema.Clip) else None
    media = media_start(span, retime.speed, available)
    return place.retimed(begin=span.start, media=media, speed=retime.speed)


def _shown(item: Any, span: TimeSpan, place: View, source: View, around: _Around) -> Shown:
    return Shown(
        item=item,
        span=span,
        place=place,
        source=source,
        enabled=around.enabled,
        video=around.video,
        track_name=around.track_name,
        layer=around.layer,
        mask=around.mask,
        fault=around.fault,
    )
