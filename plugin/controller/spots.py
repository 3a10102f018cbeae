"""The spots of the open timeline: listed, sorted, filtered, edited, added, removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from plugin.controller.adding import absolute_time, added, marker_rows, range_spots, track_rows
from plugin.controller.board import Board
from plugin.controller.book import Book
from plugin.controller.editing import Editing
from plugin.controller.edits import edit_title, edited, inspect
from plugin.controller.queue import RenderQueue
from plugin.controller.session import Session
from plugin.controller.sheets import timecodes
from plugin.controller.states import chosen_take, standing, takes_of
from plugin.controller.trouble import all_problems
from plugin.controller.views import (
    CueEdit,
    Inspector,
    MarkerRow,
    PresetRow,
    SortBy,
    SpotQuery,
    SpotRow,
    SpotState,
    TrackRow,
)
from plugin.cues import Cue, Matte, Problem, Severity
from plugin.errors import UsageError
from plugin.opening import Reading
from plugin.timebase import TimeSpan

_EVERYTHING = SpotQuery()

_KEYS: dict[SortBy, Callable[[SpotRow], Any]] = {
    SortBy.RECORD: lambda row: row.record.start,
    SortBy.LABEL: lambda row: row.label.casefold(),
    SortBy.CLIP: lambda row: row.clip.casefold(),
    SortBy.PROMPT: lambda row: row.prompt.casefold(),
    SortBy.STATE: lambda row: list(SpotState).index(row.state),
    SortBy.TAKES: lambda row: row.takes,
    SortBy.LENGTH: lambda row: row.record.duration,
}


class Spots:
    """The part of the desk that knows spots; every list works without an open timeline too."""

    def __init__(
        self,
        board: Board,
        *,
        editing: Editing,
        queue: RenderQueue,
        reread: Callable[[Reading, str], None],
    ) -> None:
        self._board = board
        self._editing = editing
        self._queue = queue
        self._reread = reread

    def rows(self, query: SpotQuery = _EVERYTHING) -> tuple[SpotRow, ...]:
        """The spots that fit the query, in its order."""
        session = self._board.session
        if session is None:
            return ()
        problems = _by_cue(session)
        rows = [self._row(cue, session, problems.get(cue.id, [])) for cue in session.book.sheet.cues]
        rows = [row for row in rows if _fits(row, query)]
        rows.sort(key=_KEYS[query.sort], reverse=query.descending)
        return tuple(rows)

    def row(self, cue_id: str) -> SpotRow | None:
        """One spot, None when there is none of that id."""
        session, cue = self._board.session, self.cue(cue_id)
        return self._row(cue, session, _by_cue(session).get(cue_id, [])) if session and cue else None

    def cue(self, cue_id: str) -> Cue | None:
        """The cue behind a spot: its media, words and numbers; None when there is none."""
        session = self._board.session
        return session.book.cue(cue_id) if session else None

    def inspector(self, cue_ids: Sequence[str]) -> Inspector:
        """The fields of a spot or a selection, as an editor sees them."""
        return inspect(self._board.open_session().book, cue_ids)

    def presets(self) -> tuple[PresetRow, ...]:
        """The presets, with what they mean for the bundle in use."""
        presets = self._board.session.presets if self._board.session else self._board.workspace.presets
        rows = (PresetRow(each.name, each.title, *presets.sampling(each.name)) for each in presets.entries)
        return tuple(rows)

    def edit(self, cue_ids: Sequence[str], change: CueEdit, *, gesture: str = "") -> None:
        """Change what an edit names of every spot given; one undo step, saved at once.

        Args:
            cue_ids: the spots.
            change: what to change.
            gesture: edits of one gesture (a slider being dragged) are undone together; "" for none.

        Raises:
            UsageError: a value that cannot be, or no such preset; nothing is changed then.
        """
        session = self._board.open_session()
        after = edited(session.book, cue_ids, change, presets=session.presets)
        self._editing.change(after, title=edit_title(change, len(cue_ids)), gesture=gesture)

    def markers(self) -> tuple[MarkerRow, ...]:
        """Markers of the timeline that no spot was made of yet."""
        session = self._board.session
        return marker_rows(session) if session else ()

    def tracks(self) -> tuple[TrackRow, ...]:
        """Video tracks that are no mask tracks yet, the lowest first."""
        session = self._board.session
        return track_rows(session) if session else ()

    def add_range(self, start: Fraction | str, end: Fraction | str, *, label: str) -> tuple[str, ...]:
        """Add a spot per picture between an in and an out point; ids of the spots.

        Args:
            start: absolute seconds, or timecode of the timeline.
            end: the same, exclusive.
            label: the object's word.

        Raises:
            UsageError: not a range on the timeline, or no picture is there.
        """
        session = self._board.open_session()
        span = TimeSpan(absolute_time(start, session), absolute_time(end, session))
        if span.start >= span.end:
            raise UsageError("The out point is not after the in point.", remedy="Set the points again.")
        return self._add(session, span, label=label)

    def add_marker(self, marker: str, *, label: str = "") -> tuple[str, ...]:
        """Add the spots of a marker; its own words name the object unless `label` does.

        Raises:
            UsageError: no such marker, or it lies over no picture.
        """
        session = self._board.open_session()
        for row in marker_rows(session):
            if row.id == marker:
                return self._add(session, row.record, label=label or row.name, source=row.name)
        raise UsageError("This marker is not on the timeline any more.", remedy="Choose another marker.")

    def _add(
        self, session: Session, span: TimeSpan, *, label: str, source: str | None = None
    ) -> tuple[str, ...]:
        spots = range_spots(session, span, label=label, source=source)
        book, ids = added(session, spots, choices=self._board.workspace.choices())
        self._editing.change(book, title="Add a spot" if len(ids) == 1 else f"Add {len(ids)} spots")
        return ids

    def add_mask_track(self, number: int, words: str) -> None:
        """Begin to read a video track as mattes of what `words` name; SPOTS tells when they are there."""
        session = self._board.open_session()
        reading = session.book.reading
        tracks = {**reading.mask_tracks, number: words}
        self._reread(replace(reading, mask_tracks=tracks), f"Take mattes from video track {number}")

    def remove(self, cue_ids: Sequence[str]) -> None:
        """Remove spots; their takes stay, and undo brings them back."""
        book = self._board.open_session().book
        gone = tuple(cue for cue in book.sheet.cues if cue.id in set(cue_ids))
        kept = [cue for cue in book.sheet.cues if cue not in gone]
        count = f"{len(gone)} spots" if len(gone) > 1 else "a spot"
        after: Book = replace(book.with_cues(kept), dismissed=(*book.dismissed, *gone))
        self._editing.change(after, title=f"Remove {count}")

    def _row(self, cue: Cue, session: Session, problems: Sequence[Problem]) -> SpotRow:
        spot, sheet = cue.spot, session.book.sheet
        start, end = timecodes(spot.record, sheet)
        item = self._queue.of_cue(cue.id)
        state = standing(cue, session, item=item, blocked=_blocker(problems))
        chosen = chosen_take(cue, session)
        return SpotRow(
            id=cue.id,
            label=spot.label,
            clip=spot.picture.clip_name if spot.picture else "",
            source=spot.source_name,
            record=spot.record,
            start=start,
            end=end,
            length=f"{float(spot.record.duration):.2f} s",
            prompt=cue.prompt,
            negative_prompt=cue.negative_prompt,
            preset=cue.preset,
            matte=matte_words(spot.matte),
            state=state.state,
            state_text=state.text,
            note=state.note,
            takes=len(takes_of(cue, session)),
            chosen=chosen.name if chosen else "",
            progress=item.progress if item else None,
            problems=len(problems),
        )


def _by_cue(session: Session) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for problem in all_problems(session):
        found.setdefault(problem.cue_id, []).append(problem)
    return found


def _blocker(problems: Sequence[Problem]) -> str | None:
    blockers = (problem.message for problem in problems if problem.severity is Severity.BLOCKER)
    return next(blockers, None)


def matte_words(matte: Matte | None) -> str:
    """What marks the object, in words."""
    if matte is None:
        return "whole frame"
    return matte.channel.words + ", inverted" * matte.invert


def _fits(row: SpotRow, query: SpotQuery) -> bool:
    if query.states and row.state not in query.states:
        return False
    said = (row.id, row.label, row.clip, row.source, row.prompt, row.negative_prompt, row.start, row.end)
    heap = " ".join(said).casefold()
    return all(word in heap for word in query.text.casefold().split())
