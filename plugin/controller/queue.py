"""The render queue: what is rendered, in which order, how far it is."""

from __future__ import annotations

from collections.abc import Sequence

from plugin.controller.board import Board
from plugin.controller.views import QueueRow


class RenderQueue:
    """The part of the desk that renders, item after item, in a process of its own."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def rows(self) -> tuple[QueueRow, ...]:
        """Ended items first, then the running one, then those that wait, in their order."""
        raise NotImplementedError

    def generate(self, cue_ids: Sequence[str], *, takes: int | None = None, preview: bool = False) -> None:
        """Add spots to the queue, one item each.

        Args:
            cue_ids: the spots; one that is in the queue already is added again only for other takes.
            takes: that many takes more, with seeds after those that are there; None: those that the
                cue asks for and that are not there yet.
            preview: with the steps of the preset that the settings name for previews.
        """
        raise NotImplementedError

    def generate_stale(self, *, preview: bool = False) -> int:
        """Add every spot that is new or stale and not blocked; how many were added."""
        raise NotImplementedError

    def move(self, item: str, *, to: int) -> None:
        """Give a waiting item another place among those that wait, 0 the next."""
        raise NotImplementedError

    def cancel(self, item: str) -> None:
        """Take a waiting item out; stop the running one after its solver step, at once when asked twice."""
        raise NotImplementedError

    def cancel_all(self) -> None:
        """Cancel everything that waits or runs."""
        raise NotImplementedError

    def retry(self, item: str) -> None:
        """Add a failed or cancelled item again."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forget the items that have ended."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        """Whether anything waits or runs: closing the window would end it."""
        raise NotImplementedError
