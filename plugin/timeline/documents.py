"""A timeline document as JSON and as OTIO side by side, so that what is not ours stays as it was."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from plugin.timeline.clock import clock_of
from plugin.timeline.lengths import Lengths, NoLength
from plugin.timeline.reading import read_timeline, read_tree
from plugin.timeline.stem_tracks import Json, Ruler
from plugin.timeline.times import BadTime, exact_rate

_OWN_FORMATS = {".otio", ".json", ".otioz", ".otiod"}


@dataclass(frozen=True, slots=True)
class Document:
    """A timeline file on its way out.

    Attributes:
        root: the whole document.
        child: number of the timeline in a collection; None when the root is the timeline.
        ruler: how record times are written into it.
        name: the timeline's name.
    """

    root: Json
    child: int | None
    ruler: Ruler
    name: str

    @classmethod
    def open(
        cls, path: Path, *, edl_frame_rate: Fraction | None = None, timeline_name: str | None = None
    ) -> Document:
        """The document in a file: OTIO's own formats key for key, others as OTIO converts them.

        Raises:
            UnreadableTimeline: as `read_timeline`.
        """
        timeline = read_timeline(path, edl_frame_rate=edl_frame_rate, timeline_name=timeline_name)
        root = read_tree(path) if path.suffix.casefold() in _OWN_FORMATS else None
        child = None if root is None else _child_number(root, timeline_name)
        if root is None or child == _NOT_A_TIMELINE:
            root, child = json.loads(otio.core.serialize_json_to_string(timeline)), None
        return cls(root, child, ruler_of(timeline), timeline.name or path.stem)

    @property
    def timeline(self) -> Json:
        """The timeline's part of the document."""
        return self.root if self.child is None else dict(self.root["children"][self.child])

    def with_timeline(self, timeline: Json) -> Document:
        """The document with its timeline replaced."""
        if self.child is None:
            return replace(self, root=timeline)
        children = list(self.root["children"])
        children[self.child] = timeline
        return replace(self, root={**self.root, "children": children})

    def alone(self) -> Document:
        """The timeline as a document of its own."""
        return replace(self, root=self.timeline, child=None)


_NOT_A_TIMELINE = -1


def _child_number(root: Json, name: str | None) -> int | None:
    schema = root["OTIO_SCHEMA"].partition(".")[0]
    if schema == "Timeline":
        return None
    if schema == "SerializableCollection":
        for number, child in enumerate(root.get("children") or ()):
            if child["OTIO_SCHEMA"].startswith("Timeline.") and name in (None, child.get("name")):
                return number
    return _NOT_A_TIMELINE


def ruler_of(timeline: Any) -> Ruler:
    """How record times are written into a timeline."""
    clock = clock_of(timeline)
    try:
        offset = Lengths().trimmed(timeline.tracks).start
    except NoLength:
        offset = Fraction(0)
    return Ruler(clock.start, offset, clock.rate, _spelled(timeline, clock.rate))


def _spelled(timeline: Any, rate: Fraction) -> float:
    """The rate as the document writes it, so that its times and ours need no conversion."""
    given = timeline.global_start_time
    items = (item for track in timeline.tracks if isinstance(track, otio.core.Composition) for item in track)
    ranges = (getattr(item, "source_range", None) for item in items)
    written = ([given.rate] if given else []), (found.duration.rate for found in ranges if found)
    for group in written:
        for value in group:
            if _means(value, rate):
                return float(value)
    return float(rate)


def _means(value: float, rate: Fraction) -> bool:
    try:
        return exact_rate(value) == rate
    except BadTime:
        return False
