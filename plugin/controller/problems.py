"""The problems list: everything that is wrong, each with its remedy and what a button can do."""

from __future__ import annotations

from pathlib import Path

from plugin.controller.board import Board
from plugin.controller.views import Action, ProblemRow


class Problems:
    """The part of the desk that knows what is wrong."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def rows(self, cue_id: str = "") -> tuple[ProblemRow, ...]:
        """All problems, blockers first; those of one spot when it is named."""
        raise NotImplementedError

    def act(self, problem: str, action: Action, given: Path | str | None = None) -> None:
        """Do what a button says.

        Args:
            problem: its id.
            action: one of the row's.
            given: the file, folder or bundle name that the action needs (`ActionRow.needs`).

        Raises:
            UsageError: nothing was given, or it cannot be used.
        """
        raise NotImplementedError

    def recheck(self) -> None:
        """Begin to look at all media again."""
        raise NotImplementedError
