"""All that the editor owns as plain values, for before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .model import Folder, Item, Project, Timeline, Track

if TYPE_CHECKING:
    from .editor import Editor


def snapshot(editor: Editor) -> dict[str, Any]:
    """Page, window, and every project."""
    return {
        "page": editor.page,
        "modal": editor.modal,
        "project": editor.project.name if editor.project else None,
        "projects": {project.name: _project(project) for project in editor.projects},
    }


def _project(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "current timeline": project.current.id if project.current else None,
        "current bin": project.folder.id,
        "settings": dict(project.settings),
        "timelines": {timeline.id: _timeline(timeline) for timeline in project.timelines},
        "bins": _folder(project.root),
        "render": {
            "jobs": [dict(job) for job in project.render_jobs],
            "settings": dict(project.render_settings),
            "format": list(project.render_format),
            "mode": project.render_mode,
        },
    }


def _timeline(timeline: Timeline) -> dict[str, Any]:
    return {
        "name": timeline.name,
        "start": timeline.start,
        "playhead": timeline.playhead,
        "settings": dict(timeline.settings),
        "marks": {f"{kind} {edge}": frame for (kind, edge), frame in sorted(timeline.marks.items())},
        "markers": {str(frame): dict(marker) for frame, marker in sorted(timeline.markers.items())},
        "selected": sorted(item.id for item in timeline.selected),
        "tracks": {track.id: _track(timeline, track) for track in timeline.tracks},
    }


def _track(timeline: Timeline, track: Track) -> dict[str, Any]:
    return {
        "kind": track.kind,
        "index": timeline.of_kind(track.kind).index(track) + 1,
        "name": timeline.name_of(track),
        "subtype": track.subtype,
        "enabled": track.enabled,
        "locked": track.locked,
        "items": {item.id: _item(item) for item in track.sorted_items()},
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "kind": item.kind,
        "start": str(item.start),
        "duration": str(item.duration),
        "source": str(item.source_start),
        "speed": str(item.speed),
        "media": item.pool.id if item.pool else None,
        "path": item.pool.media.path if item.pool else None,
        "enabled": item.enabled,
        "color": item.color,
        "linked": item.link,
        "markers": {str(frame): dict(marker) for frame, marker in sorted(item.markers.items())},
        "properties": dict(item.properties),
        "problems": list(item.problems),
    }


def _folder(folder: Folder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "name": folder.name,
        "clips": {
            item.id: {
                "name": item.name,
                "path": item.media.path,
                "mattes": list(item.mattes),
                "metadata": dict(item.metadata),
                "online": item.online,
                "rate": item.media.rate.number,
            }
            for item in folder.items
        },
        "bins": [_folder(one) for one in folder.folders],
    }


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """What changed between two states, one line each; [] when nothing did."""
    return list(_differences(before, after, path))


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            where = f"{path}/{key}"
            if key not in after:
                yield f"{where} is gone (was {_short(before[key])})"
            elif key not in before:
                yield f"{where} is new: {_short(after[key])}"
            else:
                yield from _differences(before[key], after[key], where)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, f"{path}[{place}]")
    elif before != after:
        yield f"{path}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."
