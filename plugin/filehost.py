"""A timeline file as a host: the file is read, the timeline with our tracks goes to a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from plugin.errors import UnreadableTimeline
from plugin.hosts import Conflict, Flavour, HostInfo, PlacedPiece, Removal, Scope, StemPiece
from plugin.opening import OpenTimeline, Reading
from plugin.timeline.documents import Document
from plugin.timeline.earlier import earlier_tracks, not_yet_placed, take_count, without_last_placement
from plugin.timeline.json_trees import canonical
from plugin.timeline.placing import (
    PlacedTake,
    Placement,
    bare_document,
    document_bytes,
    place,
    write_checked,
)
from plugin.timeline.stem_tracks import Json
from plugin.wholefile import output_error

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
        notes: what the last `place` had to say, whole sentences.
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
        self.notes: tuple[str, ...] = ()

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

    def scope(self) -> Scope:
        """Nothing: a file does not say what is selected."""
        return Scope()

    def place(
        self, pieces: Sequence[StemPiece], *, conflict: Conflict = Conflict.REPLACE
    ) -> tuple[PlacedPiece, ...]:
        """Write `output`: the timeline with the pieces on tracks of ours, read back.

        Args:
            pieces: the chosen takes.
            conflict: what becomes of our tracks in the file and in an `output` that is there already.

        Raises:
            UnreadableTimeline: the file is no timeline any more.
            OutputError: `output` cannot be written or would not be right; nothing was written.
        """
        by_id = {piece.path.stem: piece for piece in pieces}
        takes = tuple(_take(piece) for piece in pieces)
        kept: tuple[Json, ...] = ()
        if conflict is not Conflict.REPLACE:
            document = self._document()
            kept = earlier_tracks(document, self._written())
            if conflict is Conflict.SKIP:
                takes = not_yet_placed(takes, kept, document.ruler)
        self.placement = place(
            self.path,
            takes,
            output=self.output,
            flavour=self.flavour,
            edl_frame_rate=self.reading.edl_rate,
            timeline_name=self.reading.timeline_name,
            kept=kept,
        )
        self.notes = self.placement.warnings
        return tuple(
            PlacedPiece(by_id[position.take.take_id], position.track_name, position.record_start)
            for position in self.placement.positions
        )

    def remove(self) -> Removal:
        """Take the tracks of our last placement out of `output`; a file that is then only ours goes too.

        Raises:
            UnreadableTimeline: `output` is no timeline any more.
            OutputError: it cannot be written or removed.
        """
        self.notes = ()
        written = self._written()
        if written is None:
            return Removal()
        timeline, gone = without_last_placement(written.timeline)
        if gone:
            self._rewrite(written.with_timeline(timeline))
        names = tuple(str(track["name"]) for track in gone)
        return Removal(tracks=names, pieces=sum(take_count(track) for track in gone))

    def _rewrite(self, rest: Document) -> None:
        """`output` with `rest` in it, or gone where the editor's file says the same."""
        try:
            same = canonical(rest.root) == canonical(bare_document(self._document(), self.flavour).root)
        except UnreadableTimeline:
            same = False
        if not same or self.output.samefile(self.path):
            write_checked(self.output, document_bytes(rest))
            return
        try:
            self.output.unlink()
        except OSError as error:
            raise output_error(self.output, error) from error

    def _document(self) -> Document:
        reading = self.reading
        return Document.open(self.path, edl_frame_rate=reading.edl_rate, timeline_name=reading.timeline_name)

    def _written(self) -> Document | None:
        """What an earlier placing wrote; None when nothing is there."""
        if not self.output.is_file():
            return None
        return Document.open(self.output, timeline_name=self.reading.timeline_name)

    def show(self, time: Fraction) -> None:
        """Nothing: a file has no playhead."""
        del time


def _take(piece: StemPiece) -> PlacedTake:
    metadata = {"cue": piece.cue_id, **dict(piece.facts)}
    return PlacedTake(
        piece.label, piece.record, piece.path, piece.path.stem, metadata=metadata, channels=piece.channels
    )
