"""The current timeline as plain values: everything that Resolve tells, nothing made of it yet.

Meaning is made of it on our side (`resolve_bridge.documents`), where it can be tested without Resolve.
"""

from typing import Any, Dict, List, Optional

from .calls import (
    as_whole,
    clip_properties,
    has,
    identity,
    mapping,
    number,
    read,
    refused,
    setting,
    text,
    things,
    whole,
)
from .session import Session
from .status import is_studio, version_numbers

SCHEMA = 1
_SUBFRAMES_SINCE = (20, 3, 2)
"""First version whose manual has the argument for positions between frames."""

_EXACT = True
"""Argument of positions: with their part of a frame."""

_PROPERTIES = (
    "Alpha mode",
    "Duration",
    "FPS",
    "File Path",
    "Frames",
    "Online Status",
    "Resolution",
    "Start TC",
    "Type",
)


def read_timeline(resolve: Any, request: Dict[str, Any]) -> Dict[str, Any]:
    """Everything about the current timeline, as JSON."""
    session = Session.open(resolve)
    session.require(str(request.get("timeline") or ""))
    return _Reader(session).snapshot()


def read_scope(resolve: Any, request: Dict[str, Any]) -> Dict[str, Any]:
    """In and out points, and where the selected clips lie, in frames."""
    session = Session.open(resolve)
    session.require(str(request.get("timeline") or ""))
    selected = [
        {"start": whole(item, "GetStart"), "duration": whole(item, "GetDuration")}
        for item in things(session.timeline, "GetSelectedClips")
    ]
    return {"marks": marks_of(session.timeline), "selected": selected}


class _Reader:
    """One reading; every media pool item is asked once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.media = {}  # type: Dict[str, Dict[str, Any]]
        self.subframes = version_numbers(session.resolve) >= _SUBFRAMES_SINCE

    def snapshot(self) -> Dict[str, Any]:
        session, timeline = self.session, self.session.timeline
        start = whole(timeline, "GetStartFrame")
        if start is None:
            raise refused("Resolve does not say where the timeline begins.")
        tracks = [track for kind in ("video", "audio") for track in self._tracks(kind)]
        return {
            "schema": SCHEMA,
            "product": text(session.resolve, "GetProductName"),
            "version": text(session.resolve, "GetVersionString"),
            "studio": is_studio(session.resolve),
            "project": {"name": text(session.project, "GetName"), "id": session.project_id},
            "project_rate": _plain(setting(session.project, None, "timelineFrameRate")),
            "timeline": {"name": text(timeline, "GetName"), "id": session.timeline_id},
            "rate": _plain(setting(session.project, timeline, "timelineFrameRate")),
            "drop_frame": _plain(setting(session.project, timeline, "timelineDropFrameTimecode")),
            "start_frame": start,
            "end_frame": whole(timeline, "GetEndFrame"),
            "start_timecode": text(timeline, "GetStartTimecode"),
            "playhead": text(timeline, "GetCurrentTimecode"),
            "marks": marks_of(timeline),
            "markers": _markers(timeline),
            "tracks": tracks,
            "media": self.media,
        }

    def _tracks(self, kind: str) -> List[Dict[str, Any]]:
        timeline = self.session.timeline
        return [
            {
                "kind": kind,
                "index": index,
                "name": text(timeline, "GetTrackName", kind, index),
                "enabled": read(timeline, "GetIsTrackEnabled", kind, index) is not False,
                "locked": read(timeline, "GetIsTrackLocked", kind, index) is True,
                "subtype": text(timeline, "GetTrackSubType", kind, index) if kind == "audio" else "",
                "items": [self._item(item, kind) for item in self.session.items_on(kind, index)],
            }
            for index in range(1, self.session.track_count(kind) + 1)
        ]

    def _item(self, item: Any, kind: str) -> Dict[str, Any]:
        pool_item = read(item, "GetMediaPoolItem")
        found = {  # type: Dict[str, Any]
            "id": identity(item),
            "name": text(item, "GetName"),
            "start": self._position(item, "GetStart"),
            "duration": self._position(item, "GetDuration"),
            "left_offset": number(item, "GetLeftOffset"),
            "enabled": read(item, "GetClipEnabled") is not False,
            "media": self._medium(pool_item),
        }
        if kind == "video":
            found.update(
                source_start=whole(item, "GetSourceStartFrame"),
                source_end=whole(item, "GetSourceEndFrame"),
                speed=number(item, "GetSpeed"),
                type=text(item, "GetType") if has(item, "GetType") else "",
                has_properties=pool_item is not None or bool(mapping(item, "GetProperty")),
                markers=_markers(item),
            )
        return found

    def _position(self, item: Any, method: str) -> Optional[float]:
        """A position with its part of a frame, where this version tells it."""
        plain = whole(item, method)
        exact = number(item, method, _EXACT) if self.subframes else None
        return exact if exact is not None and plain is not None and abs(exact - plain) < 1 else plain

    def _medium(self, pool_item: Any) -> Optional[str]:
        key = identity(pool_item)
        if not key:
            return None
        if key not in self.media:
            properties = clip_properties(pool_item)
            found = {name: _plain(properties.get(name)) for name in _PROPERTIES}
            found["name"] = text(pool_item, "GetName")
            mattes = things(self.session.pool, "GetClipMatteList", pool_item)
            mattes = mattes or things(self.session.pool, "GetClipMatteList", pool_item)
            found["mattes"] = [path for path in mattes if isinstance(path, str) and path]
            self.media[key] = found
        return key


def marks_of(timeline: Any) -> Dict[str, Dict[str, int]]:
    """In and out points by kind, frames from the timeline's start; {} where none are set or none are told."""
    return told_marks(timeline) or {}


def told_marks(timeline: Any) -> Optional[Dict[str, Dict[str, int]]]:
    """As `marks_of`; None where Resolve does not say whether any are set."""
    answer = read(timeline, "GetMarkInOut")
    if not isinstance(answer, dict):
        return None
    found = {}
    for kind, edges in answer.items():
        frames = edges if isinstance(edges, dict) else {}
        known = {str(edge): as_whole(frame) for edge, frame in frames.items()}
        found[str(kind)] = {edge: frame for edge, frame in known.items() if frame is not None}
    return {kind: edges for kind, edges in found.items() if edges}


def _markers(owner: Any) -> List[Dict[str, Any]]:
    found = []
    for frame, marker in sorted(mapping(owner, "GetMarkers").items()):
        if not isinstance(marker, dict) or not isinstance(frame, (int, float)):
            continue
        found.append(
            {
                "frame": frame,
                "duration": as_whole(marker.get("duration")) or 1,
                "name": str(marker.get("name") or ""),
                "note": str(marker.get("note") or ""),
                "color": str(marker.get("color") or ""),
            }
        )
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) else None
