"""What is open in Resolve: program, project, media pool, timeline."""

from typing import Any, List

from .calls import (
    NOT_RUNNING,
    TOO_OLD,
    BridgeFault,
    has,
    identity,
    read,
    refused,
    text,
    things,
    whole,
)

_PLACING = (
    (
        "MediaPool",
        ("AddSubFolder", "SetCurrentFolder", "GetCurrentFolder", "ImportMedia", "AppendToTimeline"),
    ),
    ("Timeline", ("AddTrack", "SetTrackName", "DeleteTrack", "DeleteClips", "GetItemListInTrack")),
)


class Session:
    """The objects that a request works with, got anew for every request: older ones go stale.

    Attributes:
        resolve: the program.
        project: the open project.
        pool: its media pool.
        timeline: the current timeline.
    """

    def __init__(self, resolve: Any, project: Any, pool: Any, timeline: Any) -> None:
        self.resolve = resolve
        self.project = project
        self.pool = pool
        self.timeline = timeline
        self.project_id = identity(project)
        self.timeline_id = identity(timeline)

    @classmethod
    def open(cls, resolve: Any) -> "Session":
        """What is open now; a `BridgeFault` where something is missing."""
        if not text(resolve, "GetProductName"):
            raise BridgeFault(
                NOT_RUNNING,
                "DaVinci Resolve does not answer.",
                "Start Resolve, open a project, and wait until its windows are there.",
            )
        project = current_project(resolve)
        if project is None:
            raise refused("No project is open in DaVinci Resolve.", "Open a project, then do it again.")
        timeline = read(project, "GetCurrentTimeline")
        if timeline is None or not identity(timeline):
            raise refused(
                "No timeline is open in DaVinci Resolve.",
                "Open a timeline on the Edit page, then do it again.",
            )
        pool = read(project, "GetMediaPool")
        if pool is None:
            raise refused("Resolve does not give access to its media pool.")
        return cls(resolve, project, pool, timeline)

    def require(self, timeline_id: str) -> None:
        """Raise unless the open timeline is the one that is meant."""
        if timeline_id and timeline_id != self.timeline_id:
            raise refused(
                "Another timeline is open in Resolve now: {!r}.".format(text(self.timeline, "GetName")),
                "Open the timeline that was read, or read this one, then do it again.",
            )

    def require_placing(self) -> None:
        """Raise where this version lacks what placing needs."""
        owners = {"MediaPool": self.pool, "Timeline": self.timeline}
        missing = [name for kind, names in _PLACING for name in names if not has(owners[kind], name)]
        if missing:
            raise BridgeFault(
                TOO_OLD,
                "This version of DaVinci Resolve lacks {}.".format(", ".join(missing)),
                "Update DaVinci Resolve, or import the timeline that `sagafoley render` writes.",
            )

    def is_still_open(self) -> bool:
        """Whether project and timeline are the same as when the request came."""
        project = current_project(self.resolve)
        return (
            identity(project) == self.project_id
            and identity(read(project, "GetCurrentTimeline")) == self.timeline_id
        )

    def require_still_open(self) -> None:
        """Raise where somebody opened another project or timeline meanwhile."""
        if not self.is_still_open():
            raise refused(
                "Another project or timeline was opened in Resolve meanwhile.",
                "Open the timeline again, then do it again without switching until it is done.",
            )

    def track_count(self, kind: str = "audio") -> int:
        """How many tracks there are; no answer is not "none"."""
        count = whole(self.timeline, "GetTrackCount", kind)
        if count is None:
            raise refused("Resolve does not say how many {} tracks the timeline has.".format(kind))
        return count

    def items_on(self, kind: str, index: int) -> List[Any]:
        """The items on a track, without those that are nothing."""
        found = things(self.timeline, "GetItemListInTrack", kind, index)
        return [item for item in found if identity(item)]


def current_project(resolve: Any) -> Any:
    """The open project, None without one."""
    return read(read(resolve, "GetProjectManager"), "GetCurrentProject")
