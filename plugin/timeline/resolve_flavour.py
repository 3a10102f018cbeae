"""What DaVinci Resolve accepts of an OTIO document, and what in a document it may refuse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import opentimelineio as otio

from plugin.timeline.json_trees import objects_in
from plugin.timeline.stem_tracks import Json, Ruler, StemTrack

_OLDEST_KNOWN = "0.15.0"
"""The first OpenTimelineIO release whose schema versions are those that Resolve writes."""


def for_resolve(timeline: Json, ruler: Ruler) -> Json:
    """The document in the schema versions that Resolve writes, with a start timecode.

    A document that already is so comes back as it is, key for key.
    """
    known = _known_versions()
    if any(_is_foreign(node["OTIO_SCHEMA"], known) for node in objects_in(timeline)):
        root = otio.core.deserialize_json_from_string(json.dumps(timeline))
        timeline = json.loads(otio.core.serialize_json_to_string(root, known))
    if timeline.get("global_start_time") is None:
        timeline = {**timeline, "global_start_time": ruler.time(ruler.start * ruler.rate)}
    return timeline


def _known_versions() -> dict[str, int]:
    return dict(otio.versioning.fetch_map("OTIO_CORE", _OLDEST_KNOWN))


def _is_foreign(schema: str, known: dict[str, int]) -> bool:
    name, _, version = schema.partition(".")
    return name in known and version != str(known[name])


def obstacles_for_resolve(timeline: Json, *, name: str) -> tuple[str, ...]:
    """Things of the editor's own that Resolve may refuse on import; they are not ours to change.

    Args:
        timeline: the document.
        name: of the file that is written, for the sentences.
    """
    return tuple(f"{name} holds {held}" for held in dict.fromkeys(_obstacles(timeline)))


def _obstacles(timeline: Json) -> Iterator[str]:
    for node in objects_in(timeline):
        schema = node["OTIO_SCHEMA"].partition(".")[0]
        if schema == "ImageSequenceReference":
            yield "image sequences, which Resolve does not import from OTIO."
        if schema != "ExternalReference":
            continue
        if "://" in str(node.get("target_url")):
            yield "media addresses (file://...), where Resolve expects bare paths."
        if node.get("available_range") is None:
            yield "media without an available range, which Resolve refuses."


def off_frames(tracks: Iterable[StemTrack], ruler: Ruler, *, name: str) -> tuple[str, ...]:
    """What to say of takes that do not begin and end on whole frames, where Resolve puts every clip."""
    off = [
        take
        for track in tracks
        for take in track.takes
        if any(ruler.frames(time).denominator != 1 for time in (take.record.start, take.record.end))
    ]
    if not off:
        return ()
    takes = "1 take that does" if len(off) == 1 else f"{len(off)} takes that do"
    held = f"{name} holds {takes} not lie on whole frames (the first is {off[0].take_id})"
    return (f"{held}; Resolve moves such clips by up to a frame.",)
