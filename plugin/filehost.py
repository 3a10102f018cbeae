"""A timeline file as a host: the file is read, the timeline with our tracks goes to a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from plugin.errors import UnreadableTimeline
from plugin.hosts import (
    Conflict,
    Flavour,
    HostInfo,
    MattePiece,
    PlacedMatte,
    PlacedPiece,
    Removal,
    Scope,
    StemPiece,
)
from plugin.opening import OpenTimeline, Reading
from plugin.timeline.documents import Document
from plugin.timeline.earlier import (
    earlier_tracks,
    latest_placement,
    not_yet_placed,
    take_count,
    without_last_placement,
)
from plugin.timeline.json_trees import canonical, our_tracks
from plugin.timeline.matte_placing import lay_matte
from plugin.timeline.matte_tracks import earlier_mattes, lies_there, our_mattes, without
from plugin.timeline.placing import (
    PlacedTake,
    Placement,
    bare_document,
    document_bytes,
    flavoured_document,
    place,
    write_checked,
)
from plugin.timeline.reading import media_folder
from plugin.timeline.stem_tracks import Json
from plugin.wholefile import output_error

_LONGEST_STEM = 200
_MASKS = "_masks.otio"


def placed_name(timeline: Path) -> str:
    """The name of the timeline with our stems: `<timeline>_foley.otio`, so never that of the input."""
    return f"{_stem(timeline)}_foley.otio"


def masked_name(timeline: Path) -> str:
    """The name of the timeline with our mattes: `<timeline>_masks.otio`."""
    return f"{_stem(timeline)}{_MASKS}"


def _stem(timeline: Path) -> str:
    return timeline.stem.encode("utf-8", "surrogateescape")[:_LONGEST_STEM].decode("utf-8", "ignore")


class FileHost:
    """An OTIO (or EDL, XML, AAF) file; a `plugin.hosts.Host`.

    Attributes:
        path: the editor's file; only read.
        reading: what was said about it when it was read.
        output: the .otio that `place` writes.
        masked: the .otio that `place_matte` writes, beside `path`, so that relative media are found again;
            it is meant to be opened next, and becomes `path` itself where that already is such a file.
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
        self.masked = self.path.parent / masked_name(name or path)
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
            after=latest_placement(self._mattes()),
        )
        self.notes = self.placement.warnings
        return tuple(
            PlacedPiece(by_id[position.take.take_id], position.track_name, position.record_start)
            for position in self.placement.positions
        )

    def place_matte(self, piece: MattePiece, *, conflict: Conflict = Conflict.REPLACE) -> PlacedMatte | None:
        """Write `masked`: the timeline with our earlier mattes and this one, read back.

        Args:
            piece: the matte.
            conflict: what becomes of earlier ones of ours with its label that share a frame with it.

        Raises:
            UnreadableTimeline: the file is no timeline any more.
            OutputError: `masked` cannot be written or would not be right; nothing was written.
        """
        self.notes = ()
        document, written = self._document(), self._masked_document()
        kept = earlier_mattes(document, written)
        same = [track for track in kept if lies_there(track, piece, document.ruler)]
        if same and conflict is Conflict.SKIP:
            return None
        stay = [track for track in kept if conflict is not Conflict.REPLACE or track not in same]
        bare = document.with_timeline(without(document.timeline, our_mattes(document.timeline)))
        return lay_matte(
            flavoured_document(bare, self.flavour),
            piece,
            kept=stay,
            output=self.masked,
            folder=media_folder(self.path),
            flavour=self.flavour,
            placement=max(latest_placement(kept), self._latest_stems()) + 1,
        )

    def remove(self) -> Removal:
        """Take our last placement away, stems or a matte; a file that then says what `path` says goes too.

        Raises:
            UnreadableTimeline: a file that we wrote is no timeline any more.
            OutputError: it cannot be written or removed.
        """
        self.notes = ()
        masked = self._masked_document()
        if masked is not None and latest_placement(our_mattes(masked.timeline)) > self._latest_stems():
            return self._remove_matte(masked)
        written = self._written()
        if written is None:
            return Removal()
        timeline, gone = without_last_placement(written.timeline)
        if gone:
            self._rewrite(self.output, written.with_timeline(timeline), bare_document)
        names = tuple(str(track["name"]) for track in gone)
        return Removal(tracks=names, pieces=sum(take_count(track) for track in gone))

    def _remove_matte(self, written: Document) -> Removal:
        mattes = our_mattes(written.timeline)
        gone = [track for track in mattes if latest_placement([track]) == latest_placement(mattes)]
        rest = written.with_timeline(without(written.timeline, gone))
        self._rewrite(self.masked, rest, flavoured_document)
        return Removal(tracks=tuple(str(track["name"]) for track in gone), pieces=len(gone))

    def _rewrite(self, path: Path, rest: Document, plain: Callable[[Document, Flavour], Document]) -> None:
        """A file of ours with `rest` in it, or gone where the editor's file, made plain, says the same."""
        try:
            same = canonical(rest.root) == canonical(plain(self._document(), self.flavour).root)
        except UnreadableTimeline:
            same = False
        if not same or path.samefile(self.path):
            write_checked(path, document_bytes(rest))
            return
        try:
            path.unlink()
        except OSError as error:
            raise output_error(path, error) from error

    def _masked_document(self) -> Document | None:
        """What an earlier `place_matte` wrote, found out without reading a file more than there is need."""
        if self.path.name.endswith(_MASKS):
            document = self._document()
            if our_mattes(document.timeline):  # the file itself: further mattes go into it
                self.masked = self.path
                return document
        if not self.masked.is_file():
            return None
        return Document.open(self.masked, timeline_name=self.reading.timeline_name)

    def _mattes(self) -> list[Json]:
        written = self._masked_document()
        return [] if written is None else our_mattes(written.timeline)

    def _latest_stems(self) -> int:
        written = self._written()
        return 0 if written is None else latest_placement(our_tracks(written.timeline))

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
