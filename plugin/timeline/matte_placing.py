"""A matte onto a timeline: one disabled video track more, nothing else changed, read back first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.errors import OutputError
from plugin.hosts import Flavour, MattePiece, PlacedMatte
from plugin.timebase import TimeSpan
from plugin.timeline.documents import Document
from plugin.timeline.json_trees import canonical, tracks_of, with_tracks
from plugin.timeline.lengths import Lengths
from plugin.timeline.matte_tracks import Beneath, matte_media, matte_track
from plugin.timeline.placing import document_bytes, write_checked
from plugin.timeline.reading import timeline_of_json
from plugin.timeline.references import read_reference
from plugin.timeline.stem_tracks import Json, Ruler

_TOLERANCE = Fraction(1, 10**6)
"""Seconds; on the frame grid the error is zero."""


def lay_matte(
    document: Document,
    piece: MattePiece,
    *,
    kept: Sequence[Json],
    output: Path,
    folder: Path,
    flavour: Flavour,
    placement: int,
) -> PlacedMatte:
    """Writes a document with earlier mattes of ours and a new one above all to `output`.

    Args:
        document: the editor's, in its flavour, without mattes of ours.
        piece: the new one.
        kept: tracks of the earlier ones.
        output: the new .otio.
        folder: where relative media addresses of the document start.
        flavour: who will read it.
        placement: counts our placements, 1 the first.

    Raises:
        OutputError: the matte cannot be placed, `output` cannot be written, or does not read back right.
    """
    _check(piece, document.ruler)
    before = document.with_timeline(with_tracks(document.timeline, list(kept)))
    beneath = Beneath.of(_read(before, output), piece, folder=folder)
    track = matte_track(piece, ruler=document.ruler, beneath=beneath, flavour=flavour, placement=placement)
    written = before.with_timeline(with_tracks(before.timeline, [track]))
    data = document_bytes(written)
    placed = _read_back(data, before, piece, output)
    write_checked(output, data)
    return placed


def _check(piece: MattePiece, ruler: Ruler) -> None:
    if piece.record.duration <= 0 or piece.frames <= 0:
        raise OutputError(f"The matte {piece.path.name} has no length.", remedy="Save the matte again.")
    if piece.record.start < ruler.start:
        raise OutputError(
            f"The matte {piece.path.name} would begin before the timeline does.",
            remedy="Give the timeline the start timecode that it had when the matte was made.",
        )


def _read(document: Document, output: Path) -> Any:
    timeline = timeline_of_json(json.dumps(document.root), output)
    return timeline if document.child is None else timeline[document.child]


def _read_back(data: bytes, before: Document, piece: MattePiece, output: Path) -> PlacedMatte:
    """What OTIO finds in the bytes that are about to be written."""
    found = replace(before, root=json.loads(data))
    number = len(tracks_of(before.timeline))
    timeline = found.timeline
    less = {**timeline, "tracks": {**timeline["tracks"], "children": tracks_of(timeline)[:number]}}
    if canonical(found.with_timeline(less).root) != canonical(before.root):
        raise _wrong(output, "something that is not ours would change")
    tracks = list(_read(found, output).tracks)[number:]
    if [track.name for track in tracks] != [piece.track_name] or tracks[0].enabled:
        raise _wrong(output, "the track of the matte is not the one that was meant")
    return PlacedMatte(piece, tracks[0].name, _record(tracks[0], piece, before.ruler, output))


def _record(track: Any, piece: MattePiece, ruler: Ruler, output: Path) -> TimeSpan:
    clips = [part for part in Lengths().parts(track).usable if part.item.schema_name() == "Clip"]
    if len(clips) != 1 or track.kind != "Video":
        raise _wrong(output, "the track does not hold the matte")
    later = ruler.start - ruler.offset
    record = TimeSpan(clips[0].range.start + later, clips[0].range.end + later)
    off = max(abs(record.start - piece.record.start), abs(record.end - piece.record.end))
    if off > _TOLERANCE:
        raise _wrong(output, f"the matte is {float(off):g} s off its place")
    if read_reference(clips[0].item.media_reference, folder=output.parent).media != matte_media(piece):
        raise _wrong(output, "the matte does not find its pictures")
    return record


def _wrong(output: Path, reason: str) -> OutputError:
    return OutputError(
        f"{output.name} would not be right: {reason}.",
        remedy="Report this with the timeline file; nothing was written.",
    )
