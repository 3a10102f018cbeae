"""Mask mode of a desk: which shot is being marked, and where its mattes go."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from plugin.controller.board import Board
from plugin.controller.hosts import file_host, reconnected
from plugin.controller.masking.clips import ClipRow, picture_clips
from plugin.controller.masking.crews import Crew, open_crew
from plugin.controller.masking.opening import Opened, open_target, prompts_beside
from plugin.controller.masking.propagation import Child, start_child
from plugin.controller.masking.saving import WrittenMatte, piece_of
from plugin.controller.masking.session import MaskSession
from plugin.controller.masking.targets import MaskTarget, target_at, target_of_cue
from plugin.controller.session import Session
from plugin.controller.sheets import output_folder
from plugin.controller.views import Topic
from plugin.cues import MediaFile, MediaSource
from plugin.errors import HostNotRunning, SagafoleyError, UsageError
from plugin.hosts import Host, PlacedMatte
from plugin.masks.results import MaskStore
from plugin.workspace import Workspace

_OPENING = "mask mode"
_LISTING = "picture clips"
_PLACING = "place"
"""The lane of every act on the host's timeline: one at a time."""

_PATIENCE = 60.0
"""Seconds that a running editor may take before it is given up."""


class MaskDesk:
    """The part of a desk that opens mask mode, for one shot at a time.

    A MASKS event tells that `session` is another one, or that opening failed (MESSAGE says why). While it
    is open, a window calls `MaskSession.beat`.

    Attributes:
        session: mask mode, None while no shot is open.
    """

    def __init__(
        self,
        board: Board,
        *,
        refresh: Callable[[], None],
        crew: Callable[[Workspace], Crew] = open_crew,
        start: Callable[[], Child] = start_child,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """No shot is open.

        Args:
            board: of the desk.
            refresh: begins to read the open timeline again.
            crew: chooses makers; slow.
            start: gives a mask process.
            clock: seconds that only grow.
        """
        self.session: MaskSession | None = None
        self._board = board
        self._refresh = refresh
        self._crew = crew
        self._start = start
        self._clock = clock
        self._timeline: Path | None = None  # that the shot lies on
        self._awaited: tuple[MaskSession, tuple[Path, ...]] | None = None

    @property
    def opening(self) -> bool:
        """Whether a shot is being opened."""
        return self._board.chores.has(_OPENING)

    def open_spot(self, cue_id: str, *, ready: Callable[[], None] = lambda: None) -> None:
        """Begin to open the picture of a spot, with the prompts of its matte where they are there.

        Args:
            cue_id: the spot.
            ready: called from other threads when `MaskSession.beat` has something new.

        Raises:
            UsageError: there is no such spot, or no picture under it.
        """
        cue = self._board.open_session().book.cue(cue_id)
        if cue is None:
            raise UsageError("This spot is not on the timeline any more.", remedy="Choose another spot.")
        target = target_of_cue(cue)
        self._open(lambda: target, ready)

    def open_at(self, time: Fraction, *, ready: Callable[[], None] = lambda: None) -> None:
        """Begin to open the picture clip that is on screen at an absolute record time.

        Raises:
            UsageError: no timeline is open.
        """
        session = self._board.open_session()
        self._open(lambda: target_at(session, time), ready)

    def find_clips(self, found: Callable[[tuple[ClipRow, ...]], None]) -> None:
        """Begin to list the picture clips of the open timeline, for `open_at`; an earlier wish is forgotten.

        Args:
            found: told them, in `poll`; none where they cannot be read.

        Raises:
            UsageError: no timeline is open.
        """
        board, session = self._board, self._board.open_session()

        def failed(error: SagafoleyError) -> None:
            board.say(error)
            found(())

        board.chores.start(_LISTING, lambda: picture_clips(session), done=found, failed=failed)

    def open_film(self, path: Path, *, ready: Callable[[], None] = lambda: None) -> None:
        """Begin to open a movie without a timeline; its mattes can only be exported."""
        film = MediaFile(path.absolute())
        self._open(lambda: MaskTarget(film.path.stem, film), ready, timeline=False)

    def close_session(self) -> None:
        """Save what was said and leave mask mode; what was tracked is kept."""
        session, self.session = self.session, None
        if session is not None:
            fault = session.close()
            if fault is not None:
                self._board.say(fault)
            self._board.tell(Topic.MASKS)

    def poll(self) -> None:
        """Leave a shot whose timeline was closed, and tell which spots came of mattes that were placed."""
        if self.session is not None and self._timeline not in {None, self._open_path()}:
            self.close_session()
        if self._awaited is None or self._board.chores.has("open") or self._board.session is None:
            return
        (session, paths), self._awaited = self._awaited, None
        found = [
            cue.id
            for cue in self._board.session.book.sheet.cues
            if cue.spot.matte is not None and _place_of(cue.spot.matte.clip.media) in paths
        ]
        session.saver.found(found)

    def _open_path(self) -> Path | None:
        """Of the timeline that is open."""
        return self._board.session.view.path if self._board.session else None

    def _open(
        self, find: Callable[[], MaskTarget], ready: Callable[[], None], *, timeline: bool = True
    ) -> None:
        board, today = self._board, self._board.session if timeline else None
        store = MaskStore(board.workspace.folders.cache / "masks")
        workspace, crew = board.workspace, self._crew
        if self.session is not None:
            self.session.keep()  # it may be opened again

        def work() -> Opened:
            target = find()
            folder = today.view.folder if today else _folder_of(board, target)
            prompts = prompts_beside(target.matte)
            return open_target(
                target, folder=folder, store=store, open_crew=lambda: crew(workspace), document=prompts
            )

        def done(opened: Opened) -> None:
            self.close_session()
            self._timeline = today.view.path if today else None
            self.session = MaskSession(
                opened.shot,
                opened.desktop,
                place=self._place if today else None,
                ready=ready,
                clock=self._clock,
                start=self._start,
            )
            board.tell(Topic.MASKS)

        def failed(error: SagafoleyError) -> None:
            board.say(error)
            board.tell(Topic.MASKS)

        board.chores.start(_OPENING, work, done=done, failed=failed)
        board.tell(Topic.MASKS)

    def _place(self, session: MaskSession, mattes: tuple[WrittenMatte, ...]) -> None:
        """Lay written mattes on the host's timeline, then read it again."""
        board, today = self._board, self._board.session
        if today is None or self._open_path() != self._timeline or board.chores.has(_PLACING):
            session.saver.failed(_cannot_place(board.chores.has(_PLACING)), mattes)
            return
        pieces = [piece_of(matte, session.shot, rate=today.view.rate) for matte in mattes]
        host_of = self._host_of(today)

        def work() -> tuple[list[PlacedMatte | None], tuple[str, ...], Host]:
            host = host_of()
            placed: list[PlacedMatte | None] = []
            notes: list[str] = []
            for piece in pieces:
                placed.append(host.place_matte(piece))
                notes += host.notes
            return placed, tuple(dict.fromkeys(notes)), host

        def done(outcome: tuple[list[PlacedMatte | None], tuple[str, ...], Host]) -> None:
            placed, notes, host = outcome
            board.editor = host if today.origin.from_editor else board.editor
            tracks = [one.track_name if one else "" for one in placed]
            session.saver.placed(mattes, tracks=tracks, notes=" ".join(notes))
            self._awaited = (session, tuple(matte.file.path for matte in mattes))
            self._refresh()

        def failed(error: SagafoleyError) -> None:
            if isinstance(error, HostNotRunning):
                board.editor = None  # it is looked for again next time
            session.saver.failed(error, mattes)

        board.chores.start(
            _PLACING,
            work,
            done=done,
            failed=failed,
            patience=_PATIENCE if today.origin.from_editor else None,
            late=lambda: failed(_silent(today)),
        )

    def _host_of(self, session: Session) -> Callable[[], Host]:
        """What gives the host, asked in the background."""
        if not session.origin.from_editor:
            host = file_host(session, self._board.workspace.settings)
            return lambda: host
        board, editor = self._board, self._board.editor
        return (lambda: editor) if editor is not None else (lambda: reconnected(board.connect, session))


def _folder_of(board: Board, target: MaskTarget) -> Path:
    """Where what belongs to a film without a timeline goes."""
    beside = target.media.path if isinstance(target.media, MediaFile) else target.media.folder
    return output_folder(board.workspace, None, beside=beside)


def _place_of(media: MediaSource | None) -> Path | None:
    """The file or folder of a matte."""
    if media is None:
        return None
    return media.path if isinstance(media, MediaFile) else media.folder


def _cannot_place(busy: bool) -> UsageError:  # noqa: FBT001 - one question
    if busy:
        return UsageError("The last placing is not finished.", remedy="Wait until it is, then save again.")
    return UsageError("The timeline was closed: nothing was placed.", remedy="Open it, then save again.")


def _silent(session: Session) -> HostNotRunning:
    return HostNotRunning(
        f"{session.view.host} did not answer within {_PATIENCE:.0f} seconds.",
        remedy="Look at its timeline, and whether a dialog is open there, before you try again.",
    )
