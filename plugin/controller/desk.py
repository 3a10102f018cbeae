"""The desk: everything the panel does, without a window.

A desk belongs to one thread, the window's. No method waits for a disk, a render or a host: what takes
time goes to the background, and `poll`, called about 20 times a second, brings what has become of it.
"""

from __future__ import annotations

from pathlib import Path

from plugin.controller.board import Board
from plugin.controller.machine import Machine
from plugin.controller.placing import Placing
from plugin.controller.problems import Problems
from plugin.controller.queue import RenderQueue
from plugin.controller.session import Origin, Session, read_session
from plugin.controller.spots import Spots
from plugin.controller.takes import Takes
from plugin.controller.views import DeskEvent, HistoryView, RecentRow, StatusLine, TimelineView, Topic
from plugin.errors import SagafoleyError
from plugin.folders import Folders
from plugin.opening import Reading
from plugin.workspace import Workspace


class Desk:
    """One open timeline and all that can be done with it; make it with `open`, end it with `close`.

    Attributes:
        spots: spots listed, found, added, removed, edited.
        takes: takes listed, chosen, starred, renamed, levelled, deleted.
        queue: renders, in a process of their own.
        placing: takes onto the host's timeline, off it, or into a folder.
        problems: everything that is wrong, and what can be done.
        machine: bundles, settings, doctor, licences.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self.spots = Spots(board)
        self.takes = Takes(board)
        self.queue = RenderQueue(board)
        self.placing = Placing(board)
        self.problems = Problems(board)
        self.machine = Machine(board)

    @classmethod
    def open(cls, *, folders: Folders | None = None) -> Desk:
        """An empty desk with this user's settings, presets and bundles.

        Args:
            folders: other than the user's own.

        Raises:
            UsageError: the settings or presets file has a mistake.
        """
        return cls(Board(Workspace.open(folders=folders)))

    def poll(self) -> tuple[DeskEvent, ...]:
        """Take what the background has brought; what has changed since the last call."""
        self._board.chores.poll()
        events = tuple(self._board.outbox)
        self._board.outbox.clear()
        return events

    @property
    def timeline(self) -> TimelineView | None:
        """The open timeline, None while there is none."""
        return self._board.session.view if self._board.session else None

    def open_file(self, path: Path, *, reading: Reading | None = None) -> None:
        """Begin to open an OTIO, OTIOZ, EDL, XML or AAF; a TIMELINE event tells when it is there.

        The open timeline stays until then, and for good when the file cannot be read (MESSAGE).

        Args:
            path: the file.
            reading: what is known beside the file; None: what was said of it last time.
        """
        origin = Origin(path, path.name, reading=reading)
        workspace = self._board.workspace
        self._board.chores.start(
            "open", lambda: read_session(origin, workspace), done=self._adopt, failed=self._refused
        )
        self._board.tell(Topic.STATUS)

    def open_editor(self) -> None:
        """Begin to open the timeline that is open in DaVinci Resolve; see `open_file`."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Begin to read the open timeline again; all that was decided stays with its spots."""
        raise NotImplementedError

    def close_timeline(self) -> None:
        """Save and put the timeline away; its renders end."""
        raise NotImplementedError

    def recent(self) -> tuple[RecentRow, ...]:
        """Timelines that were open before, newest first."""
        raise NotImplementedError

    def history(self) -> HistoryView:
        """What undo and redo would do."""
        raise NotImplementedError

    def undo(self) -> None:
        """Take the last edit back."""
        raise NotImplementedError

    def redo(self) -> None:
        """Make the edit again that was taken back."""
        raise NotImplementedError

    def status(self) -> StatusLine:
        """The status bar."""
        raise NotImplementedError

    def _adopt(self, session: Session) -> None:
        self._board.session = session
        for topic in (Topic.TIMELINE, Topic.SPOTS, Topic.TAKES, Topic.PROBLEMS, Topic.HISTORY, Topic.STATUS):
            self._board.tell(topic)

    def _refused(self, error: SagafoleyError) -> None:
        self._board.say(error)
        self._board.tell(Topic.STATUS)

    def close(self) -> None:
        """End everything; the desk is not used after."""
        self._board.session = None
