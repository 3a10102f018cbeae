"""Walks over OTIO documents as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from plugin.timeline.stem_tracks import Json, is_ours


def objects_in(tree: Any) -> Iterator[Json]:
    """Every object with a schema, outermost first."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("OTIO_SCHEMA"), str):
                yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            waiting.extend(reversed(node))


def canonical(tree: Any) -> str:
    """JSON with sorted keys and no blanks; equal texts mean equal documents."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def tracks_of(timeline: Json) -> list[Any]:
    """The tracks of a timeline, lowest first."""
    return list(timeline["tracks"].get("children") or ())


def without_our_tracks(timeline: Json) -> Json:
    """The timeline without the tracks that we placed; a timeline without any comes back as it is."""
    children = tracks_of(timeline)
    kept = [child for child in children if not is_ours(child)]
    if len(kept) == len(children):
        return timeline
    return {**timeline, "tracks": {**timeline["tracks"], "children": kept}}


def our_tracks(timeline: Json) -> list[Json]:
    """The tracks that we placed, lowest first."""
    return [child for child in tracks_of(timeline) if is_ours(child)]


def with_tracks(timeline: Json, added: list[Json]) -> Json:
    """The timeline with tracks added above all others."""
    children = [*tracks_of(timeline), *added]
    return {**timeline, "tracks": {**timeline["tracks"], "children": children}}
