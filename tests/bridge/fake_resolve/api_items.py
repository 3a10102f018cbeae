"""Timeline items as scripts see them."""
# ruff: noqa: N802, SIM905

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from .api_timeline import MarkerCalls
from .calling import Refused, api, call
from .model import Item, Timeline
from .sourcing import left_offset, source_ends

CLIP_COLORS = frozenset(
    (
        "Orange Apricot Yellow Lime Olive Green Teal Navy Blue Purple Violet Pink Tan Beige Brown Chocolate"
    ).split()
)
_TRANSFORM = {
    "Pan": 0.0,
    "Tilt": 0.0,
    "ZoomX": 1.0,
    "ZoomY": 1.0,
    "ZoomGang": True,
    "RotationAngle": 0.0,
    "Opacity": 100.0,
    "CompositeMode": 0,
    "RetimeProcess": 0,
}
_SUBFRAMES = (20, 3, 2)


@api("TimelineItem")
class ItemApi(MarkerCalls):
    """Something on a track."""

    @property
    def _timeline(self) -> Timeline:
        for timeline in self.project.timelines:
            if timeline.track_of(self.it) is not None:
                return timeline
        raise Refused

    def _frames(self, exact: Fraction, subframe: Any) -> Any:
        """A position; asking for sub-frames is understood from 20.3.2 on."""
        if subframe is None:
            return int(exact)
        if self.editor.profile.version < _SUBFRAMES or not isinstance(subframe, bool):
            raise Refused
        return float(exact) if subframe else int(exact)

    @call()
    def GetName(self) -> str:
        return self.it.name

    @call(False, mutates=True, since=(20, 2, 0))
    def SetName(self, name: str) -> bool:
        self.it.name = name
        return True

    @call("", stale=None)
    def GetUniqueId(self) -> str:
        return self.it.id

    @call(since=(21, 1, 0))
    def GetType(self) -> str:
        return self.it.kind

    @call()
    def GetStart(self, subframe: Any = None) -> Any:
        return self._frames(self.it.start, subframe)

    @call()
    def GetEnd(self, subframe: Any = None) -> Any:
        return self._frames(self.it.end, subframe)

    @call()
    def GetDuration(self, subframe: Any = None) -> Any:
        return self._frames(self.it.duration, subframe)

    @call()
    def GetLeftOffset(self, subframe: Any = None) -> Any:
        return self._frames(left_offset(self.it, self._timeline), subframe)

    @call()
    def GetRightOffset(self, subframe: Any = None) -> Any:
        if self.it.pool is None:
            raise Refused
        media = self.it.pool.media
        whole = media.frames * self._timeline.rate.exact / media.rate.exact
        spare = whole - left_offset(self.it, self._timeline) - self.it.duration
        return self._frames(max(spare, Fraction(0)), subframe)

    @call(since=(19, 0, 2))
    def GetSourceStartFrame(self) -> Any:
        if self.it.pool is None:
            return None
        shift = self.options.source_start_off_by_one + (self._last_counts and self.it.speed < 0)
        return int(source_ends(self.it, self._timeline)[0]) - shift

    @call(since=(19, 0, 2))
    def GetSourceEndFrame(self) -> Any:
        if self.it.pool is None:
            return None
        return int(source_ends(self.it, self._timeline)[1]) - (self._last_counts and self.it.speed >= 0)

    @property
    def _last_counts(self) -> bool:
        """Whether the higher of both ends is the last frame itself, not the one after it."""
        mixed = self.it.pool.media.rate.exact != self._timeline.rate.exact
        return bool({"mixed": mixed, "exclusive": False, "inclusive": True}[self.options.source_end])

    @call(since=(19, 0, 2))
    def GetSourceStartTime(self) -> Any:
        return self._source_time(0)

    @call(since=(19, 0, 2))
    def GetSourceEndTime(self) -> Any:
        return self._source_time(1)

    def _source_time(self, edge: int) -> Any:
        if self.it.pool is None:
            return None
        media = self.it.pool.media
        return float((media.start + source_ends(self.it, self._timeline)[edge]) / media.rate.exact)

    @call()
    def GetMediaPoolItem(self) -> Any:
        return self.it.pool

    @call({}, stale=None)
    def GetProperty(self, key: str = "") -> Any:
        if self.it.kind in {"title", "generator", "transition"}:
            return {} if not key else None
        known = {**_TRANSFORM, **self.it.properties}
        return known if not key else known.get(key)

    @call({}, stale=None, since=(21, 1, 0))
    def GetProperties(self) -> Any:
        return {**_TRANSFORM, "AudioVolume": 0.0, "AudioPan": 0.0, **self.it.properties}

    @call(False, mutates=True)
    def SetProperty(self, key: str, value: Any) -> bool:
        if key not in _TRANSFORM:
            raise Refused
        self.it.properties[key] = value
        return True

    @call(False, mutates=True, since=(21, 1, 0))
    def SetProperties(self, properties: dict) -> bool:
        known = {**_TRANSFORM, "AudioVolume": 0.0, "AudioPan": 0.0}
        if any(key not in known for key in properties):
            raise Refused
        self.it.properties.update(properties)
        return True

    @call([], stale=None)
    def GetLinkedItems(self) -> Any:
        if not self.it.link:
            return []
        return [one for one in self._timeline.items() if one.link == self.it.link and one is not self.it]

    @call()
    def GetTrackTypeAndIndex(self) -> Any:
        timeline = self._timeline
        track = timeline.track_of(self.it)
        assert track is not None
        return [track.kind, timeline.of_kind(track.kind).index(track) + 1]

    @call()
    def GetClipEnabled(self) -> bool:
        return self.it.enabled

    @call(False, mutates=True)
    def SetClipEnabled(self, enabled: bool) -> bool:
        self.it.enabled = enabled
        return True

    @call("", stale=None)
    def GetClipColor(self) -> str:
        return self.it.color

    @call(False, mutates=True)
    def SetClipColor(self, color: str) -> bool:
        if color not in CLIP_COLORS:
            raise Refused
        self.it.color = "" if self.it.kind == "generator" else color
        return True

    @call(False, mutates=True)
    def ClearClipColor(self) -> bool:
        self.it.color = ""
        return True

    @call(since=(21, 1, 0))
    def GetSpeed(self) -> Any:
        return float(self.it.speed * 100)

    @call(0, stale=None)
    def GetFusionCompCount(self) -> int:
        return len(self.it.comps)

    @call(mutates=True)
    def AddFusionComp(self) -> Any:
        self.it.comps.append(f"Composition {len(self.it.comps) + 1}")
        return ("Fusion", self.editor)

    @call()
    def GetFusionCompByIndex(self, index: int) -> Any:
        if not 1 <= index <= len(self.it.comps):
            raise Refused
        return ("Fusion", self.editor)

    @call(mutates=True)
    def ImportFusionComp(self, path: str) -> Any:
        if not Path(path).is_file():
            raise Refused
        self.it.comps.append(Path(path).stem)
        return ("Fusion", self.editor)

    @call(False)
    def ExportFusionComp(self, path: str, index: int) -> bool:
        if not 1 <= index <= len(self.it.comps):
            raise Refused
        Path(path).write_text(self.it.comps[index - 1], "utf-8")
        return True

    @call(False, mutates=True, studio=True)
    def CreateMagicMask(self, mode: str) -> bool:
        if mode not in {"F", "B", "BI"} or not self.it.clicked:
            raise Refused
        return True

    @call(False, mutates=True, studio=True)
    def RegenerateMagicMask(self) -> bool:
        return self.it.clicked

    @call("", stale=None, since=(19, 0, 1))
    def GetSourceAudioChannelMapping(self) -> str:
        if self.it.pool is None:
            raise Refused
        return audio_mapping(self.it)


def audio_mapping(item: Item) -> str:
    """The JSON text that tells which channels of the file it plays."""
    channels = item.pool.media.channels if item.pool is not None else 0
    kind = {1: "mono", 2: "stereo"}.get(channels, "adaptive")
    ids = list(range(1, channels + 1))
    mapping = {"1": {"channel_idx": ids, "mute": False, "type": kind}} if channels else {}
    return json.dumps(
        {"embedded_audio_channels": channels, "linked_audio": {}, "track_mapping": mapping}, sort_keys=True
    )
