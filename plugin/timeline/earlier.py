"""Earlier placements of ours in a written timeline: what lies where, what stays, taking the last one away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from plugin.timeline.documents import Document
from plugin.timeline.json_trees import canonical, our_tracks, tracks_of
from plugin.timeline.stem_tracks import PLACEMENT, Json, PlacedTake, Ruler
from plugin.timeline.wishes import NAMESPACE


def placement_of(track: Json) -> int:
    """Which placement a track of ours belongs to, 1 the first."""
    number = track["metadata"][NAMESPACE].get(PLACEMENT, 1)
    return number if isinstance(number, int) else 1


def latest_placement(tracks: Sequence[Json]) -> int:
    """The highest number among tracks of ours, 0 without any."""
    return max((placement_of(track) for track in tracks), default=0)


def next_placement(kept: Sequence[Json]) -> int:
    """The number of the placement that comes after these tracks."""
    return latest_placement(kept) + 1


def earlier_tracks(source: Document, output: Document | None) -> tuple[Json, ...]:
    """Tracks of ours in the editor's file, and those of an earlier output that its placing added.

    Those of the output only count while it begins where the editor's timeline begins: their places are
    counted from there.
    """
    found = our_tracks(source.timeline)
    if output is not None and output.ruler.start == source.ruler.start:
        known = {canonical(track) for track in found}
        found += [track for track in our_tracks(output.timeline) if canonical(track) not in known]
    return tuple(found)


def not_yet_placed(takes: Sequence[PlacedTake], kept: Sequence[Json], ruler: Ruler) -> tuple[PlacedTake, ...]:
    """The takes at whose place no earlier take of the same label lies."""
    return tuple(take for take in takes if not _lies_there(take, kept, ruler))


def _lies_there(take: PlacedTake, kept: Sequence[Json], ruler: Ruler) -> bool:
    start, end = ruler.frames(take.record.start), ruler.frames(take.record.end)
    same = [track for track in kept if track["metadata"][NAMESPACE].get("label") == take.label]
    return any(start < last and first < end for track in same for first, last in _takes_on(track))


def _takes_on(track: Json) -> Iterator[tuple[Fraction, Fraction]]:
    """First and end frame of each take on a track of ours."""
    at = Fraction(0)
    for child in track["children"]:
        end = at + Fraction(child["source_range"]["duration"]["value"])
        if child["OTIO_SCHEMA"].startswith("Clip."):
            yield at, end
        at = end


def without_last_placement(timeline: Json) -> tuple[Json, tuple[Json, ...]]:
    """The timeline without the tracks of our last placement, and those tracks."""
    ours = our_tracks(timeline)
    last = next_placement(ours) - 1
    gone = [track for track in ours if placement_of(track) == last]
    children = [child for child in tracks_of(timeline) if not any(child is track for track in gone)]
    return {**timeline, "tracks": {**timeline["tracks"], "children": children}}, tuple(gone)


def take_count(track: Any) -> int:
    """How many takes lie on a track of ours."""
    return sum(1 for child in track["children"] if child["OTIO_SCHEMA"].startswith("Clip."))
