"""A timeline file as a host: the file is read, the timeline with our tracks goes to a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from plugin.hosts import Flavour, HostInfo, PlacedPiece, StemPiece
from plugin.opening import OpenTimeline, Reading
from plugin.timeline.placing import PlacedTake, Placement, place

_LONGEST_STEM = 200


def placed_name(timeline: Path) -> str:
    """The name of the timeline with our tracks: `<timeline>_foley.otio`, so never that of the input."""
    stem = timeline.stem.encode("utf-8", "surrogateescape")[:_LONGEST_STEM].decode("utf-8", "ignore")
    return f"{stem}_foley.otio"


class FileHost:
    """An OTIO (or EDL, XML, AAF) file; a `plugin.hosts.Host`.

    Attributes:
        path: the editor's file; only read.
        reading: what was said about it when it was read.
        output: the .otio that `place` writes.
        flavour: who will read it.
        placement: what the last `place` wrote, None before.
    """

    def __init__(
        self,
        path: Path,
        *,
        folder: Path,
        flavour: Flavour = Flavour.GENERIC,
        name: Path | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.path = path.absolute()
        self.reading = reading or Reading()
        self.output = folder.absolute() / placed_name(name or path)
        self.flavour = flavour
        self.placement: Placement | None = None

    @classmethod
    def of(cls, opened: OpenTimeline, *, folder: Path, flavour: Flavour) -> FileHost:
        """The host of an opened timeline.

        What is written for an unpacked package stays in the package's folder, where its relative
        media addresses lead somewhere.
        """
        unpacked = opened.source != opened.path
        return cls(
            opened.source,
            folder=opened.source.parent if unpacked else folder,
            flavour=flavour,
            name=opened.path,
            reading=opened.reading,
        )

    def info(self) -> HostInfo:
        """The file."""
        return HostInfo("file", self.path.name, "", self.path.stem, moves_playhead=False)

    def snapshot(self, folder: Path) -> Path:
        """The file itself; `folder` stays untouched."""
        del folder
        return self.path

    def place(self, pieces: Sequence[StemPiece]) -> tuple[PlacedPiece, ...]:
        """Write `output`: the timeline with the pieces on tracks of ours, read back.

        Raises:
            UnreadableTimeline: the file is no timeline any more.
            OutputError: `output` cannot be written or would not be right; nothing was written.
        """
        by_id = {piece.path.stem: piece for piece in pieces}
        takes = [_take(piece) for piece in pieces]
        self.placement = place(
            self.path,
            takes,
            output=self.output,
            flavour=self.flavour,
            edl_frame_rate=self.reading.edl_rate,
            timeline_name=self.reading.timeline_name,
        )
        return tuple(
            PlacedPiece(by_id[position.take.take_id], position.track_name, position.record_start)
            for position in self.placement.positions
        )

    def show(self, time: Fraction) -> None:
        """Nothing: a file has no playhead."""
        del time


def _take(piece: StemPiece) -> PlacedTake:
    metadata = {"cue": piece.cue_id, **dict(piece.facts)}
    return PlacedTake(
        piece.label, piece.record, piece.path, piece.path.stem, metadata=metadata, channels=piece.channels
    )
