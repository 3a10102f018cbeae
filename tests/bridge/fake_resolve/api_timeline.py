"""The timeline as scripts see it."""
# ruff: noqa: N802, SIM905

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .calling import Api, Refused, api, call, is_whole
from .model import Item, Timeline, Track
from .settings import rate_in, timeline_settings
from .timecode import frames_of

MARKER_COLORS = frozenset(
    ("Blue Cyan Green Yellow Red Pink Purple Fuchsia Rose Lavender Sky Mint Lemon Sand Cocoa Cream").split()
)
SUBTYPES = frozenset(
    ("mono stereo lrc lcr lrcs lcrs quad 5.0 5.0film 5.1 5.1film 7.0 7.0film 7.1 7.1film").split()
) | {f"adaptive{number}" for number in range(1, 37)}
KINDS = ("video", "audio", "subtitle")


class MarkerCalls(Api):
    """Markers of a timeline or of an item: frames from its own start."""

    def _new_marker(self, frame: Any, color: str, rest: tuple[Any, ...]) -> bool:
        name, note, duration, custom = (*rest, *("", "", 1, "")[len(rest) :])
        whole = is_whole(frame) and is_whole(duration)
        texts = all(isinstance(text, str) for text in (name, note, custom))
        if not whole or frame < 0 or frame in self.it.markers or color not in MARKER_COLORS or not texts:
            raise Refused
        self.it.markers[int(frame)] = {
            "color": color,
            "duration": max(1, int(duration)),
            "note": note,
            "name": name,
            "customData": custom,
        }
        return True

    @call(False, mutates=True)
    def AddMarker(  # noqa: PLR0917
        self, frame: float, color: str, name: str, note: str, duration: float, custom: str = ""
    ) -> bool:
        return self._new_marker(frame, color, (name, note, duration, custom))

    @call({}, stale=None)
    def GetMarkers(self) -> Any:
        kind = float if self.options.marker_keys_float else int
        return {kind(frame): dict(marker) for frame, marker in sorted(self.it.markers.items())}

    @call({}, stale=None)
    def GetMarkerByCustomData(self, custom: str) -> Any:
        return {
            float(frame): dict(marker)
            for frame, marker in self.it.markers.items()
            if marker["customData"] == custom
        }

    @call(False, mutates=True)
    def UpdateMarkerCustomData(self, frame: int, custom: str) -> bool:
        if frame not in self.it.markers:
            raise Refused
        self.it.markers[frame]["customData"] = custom
        return True

    @call("", stale=None)
    def GetMarkerCustomData(self, frame: int) -> str:
        return self.it.markers.get(frame, {}).get("customData", "")

    @call(False, mutates=True)
    def DeleteMarkerByCustomData(self, custom: str) -> bool:
        found = [frame for frame, marker in self.it.markers.items() if marker["customData"] == custom]
        if not found:
            raise Refused
        del self.it.markers[found[0]]
        return True

    @call(False, mutates=True)
    def DeleteMarkerAtFrame(self, frame: int) -> bool:
        return self.it.markers.pop(frame, None) is not None

    @call(False, mutates=True)
    def DeleteMarkersByColor(self, color: str) -> bool:
        gone = [f for f, marker in self.it.markers.items() if color in {"All", marker["color"]}]
        for frame in gone:
            del self.it.markers[frame]
        return bool(gone)


class TrackCalls(Api):
    """Tracks of a timeline, counted from 1."""

    def _track(self, kind: str, index: int) -> Track:
        tracks = self.it.of_kind(kind)
        if not 1 <= index <= len(tracks):
            raise Refused
        return tracks[index - 1]

    @call(0, stale=None)
    def GetTrackCount(self, kind: str) -> int:
        return len(self.it.of_kind(kind))

    @call("", stale=None)
    def GetTrackName(self, kind: str, index: int) -> str:
        return self.it.name_of(self._track(kind, index))

    @call(False, mutates=True)
    def SetTrackName(self, kind: str, index: int, name: str) -> bool:
        self._track(kind, index).name = name
        return True

    @call("", stale=None, since=(19, 0, 1))
    def GetTrackSubType(self, kind: str, index: int) -> str:
        return self._track(kind, index).subtype

    @call(False, stale=None)
    def GetIsTrackEnabled(self, kind: str, index: int) -> bool:
        return self._track(kind, index).enabled

    @call(False, mutates=True)
    def SetTrackEnable(self, kind: str, index: int, enabled: bool) -> bool:
        self._track(kind, index).enabled = enabled
        return True

    @call(False, stale=None)
    def GetIsTrackLocked(self, kind: str, index: int) -> bool:
        return self._track(kind, index).locked

    @call(False, mutates=True)
    def SetTrackLock(self, kind: str, index: int, locked: bool) -> bool:
        self._track(kind, index).locked = locked
        return True

    @call(False, mutates=True)
    def AddTrack(self, kind: str, subtype: Any = None) -> bool:
        if kind not in KINDS:
            raise Refused
        index = len(self.it.of_kind(kind))
        if isinstance(subtype, dict):
            if not self.editor.profile.track_options_dict:
                raise Refused
            asked = subtype.get("index")
            index = asked - 1 if isinstance(asked, int) and 1 <= asked <= index else index
            subtype = subtype.get("audioType")
        subtype = (subtype or "mono") if kind == "audio" else ""
        if not isinstance(subtype, str) or (kind == "audio" and subtype not in SUBTYPES):
            raise Refused
        others = self.it.of_kind(kind)
        place = self.it.tracks.index(others[index]) if index < len(others) else len(self.it.tracks)
        self.it.tracks.insert(place, Track(kind, subtype))
        return True

    @call(False, mutates=True)
    def DeleteTrack(self, kind: str, index: int) -> bool:
        track = self._track(kind, index)
        if track.locked or (kind == "video" and len(self.it.of_kind("video")) == 1):
            raise Refused
        for item in track.items:
            item.alive = False
        track.alive = False
        self.it.tracks.remove(track)
        self.it.selected = [item for item in self.it.selected if item.alive]
        return True

    @call(None)
    def GetItemListInTrack(self, kind: str, index: int) -> Any:
        items = self._track(kind, index).sorted_items()
        if not items and self.options.empty_track_is_none:
            return None
        return items


@api("Timeline")
class TimelineApi(TrackCalls, MarkerCalls):
    """A timeline."""

    @call()
    def GetName(self) -> str:
        return self.it.name

    @call(False, mutates=True)
    def SetName(self, name: str) -> bool:
        if not name or any(one.name == name for one in self.project.timelines):
            raise Refused
        self.it.name = name
        return True

    @call()
    def GetUniqueId(self) -> str:
        return self.it.id

    @call()
    def GetStartFrame(self) -> int:
        return self.it.start

    @call()
    def GetEndFrame(self) -> int:
        return self.it.end

    @call()
    def GetStartTimecode(self) -> str:
        return self.it.timecode(self.it.start)

    @call(False, mutates=True)
    def SetStartTimecode(self, timecode: str) -> bool:
        count = _count(timecode, self.it)
        moved = count - self.it.start
        for item in self.it.items():
            item.start += moved
        self.it.playhead += moved
        self.it.start = self.it.start_count = count
        return True

    @call()
    def GetCurrentTimecode(self) -> str:
        if self.project.current is not self.it:
            raise Refused
        return self.it.timecode(self.it.playhead)

    @call(False, mutates=True)
    def SetCurrentTimecode(self, timecode: str) -> bool:
        if self.project.current is not self.it or self.editor.page == "media":
            raise Refused
        frame = _count(timecode, self.it) - self.it.start_count + self.it.start
        if frame < self.it.start:
            raise Refused
        self.it.playhead = frame
        return True

    @call("", stale=None)
    def GetSetting(self, key: str = "") -> Any:
        known = timeline_settings(self.project, self.it, self.editor.rate_form)
        return known if not key else known.get(key, "")

    @call({}, stale=None, since=(21, 1, 0))
    def GetSettings(self) -> Any:
        return timeline_settings(self.project, self.it, self.editor.rate_form)

    @call(False, mutates=True, since=(21, 1, 0))
    def SetSettings(self, settings: dict) -> bool:
        """One by one, `useCustomSettings` first; what was set before a failure stays."""
        for key in sorted(settings, key=lambda key: key != "useCustomSettings"):
            if not isinstance(settings[key], str) or not self.SetSetting(key, settings[key]):
                raise Refused
        return True

    @call(False, mutates=True)
    def SetSetting(self, key: str, value: str) -> bool:
        custom = self.it.settings.get("useCustomSettings") == "1"
        if key == "timelinePlaybackFrameRate" or (key != "useCustomSettings" and not custom):
            raise Refused
        if key != "timelineFrameRate":
            self.it.settings[key] = value
            return True
        rate = rate_in(value)
        if rate is None or self.it.items():
            raise Refused
        hours = Fraction(self.it.start_count, self.it.rate.nominal)
        self.it.rate = rate
        self.it.start = self.it.start_count = int(hours * rate.nominal)
        self.it.playhead = self.it.start
        return True

    @call([], stale=None, since=(21, 0, 4))
    def GetSelectedClips(self) -> Any:
        return [item for item in self.it.selected if item.alive]

    @call({}, stale=None, since=(20, 0, 0))
    def GetMarkInOut(self) -> Any:
        found: dict[str, dict[str, int]] = {"video": {}, "audio": {}}
        for (kind, edge), frame in self.it.marks.items():
            found[kind][edge] = frame
        return {kind: edges for kind, edges in found.items() if edges}

    @call(False, mutates=True, since=(20, 0, 0))
    def SetMarkInOut(self, first: int, last: int, kind: str = "all") -> bool:
        if kind not in {"all", "video", "audio"} or not 0 <= first <= last:
            raise Refused
        for one in ("video", "audio") if kind == "all" else (kind,):
            self.it.marks[one, "in"], self.it.marks[one, "out"] = first, last
        return True

    @call(False, mutates=True, since=(20, 0, 0))
    def ClearMarkInOut(self, kind: str = "all") -> bool:
        if kind not in {"all", "video", "audio"}:
            raise Refused
        self.it.marks = {key: frame for key, frame in self.it.marks.items() if kind not in {"all", key[0]}}
        return True

    @call(False, mutates=True)
    def SetClipsLinked(self, items: list[Item], linked: bool) -> bool:
        if len(items) < 2 or any(self.it.track_of(item) is None for item in items):
            raise Refused
        number = max((item.link for item in self.it.items()), default=0) + 1
        for item in items:
            item.link = number if linked else 0
        return True

    @call(False, mutates=True)
    def DeleteClips(self, items: list[Item], ripple: bool = False) -> bool:
        if self.options.delete_page_matters and self.editor.page != "edit":
            raise Refused
        tracks = [self.it.track_of(item) for item in items]
        if not items or any(track is None or track.locked for track in tracks):
            raise Refused
        if self.options.delete_flaky > 0:
            self.options.delete_flaky -= 1
            raise Refused
        for item, track in zip(items, tracks, strict=True):
            if item.alive and track is not None:
                _delete(item, track, ripple=ripple)
        self.it.selected = [item for item in self.it.selected if item.alive]
        return True

    @call()
    def GetCurrentVideoItem(self) -> Any:
        for track in reversed(self.it.of_kind("video")):
            for item in track.items if track.enabled else ():
                if item.start <= self.it.playhead < item.end:
                    return item
        raise Refused

    @call()
    def GetMediaPoolItem(self) -> Any:
        return self.it.pool

    @call(False)
    def Export(self, path: str, kind: Any, subtype: Any = None) -> bool:
        return self.editor.export(self.it, path, kind, subtype)


def _delete(item: Item, track: Track, *, ripple: bool) -> None:
    track.items.remove(item)
    item.alive = False
    for later in track.items if ripple else ():
        if later.start >= item.end:
            later.start -= item.duration


def _count(timecode: str, timeline: Timeline) -> int:
    try:
        return frames_of(timecode, timeline.rate)
    except ValueError:
        raise Refused from None
