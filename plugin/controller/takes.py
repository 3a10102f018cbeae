"""The takes of each spot: listed, chosen, starred, renamed, levelled, put into the trash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plugin.controller import trash
from plugin.controller.board import Board
from plugin.controller.editing import Editing
from plugin.controller.session import Session
from plugin.controller.shelf import Shelf
from plugin.controller.states import chosen_take, read_mark, takes_of, why_outdated
from plugin.controller.takerows import take_row, take_title
from plugin.controller.views import TakeRow, Topic
from plugin.cues import Cue
from plugin.errors import UsageError
from plugin.render.takes import NotATake, Take, read_take

GAIN_LIMITS = (-60.0, 24.0)
"""dB."""


class Takes:
    """The part of the desk that knows takes. Every change can be undone; files of takes never change."""

    def __init__(self, board: Board, editing: Editing) -> None:
        self._board = board
        self._editing = editing

    def rows(self, cue_id: str) -> tuple[TakeRow, ...]:
        """The takes of a spot, oldest first; those in the trash are left out."""
        session, cue = self._cue(cue_id)
        if session is None or cue is None:
            return ()
        chosen = chosen_take(cue, session)
        return tuple(
            take_row(
                take,
                cue,
                note=session.book.note(take.name),
                folder=session.view.folder,
                chosen=take is chosen,
                why=why_outdated(take, cue, session),
            )
            for take in takes_of(cue, session)
        )

    def path(self, take: str) -> Path | None:
        """The WAV of a take, None when it is not there."""
        session = self._board.session
        if session is None or session.shelf is None or take not in session.shelf.takes:
            return None
        path = session.view.folder / f"{take}.wav"
        return path if path.is_file() else None

    def choose(self, cue_id: str, take: str) -> None:
        """Make a take the one that is placed; "" leaves the choice to the desk (the newest that fits).

        Raises:
            UsageError: no such spot, or no such take of it.
        """
        session, cue = self._cue(cue_id)
        if session is None or cue is None:
            raise UsageError(f"There is no spot {cue_id}.", remedy="Choose a spot of the list.")
        named = {each.name: each for each in takes_of(cue, session)}
        if take and take not in named:
            raise UsageError(f"Spot {cue_id} has no take {take}.", remedy="Choose a take of the list.")
        title = f"Choose {take_title(named[take], session.book.note(take))}" if take else "Choose the newest"
        self._editing.change(session.book.with_choice(cue_id, take), title=title)

    def step(self, cue_id: str, by: int) -> None:
        """Choose the take `by` places after the chosen one, round and round (A/B)."""
        session, cue = self._cue(cue_id)
        takes = takes_of(cue, session) if session and cue else ()
        if session is None or cue is None or not takes:
            return
        chosen = chosen_take(cue, session)
        place = next((index for index, take in enumerate(takes) if take is chosen), 0)
        self.choose(cue_id, takes[(place + by) % len(takes)].name)

    def star(self, take: str, *, on: bool) -> None:
        """Mark a take, or take the mark away."""
        self._note(take, "Star a take" if on else "Take a star away", star=on)

    def rename(self, take: str, title: str) -> None:
        """Call a take something else on screen; "" gives it its number back. Its files keep their names."""
        self._note(take, "Rename a take", title=" ".join(title.split())[:100])

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
        session, known = self._take(take)
        note = session.book.note(take)
        values = {
            "gain_db": note.gain_db if gain_db is None else float(gain_db),
            "fade_in": note.fade_in if fade_in is None else float(fade_in),
            "fade_out": note.fade_out if fade_out is None else float(fade_out),
        }
        _check_level(known, values)
        self._note(take, "Change the level of a take", gesture=gesture, **values)

    def delete(self, takes: Sequence[str]) -> None:
        """Move takes into the trash folder; undo brings them back.

        Raises:
            UsageError: no such take, or one of them lies on the host's timeline, which would lose its sound.
        """
        session = self._board.open_session()
        book = session.book
        for take in takes:
            self._take(take)
        for cue_id, text in session.placed.items():
            mark = read_mark(text)
            if mark is not None and mark[0] in takes:
                raise UsageError(
                    f"A take of spot {cue_id} lies on the timeline.",
                    remedy="Place another take of the spot first, or remove the placement.",
                )
        for take in takes:
            book = book.with_note(take, trashed=True)
            for cue_id in [cue for cue, name in book.chosen.items() if name == take]:
                book = book.with_choice(cue_id, "")
        count = len(takes)
        self._editing.change(book, title="Delete a take" if count == 1 else f"Delete {count} takes")

    @property
    def in_trash(self) -> int:
        """How many takes are in the trash folder."""
        session = self._board.session
        if session is None or session.shelf is None:
            return 0
        return sum(name in session.shelf.takes for name in trash.trashed(session.book))

    def empty_trash(self) -> None:
        """Remove what is in the trash folder for good; what was in it cannot be brought back."""
        session = self._board.open_session()
        gone = set(trash.empty(session.view.folder))
        if session.shelf is not None:
            kept = (take for name, take in session.shelf.takes.items() if name not in gone)
            session.shelf = Shelf.of(kept)
        self._board.tell(Topic.TAKES)

    def arrived(self, cue_id: str, name: str) -> None:
        """A render has written or found a take."""
        session = self._board.session
        if session is None:
            return
        try:
            take = read_take(session.view.folder / f"{name}.json")
        except (NotATake, OSError):
            return
        session.shelf = (session.shelf or Shelf()).with_takes((take,))
        self._board.tell(Topic.TAKES, cue_id)
        self._board.tell(Topic.SPOTS, cue_id)

    def _note(self, take: str, doing: str, *, gesture: str = "", **changes: Any) -> None:
        session, _ = self._take(take)
        self._editing.change(session.book.with_note(take, **changes), title=doing, gesture=gesture)

    def _cue(self, cue_id: str) -> tuple[Session | None, Cue | None]:
        session = self._board.session
        return session, session.book.cue(cue_id) if session else None

    def _take(self, name: str) -> tuple[Session, Take]:
        session = self._board.open_session()
        take = session.shelf.takes.get(name) if session.shelf else None
        if take is None:
            raise UsageError(f"There is no take {name}.", remedy="Choose a take of the list.")
        return session, take


def _check_level(take: Take, values: dict[str, float]) -> None:
    lowest, highest = GAIN_LIMITS
    if not lowest <= values["gain_db"] <= highest:
        raise UsageError(
            f"A gain of {values['gain_db']:g} dB is out of range.",
            remedy=f"Give {lowest:g} to {highest:g} dB.",
        )
    length = float(take.cue.spot.record.duration)
    fades = values["fade_in"] + values["fade_out"]
    if min(values["fade_in"], values["fade_out"]) < 0 or not fades <= length:
        raise UsageError(
            f"Fades of {fades:g} s do not fit a take of {length:.2f} s.",
            remedy="Give shorter fades, from 0 seconds on.",
        )
