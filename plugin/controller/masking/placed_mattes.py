"""Mattes that we placed for a timeline file: read as if they lay in it, while the file stays the editor's.

A file host writes the timeline with our mattes to a file of its own (`plugin.filehost`). An editor who has
saved a matte goes on with the timeline that is open: its name, cue sheet and takes. So whenever that file
is read, our mattes are laid over what it says today, and the ordinary spotting rules find them there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from plugin.cues import Problem, Severity, Spot
from plugin.errors import UnreadableTimeline
from plugin.filehost import masked_name
from plugin.opening import OpenTimeline
from plugin.timeline.documents import Document
from plugin.timeline.json_trees import with_tracks
from plugin.timeline.matte_tracks import earlier_mattes, our_mattes
from plugin.timeline.reading import media_folder, timeline_of_json
from plugin.timeline.spotting import find_spots
from plugin.timeline.stem_tracks import Json

_SAME = Fraction(1, 1000)
"""Seconds of media by which a matte and its picture may differ and still show the same frame."""


def with_placed_mattes(opened: OpenTimeline) -> OpenTimeline:
    """The timeline with our mattes on it; as it is where none were placed, or their file is damaged.

    A matte whose picture was moved since is left out, and that is a problem of the timeline.
    """
    masked = opened.source.parent / masked_name(opened.path)
    if not masked.is_file() or masked == opened.source:
        return opened
    reading = opened.reading
    try:
        document = Document.open(
            opened.source, edl_frame_rate=reading.edl_rate, timeline_name=reading.timeline_name
        )
        placed = Document.open(masked, timeline_name=reading.timeline_name)
    except UnreadableTimeline:
        return opened
    there = our_mattes(document.timeline)
    tracks = [track for track in earlier_mattes(document, placed) if track not in there]
    laid = _laid(opened, document, tracks)
    moved = _moved(laid.found.spots, tracks)
    if not moved:
        return laid
    kept = _laid(opened, document, [track for track in tracks if str(track["name"]) not in moved])
    problems = (*kept.found.problems, *(_moved_problem(name) for name in moved))
    return replace(kept, found=replace(kept.found, problems=problems))


def _laid(opened: OpenTimeline, document: Document, tracks: Sequence[Json]) -> OpenTimeline:
    """The timeline with tracks more, spotted as the one before was."""
    if not tracks:
        return opened
    reading = opened.reading
    tree = with_tracks(document.timeline, list(tracks))
    timeline = timeline_of_json(json.dumps(tree), opened.source)
    found = find_spots(
        timeline,
        folder=media_folder(opened.source),
        use_alpha=reading.use_alpha,
        mask_tracks=reading.mask_tracks,
        drop_frame=reading.drop_frame,
    )
    return replace(opened, document=timeline, found=found)


def _moved(spots: Sequence[Spot], tracks: Sequence[Json]) -> tuple[str, ...]:
    """Names of tracks whose matte lies over another picture, or another part of it, than it was made from.

    A matte is placed with the media range of its picture, so both show the same media time.
    """
    ours = {
        child["name"]: str(track["name"])
        for track in tracks
        for child in track["children"]
        if child["OTIO_SCHEMA"].startswith("Clip.")
    }
    moved = []
    for spot in spots:
        matte, picture = spot.matte.clip if spot.matte else None, spot.picture
        if matte is None or picture is None or matte.clip_name not in ours:
            continue
        start = spot.record.start
        apart = abs(matte.source_time(start) - picture.source_time(start))
        if apart > _SAME or matte.speed != picture.speed:
            moved.append(ours[matte.clip_name])
    return tuple(dict.fromkeys(moved))


def _moved_problem(track: str) -> Problem:
    return Problem(
        Severity.WARNING,
        "",
        track,
        f"The picture under the matte on track '{track}' has moved since the matte was placed.",
        "Open the shot in mask mode, and save its matte again.",
    )
