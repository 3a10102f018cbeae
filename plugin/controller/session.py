"""One timeline on the desk: read in a background thread, then kept with everything decided about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from plugin.controller.book import Book
from plugin.controller.history import History
from plugin.controller.masking.placed_mattes import with_placed_mattes
from plugin.controller.matching import Maker, make_book
from plugin.controller.notes import Notes, notes_path, read_notes
from plugin.controller.sheetfile import SheetFile, digest_of
from plugin.controller.sheets import output_folder, timecodes
from plugin.controller.shelf import Pictures, Shelf
from plugin.controller.views import TimelineView
from plugin.cues import Cue, MediaSource, Problem
from plugin.cuesheets.reading import read_cue_file
from plugin.errors import SagafoleyError, UsageError
from plugin.opening import OpenTimeline, Reading
from plugin.presets import Presets
from plugin.render.checking import USUAL_HEARING, Hearing
from plugin.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a timeline comes from.

    Attributes:
        path: the file that is read.
        host: who holds it, for people.
        from_editor: it is a running editor's; `path` is a snapshot.
        reading: what is said about the file beside what it says itself; None: what was said last time.
    """

    path: Path
    host: str
    from_editor: bool = False
    reading: Reading | None = None


Verdict = tuple[Cue, str, str | None, str]
"""A cue, the digest of the bundle and the footage's fingerprint it was found for, and the sentence."""


@dataclass(slots=True)
class Session:
    """The open timeline.

    Attributes:
        origin: where it comes from.
        opened: as read and spotted.
        view: its facts for people.
        history: the editor's decisions, with undo.
        presets: over the defaults of the bundle in use.
        file: where decisions are kept.
        faults: what went wrong with the desk's own files, by what it is about.
        media_problems: what is wrong with its media; empty until it was looked at.
        shelf: its takes; None until they were read.
        footage: fingerprints of the pictures of spots that have takes, as far as they are known.
        placed: by cue id: what of it lies on the host's timeline.
        stamps: size and time of last change of the media's files, at the last look.
        close_looks: by cue id: what a close look at a cue's media found, and the cue as it was then.
        verdicts: why takes are outdated, as far as it was found out; see `plugin.controller.states`.
        told: problems of a book and a look at the media, as they were last put together.
        bundle: digest of the bundle in use, "" when there is none.
        hearing: what that bundle makes of words.
    """

    origin: Origin
    opened: OpenTimeline
    view: TimelineView
    history: History
    presets: Presets
    file: SheetFile
    faults: dict[str, SagafoleyError] = field(default_factory=dict)
    media_problems: tuple[Problem, ...] = ()
    shelf: Shelf | None = None
    footage: dict[Pictures, str] = field(default_factory=dict)
    placed: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[MediaSource, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    close_looks: dict[str, tuple[Cue, tuple[Problem, ...]]] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    told: tuple[Book, tuple[Problem, ...], tuple[Problem, ...]] | None = None
    bundle: str = ""
    hearing: Hearing = USUAL_HEARING

    @property
    def book(self) -> Book:
        """The decisions of today."""
        return self.history.book


def read_session(origin: Origin, workspace: Workspace) -> Session:
    """The timeline of a file, ready for the desk; nothing is written but the folder of a package.

    Raises:
        UnreadableTimeline, OutputError, UsageError: see `OpenTimeline.read`.
    """
    folder = output_folder(workspace, None, beside=origin.path)
    faults: dict[str, SagafoleyError] = {}
    noted = digest_of(notes_path(folder, origin.path))
    notes = _read_notes(notes_path(folder, origin.path), faults)
    reading = origin.reading or notes.reading
    opened = OpenTimeline.read(origin.path, unpack_into=folder, reading=reading)
    if not origin.from_editor:
        opened = with_placed_mattes(opened)
    sheet = sheet_path(opened.path, folder)
    file = SheetFile(sheet, notes_path(folder, opened.path), known=digest_of(sheet), noted=noted)
    bundle = workspace.bundle_if_any()
    presets = workspace.presets_of(bundle)
    maker = Maker(opened, presets, workspace.choices())
    book = _read_book(maker, file, replace(notes, reading=opened.reading), faults)
    view = _view(origin, opened, book, file, folder)
    return Session(
        origin,
        opened,
        view,
        History(book),
        presets,
        file=file,
        faults=faults,
        placed=notes.placed,
        bundle=bundle.digest if bundle else "",
        hearing=Hearing.of(bundle.manifest if bundle else None),
    )


def _read_notes(path: Path, faults: dict[str, SagafoleyError]) -> Notes:
    try:
        return read_notes(path)
    except UsageError as error:
        faults["notes"] = error
        with suppress(OSError):
            path.replace(path.with_name(f"{path.name}.damaged"))
        return Notes()


def _read_book(maker: Maker, file: SheetFile, notes: Notes, faults: dict[str, SagafoleyError]) -> Book:
    """The book of the timeline and its sheet; a sheet that cannot be used is a fault, not an end."""
    beside = sheet_beside(maker.opened.path)
    source = file.sheet if file.known else beside if beside.is_file() else None
    try:
        cue_file = read_cue_file(source) if source else None
        return make_book(maker, cue_file, notes)
    except UsageError as error:
        if source is None:
            raise
        faults["sheet"] = error
        return make_book(maker, None, notes)


def _view(origin: Origin, opened: OpenTimeline, book: Book, file: SheetFile, folder: Path) -> TimelineView:
    sheet = book.sheet
    start, end = timecodes(sheet.record, sheet)
    return TimelineView(
        name=sheet.timeline_name,
        path=opened.path,
        host=origin.host,
        from_editor=origin.from_editor,
        rate=sheet.rate,
        drop_frame=sheet.drop_frame,
        record=sheet.record,
        start=start,
        end=end,
        sheet=file.sheet,
        folder=folder,
    )


def sheet_path(timeline: Path, folder: Path) -> Path:
    """The cue sheet of a timeline: `<name>.cues.toml` beside it, or with the stems where that is refused."""
    beside = sheet_beside(timeline)
    return beside if os.access(timeline.parent, os.W_OK) else folder / beside.name


def sheet_beside(timeline: Path) -> Path:
    """Where the cue sheet of a timeline file is looked for first."""
    return timeline.with_name(f"{timeline.stem}.cues.toml")
