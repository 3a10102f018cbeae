"""Takes onto a timeline: our audio tracks added, nothing else changed, read back before it counts.

See docs/adr/0003-placing.md for the flavours, the addresses and what "nothing else" means.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.errors import OutputError
from plugin.hosts import Flavour
from plugin.timebase import STEM_RATE
from plugin.timeline.documents import Document
from plugin.timeline.earlier import next_placement
from plugin.timeline.json_trees import (
    canonical,
    objects_in,
    our_tracks,
    tracks_of,
    with_tracks,
    without_our_tracks,
)
from plugin.timeline.lengths import Lengths
from plugin.timeline.reading import media_folder, timeline_of_json
from plugin.timeline.resolve_flavour import for_resolve, obstacles_for_resolve, off_frames
from plugin.timeline.stem_tracks import (
    Json,
    PlacedTake,
    Ruler,
    StemTrack,
    media_start,
    stem_tracks,
    track_json,
)
from plugin.timeline.times import seconds_of
from plugin.timeline.urls import UnusableUrl, path_of_url
from plugin.wholefile import output_error, write_whole

__all__ = ["Flavour", "PlacedTake", "Placement", "TakePosition", "place"]

_TOLERANCE = Fraction(1, 100 * STEM_RATE)
"""A hundredth of a sample: float error of a position off the frame grid; on the grid it is zero."""

_REPORT = "Report this with the timeline file; nothing was written."


@dataclass(frozen=True, slots=True)
class TakePosition:
    """A take as it was read back.

    Attributes:
        take: what was asked for.
        track_name: the track it lies on.
        record_start: absolute seconds, as read back.
    """

    take: PlacedTake
    track_name: str
    record_start: Fraction


@dataclass(frozen=True, slots=True)
class Placement:
    """What was written.

    Attributes:
        path: the new timeline file.
        positions: every take, track by track, as read back.
        replaced: how many earlier tracks of ours gave way.
        warnings: what its reader may stumble over, whole sentences.
    """

    path: Path
    positions: tuple[TakePosition, ...]
    replaced: int
    warnings: tuple[str, ...]


def place(
    source: Path,
    takes: Sequence[PlacedTake],
    *,
    output: Path,
    flavour: Flavour = Flavour.GENERIC,
    edl_frame_rate: Fraction | None = None,
    timeline_name: str | None = None,
    kept: Sequence[Json] = (),
    after: int = 0,
) -> Placement:
    """Writes the timeline of `source` with the takes on tracks of ours to `output`.

    Earlier tracks of ours, known by their metadata, give way to the new ones. Only `output` (and,
    while writing, a file beside it) is touched.

    Args:
        source: any file that `read_timeline` reads.
        takes: the chosen takes.
        output: the new .otio; it may only be `source` itself where that already holds tracks of ours.
        flavour: who will read it.
        edl_frame_rate: the rate of an EDL.
        timeline_name: which timeline of a file that holds several.
        kept: earlier tracks of ours that stay below the new ones, as `plugin.timeline.earlier` gives them.
        after: number of our latest placement elsewhere, such as that of a matte; 0 where there is none.

    Raises:
        UnreadableTimeline: `source` is no timeline.
        OutputError: a take or `output` cannot be, or the written timeline does not read back right.
    """
    document = Document.open(source, edl_frame_rate=edl_frame_rate, timeline_name=timeline_name)
    replaced = 0 if kept else len(our_tracks(document.timeline))
    _check(takes, document.ruler, output)
    _check_overwriting(source, output, len(our_tracks(document.timeline)))
    bare = bare_document(document, flavour)
    tracks = stem_tracks(takes, taken={str(track["name"]) for track in kept})
    number = max(next_placement(kept), after + 1)
    added = [track_json(track, document.ruler, flavour, placement=number) for track in tracks]
    below = bare.with_timeline(with_tracks(bare.timeline, list(kept))) if kept else bare
    data = document_bytes(below.with_timeline(with_tracks(below.timeline, added)))
    positions = _read_back(data, below, tracks, flavour, output)
    write_checked(output, data)
    warnings: list[str] = []
    if flavour is Flavour.RESOLVE:
        warnings += obstacles_for_resolve(bare.timeline, name=output.name)
        warnings += off_frames(tracks, document.ruler, name=output.name)
    warnings += _moved_media(bare, source, output)
    return Placement(output, positions, replaced, tuple(warnings))


def bare_document(document: Document, flavour: Flavour) -> Document:
    """A document without our stems, as it is written in a flavour."""
    flavoured = flavoured_document(document, flavour)
    return flavoured.with_timeline(without_our_tracks(flavoured.timeline))


def flavoured_document(document: Document, flavour: Flavour) -> Document:
    """A document as it is written in a flavour."""
    if flavour is not Flavour.RESOLVE:
        return document
    alone = document.alone()
    return alone.with_timeline(for_resolve(alone.timeline, alone.ruler))


def document_bytes(document: Document) -> bytes:
    """A document as we write it."""
    return (json.dumps(document.root, indent=4, ensure_ascii=False) + "\n").encode("utf-8")


def write_checked(output: Path, data: bytes) -> None:
    """Writes a file whole and reads it back.

    Raises:
        OutputError: it cannot be written, or reads back different.
    """
    write_whole(output, data)
    try:
        whole = output.read_bytes() == data
    except OSError as error:
        raise output_error(output, error) from error
    if not whole:
        raise OutputError(
            f"{output.name} reads back different from what was written.",
            remedy="Check the disk, then run again.",
            detail=str(output),
        )


def _check(takes: Sequence[PlacedTake], ruler: Ruler, output: Path) -> None:
    if output.suffix.casefold() != ".otio":
        message = f"{output.name} is not an .otio file name."
        raise OutputError(message, remedy="Choose a name that ends in .otio.")
    for take in takes:
        if take.record.duration <= 0:
            raise OutputError(f"Take {take.take_id} has no length.", remedy="Render its cue again.")
        if take.record.start < ruler.start:
            raise OutputError(
                f"Take {take.take_id} begins before the timeline does.",
                remedy="Give the timeline the start timecode that it had when the take was made.",
            )
        if not take.wav.is_file():
            raise OutputError(
                f"The file of take {take.take_id} is not there: {take.wav.name}.",
                remedy="Render its cue again.",
                detail=str(take.wav),
            )


def _check_overwriting(source: Path, output: Path, replaced: int) -> None:
    try:
        same = output.exists() and output.samefile(source)
    except OSError:
        same = False
    if same and not replaced:
        raise OutputError(
            f"{output.name} is the timeline itself, which is never written over.",
            remedy="Choose another name for the timeline with the stems.",
        )


def _read_back(
    data: bytes, before: Document, tracks: Sequence[StemTrack], flavour: Flavour, output: Path
) -> tuple[TakePosition, ...]:
    """What OTIO finds in the bytes that are about to be written; `before` is what lies below our new tracks.

    Raises:
        OutputError: a take is not where it belongs, or anything else of the document changed.
    """
    text = data.decode("utf-8")
    written = replace(before, root=json.loads(text))
    number = len(tracks_of(before.timeline))
    if canonical(_with_fewer_tracks(written, number).root) != canonical(before.root):
        raise _wrong(output, "something that is not ours would change")
    timeline = timeline_of_json(text, output)
    if before.child is not None:
        timeline = timeline[before.child]
    ours = list(timeline.tracks)[number:]
    if [track.name for track in ours] != [track.name for track in tracks]:
        raise _wrong(output, "the tracks are not those that were meant")
    return tuple(
        position
        for track, found in zip(tracks, ours, strict=True)
        for position in _positions(track, found, before.ruler, flavour, output)
    )


def _with_fewer_tracks(document: Document, number: int) -> Document:
    timeline = document.timeline
    tracks = {**timeline["tracks"], "children": tracks_of(timeline)[:number]}
    return document.with_timeline({**timeline, "tracks": tracks})


def _positions(
    track: StemTrack, found: Any, ruler: Ruler, flavour: Flavour, output: Path
) -> list[TakePosition]:
    held = Lengths().parts(found)
    parts = [part for part in held.usable if part.item.schema_name() == "Clip"]
    if held.unusable or len(parts) != len(track.takes) or found.kind != "Audio":
        raise _wrong(output, f"track {track.name!r} does not hold its takes")
    positions = []
    for take, part in zip(track.takes, parts, strict=True):
        start = part.range.start + ruler.start - ruler.offset
        end = part.range.end + ruler.start - ruler.offset
        if max(abs(start - take.record.start), abs(end - take.record.end)) > _TOLERANCE:
            raise _wrong(output, f"take {take.take_id} is off its place on {track.name!r}")
        _check_media(take, part.item, ruler, flavour, output)
        positions.append(TakePosition(take, track.name, start))
    return positions


def _check_media(take: PlacedTake, clip: Any, ruler: Ruler, flavour: Flavour, output: Path) -> None:
    reference = clip.media_reference
    if path_of_url(reference.target_url, folder=output.parent.absolute()) != take.wav.absolute():
        raise _wrong(output, f"take {take.take_id} does not find its file {take.wav.name}")
    first = media_start(take, ruler, flavour) / ruler.rate
    if abs(seconds_of(clip.source_range.start_time) - first) > _TOLERANCE:
        raise _wrong(output, f"take {take.take_id} does not begin at its first sample")
    if reference.available_range != clip.source_range:
        raise _wrong(output, f"take {take.take_id} does not use its whole file")


def _wrong(output: Path, reason: str) -> OutputError:
    return OutputError(f"{output.name} would not be right: {reason}.", remedy=_REPORT)


def _moved_media(bare: Document, source: Path, output: Path) -> Iterator[str]:
    moved = source.suffix.casefold() == ".otioz" or media_folder(source) != output.parent.absolute()
    if moved and _has_relative_media(bare.timeline):
        yield (
            f"Some media of {output.name} are named relative to the original timeline and will be looked for "
            "beside the new one."
        )


def _has_relative_media(timeline: dict[str, Any]) -> bool:
    urls = (
        str(node.get("target_url") or "")
        for node in objects_in(timeline)
        if node["OTIO_SCHEMA"].startswith("ExternalReference.")
    )
    nowhere = Path("nowhere")
    return any(url and _is_relative(url, nowhere) for url in urls)


def _is_relative(url: str, nowhere: Path) -> bool:
    try:
        return path_of_url(url, folder=nowhere).parts[:1] == nowhere.parts
    except UnusableUrl:
        return False
