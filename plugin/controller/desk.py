"""The desk: everything the panel does, without a window.

A desk belongs to one thread, the window's. No method waits for a disk, a render or a host: what takes
time goes to the background, and `poll`, called about 20 times a second, brings what has become of it.
"""

from __future__ import annotations

from pathlib import Path

from plugin.controller.board import Board
from plugin.controller.session import Origin, Session, read_session
from plugin.controller.spots import Spots
from plugin.controller.views import DeskEvent, TimelineView, Topic
from plugin.errors import SagafoleyError
from plugin.folders import Folders
from plugin.opening import Reading
from plugin.workspace import Workspace


class Desk:
    """One open timeline and all that can be done with it; make it with `open`, end it with `close`.

    Attributes:
        spots: spots listed, found, added, removed, edited.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self.spots = Spots(board)

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
