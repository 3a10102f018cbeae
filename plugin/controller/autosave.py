"""Every edit goes to disk by itself, in the background, and never over somebody else's."""

from __future__ import annotations

from plugin.controller.board import Board
from plugin.controller.notes import Notes
from plugin.controller.session import Session
from plugin.controller.sheetfile import ChangedByOthers, SheetFile
from plugin.controller.views import Topic
from plugin.errors import SagafoleyError

_AGAIN = 10.0
"""Seconds after which a failed save is tried again, as a disk may have been freed."""

FAULT = "save"


class Autosave:
    """Saves the open timeline's decisions after every change.

    Attributes:
        dirty: something is not on disk.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._failed_at: float | None = None
        self.dirty = False

    def touch(self) -> None:
        """Something was decided; it is saved as soon as the disk is free."""
        self.dirty = True
        self._failed_at = None
        self._board.tell(Topic.STATUS)

    def forget(self) -> None:
        """There is nothing to save (another timeline was opened)."""
        self.dirty, self._failed_at = False, None

    @property
    def words(self) -> str:
        """Whether all edits are on disk."""
        session = self._board.session
        if session is None:
            return ""
        if FAULT in session.faults or "sheet" in session.faults:
            return "not saved"
        return "saving" if self.dirty else "saved"

    def poll(self) -> None:
        """Begins to save what is not on disk, unless that failed a moment ago or is not allowed."""
        session = self._board.session
        if session is None or not self.dirty or self._board.chores.has("save") or self._on_hold(session):
            return
        self.dirty = False
        file, book, presets, placed = session.file, session.book, session.presets, session.placed
        self._board.chores.start(
            "save",
            lambda: file.save(book, Notes.of(book, placed=placed), presets=presets),
            done=lambda saved: self._saved(session, saved),
            failed=lambda error: self._failed(session, error),
        )

    def finish(self) -> bool:
        """Saves at once what is not on disk yet; whether all is. A failure is told as a message.

        A save that is under way is waited for: two at once would write over each other.
        """
        session = self._board.session
        if session is None:
            return not self.dirty
        self._board.chores.finish("save")
        if self.dirty and "sheet" in session.faults:
            self._board.say(session.faults["sheet"])
        elif self.dirty:
            self._save_now(session)
        return not self.dirty

    def _save_now(self, session: Session) -> None:
        notes = Notes.of(session.book, placed=session.placed)
        try:
            saved = session.file.save(session.book, notes, presets=session.presets)
        except SagafoleyError as error:
            self._failed(session, error)
            self._board.say(error)
            return
        self.dirty = False
        self._saved(session, saved)

    def rescue(self) -> None:
        """Writes what could not be saved, because of another program's sheet, to a file beside that."""
        session = self._board.session
        if session is None or not self.dirty or "sheet" not in session.faults:
            return
        try:
            path = session.file.rescue(session.book, presets=session.presets)
        except SagafoleyError as error:
            self._board.say(error)
            return
        self.dirty = False
        self._board.tell(Topic.MESSAGE, text=f"Your changes of the cue sheet are in {path}.")

    def _on_hold(self, session: Session) -> bool:
        if "sheet" in session.faults:
            return True
        now = self._board.chores.clock()
        return self._failed_at is not None and now - self._failed_at < _AGAIN

    def _saved(self, session: Session, file: SheetFile) -> None:
        session.file = file
        self._failed_at = None
        if session.faults.pop(FAULT, None) is not None:
            self._board.tell(Topic.PROBLEMS)
        self._board.tell(Topic.STATUS)

    def _failed(self, session: Session, error: SagafoleyError) -> None:
        self.dirty = True
        self._failed_at = self._board.chores.clock()
        key = "sheet" if isinstance(error, ChangedByOthers) else FAULT
        if key not in session.faults:
            self._board.say(error)
        session.faults[key] = error
        self._board.tell(Topic.PROBLEMS)
        self._board.tell(Topic.STATUS)
