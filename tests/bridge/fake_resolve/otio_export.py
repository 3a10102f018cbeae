"""`Timeline.Export` as OTIO, in the shape that Resolve writes (versions 20 and 21)."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from .model import Item, Media, Timeline, Track

MARKER_COLORS = {"Blue": "BLUE", "Cyan": "CYAN", "Green": "GREEN", "Yellow": "YELLOW", "Red": "RED"}
_CHANNEL_NAMES = {"mono": "Mono", "stereo": "Stereo"}
Json = dict[str, Any]


def export_otio(timeline: Timeline, path: Path) -> None:
    """Write the timeline."""
    path.write_text(json.dumps(timeline_document(timeline), indent=4), "utf-8")


def timeline_document(timeline: Timeline) -> Json:
    """The document; subtitles are not carried."""
    tracks = [track for track in timeline.tracks if track.kind in {"video", "audio"}]
    tracks.sort(key=lambda track: track.kind == "audio")
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}},
        "name": timeline.name,
        "global_start_time": _time(timeline.start, timeline),
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "metadata": {},
            "name": "",
            "source_range": None,
            "effects": [],
            "markers": [_marker(frame, one, timeline) for frame, one in sorted(timeline.markers.items())],
            "enabled": True,
            "children": [_track(timeline, track) for track in tracks],
        },
    }


def _time(frames: Fraction | int, timeline: Timeline) -> Json:
    rate = timeline.rate.number
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(frames)}


def _range(start: Fraction | int, duration: Fraction | int, timeline: Timeline) -> Json:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "duration": _time(duration, timeline),
        "start_time": _time(start, timeline),
    }


def _marker(frame: int, marker: dict[str, Any], timeline: Timeline) -> Json:
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {"Resolve_OTIO": {"Note": marker["note"]}},
        "name": marker["name"],
        "color": MARKER_COLORS.get(marker["color"], "PURPLE"),
        "marked_range": _range(frame, marker["duration"], timeline),
        "comment": "",
    }


def _track(timeline: Timeline, track: Track) -> Json:
    own: Json = {"Locked": track.locked}
    if track.kind == "audio":
        own |= {"Audio Type": _CHANNEL_NAMES.get(track.subtype, track.subtype), "SoloOn": False}
    return {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {"Resolve_OTIO": own},
        "name": timeline.name_of(track),
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": track.enabled,
        "children": _children(timeline, track),
        "kind": track.kind.capitalize(),
    }


def _children(timeline: Timeline, track: Track) -> list[Json]:
    out: list[Json] = []
    at = Fraction(timeline.start)
    for item in track.sorted_items():
        if item.kind == "transition":
            out.append(_transition(item, timeline))
            continue
        if item.start > at:
            out.append(_gap(item.start - at, timeline))
        out.append(_stack(item, timeline) if item.kind == "compound" else _clip(item, timeline, track))
        at = item.end
    return out


def _gap(duration: Fraction, timeline: Timeline) -> Json:
    return {
        "OTIO_SCHEMA": "Gap.1",
        "metadata": {},
        "name": "",
        "source_range": _range(0, duration, timeline),
        "effects": [],
        "markers": [],
        "enabled": True,
    }


def _stack(item: Item, timeline: Timeline) -> Json:
    """A compound clip: a composition of its own, here an empty track."""
    inner = {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {"Resolve_OTIO": {"Locked": False}},
        "name": "Video 1",
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "children": [_gap(item.duration, timeline)],
        "kind": "Video",
    }
    return {
        "OTIO_SCHEMA": "Stack.1",
        "metadata": {"Resolve_OTIO": {}},
        "name": item.name,
        "source_range": _range(0, item.duration, timeline),
        "effects": [],
        "markers": [],
        "enabled": item.enabled,
        "children": [inner],
    }


def _transition(item: Item, timeline: Timeline) -> Json:
    half = item.duration / 2
    return {
        "OTIO_SCHEMA": "Transition.1",
        "metadata": {"Resolve_OTIO": {"Transition Type": item.name}},
        "name": item.name,
        "in_offset": _time(half, timeline),
        "out_offset": _time(item.duration - half, timeline),
        "transition_type": "SMPTE_Dissolve",
    }


def _clip(item: Item, timeline: Timeline, track: Track) -> Json:
    own: Json = {}
    if item.link:
        own["Link Group ID"] = item.link
    if track.kind == "audio" and item.pool is not None:
        channels = range(item.pool.media.channels)
        own["Channels"] = [{"Source Channel ID": number, "Source Track ID": 0} for number in channels]
    return {
        "OTIO_SCHEMA": "Clip.2",
        "metadata": {"Resolve_OTIO": own},
        "name": item.name,
        "source_range": _source_range(item, timeline),
        "effects": _effects(item),
        "markers": [_marker(frame, one, timeline) for frame, one in sorted(item.markers.items())],
        "enabled": item.enabled,
        "media_references": {"DEFAULT_MEDIA": _reference(item, timeline)},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _source_range(item: Item, timeline: Timeline) -> Json:
    """From the media's start timecode, at the timeline's rate, as long as it is on the timeline."""
    if item.pool is None:
        return _range(0, item.duration, timeline)
    start = in_timeline_frames(item.pool.media, item.source_start, timeline)
    return _range(start, item.duration, timeline)


def in_timeline_frames(media: Media, frames: Fraction | int, timeline: Timeline) -> Fraction:
    """A media frame, counted with the start timecode, in frames of the timeline's rate."""
    return (media.start + frames) * timeline.rate.exact / media.rate.exact


def _effects(item: Item) -> list[Json]:
    transform = {
        "OTIO_SCHEMA": "Effect.1",
        "metadata": {
            "Resolve_OTIO": {"Effect Name": "Transform", "Enabled": True, "Parameters": [], "Type": 2}
        },
        "name": "",
        "effect_name": "Resolve Effect",
        "enabled": True,
    }
    if item.speed == 1:
        return [transform]
    warp = {
        "OTIO_SCHEMA": "LinearTimeWarp.1",
        "metadata": {},
        "name": "",
        "effect_name": "",
        "time_scalar": float(item.speed),
        "enabled": True,
    }
    return [transform, warp]


def _reference(item: Item, timeline: Timeline) -> Json:
    if item.pool is None or not item.pool.media.path:
        return {
            "OTIO_SCHEMA": "MissingReference.1",
            "metadata": {},
            "name": item.name,
            "available_range": None,
            "available_image_bounds": None,
        }
    media = item.pool.media
    frames = media.frames * timeline.rate.exact / media.rate.exact
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {},
        "name": item.pool.name,
        "available_range": _range(in_timeline_frames(media, 0, timeline), frames, timeline),
        "available_image_bounds": None,
        "target_url": media.path,
    }
