"""Chosen takes onto the host's timeline, off it again, or into a folder of their own."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from plugin.controller.board import Board
from plugin.controller.views import PlacementReport, PlacementSummary


class Placing:
    """The part of the desk that places. Each act ends with a PLACEMENT event and a new `report`."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def summary(self, cue_ids: Sequence[str] = ()) -> PlacementSummary:
        """What `place` would do; all spots when none are named."""
        raise NotImplementedError

    def place(self, cue_ids: Sequence[str] = ()) -> None:
        """Begin to place the chosen takes in place of our earlier ones, and verify where they lie."""
        raise NotImplementedError

    def removal(self) -> PlacementSummary:
        """What `remove` would take away."""
        raise NotImplementedError

    def remove(self) -> None:
        """Begin to remove our last placement; nothing else of the timeline is touched."""
        raise NotImplementedError

    def export(self, folder: Path, *, otioz: bool = False, cue_ids: Sequence[str] = ()) -> None:
        """Begin to write stems and a timeline with them into a folder, with `otioz` a package too."""
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """Whether an act is under way."""
        raise NotImplementedError

    @property
    def report(self) -> PlacementReport | None:
        """What the last act did; None before the first."""
        raise NotImplementedError

    def show(self, time: Fraction) -> None:
        """Move the host's playhead to an absolute time, where the host can."""
        raise NotImplementedError
