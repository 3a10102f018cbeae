"""The desk: everything the panel does, without a window.

A desk belongs to one thread, the window's. No method waits for a disk, a render or a host: what takes
time goes to the background, and `poll`, called about 20 times a second, brings what has become of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from plugin.controller.autosave import Autosave
from plugin.controller.board import Board
from plugin.controller.chores import SLOW
from plugin.controller.desk_acts import DeskActs
from plugin.controller.editing import Editing
from plugin.controller.hosts import marks_of, snapshot_of
from plugin.controller.looks import Looks
from plugin.controller.machine import Machine
from plugin.controller.masking.desk import MaskDesk
from plugin.controller.placing import PATIENCE, Placing
from plugin.controller.problems import Problems
from plugin.controller.queue import RenderQueue
from plugin.controller.recent import recent_rows, remember
from plugin.controller.session import Origin, Session, read_session
from plugin.controller.sheets import output_folder
from plugin.controller.spots import Spots
from plugin.controller.statusline import status_line
from plugin.controller.takes import Takes
from plugin.controller.views import DeskEvent, HistoryView, RecentRow, StatusLine, TimelineView, Topic
from plugin.errors import HostNotRunning, SagafoleyError
from plugin.folders import Folders
from plugin.hosts import Host
from plugin.opening import Reading

_EVERYTHING = (Topic.TIMELINE, Topic.SPOTS, Topic.TAKES, Topic.PROBLEMS, Topic.HISTORY, Topic.STATUS)


class Desk:
    """One open timeline and all that can be done with it; make it with `open`, end it with `close`.

    Attributes:
        spots: spots listed, found, added, removed, edited.
        takes: takes listed, chosen, starred, renamed, levelled, deleted.
        queue: renders, in a process of their own.
        placing: takes onto the host's timeline, off it, or into a folder.
        problems: everything that is wrong, and what can be done.
        machine: bundles, settings, doctor, licences.
        masks: mask mode, which marks objects in a shot and makes their mattes.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._autosave = Autosave(board)
        self._looks = Looks(board)
        self._editing = Editing(board, self._autosave, self._looks)
        self.takes = Takes(board, self._editing)
        self.queue = RenderQueue(board, arrived=self.takes.arrived)
        self.spots = Spots(board, editing=self._editing, queue=self.queue, reread=self._reread)
        self.placing = Placing(board, self._autosave, refresh=self.refresh)
        self.machine = Machine(board, changed=self._settings_changed)
        self.masks = MaskDesk(board, refresh=self.refresh)
        acts = DeskActs(board, self._autosave, self.machine, reload=self.refresh)
        self.problems = Problems(
            board,
            editing=self._editing,
            queue=self.queue,
            looks=self._looks,
            autosave=self._autosave,
            desk_acts=acts.table(),
        )

    @classmethod
    def open(cls, *, folders: Folders | None = None, connect: Callable[[], Host] | None = None) -> Desk:
        """An empty desk with this user's settings, presets and bundles.

        Args:
            folders: other than the user's own.
            connect: what finds the running editor, other than the usual ways.
        """
        board = Board.open(folders)
        board.connect = connect or board.connect
        return cls(board)

    def poll(self) -> tuple[DeskEvent, ...]:
        """Take what the background has brought; what has changed since the last call."""
        self._board.chores.poll()
        self.queue.poll()
        self.machine.poll()
        self._looks.poll()
        self._autosave.poll()
        self.masks.poll()
        events = tuple(self._board.outbox)
        self._board.outbox.clear()
        return events

    @property
    def timeline(self) -> TimelineView | None:
        """The open timeline, None while there is none."""
        return self._board.session.view if self._board.session else None

    @property
    def opening(self) -> bool:
        """Whether a timeline is being read."""
        return self._board.chores.has("open")

    def open_file(self, path: Path, *, reading: Reading | None = None) -> None:
        """Begin to open an OTIO, OTIOZ, EDL, XML or AAF; a TIMELINE event tells when it is there.

        The open timeline stays until then, and for good when the file cannot be read (MESSAGE).

        Args:
            path: the file.
            reading: what is known beside the file; None: what was said of it last time.
        """
        self._open(Origin(path.absolute(), path.name, reading=reading))

    def open_editor(self) -> None:
        """Begin to open the timeline that is open in DaVinci Resolve; see `open_file`."""
        board, workspace = self._board, self._board.workspace
        editor, connect = board.editor, board.connect

        def work() -> tuple[Host, Session]:
            host = editor or connect()
            session = read_session(snapshot_of(host), workspace)
            session.view = replace(session.view, marked=marks_of(host, session.book.sheet))
            return host, session

        decided = self._decided()

        def done(found: tuple[Host, Session]) -> None:
            board.editor = found[0]
            if self._outdated(found[1], decided):
                self._read_once_more(self.open_editor)
            else:
                self._adopt(found[1])

        def failed(error: SagafoleyError) -> None:
            board.editor = None
            self._refused(error)

        board.chores.start(
            "open",
            work,
            done=done,
            failed=failed,
            patience=PATIENCE,
            late=lambda: failed(
                HostNotRunning(
                    f"DaVinci Resolve did not answer within {PATIENCE:.0f} seconds.",
                    remedy="Look whether a dialog is open there, then try again.",
                )
            ),
            slow=lambda: board.tell(Topic.MESSAGE, text=f"No answer for {SLOW:.0f} seconds; still waiting."),
        )
        board.tell(Topic.STATUS)

    def refresh(self) -> None:
        """Begin to read the open timeline again; all that was decided stays with its spots."""
        session = self._board.session
        if session is None or not self._autosave.finish():
            return
        if session.origin.from_editor:
            self.open_editor()
        else:
            self._open(session.origin)

    def save(self) -> bool:
        """Save now, if need be beside another program's sheet; whether all edits are on disk."""
        self._autosave.finish()
        self._autosave.rescue()
        return not self._autosave.dirty

    def close_timeline(self) -> None:
        """Save and put the timeline away; its renders end, and what `save` could not save is lost."""
        self.save()
        self._autosave.forget()
        self.masks.close_session()
        self.queue.stop_all()
        self._board.session = None
        self._tell_everything()

    def recent(self) -> tuple[RecentRow, ...]:
        """Timelines that were open before, newest first."""
        return recent_rows(self._board.workspace.folders)

    def history(self) -> HistoryView:
        """What undo and redo would do."""
        return self._editing.view()

    def undo(self) -> None:
        """Take the last edit back."""
        self._editing.undo()

    def redo(self) -> None:
        """Make the edit again that was taken back."""
        self._editing.redo()

    def status(self) -> StatusLine:
        """The status bar."""
        return status_line(
            self._board,
            self.queue,
            saved=self._autosave.words,
            problems=len(self.problems.rows()),
        )

    def close(self) -> None:
        """Save, end the render process and let go of everything; the desk is not used after."""
        self.save()
        self.masks.close_session()
        self.queue.close()
        self._board.session = None

    def _open(self, origin: Origin, *, keep: Callable[[Session], None] | None = None) -> None:
        workspace = self._board.workspace
        decided = self._decided()

        def adopt(session: Session) -> None:
            if self._outdated(session, decided):
                self._read_once_more(lambda: self._open(origin, keep=keep))
            elif self._adopt(session) and keep is not None:
                keep(session)

        self._board.chores.start(
            "open", lambda: read_session(origin, workspace), done=adopt, failed=self._refused
        )
        self._board.tell(Topic.STATUS)

    def _decided(self) -> tuple[object, ...]:
        """What of the open timeline is on disk, or will be: other objects once anything has changed."""
        session = self._board.session
        return (session.book, session.placed) if session else ()

    def _outdated(self, session: Session, decided: tuple[object, ...]) -> bool:
        """Whether the open timeline, read again, was edited since `decided`."""
        today = self._board.session
        changed = any(now is not then for now, then in zip(self._decided(), decided, strict=False))
        return today is not None and _are_same(today, session) and changed

    def _read_once_more(self, read: Callable[[], None]) -> None:
        """Saves what was edited meanwhile, then reads; where it cannot be saved, all stays as it is."""
        if self._autosave.finish():
            read()
        else:
            self._board.tell(Topic.STATUS)

    def _adopt(self, session: Session) -> bool:
        """Puts a timeline on the desk; whether it could, as what is there must be saved before."""
        before = self._board.session
        if not self.save():
            self._board.tell(Topic.STATUS)
            return False
        self._autosave.forget()
        if before is None or not _are_same(before, session):
            self.queue.stop_all()
        elif before.book == session.book:
            session.history = before.history
        self._board.session = session
        if not session.origin.from_editor:
            remember(self._board.workspace.folders, session.view.path)
        self._tell_everything()
        self._looks.at_everything()
        return True

    def _reread(self, reading: Reading, title: str) -> None:
        """Reads the timeline again with more said about it; that is one edit."""
        session = self._board.open_session()
        if not self._autosave.finish():
            return
        before = session.history

        def keep(new: Session) -> None:
            after = new.history.book
            new.history = before
            self._editing.change(replace(after, reading=reading), title=title)

        self._open(replace(session.origin, reading=reading), keep=keep)

    def _refused(self, error: SagafoleyError) -> None:
        self._board.say(error)
        self._board.tell(Topic.STATUS)

    def _settings_changed(self) -> None:
        session = self._board.session
        self._tell_everything()
        if session is None:
            return
        folder = output_folder(self._board.workspace, None, beside=session.view.path)
        if folder == session.view.folder:
            self._looks.at_media()
        else:
            self.refresh()

    def _tell_everything(self) -> None:
        for topic in _EVERYTHING:
            self._board.tell(topic)


def _are_same(one: Session, other: Session) -> bool:
    """Whether both are of the same timeline."""
    return one.view.path == other.view.path
