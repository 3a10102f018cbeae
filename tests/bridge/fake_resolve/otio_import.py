"""`ImportTimelineFromFile` for OTIO: only what looks like Resolve's own export is taken."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .calling import Refused
from .media import read_media
from .model import Item, Media, PoolItem, Timeline, Track
from .timecode import Rate, nearest_rate

if TYPE_CHECKING:
    from .editor import Editor

Json = dict[str, Any]


def import_otio(editor: Editor, path: Path, options: Json) -> Timeline:
    """The timeline in the file, new in the open project.

    Raises:
        Refused: it is not in Resolve's shape, its media is missing, or its name is taken.
    """
    try:
        return _imported(editor, path, options)
    except (KeyError, TypeError, AttributeError, ValueError):  # a document may hold anything anywhere
        raise Refused from None


def _imported(editor: Editor, path: Path, options: Json) -> Timeline:
    moved = options.get("sourceClipsPath")
    if moved is not None and not Path(moved).is_dir():
        raise Refused
    document = _document(path)
    rate = _rate_of(document)
    sources = options.get("importSourceClips", True)
    media = {url: read_media(url, rate, stamps=editor.options.stamps) for url in _urls(document)}
    if not all(media.values()):
        raise Refused
    known = [url for url in media if editor.project is not None and editor.project.item_at(url)]
    fails_on_known = editor.options.otio_known_sources_fail
    if fails_on_known is None:
        fails_on_known = not editor.profile.offline_without_sources
    if sources and known and fails_on_known:
        raise Refused
    if editor.options.otio_titles_fail and any(_is_missing(clip) for clip in _clips(document)):
        raise Refused
    tracks = document["tracks"]["children"]
    drafts = [_draft(track, media) for track in tracks]
    start = int(_frames(document["global_start_time"]))
    timeline = editor.new_timeline(options.get("timelineName") or document["name"], start=start)
    timeline.rate = rate
    timeline.tracks = [Track(t["kind"].lower(), _subtype(t), t["name"]) for t in tracks]
    offline = not sources and editor.profile.offline_without_sources
    for track, document_track, draft in zip(timeline.tracks, tracks, drafts, strict=True):
        track.enabled = document_track.get("enabled", True)
        track.locked = bool(document_track["metadata"].get("Resolve_OTIO", {}).get("Locked", False))
        _fill(editor, timeline, track, draft, online=not offline, duplicate=bool(sources))
    for marker in document["tracks"].get("markers", []):
        timeline.markers[int(_frames(marker["marked_range"]["start_time"]))] = _marker(marker)
    return timeline


def _document(path: Path) -> Json:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise Refused from None
    if not isinstance(document, dict) or document.get("OTIO_SCHEMA") != "Timeline.1":
        raise Refused
    if not isinstance(document.get("metadata"), dict) or not document.get("global_start_time"):
        raise Refused
    for track in document["tracks"]["children"]:
        if track.get("OTIO_SCHEMA") != "Track.1" or not isinstance(track.get("metadata"), dict):
            raise Refused
        for child in track["children"]:
            _check_child(child)
    return document


def _check_child(child: Json) -> None:
    """The shape of one thing on a track, as 19.1.3 was found to want it.

    Raises:
        Refused: it is another.
    """
    schema = child.get("OTIO_SCHEMA")
    if not isinstance(child.get("metadata"), dict):
        raise Refused
    if schema in {"Gap.1", "Transition.1", "Stack.1"}:
        return
    if not isinstance(child.get("effects"), list) or not isinstance(child.get("markers"), list):
        raise Refused
    references = child.get("media_references")
    if schema != "Clip.2" or not references or "enabled" not in child or not child.get("source_range"):
        raise Refused
    reference = references.get(child.get("active_media_reference_key"))
    if reference is None:
        raise Refused
    if reference["OTIO_SCHEMA"] == "MissingReference.1":
        return
    if reference["OTIO_SCHEMA"] != "ExternalReference.1" or not reference.get("available_range"):
        raise Refused
    if "://" in str(reference.get("target_url")):
        raise Refused


def _clips(document: Json) -> list[Json]:
    children = [child for track in document["tracks"]["children"] for child in track["children"]]
    return [child for child in children if child["OTIO_SCHEMA"] == "Clip.2"]


def _active(clip: Json) -> Json:
    reference: Json = clip["media_references"][clip["active_media_reference_key"]]
    return reference


def _is_missing(clip: Json) -> bool:
    return bool(_active(clip)["OTIO_SCHEMA"] == "MissingReference.1")


def _urls(document: Json) -> list[str]:
    references = [_active(clip) for clip in _clips(document)]
    return sorted({one["target_url"] for one in references if one["OTIO_SCHEMA"] == "ExternalReference.1"})


def _rate_of(document: Json) -> Rate:
    return nearest_rate(Fraction(document["global_start_time"]["rate"]))


def _frames(time: Json) -> Fraction:
    return Fraction(time["value"]).limit_denominator(1_000_000)


def _subtype(track: Json) -> str:
    if track["kind"] != "Audio":
        return ""
    own = track["metadata"].get("Resolve_OTIO", {})
    if "Audio Type" in own:
        return str(own["Audio Type"]).lower()
    channels = [
        len(clip["metadata"].get("Resolve_OTIO", {}).get("Channels", [0])) for clip in track["children"]
    ]
    return "stereo" if max(channels, default=1) > 1 else "mono"


def _draft(track: Json, media: dict[str, Media | None]) -> list[tuple[Fraction, Json, Media | None]]:
    """(frame from the timeline's start, what, media) of everything on a track."""
    out = []
    at = Fraction(0)
    for child in track["children"]:
        if child["OTIO_SCHEMA"] == "Transition.1":
            out.append((at - _frames(child["in_offset"]), child, None))
            continue
        if child["OTIO_SCHEMA"] == "Clip.2":
            known = media.get(str(_active(child).get("target_url")))
            if known is not None:
                _check_source(child, known)
            out.append((at, child, known))
        if child["OTIO_SCHEMA"] == "Stack.1":
            out.append((at, child, None))
        at += _frames(child["source_range"]["duration"])
    return out


def _source_start(clip: Json, media: Media) -> Fraction:
    start = clip["source_range"]["start_time"]
    return _frames(start) * media.rate.exact / nearest_rate(Fraction(start["rate"])).exact - media.start


def _check_source(clip: Json, media: Media) -> None:
    """Counted from the media's start timecode, and inside the media.

    Raises:
        Refused: it is counted from 0 though the media has a timecode.
    """
    if _source_start(clip, media) < -1 or _source_start(clip, media) > media.frames:
        raise Refused


def _fill(
    editor: Editor,
    timeline: Timeline,
    track: Track,
    draft: list[tuple[Fraction, Json, Media | None]],
    *,
    online: bool,
    duplicate: bool,
) -> None:
    for at, node, media in draft:
        start = timeline.start + at
        if node["OTIO_SCHEMA"] == "Transition.1":
            length = _frames(node["in_offset"]) + _frames(node["out_offset"])
            track.items.append(Item(node["name"], start, length, kind="transition"))
            continue
        item = Item(node["name"], start, _frames(node["source_range"]["duration"]), enabled=node["enabled"])
        item.kind = "clip" if media else "compound" if node["OTIO_SCHEMA"] == "Stack.1" else "title"
        item.link = node["metadata"].get("Resolve_OTIO", {}).get("Link Group ID", 0)
        for effect in node.get("effects", []):
            if effect["OTIO_SCHEMA"] == "LinearTimeWarp.1":
                item.speed = Fraction(effect["time_scalar"]).limit_denominator(10_000)
        for marker in node.get("markers", []):
            item.markers[int(_frames(marker["marked_range"]["start_time"]))] = _marker(marker)
        if media is not None:
            item.source_start = max(_source_start(node, media), Fraction(0))
            item.pool = _pool_item(editor, media, online=online, duplicate=duplicate)
        track.items.append(item)


def _pool_item(editor: Editor, media: Media, *, online: bool, duplicate: bool) -> PoolItem:
    """The media's entry in the pool; a new one for every import unless sources are not imported."""
    assert editor.project is not None
    known = editor.project.item_at(media.path)
    if known is not None and not duplicate:
        return known
    item = PoolItem(Path(media.path).name, media, online=online)
    editor.project.folder.items.append(item)
    return item


def _marker(node: Json) -> Json:
    return {
        "color": str(node["color"]).capitalize(),
        "duration": max(1, int(_frames(node["marked_range"]["duration"]))),
        "note": node["metadata"].get("Resolve_OTIO", {}).get("Note", ""),
        "name": node["name"],
        "customData": "",
    }
