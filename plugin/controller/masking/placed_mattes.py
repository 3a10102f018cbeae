"""Mattes that we placed for a timeline file: read as if they lay in it, while the file stays the editor's.

A file host writes the timeline with our mattes to a file of its own (`plugin.filehost`). An editor who has
saved a matte goes on with the timeline that is open: its name, cue sheet and takes. So whenever that file
is read, our mattes are laid over what it says today, and the ordinary spotting rules find them there.
"""

from __future__ import annotations

import json
from dataclasses import replace

from plugin.errors import UnreadableTimeline
from plugin.filehost import masked_name
from plugin.opening import OpenTimeline
from plugin.timeline.documents import Document
from plugin.timeline.json_trees import with_tracks
from plugin.timeline.matte_tracks import earlier_mattes, our_mattes
from plugin.timeline.reading import media_folder, timeline_of_json
from plugin.timeline.spotting import find_spots
from plugin.timeline.stem_tracks import Json


def with_placed_mattes(opened: OpenTimeline) -> OpenTimeline:
    """The timeline with our mattes on it; as it is where none were placed, or their file is damaged."""
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
    return _with_tracks(opened, with_tracks(document.timeline, tracks)) if tracks else opened


def _with_tracks(opened: OpenTimeline, tree: Json) -> OpenTimeline:
    """The timeline with another document, spotted as the one before was."""
    reading = opened.reading
    document = timeline_of_json(json.dumps(tree), opened.source)
    found = find_spots(
        document,
        folder=media_folder(opened.source),
        use_alpha=reading.use_alpha,
        mask_tracks=reading.mask_tracks,
        drop_frame=reading.drop_frame,
    )
    return replace(opened, document=document, found=found)
