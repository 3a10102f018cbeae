"""DaVinci Resolve as a host: its current timeline read, stems placed on it, ours taken away again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.errors import HostRefused
from plugin.folders import Folders
from plugin.hosts import Conflict, HostInfo, MattePiece, PlacedMatte, PlacedPiece, Removal, Scope, StemPiece
from plugin.timebase import STEM_RATE, TimeSpan
from plugin.wholefile import write_whole
from resolve_bridge.channels import Channel, result_of
from resolve_bridge.counting import FrameCount, count_of, rate_of
from resolve_bridge.documents import timeline_document
from resolve_bridge.layouts import FramedTrack, lay_out
from resolve_bridge.matte_files import FramedMatte
from resolve_bridge.matte_placements import MattePlacing, is_matte, overlaps
from resolve_bridge.placements import BIN, Placing, patience, piece_count, remove_files
from resolve_bridge.records import PlacementRecords
from resolve_bridge.views import ResolveStatus

SETTLE = 0.4
"""Seconds in which Resolve may still move the playhead after something was placed."""

_QUICK, _READ = 15.0, 180.0
"""Seconds to wait for an answer."""

_UNSAFE = re.compile(r"[^\w .()+\-]")
_LONGEST_NAME = 120
Json = dict[str, Any]


def records_folder(folders: Folders) -> Path:
    """Where placements are written down."""
    return folders.data / "resolve" / "placements"


class ResolveHost:
    """The running DaVinci Resolve; a `plugin.hosts.Host`.

    Attributes:
        channel: the way to it.
        notes: what the last `snapshot`, `place`, `place_matte` or `remove` had to say, whole sentences.

    Args:
        channel: the way to it; closing it is up to who opened it, or `close`.
        records: what was placed earlier.
        settle: seconds in which Resolve may still move the playhead.
    """

    def __init__(self, channel: Channel, *, records: PlacementRecords, settle: float = SETTLE) -> None:
        self.channel = channel
        self.notes: tuple[str, ...] = ()
        self._records = records
        self._settle = settle
        self._timeline = ""

    @classmethod
    def of(cls, channel: Channel, *, folders: Folders | None = None) -> ResolveHost:
        """A host that keeps its records in the user's own folder."""
        return cls(channel, records=PlacementRecords(records_folder(folders or Folders.default())))

    def status(self) -> ResolveStatus:
        """What runs and what is open; no project need be."""
        return ResolveStatus.of(self._ask("status", bin=BIN), transport=self.channel.name)

    def info(self) -> HostInfo:
        """The program and its current timeline.

        Raises:
            HostError: it does not answer, or no timeline is open.
        """
        status = self.status()
        self._open(status)
        return HostInfo(
            "resolve",
            status.product,
            status.version,
            status.timeline,
            moves_playhead=True,
            project=status.project,
        )

    def snapshot(self, folder: Path) -> Path:
        """The current timeline as `<name>.otio` in `folder`.

        From then on only this timeline is placed on.

        Raises:
            HostError: Resolve does not tell its timeline.
            OutputError: the file cannot be written.
        """
        snapshot = self._ask("read", timeout=_READ)
        read = timeline_document(snapshot)
        self._timeline = str(snapshot["timeline"]["id"])
        self.notes = read.notes
        path = folder.absolute() / f"{file_name(str(snapshot['timeline']['name']))}.otio"
        write_whole(path, (json.dumps(read.document, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))
        return path

    def scope(self) -> Scope:
        """In to out point, and where the selected clips lie, as far as this version tells."""
        count = self._open(self.status())
        found = self._ask("scope", timeline=self._timeline)
        edges = found["marks"].get("video") or found["marks"].get("audio") or {}
        marked = None
        if "in" in edges and "out" in edges:
            first, last = (count.start_frame + edges[edge] for edge in ("in", "out"))
            marked = TimeSpan(count.seconds(first), count.seconds(last + 1))
        spans = (_span(one, count) for one in found["selected"])
        return Scope(marked, tuple(span for span in spans if span is not None))

    def place(
        self, pieces: Sequence[StemPiece], *, conflict: Conflict = Conflict.REPLACE
    ) -> tuple[PlacedPiece, ...]:
        """Put the pieces on new tracks of ours, each verified; all of them or none.

        Raises:
            HostError: Resolve refuses; nothing of ours is left then, unless the message says what.
            MediaMissing: a take is not there.
            OutputError: a file for Resolve cannot be written.
        """
        self.notes = ()
        status = self.status()
        count = self._open(status)
        _require_inside(pieces, count)
        placed_before = self._records.of(status.project_id, status.timeline_id)
        earlier = [one for one in placed_before if not is_matte(one)]
        if conflict is Conflict.SKIP:
            pieces = self._not_yet_placed(pieces, earlier, count)
        replaced = earlier if conflict is Conflict.REPLACE else []
        kept = [one for one in placed_before if one not in replaced]
        taken = {track["name"] for one in kept for track in one["tracks"]}
        tracks = lay_out(pieces, count, project_rate=rate_of(status.project_rate), taken=taken)
        if not tracks and not replaced:
            return ()
        placing = Placing(
            channel=self.channel,
            records=self._records,
            status=status,
            timeline=self._timeline,
            settle=self._settle,
            tracks=tracks,
            kept=kept,
            replaced=replaced,
        )
        result = placing.run()
        self.notes = tuple(result["warnings"])
        return tuple(_placed(tracks, result["tracks"], count))

    def place_matte(self, piece: MattePiece, *, conflict: Conflict = Conflict.REPLACE) -> PlacedMatte | None:
        """Put a matte on a new, disabled video track of ours above all others, verified; or nothing.

        Raises:
            HostError: Resolve refuses; nothing of ours is left then, unless the message says what.
            MediaMissing: the matte is not there.
            OutputError: a file for Resolve cannot be written.
        """
        self.notes = ()
        status = self.status()
        count = self._open(status)
        framed = FramedMatte.of(piece, count, project_rate=rate_of(status.project_rate))
        earlier = self._records.of(status.project_id, status.timeline_id)
        same = [one for one in earlier if is_matte(one) and overlaps(one, framed)]
        if conflict is Conflict.SKIP and self._standing(same):
            return None
        replaced = same if conflict is Conflict.REPLACE else []
        placing = MattePlacing(
            channel=self.channel,
            records=self._records,
            status=status,
            timeline=self._timeline,
            settle=self._settle,
            tracks=(),
            kept=[one for one in earlier if one not in replaced],
            replaced=replaced,
            matte=framed,
        )
        result = placing.run()
        self.notes = tuple(result["warnings"])
        (track,) = result["tracks"]
        (there,) = track["pieces"]
        record = TimeSpan(
            *(count.seconds(frame) for frame in (there["start"], there["start"] + there["duration"]))
        )
        return PlacedMatte(piece, track["name"], record)

    def remove(self) -> Removal:
        """Take the last placement on this timeline away, of this run or an earlier one.

        Raises:
            HostError: Resolve refuses.
        """
        self.notes = ()
        status = self.status()
        self._open(status)
        earlier = self._records.of(status.project_id, status.timeline_id)
        left: list[str] = []
        while earlier:
            last = earlier[-1]
            found = self._remove([last], status.timeline_id)
            left += found["left"]
            self.notes = tuple(found["warnings"])
            if not found["failed"] and not found["untidy"]:
                earlier.pop()
            self._records.keep(status.project_id, status.timeline_id, earlier)
            if found["pieces"] or found["tracks"] or found["failed"] or found["untidy"]:
                return Removal(tuple(found["tracks"]), found["pieces"], tuple(left))
        return Removal(left=tuple(left))

    def show(self, time: Fraction) -> None:
        """Move the playhead to the frame at an absolute time.

        Raises:
            HostError: Resolve refuses.
        """
        count = self._open(self.status())
        self._ask("show", timecode=count.timecode(max(time, count.start)), timeline=self._timeline)

    def export(self, path: Path) -> Path:
        """The timeline as Resolve itself exports it to OTIO.

        Raises:
            HostError: this version cannot, or the folder refuses.
        """
        self._ask("export_otio", path=str(path.absolute()), timeout=_READ)
        return path

    def close(self) -> None:
        """Let go of Resolve."""
        self.channel.close()

    def _open(self, status: ResolveStatus) -> FrameCount:
        """The count of the open timeline."""
        if not status.project_id:
            raise HostRefused(
                "No project is open in DaVinci Resolve.", remedy="Open a project, then do it again."
            )
        if not status.timeline_id:
            raise HostRefused(
                "No timeline is open in DaVinci Resolve.",
                remedy="Open a timeline on the Edit page, then do it again.",
            )
        return count_of(status.clock)

    def _not_yet_placed(
        self, pieces: Sequence[StemPiece], earlier: list[Json], count: FrameCount
    ) -> tuple[StemPiece, ...]:
        """The pieces at whose place no earlier piece of the same label still lies."""
        found = self._standing(earlier)
        lying = [
            (track["label"], piece["start"], piece["start"] + piece.get("duration", 1))
            for record in earlier
            for track in record["tracks"]
            for piece in track["pieces"]
            if piece["key"] in found.get(record["placement"], ())
        ]
        return tuple(
            piece
            for piece in pieces
            if not any(
                label == piece.label
                and count.frame(piece.record.start) < last
                and first < count.frame(piece.record.end)
                for label, first, last in lying
            )
        )

    def _standing(self, records: list[Json]) -> dict[str, list[str]]:
        """Which pieces of which placements still lie where they were placed; none for placements without."""
        answer = self._ask("standing", records=records, timeline=self._timeline, timeout=_READ)
        found: dict[str, list[str]] = answer["standing"]
        return {placement: keys for placement, keys in found.items() if keys}

    def _remove(self, records: list[Json], timeline: str) -> Json:
        found = self._ask(
            "remove",
            records=records,
            bin=BIN,
            settle=self._settle,
            timeline=timeline,
            timeout=patience(piece_count(records)),
        )
        remove_files(found["files"])
        return found

    def _ask(self, operation: str, *, timeout: float = _QUICK, **more: object) -> Json:
        answer: Json = result_of(self.channel.ask({"op": operation, **more}, timeout=timeout))
        return answer


def file_name(name: str) -> str:
    """A timeline's name as a file name: letters, digits and a few signs, never empty, never hidden."""
    return _UNSAFE.sub("_", name).strip(" .")[:_LONGEST_NAME] or "timeline"


def _span(item: Json, count: FrameCount) -> TimeSpan | None:
    start, duration = item.get("start"), item.get("duration")
    if start is None or not duration:
        return None
    return TimeSpan(count.seconds(start), count.seconds(start + duration))


def _require_inside(pieces: Sequence[StemPiece], count: FrameCount) -> None:
    for piece in pieces:
        if piece.record.start < count.start:
            raise HostRefused(
                f"{piece.path.name} begins before the timeline does.",
                remedy="Give the timeline the start timecode that it had when the take was made.",
            )


def _placed(tracks: Sequence[FramedTrack], placed: Sequence[Json], count: FrameCount) -> list[PlacedPiece]:
    """The pieces as they were read back: their first sample is `head` samples into the file."""
    found = []
    for track, there in zip(tracks, placed, strict=True):
        starts = {piece["key"]: piece["start"] for piece in there["pieces"]}
        for one in track.pieces:
            start = count.seconds(starts[one.key]) + Fraction(one.head, STEM_RATE)
            found.append(PlacedPiece(one.piece, there["name"], start))
    return found
