"""The problems list: everything that is wrong, each with its remedy and what a button can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from plugin.controller.autosave import Autosave
from plugin.controller.board import Board
from plugin.controller.closely import CloseLook
from plugin.controller.editing import Editing
from plugin.controller.items import Item
from plugin.controller.looks import Looks
from plugin.controller.problemrows import (
    FAULTS,
    bundle_row,
    fault_row,
    found_row,
    item_row,
    problem_media,
    settings_row,
)
from plugin.controller.queue import RenderQueue
from plugin.controller.relinking import find_relinks, relinked_book
from plugin.controller.session import Session
from plugin.controller.trouble import all_problems, problem_id
from plugin.controller.views import Action, ProblemRow, Topic
from plugin.cues import Problem, Severity
from plugin.errors import UsageError


class Problems:
    """The part of the desk that knows what is wrong."""

    def __init__(
        self,
        board: Board,
        *,
        editing: Editing,
        queue: RenderQueue,
        looks: Looks,
        autosave: Autosave,
        desk_acts: dict[Action, Callable[[Path | str | None], None]],
    ) -> None:
        self._board = board
        self._editing = editing
        self._queue = queue
        self._close = CloseLook(board)
        self._looks = looks
        self._autosave = autosave
        self._desk_acts = desk_acts

    def rows(self, cue_id: str = "") -> tuple[ProblemRow, ...]:
        """All problems, blockers first; those of one spot when it is named."""
        rows = [row for row in self._rows() if cue_id in {"", row.cue_id}]
        rows.sort(key=lambda row: row.severity is not Severity.BLOCKER)
        return tuple(rows)

    def _rows(self) -> list[ProblemRow]:
        rows = [bundle_row(fault) for fault in (self._board.fault,) if fault]
        rows += [settings_row(fault) for fault in (self._board.settings_fault,) if fault]
        session = self._board.session
        if session is None:
            return rows
        rows += [fault_row(key, fault) for key, fault in session.faults.items()]
        rows += [found_row(problem, session.book) for problem in all_problems(session)]
        return rows + [item_row(item) for item in self._queue.failed]

    def act(self, problem: str, action: Action, given: Path | str | None = None) -> None:
        """Do what a button says.

        Args:
            problem: its id.
            action: one of the row's.
            given: the file, folder or bundle name that the action needs (`ActionRow.needs`).

        Raises:
            UsageError: nothing was given, it cannot be used, or the problem is gone.
            OutputError: what the action writes could not be written.
        """
        if action in self._desk_acts:
            self._desk_acts[action](given)
            return
        item = self._item(problem)
        if problem.startswith(FAULTS):
            self._act_on_fault(problem.removeprefix(FAULTS), action)
        elif item is not None and action is Action.RETRY:
            self._queue.retry(item.id)
        elif item is not None and action is Action.ACCEPT:
            self._queue.forget(item.id)
        else:
            self._act_on_found(problem, action, given)
        self._board.tell(Topic.PROBLEMS)

    def folder_of(self, row: ProblemRow) -> Path:
        """The folder to open for a problem: what it is about, or the nearest one above that is there."""
        path = row.path or Path.home()
        return next((folder for folder in (path, *path.parents) if folder.is_dir()), Path.home())

    def recheck(self) -> None:
        """Begin to look again at everything that other programs may have changed, and into all media."""
        self._looks.at_everything()
        if self._board.session is not None:
            self.check_closely()

    def check_closely(self, cue_ids: Sequence[str] = ()) -> None:
        """Begin to decode the media of spots, all when none are named, and tell what is wrong with them."""
        self._close.begin(cue_ids)

    @property
    def checking(self) -> int:
        """How many spots are still to be looked at closely."""
        return self._close.left

    def _act_on_fault(self, key: str, action: Action) -> None:
        session = self._board.open_session()
        if action is Action.RETRY:
            self._autosave.touch()
        elif action is Action.ACCEPT:
            session.faults.pop(key, None)

    def _item(self, problem: str) -> Item | None:
        return next((item for item in self._queue.failed if item_row(item).id == problem), None)

    def _act_on_found(self, wanted: str, action: Action, given: Path | str | None) -> None:
        session = self._board.open_session()
        if action is Action.RETRY:
            self.recheck()
            return
        problem = self._found(wanted, session)
        match action:
            case Action.RELINK:
                self._relink(session, problem, given)
            case Action.ACCEPT:
                accepted = session.book.accepted | {problem_id(problem)}
                self._editing.change(replace(session.book, accepted=accepted), title="Accept a problem")
            case Action.REMOVE_SPOT:
                gone = session.book.cue(problem.cue_id)
                kept = (cue for cue in session.book.sheet.cues if cue is not gone)
                off = (*session.book.dismissed, *([gone] if gone else ()))
                self._editing.change(
                    replace(session.book.with_cues(kept), dismissed=off), title="Remove a spot"
                )
            case _:
                raise UsageError("This cannot be done here.", remedy="Follow the remedy by hand.")

    def _found(self, wanted: str, session: Session) -> Problem:
        for problem in all_problems(session):
            if problem_id(problem) == wanted:
                return problem
        raise UsageError("This problem is gone already.", remedy="Look at the list again.")

    def _relink(self, session: Session, problem: Problem, given: Path | str | None) -> None:
        media = problem_media(problem, session.book)
        if given is None or media is None:
            raise UsageError("No file was chosen.", remedy="Choose the file that the clip shows.")
        relinks = find_relinks(session.book, media, Path(given))
        count = len(relinks)
        title = f"Relink {media.name}" + (f" and {count - 1} more" if count > 1 else "")
        self._editing.change(relinked_book(session.book, relinks), title=title)
