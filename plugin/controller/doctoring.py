"""The doctor's findings, taken in the background as they come."""

from __future__ import annotations

import queue
from pathlib import Path

from plugin.controller.board import Board
from plugin.controller.views import DoctorRow, DoctorView, Topic
from plugin.doctor import Finding, State, examine
from plugin.errors import SagafoleyError


class Doctoring:
    """One examination at a time."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._rows: list[DoctorRow] = []
        self._found: queue.SimpleQueue[Finding] = queue.SimpleQueue()

    def begin(self) -> None:
        """Begin to examine this machine, from the start."""
        self._rows.clear()
        found: queue.SimpleQueue[Finding] = queue.SimpleQueue()
        self._found = found
        workspace, session = self._board.workspace, self._board.session
        output = session.view.folder if session else Path.home()

        def work() -> None:
            for finding in examine(folders=workspace.folders, store=workspace.store, output=output):
                found.put(finding)

        def done(_: None) -> None:
            self._board.tell(Topic.DOCTOR)

        def failed(error: SagafoleyError) -> None:
            self._rows.append(DoctorRow("doctor", State.BAD, error.message, error.remedy))
            self._board.tell(Topic.DOCTOR)

        self._board.chores.start("doctor", work, done=done, failed=failed)
        self._board.tell(Topic.DOCTOR)

    def poll(self) -> None:
        """Take the findings that have come."""
        while True:
            try:
                finding = self._found.get_nowait()
            except queue.Empty:
                return
            self._rows.append(DoctorRow(finding.subject, finding.state, finding.found, finding.remedy))
            self._board.tell(Topic.DOCTOR)

    def view(self) -> DoctorView:
        """The findings so far."""
        running = self._board.chores.has("doctor")
        bad = [row for row in self._rows if row.state is State.BAD]
        notes = sum(row.state is State.NOTE for row in self._rows)
        if running:
            sentence = "Looking at this machine."
        elif not self._rows:
            sentence = "Nothing was looked at yet."
        elif bad:
            sentence = f"{bad[0].subject}: {bad[0].found} {bad[0].remedy}".strip()
        else:
            sentence = "This machine can render." + (f" {notes} things to know." if notes else "")
        return DoctorView(tuple(self._rows), running, sentence)
