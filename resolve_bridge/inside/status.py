"""What runs, what is open, and what this version can do: asked for, never guessed from a version number."""

from typing import Any, Dict, List, Optional

from .calls import bin_mark, has, identity, read, setting, text, things, whole
from .session import current_project


def status(resolve: Any, request: Dict[str, Any]) -> Dict[str, Any]:
    """Product, edition, version, page, project, timeline, abilities; never a fault while Resolve answers.

    `bins` are the ids of the bins right below the root that are called as the request's `bin`.
    """
    project = current_project(resolve)
    timeline = read(project, "GetCurrentTimeline")
    return {
        "product": text(resolve, "GetProductName"),
        "version": text(resolve, "GetVersionString"),
        "studio": is_studio(resolve),
        "page": text(resolve, "GetCurrentPage"),
        "project": _named(project),
        "timeline": _timeline(project, timeline),
        "bins": _bins(project, str(request.get("bin") or "")),
        "can": abilities(resolve, project, timeline),
    }


def is_studio(resolve: Any) -> bool:
    """Whether it is the paid edition."""
    if has(resolve, "IsStudio"):
        answer = read(resolve, "IsStudio")
        if isinstance(answer, bool):
            return answer
    return "studio" in text(resolve, "GetProductName").lower()


def version_numbers(resolve: Any) -> "tuple[int, ...]":
    """Major, minor, patch; () when Resolve does not say."""
    return tuple(part for part in things(resolve, "GetVersion")[:3] if isinstance(part, int))


def abilities(resolve: Any, project: Any, timeline: Any) -> Dict[str, bool]:
    """What differs between versions and matters here."""
    pool = read(project, "GetMediaPool")
    return {
        "place": has(timeline, "AddTrack") and has(pool, "AppendToTimeline"),
        "marks": has(timeline, "GetMarkInOut"),
        "selection": has(timeline, "GetSelectedClips"),
        "mattes": has(pool, "GetClipMatteList"),
        "export": has(timeline, "Export"),
        "edition_by_call": has(resolve, "IsStudio"),
    }


def _bins(project: Any, name: str) -> List[str]:
    root = read(read(project, "GetMediaPool"), "GetRootFolder") if name else None
    folders = things(root, "GetSubFolderList")
    return [bin_mark(folder) for folder in folders if text(folder, "GetName") == name]


def _track_names(timeline: Any, kind: str) -> List[str]:
    count = whole(timeline, "GetTrackCount", kind) or 0
    return [text(timeline, "GetTrackName", kind, index) for index in range(1, count + 1)]


def _named(thing: Any) -> Optional[Dict[str, str]]:
    return {"name": text(thing, "GetName"), "id": identity(thing)} if thing is not None else None


def _timeline(project: Any, timeline: Any) -> Optional[Dict[str, Any]]:
    named = _named(timeline)
    if named is None:
        return None
    return dict(
        named,
        rate=setting(project, timeline, "timelineFrameRate"),
        project_rate=setting(project, None, "timelineFrameRate"),
        drop_frame=setting(project, timeline, "timelineDropFrameTimecode"),
        start_frame=whole(timeline, "GetStartFrame"),
        start_timecode=text(timeline, "GetStartTimecode"),
        playhead=text(timeline, "GetCurrentTimecode"),
        audio_tracks=_track_names(timeline, "audio"),
        video_tracks=_track_names(timeline, "video"),
    )
