"""The takes of each spot: listed, chosen, starred, renamed, levelled, put into the trash."""

from __future__ import annotations

from pathlib import Path

from plugin.controller.board import Board
from plugin.controller.views import TakeRow


class Takes:
    """The part of the desk that knows takes. Every change can be undone; files of takes never change."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def rows(self, cue_id: str) -> tuple[TakeRow, ...]:
        """The takes of a spot, oldest first; those in the trash are left out."""
        raise NotImplementedError

    def path(self, take: str) -> Path | None:
        """The WAV of a take, None when it is not there."""
        raise NotImplementedError

    def choose(self, cue_id: str, take: str) -> None:
        """Make a take the one that is placed; "" leaves the choice to the desk (the newest that fits)."""
        raise NotImplementedError

    def step(self, cue_id: str, by: int) -> None:
        """Choose the take `by` places after the chosen one, round and round (A/B)."""
        raise NotImplementedError

    def star(self, take: str, *, on: bool) -> None:
        """Mark a take, or take the mark away."""
        raise NotImplementedError

    def rename(self, take: str, title: str) -> None:
        """Call a take something else on screen; "" gives it its number back. Its files keep their names."""
        raise NotImplementedError

    def set_level(
        self,
        take: str,
        *,
        gain_db: float | None = None,
        fade_in: float | None = None,
        fade_out: float | None = None,
        gesture: str = "",
    ) -> None:
        """Gain and fades of a take, heard in the panel and written into what is placed; None leaves one.

        Args:
            take: which.
            gain_db: -60..24 dB.
            fade_in: seconds, together with `fade_out` at most the take's length.
            fade_out: seconds.
            gesture: edits of one gesture (a slider being dragged) are undone together.

        Raises:
            UsageError: out of range.
        """
        raise NotImplementedError

    def delete(self, takes: tuple[str, ...]) -> None:
        """Move takes into the trash folder; undo brings them back."""
        raise NotImplementedError

    def empty_trash(self) -> None:
        """Remove what is in the trash folder for good; what was in it cannot be brought back."""
        raise NotImplementedError
