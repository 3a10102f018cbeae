"""Chosen takes onto the host's timeline, off it again, or into a folder of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from plugin.controller.autosave import Autosave
from plugin.controller.board import Board
from plugin.controller.chores import SLOW
from plugin.controller.hosts import file_host, reconnected
from plugin.controller.placements import (
    Done,
    export_to,
    failure_report,
    place_on,
    placement_summary,
    removal_summary,
    remove_from,
    selection,
)
from plugin.controller.session import Session
from plugin.controller.views import PlacementReport, PlacementSummary, Topic
from plugin.errors import HostNotRunning, SagafoleyError, UsageError
from plugin.hosts import Host

PATIENCE = 60.0
"""Seconds that a running editor may take before it is given up."""


class Placing:
    """The part of the desk that places. Each act ends with a PLACEMENT event and a new `report`."""

    def __init__(self, board: Board, autosave: Autosave, *, refresh: Callable[[], None]) -> None:
        self._board = board
        self._refresh = refresh  # reads the timeline again
        self._autosave = autosave
        self._report: PlacementReport | None = None
        self._found: list[Host] = []

    def summary(self, cue_ids: Sequence[str] = ()) -> PlacementSummary:
        """What `place` would do; all spots when none are named."""
        session = self._board.open_session()
        return placement_summary(session, selection(session, cue_ids), target=self._target(session))

    def place(self, cue_ids: Sequence[str] = ()) -> None:
        """Begin to place the chosen takes in place of our earlier ones, and verify where they lie.

        What lies on the timeline of spots that are not named stays there.

        Raises:
            UsageError: nothing can be placed, or another act is under way.
        """
        session = self._begin()
        chosen = selection(session, cue_ids)
        if not chosen.takes:
            raise UsageError("There is no take to place.", remedy="Generate a take first.")
        host = self._host_of(session)
        self._act(session, lambda: place_on(host(), chosen, session.view))

    def removal(self) -> PlacementSummary:
        """What `remove` would take away."""
        session = self._board.open_session()
        return removal_summary(session, target=self._target(session))

    def remove(self) -> None:
        """Begin to remove our last placement; nothing else of the timeline is touched.

        Raises:
            UsageError: another act is under way.
        """
        session = self._begin()
        host = self._host_of(session)
        self._act(session, lambda: remove_from(host()))

    def export(self, folder: Path, *, otioz: bool = False, cue_ids: Sequence[str] = ()) -> None:
        """Begin to write stems and a timeline with them into a folder, with `otioz` a package too.

        Raises:
            UsageError: nothing can be exported, or another act is under way.
        """
        session = self._begin()
        chosen = selection(session, cue_ids, alone=True)
        if not chosen.takes:
            raise UsageError("There is no take to export.", remedy="Generate a take first.")
        settings = self._board.workspace.settings
        host = file_host(session, settings, folder=folder)
        if not session.origin.from_editor and host.output == file_host(session, settings).output:
            raise UsageError(
                f"{host.output.name} in this folder is what Place writes.", remedy="Export to another folder."
            )
        self._act(session, lambda: export_to(folder, host, chosen, session.view, otioz=otioz))

    @property
    def export_folder(self) -> Path:
        """A folder to export to, when no other is chosen."""
        return self._board.open_session().view.folder / "export"

    @property
    def busy(self) -> bool:
        """Whether an act is under way."""
        return self._board.chores.has("place")

    @property
    def report(self) -> PlacementReport | None:
        """What the last act did; None before the first."""
        return self._report

    def show(self, time: Fraction) -> None:
        """Move the host's playhead to an absolute time, where the host can; a slow one is given up."""
        editor, session = self._board.editor, self._board.session
        if editor is None or session is None or not session.origin.from_editor:
            return

        def ignore(_: object) -> None:
            return

        self._board.chores.start(
            "show", lambda: editor.show(time), done=ignore, failed=self._board.say, patience=SLOW
        )

    def _begin(self) -> Session:
        if self.busy:
            raise UsageError("The last placing is not finished.", remedy="Wait until it is.")
        return self._board.open_session()

    def _host_of(self, session: Session) -> Callable[[], Host]:
        """What gives the host, asked in the background."""
        self._found.clear()
        if not session.origin.from_editor:
            host = file_host(session, self._board.workspace.settings)
            return lambda: host
        board, editor = self._board, self._board.editor
        if editor is not None:
            return lambda: editor

        def find() -> Host:
            self._found.append(reconnected(board.connect, session))
            return self._found[0]

        return find

    def _target(self, session: Session) -> str:
        if session.origin.from_editor:
            return f"the timeline '{session.view.name}' in {session.view.host}"
        return str(file_host(session, self._board.workspace.settings).output)

    def _act(self, session: Session, work: Callable[[], Done]) -> None:
        def done(outcome: Done) -> None:
            self._report = outcome.report
            today = self._board.session  # the timeline may have been read again
            if outcome.placed is not None and today and today.view.path == session.view.path:
                today.placed = outcome.placed
                self._autosave.touch()
                self._board.tell(Topic.SPOTS)
                today.faults.pop("host", None)
            session.faults.pop("host", None)
            self._board.editor = self._found[0] if self._found else self._board.editor
            self._told()
            if outcome.rereads and today and today.view.path == session.view.path:
                self._refresh()

        def failed(error: SagafoleyError) -> None:
            self._report = failure_report(error)
            if isinstance(error, HostNotRunning):
                self._board.editor = None  # it is looked for again next time
            session.faults["host"] = error
            self._told()

        def late() -> None:
            failed(
                HostNotRunning(
                    f"{session.view.host} did not answer within {PATIENCE:.0f} seconds.",
                    remedy="Look at its timeline, and whether a dialog is open there, before you try again.",
                )
            )

        self._board.chores.start(
            "place",
            work,
            done=done,
            failed=failed,
            patience=PATIENCE if session.origin.from_editor else None,
            late=late,
            slow=lambda: self._board.tell(Topic.MESSAGE, text=f"{session.view.host} is slow to answer."),
        )
        self._board.tell(Topic.PLACEMENT)

    def _told(self) -> None:
        text = self._report.sentence if self._report else ""
        self._board.tell(Topic.PLACEMENT, text=text)
        self._board.tell(Topic.PROBLEMS)
        self._board.tell(Topic.STATUS)
