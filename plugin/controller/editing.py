"""Every edit of the open timeline goes through here: made, undone, made again, saved, and told."""

from __future__ import annotations

from plugin.controller.autosave import Autosave
from plugin.controller.board import Board
from plugin.controller.book import Book
from plugin.controller.looks import Looks
from plugin.controller.session import Session
from plugin.controller.trash import settle
from plugin.controller.views import HistoryView, Topic


class Editing:
    """Changes the book of the open timeline."""

    def __init__(self, board: Board, autosave: Autosave, looks: Looks) -> None:
        self._board = board
        self._autosave = autosave
        self._looks = looks

    def change(self, after: Book, *, title: str, gesture: str = "") -> None:
        """Make `after` the book of today; one undo step, saved by itself."""
        session = self._board.open_session()
        before = session.book
        if session.history.change(after, title=title, gesture=gesture):
            self._follow(session, before)

    def undo(self) -> None:
        """Take the last edit back."""
        session = self._board.session
        step = session.history.undo() if session else None
        if session and step:
            self._follow(session, step.after)

    def redo(self) -> None:
        """Make the edit again that was taken back."""
        session = self._board.session
        step = session.history.redo() if session else None
        if session and step:
            self._follow(session, step.before)

    def view(self) -> HistoryView:
        """What undo and redo would do."""
        session = self._board.session
        if session is None:
            return HistoryView()
        done, undone = session.history.done, session.history.undone
        return HistoryView(done[-1].title if done else "", undone[-1].title if undone else "")

    def _follow(self, session: Session, before: Book) -> None:
        """Everything that follows from another book."""
        after = session.book
        for error in settle(session.view.folder, before, after, session.shelf):
            self._board.say(error)
        self._board.tell(Topic.SPOTS, *changed_cues(before, after, session))
        if (before.notes, before.chosen) != (after.notes, after.chosen):
            self._board.tell(Topic.TAKES)
        self._board.tell(Topic.HISTORY)
        self._autosave.touch()
        if before.sheet != after.sheet:
            self._looks.at_media()
            self._looks.at_footage()
        if before.accepted != after.accepted:
            self._board.tell(Topic.PROBLEMS)


def changed_cues(before: Book, after: Book, session: Session) -> tuple[str, ...]:
    """Ids of the cues that are told otherwise; none (for all) where cues came or went."""
    was = {cue.id: cue for cue in before.sheet.cues}
    now = {cue.id: cue for cue in after.sheet.cues}
    if was.keys() != now.keys() or before.accepted != after.accepted:
        return ()
    ids = [cue_id for cue_id, cue in now.items() if cue != was[cue_id]]
    ids += [cue_id for cue_id in now if before.chosen.get(cue_id) != after.chosen.get(cue_id)]
    takes = {name for name in {*before.notes, *after.notes} if before.note(name) != after.note(name)}
    if takes and session.shelf is not None:
        ids += [cue.id for cue in now.values() if takes & {take.name for take in session.shelf.of_cue(cue)}]
    return tuple(dict.fromkeys(ids))
