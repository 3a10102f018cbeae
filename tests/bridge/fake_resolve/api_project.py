"""The project as scripts see it; its render queue is in `rendering`."""
# ruff: noqa: N802

from __future__ import annotations

from typing import Any

from .calling import Api, Refused, call
from .model import Timeline
from .settings import project_settings, rate_in


class ProjectCalls(Api):
    """The calls on a project that are not about rendering."""

    @call()
    def GetName(self) -> str:
        return self.it.name

    @call()
    def GetUniqueId(self) -> str:
        return self.it.id

    @call()
    def GetMediaPool(self) -> Any:
        return ("MediaPool", self.it)

    @call(0, stale=None)
    def GetTimelineCount(self) -> int:
        return len(self.it.timelines)

    @call()
    def GetTimelineByIndex(self, index: int) -> Any:
        if not 1 <= index <= len(self.it.timelines):
            raise Refused
        return self.it.timelines[index - 1]

    @call()
    def GetCurrentTimeline(self) -> Any:
        return self.it.current

    @call(False, mutates=True)
    def SetCurrentTimeline(self, timeline: Timeline) -> bool:
        if timeline not in self.it.timelines:
            raise Refused
        self.it.current = timeline
        return True

    @call("", stale=None)
    def GetSetting(self, key: str = "") -> Any:
        known = project_settings(self.it, self.editor.rate_form)
        return known if not key else known.get(key, "")

    @call({}, stale=None, since=(21, 1, 0))
    def GetSettings(self) -> Any:
        return project_settings(self.it, self.editor.rate_form)

    @call(False, mutates=True)
    def SetSetting(self, key: str, value: str) -> bool:
        if key == "timelinePlaybackFrameRate":
            raise Refused
        if key != "timelineFrameRate":
            self.it.settings[key] = value
            return True
        rate = rate_in(value)
        if rate is None or self.it.timelines:
            raise Refused
        self.it.rate = rate
        return True

    @call(False, mutates=True, since=(18, 1, 3))
    def InsertAudioToCurrentTrackAtPlayhead(self, path: str, start: int, duration: int) -> bool:
        raise Refused

    @call(False, mutates=True, since=(20, 2, 2))
    def ApplyFairlightPresetToCurrentTimeline(self, name: str) -> bool:
        raise Refused
