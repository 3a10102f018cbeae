"""Our audio tracks as OTIO JSON: gaps and takes at absolute positions, one track per label and lane.

Written by hand, not through OTIO, so that a document keeps its own schema versions around them. Every
position is computed from the timeline's start; nothing is summed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

from plugin.hosts import TRACK_PREFIX, Flavour
from plugin.timebase import TimeSpan
from plugin.timeline.urls import file_url
from plugin.timeline.wishes import NAMESPACE, ROLE_STEM

ROLE_TAKE = "take"
PLACEMENT = "placement"
"""Key of a track's placement number; absent means 1."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlacedTake:
    """One chosen take and where it belongs.

    Attributes:
        label: the object's word; takes of one label share a track unless they overlap.
        record: absolute seconds, the start timecode included.
        wav: the file.
        take_id: names the take in the document.
        metadata: more about it, plain JSON, kept under our own key.
        channels: audio channels of the file.
    """

    label: str
    record: TimeSpan
    wav: Path
    take_id: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Ruler:
    """How record times are written into one document.

    Attributes:
        start: record time of the timeline's first frame, absolute seconds.
        offset: where the track stack begins in its own count, seconds; 0 unless it is trimmed.
        rate: frames per second, exact.
        spelled: the same rate as the document writes it (23.976, 23.976025, ...).
    """

    start: Fraction
    offset: Fraction
    rate: Fraction
    spelled: float

    def frames(self, time: Fraction) -> Fraction:
        """Frames from the beginning of a track to an absolute time; whole when it is on a frame."""
        return (time - self.start + self.offset) * self.rate

    def time(self, frames: Fraction) -> Json:
        """A `RationalTime` at the document's rate."""
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": self.spelled, "value": float(frames)}

    def range(self, start: Fraction, end: Fraction) -> Json:
        """A `TimeRange` of frames."""
        return {
            "OTIO_SCHEMA": "TimeRange.1",
            "duration": self.time(end - start),
            "start_time": self.time(start),
        }


@dataclass(frozen=True, slots=True)
class StemTrack:
    """One of our tracks.

    Attributes:
        name: `FOLEY violin`, `FOLEY violin 2`, ...
        label: the object's word.
        takes: in record order, none overlapping.
    """

    name: str
    label: str
    takes: tuple[PlacedTake, ...]


def stem_tracks(takes: Iterable[PlacedTake], *, taken: Collection[str] = ()) -> tuple[StemTrack, ...]:
    """Takes on tracks: one per label, in the order in which labels first appear, more where they overlap.

    Args:
        takes: what is placed.
        taken: names of tracks of ours that are there already.
    """
    labels: dict[str, list[PlacedTake]] = {}
    for take in takes:
        labels.setdefault(take.label, []).append(take)
    return tuple(
        StemTrack(name, label, tuple(lane))
        for label, group in labels.items()
        for name, lane in zip(track_names(label, taken=taken), _lanes(group), strict=False)
    )


def track_names(label: str, *, taken: Collection[str] = ()) -> Iterator[str]:
    """`FOLEY violin`, `FOLEY violin 2`, ... without those that are taken; it never ends."""
    first = TRACK_PREFIX + label
    names = (first if number == 1 else f"{first} {number}" for number in count(1))
    return (name for name in names if name not in taken)


def _lanes(takes: Sequence[PlacedTake]) -> list[list[PlacedTake]]:
    lanes: list[list[PlacedTake]] = []
    for take in sorted(takes, key=lambda one: (one.record.start, one.record.end, one.take_id)):
        free = next((lane for lane in lanes if lane[-1].record.end <= take.record.start), None)
        if free is None:
            free = []
            lanes.append(free)
        free.append(take)
    return lanes


def track_json(track: StemTrack, ruler: Ruler, flavour: Flavour, *, placement: int = 1) -> Json:
    """One of our tracks as OTIO JSON.

    Args:
        track: its takes.
        ruler: of the document.
        flavour: who will read it.
        placement: counts the placements of a document; only those after the first are written down.
    """
    children: list[Json] = []
    at = Fraction(0)
    for take in track.takes:
        start, end = ruler.frames(take.record.start), ruler.frames(take.record.end)
        if start > at:
            children.append(_gap(ruler, at, start))
        children.append(_clip(take, ruler, flavour))
        at = end
    channels = max(take.channels for take in track.takes)
    ours: Json = {"role": ROLE_STEM, "label": track.label}
    metadata: Json = {NAMESPACE: {**ours, PLACEMENT: placement} if placement > 1 else ours}
    if flavour is Flavour.RESOLVE:
        kind = "Mono" if channels == 1 else "Stereo"
        metadata["Resolve_OTIO"] = {"Audio Type": kind, "Locked": False, "SoloOn": False}
    return {
        "OTIO_SCHEMA": "Track.1",
        **_item(track.name, None, metadata),
        "children": children,
        "kind": "Audio",
    }


def _item(name: str, source_range: Json | None, metadata: Json) -> Json:
    return {
        "metadata": metadata,
        "name": name,
        "source_range": source_range,
        "effects": [],
        "markers": [],
        "enabled": True,
    }


def _gap(ruler: Ruler, start: Fraction, end: Fraction) -> Json:
    return {"OTIO_SCHEMA": "Gap.1", **_item("", ruler.range(Fraction(0), end - start), {})}


def _clip(take: PlacedTake, ruler: Ruler, flavour: Flavour) -> Json:
    start, end = ruler.frames(take.record.start), ruler.frames(take.record.end)
    first = media_start(take, ruler, flavour)
    extent = ruler.range(first, first + end - start)
    metadata: Json = {NAMESPACE: {**take.metadata, "role": ROLE_TAKE, "take_id": take.take_id}}
    if flavour is Flavour.RESOLVE:
        channels = [{"Source Channel ID": channel, "Source Track ID": 0} for channel in range(take.channels)]
        metadata["Resolve_OTIO"] = {"Channels": channels}
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": take.wav.name,
        "available_range": extent,
        "available_image_bounds": None,
        "target_url": media_url(take.wav, flavour),
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        **_item(take.wav.stem, extent, metadata),
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def media_start(take: PlacedTake, ruler: Ruler, flavour: Flavour) -> Fraction:
    """Frame number of the file's first sample in the document's count.

    Resolve reads the file's TimeReference as its start timecode, so there it is the absolute record
    frame; other programs count from 0.
    """
    return take.record.start * ruler.rate if flavour is Flavour.RESOLVE else Fraction(0)


def media_url(wav: Path, flavour: Flavour) -> str:
    """A bare absolute path for Resolve, a percent-encoded `file://` address for everyone else."""
    return str(wav.absolute()) if flavour is Flavour.RESOLVE else file_url(wav)


def is_ours(track: Any) -> bool:
    """Whether a track in a JSON tree is one that we placed."""
    try:
        return bool(track["metadata"][NAMESPACE]["role"] == ROLE_STEM)
    except (KeyError, TypeError):
        return False
