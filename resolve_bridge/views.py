"""What runs and what is open in Resolve, as values for people and for decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ResolveStatus:
    """A running Resolve.

    Attributes:
        product: "DaVinci Resolve" or "DaVinci Resolve Studio".
        version: as it says it.
        studio: the paid edition.
        transport: the way in which it is reached.
        page: the page that is open, "" when it does not say.
        project: name of the open project, "" without one.
        project_id: its unique id.
        timeline: name of the current timeline, "" without one.
        timeline_id: its unique id.
        project_rate: the project's frame rate, as Resolve writes it.
        clock: what says how the timeline counts; see `counting.count_of`.
        bins: ids of the bins of our name.
        audio_tracks: their names, the lowest first.
        video_tracks: their names, the lowest first.
        can: abilities of this version by name (`inside.status.abilities`).
    """

    product: str
    version: str
    studio: bool
    transport: str
    page: str
    project: str
    project_id: str
    timeline: str
    timeline_id: str
    project_rate: object
    clock: Mapping[str, Any]
    bins: tuple[str, ...]
    audio_tracks: tuple[str, ...]
    video_tracks: tuple[str, ...]
    can: Mapping[str, bool]

    @classmethod
    def of(cls, found: Mapping[str, Any], *, transport: str) -> ResolveStatus:
        """The status in an answer of `inside.status`."""
        project, timeline = found.get("project") or {}, found.get("timeline") or {}
        return cls(
            product=str(found.get("product") or "DaVinci Resolve"),
            version=str(found.get("version") or ""),
            studio=bool(found.get("studio")),
            transport=transport,
            page=str(found.get("page") or ""),
            project=str(project.get("name") or ""),
            project_id=str(project.get("id") or ""),
            timeline=str(timeline.get("name") or ""),
            timeline_id=str(timeline.get("id") or ""),
            project_rate=timeline.get("project_rate"),
            clock=timeline,
            bins=tuple(found.get("bins") or ()),
            audio_tracks=tuple(timeline.get("audio_tracks") or ()),
            video_tracks=tuple(timeline.get("video_tracks") or ()),
            can=dict(found.get("can") or {}),
        )
