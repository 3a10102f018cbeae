"""Looks that the desk takes in the background: at takes, at media, at what other programs changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from plugin.controller.board import Board
from plugin.controller.session import Session
from plugin.controller.sheetfile import ChangedByOthers
from plugin.controller.shelf import Pictures, Shelf, pictures_of, read_footage
from plugin.controller.states import takes_of
from plugin.controller.trouble import MediaLook, look_at_media, shows, spotting_problems
from plugin.controller.views import Topic
from plugin.cues import MediaSource
from plugin.errors import SagafoleyError

T = TypeVar("T")

_EVERY = 5.0
"""Seconds between looks at what others may have changed: media that are gone or back, the cue sheet."""


class Looks:
    """Takes looks, and tells what they show. Each kind of look is under way once at most."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._next = 0.0
        self._media_again = False

    def at_everything(self) -> None:
        """Begin to look at the takes, the media and the cue sheet of the open timeline."""
        self._next = self._board.chores.clock() + _EVERY
        self.at_takes()
        self.at_media()
        if self._board.session is not None:
            self._at_sheet(self._board.session)

    def poll(self) -> None:
        """Begins a look when it is time for one."""
        now = self._board.chores.clock()
        if self._board.session is None or now < self._next:
            return
        self._next = now + _EVERY
        self.at_media()
        self._at_sheet(self._board.session)

    def at_takes(self) -> None:
        """Begin to read the takes of the stem folder."""
        session = self._board.session
        if session is None:
            return
        folder, name = session.view.folder, session.view.name

        before = session.shelf or Shelf()

        def read(shelf: Shelf) -> None:
            today = (session.shelf or Shelf()).takes
            session.shelf = shelf.with_takes(
                take for name, take in today.items() if name not in before.takes
            )  # those that arrived meanwhile
            self._board.tell(Topic.TAKES)
            self._board.tell(Topic.SPOTS)
            self.at_footage()

        self._start("takes", lambda: Shelf.read(folder, timeline=name), read)

    def at_media(self) -> None:
        """Begin to look which media are there and what else speaks against a render."""
        session = self._board.session
        if session is None:
            return
        if self._board.chores.has("media"):
            self._media_again = True
            return
        self._media_again = False
        book, told = session.book, spotting_problems(session)

        def seen(look: MediaLook) -> None:
            self._saw_media(session, look)

        self._start("media", lambda: look_at_media(session, book, told), seen)

    def _saw_media(self, session: Session, look: MediaLook) -> None:
        before, session.stamps = session.stamps, look.stamps
        changed = {media for media, stamps in look.stamps.items() if before.get(media, stamps) != stamps}
        if changed:
            self._forget(session, changed)
        if look.problems != session.media_problems:
            different = set(look.problems) ^ set(session.media_problems)
            session.media_problems = look.problems
            ids = {problem.cue_id for problem in different}
            self._board.tell(Topic.PROBLEMS)
            self._board.tell(Topic.SPOTS, *sorted(ids) if "" not in ids else ())
        self.at_footage()
        if self._media_again:
            self.at_media()

    def _forget(self, session: Session, media: set[MediaSource]) -> None:
        """What was seen of media that have changed counts no more."""
        for cue in session.book.sheet.cues:
            if shows(cue, media):
                session.footage.pop(pictures_of(cue.spot), None)
                session.close_looks.pop(cue.id, None)
        session.told = None
        self._board.tell(Topic.PROBLEMS)

    def at_footage(self) -> None:
        """Begin to look whether the pictures are still those that the takes were made of."""
        session = self._board.session
        if session is None or session.shelf is None:
            return
        cues = [cue for cue in session.book.sheet.cues if takes_of(cue, session)]
        spots = [cue.spot for cue in cues if pictures_of(cue.spot) not in session.footage]
        if not spots:
            return
        wanted = _still(self._board, session)

        def seen(prints: dict[Pictures, str]) -> None:
            session.footage.update(prints)
            self._board.tell(Topic.TAKES)
            self._board.tell(Topic.SPOTS, *(spot.id for spot in spots))

        self._start("footage", lambda: read_footage(spots, wanted), seen)

    def _at_sheet(self, session: Session) -> None:
        if self._board.chores.has("save") or self._board.chores.has("sheet") or "sheet" in session.faults:
            return
        file = session.file

        def looked(changed: Path | None) -> None:
            if changed is None or session.file != file or self._board.chores.has("save"):
                return
            session.faults["sheet"] = ChangedByOthers.of(changed)
            self._board.tell(Topic.PROBLEMS)
            self._board.tell(Topic.STATUS)

        self._start("sheet", lambda: file.changed, looked)

    def _start(self, lane: str, work: Callable[[], T], done: Callable[[T], None]) -> None:
        session = self._board.session

        def still(result: T) -> None:
            if self._board.session is session:
                done(result)

        def failed(error: SagafoleyError) -> None:
            if self._board.session is session:
                self._board.say(error)

        self._board.chores.start(lane, work, done=still, failed=failed)


def _still(board: Board, session: Session) -> Callable[[], bool]:
    """Whether a timeline is still the open one; asked from a thread, where reading a name is safe."""
    return lambda: board.session is session
