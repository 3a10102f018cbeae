"""A close look at the media of spots before anything is rendered: pictures are decoded."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.controller.board import Board
from plugin.controller.session import Session
from plugin.controller.trouble import look_closely
from plugin.controller.views import Topic
from plugin.cues import Cue, Problem
from plugin.errors import SagafoleyError


class CloseLook:
    """Looks at one cue after the other in the background; what it finds counts until the cue is edited."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._waiting: list[str] = []

    @property
    def left(self) -> int:
        """How many spots are still to be looked at."""
        return len(self._waiting) + self._board.chores.has("closely")

    def begin(self, cue_ids: Sequence[str]) -> None:
        """Begin to look at these spots, all when none are named."""
        session = self._board.open_session()
        self._waiting = list(cue_ids or (cue.id for cue in session.book.sheet.cues))
        self._board.tell(Topic.PROBLEMS)
        self._next()

    def _next(self) -> None:
        session = self._board.session
        while self._waiting and session is not None:
            cue = session.book.cue(self._waiting.pop(0))
            if cue is not None:
                self._start(session, cue)
                return
        self._waiting.clear()

    def _start(self, session: Session, cue: Cue) -> None:
        def seen(problems: tuple[Problem, ...]) -> None:
            if self._board.session is session:
                session.close_looks[cue.id] = (cue, problems)
                session.told = None
                self._board.tell(Topic.PROBLEMS)
                self._board.tell(Topic.SPOTS, cue.id)
            self._next()

        def failed(error: SagafoleyError) -> None:
            self._board.say(error)
            self._next()

        sheet = session.book.sheet
        self._board.chores.start("closely", lambda: look_closely(sheet, cue), done=seen, failed=failed)
