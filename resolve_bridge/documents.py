"""A timeline that was read from Resolve as an OTIO document, in the shape that Resolve itself exports.

So one spotting code reads timelines from files and from the running program. What Resolve tells beyond
its own export is added in the places where the file path looks for it: mattes attached in the media pool
become media references named `MATTE`, and how timecode counts is said in our metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePath, PureWindowsPath
from typing import Any

from resolve_bridge.counting import FrameCount, count_of, rate_of, timecode_frames
from resolve_bridge.played_media import Played, played_by

Json = dict[str, Any]
_OURS = "sagafoley"
_DEFAULT = "DEFAULT_MEDIA"
_MATTE = "MATTE"
_MASK_WORDS = ("mask", "matte")
_COLORS = {"red", "pink", "orange", "yellow", "green", "cyan", "blue", "purple", "magenta", "black", "white"}


@dataclass(frozen=True, slots=True)
class ReadTimeline:
    """A timeline of Resolve as a document.

    Attributes:
        document: OTIO as JSON.
        count: its frames against absolute seconds.
        notes: what had to be assumed, whole sentences.
    """

    document: Json
    count: FrameCount
    notes: tuple[str, ...]


def timeline_document(snapshot: Mapping[str, Any]) -> ReadTimeline:
    """The document of what `inside.reading` read.

    Raises:
        HostRefused: the timeline has no usable frame rate.
    """
    writer = _Writer(snapshot, count_of(snapshot))
    document = writer.timeline()
    return ReadTimeline(document, writer.count, tuple(dict.fromkeys(writer.notes)))


@dataclass(slots=True)
class _Writer:
    """Writes one document; collects what has to be said."""

    snapshot: Mapping[str, Any]
    count: FrameCount
    notes: list[str] = field(default_factory=list)

    def timeline(self) -> Json:
        """The whole document."""
        count, named = self.count, self.snapshot["timeline"]
        tracks = [self._track(track) for track in self.snapshot["tracks"]]
        return {
            "OTIO_SCHEMA": "Timeline.1",
            "metadata": {
                _OURS: {"drop_frame": count.drop_frame},
                "Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"},
            },
            "name": named["name"],
            "global_start_time": _time(count.start_count, count.rate),
            "tracks": {
                "OTIO_SCHEMA": "Stack.1",
                **_item("", None, {}),
                "markers": [self._marker(marker, Fraction(marker["frame"])) for marker in self._markers()],
                "children": tracks,
            },
        }

    def _markers(self) -> Sequence[Json]:
        return self.snapshot.get("markers") or ()

    def _track(self, track: Mapping[str, Any]) -> Json:
        own: Json = {"Locked": track["locked"]}
        if track["kind"] == "audio":
            own["Audio Type"] = str(track["subtype"]).capitalize()
        return {
            "OTIO_SCHEMA": "Track.1",
            **_item(track["name"], None, {"Resolve_OTIO": own}),
            "enabled": track["enabled"],
            "children": self._children(track),
            "kind": str(track["kind"]).capitalize(),
        }

    def _children(self, track: Mapping[str, Any]) -> list[Json]:
        """Gaps, clips and transitions in record order; what overlaps an earlier clip is left out."""
        usable = [one for one in track["items"] if one["start"] is not None and one["duration"]]
        plain = sorted((one for one in usable if not _is_transition(one, usable)), key=_begin)
        transitions = [one for one in usable if _is_transition(one, usable)]
        children: list[Json] = []
        at = Fraction(self.count.start_frame)
        for one in plain:
            start = _begin(one)
            if start < at:
                self._say(f"{one['name']!r} on {track['name']!r} overlaps another clip and was left out.")
                continue
            if start > at:
                children.append({"OTIO_SCHEMA": "Gap.1", **_item("", self._range(start - at), {})})
            elif children:
                children += [self._transition(cut, start) for cut in transitions if _covers(cut, start)][:1]
            children.append(self._clip(one, track))
            at = start + Fraction(one["duration"])
        return children

    def _transition(self, item: Mapping[str, Any], cut: Fraction) -> Json:
        end = _begin(item) + Fraction(item["duration"])
        return {
            "OTIO_SCHEMA": "Transition.1",
            "metadata": {},
            "name": item["name"],
            "in_offset": _time(cut - _begin(item), self.count.rate),
            "out_offset": _time(end - cut, self.count.rate),
            "transition_type": "SMPTE_Dissolve",
        }

    def _clip(self, item: Mapping[str, Any], track: Mapping[str, Any]) -> Json:
        media = self.snapshot["media"].get(item["media"]) or {}
        media_rate = rate_of(media.get("FPS")) or self.count.rate
        played = self._played(item, track, media_rate)
        first = _first_frame(media, media_rate) if media.get("File Path") else 0
        extent = self._range(Fraction(item["duration"]))
        extent["start_time"] = _time(first + played.start, media_rate)
        references = {_DEFAULT: _reference(media, media_rate, first)}
        if track["kind"] == "video":
            references |= _matte_references(media.get("mattes") or ())
        markers = [self._clip_marker(one, item, played, media_rate, first) for one in item.get("markers", ())]
        return {
            "OTIO_SCHEMA": "Clip.2",
            **_item(item["name"] or media.get("name") or "", extent, {}),
            "effects": _effects(played),
            "markers": markers,
            "enabled": item["enabled"],
            "media_references": references,
            "active_media_reference_key": _DEFAULT,
        }

    def _played(self, item: Mapping[str, Any], track: Mapping[str, Any], media_rate: Fraction) -> Played:
        if item["media"] is None:
            return Played(Fraction(0))
        if track["kind"] == "audio":
            return Played(Fraction(item.get("left_offset") or 0) * media_rate / self.count.rate)
        played = played_by(item, media_rate=media_rate, rate=self.count.rate)
        if played.unsure:
            self._say(
                f"Resolve does not tell the speed of {item['name']!r} on {track['name']!r}; "
                "it was taken as not retimed."
            )
        return played

    def _clip_marker(
        self, marker: Json, item: Mapping[str, Any], played: Played, media_rate: Fraction, first: int
    ) -> Json:
        """Counted in its media where that lies inside the clip, else from the clip's first frame."""
        frame = Fraction(marker["frame"])
        length = Fraction(item["duration"]) * media_rate / self.count.rate
        inside = played.start <= frame < played.start + length
        counted = first + (frame if inside else played.start + frame * media_rate / self.count.rate)
        return self._marker(marker, counted, rate=media_rate)

    def _marker(self, marker: Json, frame: Fraction, *, rate: Fraction | None = None) -> Json:
        marked = self._range(Fraction(marker["duration"]))
        marked["start_time"] = _time(frame, rate or self.count.rate)
        color = str(marker.get("color", "")).casefold()
        return {
            "OTIO_SCHEMA": "Marker.2",
            "metadata": {"Resolve_OTIO": {"Note": marker.get("note", "")}},
            "name": marker["name"],
            "color": color.upper() if color in _COLORS else "PURPLE",
            "marked_range": marked,
            "comment": "",
        }

    def _range(self, frames: Fraction) -> Json:
        rate = self.count.rate
        return {
            "OTIO_SCHEMA": "TimeRange.1",
            "duration": _time(frames, rate),
            "start_time": _time(0, rate),
        }

    def _say(self, sentence: str) -> None:
        self.notes.append(sentence)


def _item(name: str, source_range: Json | None, metadata: Json) -> Json:
    return {
        "metadata": metadata,
        "name": name,
        "source_range": source_range,
        "effects": [],
        "markers": [],
        "enabled": True,
    }


def _time(frames: Fraction | int, rate: Fraction) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frames)}


def _begin(item: Mapping[str, Any]) -> Fraction:
    return Fraction(item["start"])


def _covers(transition: Mapping[str, Any], cut: Fraction) -> bool:
    return _begin(transition) <= cut <= _begin(transition) + Fraction(transition["duration"])


def _is_transition(item: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an item is a transition: told from 21.1 on, before that known by what it lacks and overlaps."""
    if item["media"] is not None:
        return False
    if "transition" in str(item.get("type") or "").casefold():
        return True
    if item.get("has_properties", True) or item.get("type"):
        return False
    start, end = _begin(item), _begin(item) + Fraction(item["duration"])
    return any(
        start < _begin(other) + Fraction(other["duration"]) and _begin(other) < end
        for other in others
        if other is not item and other["media"] is not None
    )


def _first_frame(media: Mapping[str, Any], rate: Fraction) -> int:
    """Frame count of the media's start timecode."""
    timecode = str(media.get("Start TC") or "")
    return timecode_frames(timecode, rate, drop_frame=";" in timecode) or 0


def _reference(media: Mapping[str, Any], rate: Fraction, first: int) -> Json:
    path = str(media.get("File Path") or "")
    shared: Json = {"metadata": {}, "name": media.get("name") or "", "available_image_bounds": None}
    if not path:
        return {"OTIO_SCHEMA": "MissingReference.1", **shared, "available_range": None}
    frames = _frames(media, rate)
    available = None
    if frames:
        available = {
            "OTIO_SCHEMA": "TimeRange.1",
            "duration": _time(frames, rate),
            "start_time": _time(first, rate),
        }
    return {"OTIO_SCHEMA": "ExternalReference.1", **shared, "available_range": available, "target_url": path}


def _frames(media: Mapping[str, Any], rate: Fraction) -> int:
    """The media's length; 0 when Resolve does not say."""
    text = str(media.get("Frames") or "").strip()
    if text.isdigit() and int(text):
        return int(text)
    duration = str(media.get("Duration") or "")
    return timecode_frames(duration, rate, drop_frame=";" in duration) or 0


def _matte_references(paths: Sequence[str]) -> dict[str, Json]:
    """The mattes attached to a clip in the media pool, frame for frame with it.

    A file named like a mask track (`MASK violin.mov`) says its words; any other is just the matte.
    """
    found: dict[str, Json] = {}
    for path in paths:
        stem = _stem(path)
        key = stem if stem.casefold().startswith(_MASK_WORDS) else _MATTE
        number = 2
        while key in found:
            key, number = f"{stem if key.startswith(stem) else _MATTE} {number}", number + 1
        found[key] = {
            "OTIO_SCHEMA": "ExternalReference.1",
            "metadata": {},
            "name": stem,
            "available_range": None,
            "available_image_bounds": None,
            "target_url": path,
        }
    return found


def _stem(path: str) -> str:
    windows = "\\" in path and "/" not in path
    return (PureWindowsPath(path) if windows else PurePath(path)).stem


def _effects(played: Played) -> list[Json]:
    if played.speed == 1:
        return []
    return [
        {
            "OTIO_SCHEMA": "LinearTimeWarp.1",
            "metadata": {},
            "name": "",
            "effect_name": "",
            "time_scalar": float(played.speed),
            "enabled": True,
        }
    ]
