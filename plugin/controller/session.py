"""One timeline on the desk: read in a background thread, then kept with everything decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from plugin.controller.book import Book
from plugin.controller.history import History
from plugin.controller.sheets import make_sheet, output_folder, timecodes
from plugin.controller.views import TimelineView
from plugin.cues import Problem
from plugin.opening import OpenTimeline, Reading
from plugin.presets import Presets
from plugin.render.takes import Take
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


@dataclass(slots=True)
class Session:
    """The open timeline.

    Attributes:
        origin: where it comes from.
        opened: as read and spotted.
        view: its facts for people.
        history: the editor's decisions, with undo.
        presets: over the defaults of the bundle in use.
        media_problems: what is wrong with its media; None until it was looked at.
        takes: by name, the takes of its folder that belong to its cues; None until they were read.
    """

    origin: Origin
    opened: OpenTimeline
    view: TimelineView
    history: History
    presets: Presets
    media_problems: tuple[Problem, ...] | None = None
    takes: Mapping[str, Take] | None = None
    placed: Mapping[str, str] = field(default_factory=dict)

    @property
    def book(self) -> Book:
        """The decisions of today."""
        return self.history.book


def read_session(origin: Origin, workspace: Workspace) -> Session:
    """The timeline of a file, ready for the desk; nothing is written but the folder of a package.

    Raises:
        UnreadableTimeline, OutputError, UsageError: see `OpenTimeline.read` and `make_sheet`.
    """
    folder = output_folder(workspace, None, beside=origin.path)
    opened = OpenTimeline.read(origin.path, unpack_into=folder, reading=origin.reading)
    presets = workspace.presets_of(workspace.bundle_if_any())
    sheet = make_sheet(opened, workspace, presets=presets)
    book = Book(
        sheet, own={spot.id: spot.record for spot in opened.found.spots}, reading=origin.reading or Reading()
    )
    start, end = timecodes(sheet.record, sheet)
    view = TimelineView(
        name=sheet.timeline_name,
        path=opened.path,
        host=origin.host,
        from_editor=origin.from_editor,
        rate=sheet.rate,
        drop_frame=sheet.drop_frame,
        record=sheet.record,
        start=start,
        end=end,
        sheet=sheet_path(opened.path),
        folder=folder,
    )
    return Session(origin, opened, view, History(book), presets)


def sheet_path(timeline: Path) -> Path:
    """The cue sheet that belongs to a timeline file: `<name>.cues.toml` beside it."""
    return timeline.with_name(f"{timeline.stem}.cues.toml")
