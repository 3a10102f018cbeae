"""The spots of the open timeline: listed, sorted, filtered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from plugin.controller.board import Board
from plugin.controller.sheets import timecodes
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
from plugin.cues import Cue, CueSheet, Matte

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
    """The part of the desk that knows spots; every method works without an open timeline too."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def rows(self, query: SpotQuery = _EVERYTHING) -> tuple[SpotRow, ...]:
        """The spots that fit the query, in its order."""
        rows = [row for row in self._rows() if _fits(row, query)]
        rows.sort(key=_KEYS[query.sort], reverse=query.descending)
        return tuple(rows)

    def row(self, cue_id: str) -> SpotRow | None:
        """One spot, None when there is none of that id."""
        session = self._board.session
        cue = session.book.cue(cue_id) if session else None
        return self._row(cue, session.book.sheet) if session and cue else None

    def cue(self, cue_id: str) -> Cue | None:
        """The cue behind a spot: its media, words and numbers; None when there is none."""
        session = self._board.session
        return session.book.cue(cue_id) if session else None

    def inspector(self, cue_ids: Sequence[str]) -> Inspector:
        """The fields of a spot or a selection, as an editor sees them."""
        raise NotImplementedError

    def presets(self) -> tuple[PresetRow, ...]:
        """The presets, with what they mean for the bundle in use."""
        raise NotImplementedError

    def edit(self, cue_ids: Sequence[str], change: CueEdit, *, gesture: str = "") -> None:
        """Change what an edit names of every spot given; one undo step, saved at once.

        Args:
            cue_ids: the spots.
            change: what to change.
            gesture: edits of one gesture (a slider being dragged) are undone together; "" for none.

        Raises:
            UsageError: a value that cannot be, or no such preset; nothing is changed then.
        """
        raise NotImplementedError

    def markers(self) -> tuple[MarkerRow, ...]:
        """Markers of the timeline that no spot was made of yet."""
        raise NotImplementedError

    def tracks(self) -> tuple[TrackRow, ...]:
        """Video tracks that are no mask tracks yet, the lowest first."""
        raise NotImplementedError

    def add_range(self, start: Fraction | str, end: Fraction | str, *, label: str) -> tuple[str, ...]:
        """Add a spot per picture between an in and an out point; ids of the spots.

        Args:
            start: absolute seconds, or timecode of the timeline.
            end: the same, exclusive.
            label: the object's word.

        Raises:
            UsageError: not a range on the timeline, or no picture is there.
        """
        raise NotImplementedError

    def add_marker(self, marker: str, *, label: str = "") -> tuple[str, ...]:
        """Add the spots of a marker; its own words name the object unless `label` does.

        Raises:
            UsageError: no such marker, or it lies over no picture.
        """
        raise NotImplementedError

    def add_mask_track(self, number: int, words: str) -> None:
        """Begin to read a video track as mattes of what `words` name; SPOTS tells when they are there."""
        raise NotImplementedError

    def remove(self, cue_ids: Sequence[str]) -> None:
        """Remove spots; their takes stay, and undo brings them back."""
        raise NotImplementedError

    def _rows(self) -> list[SpotRow]:
        session = self._board.session
        if session is None:
            return []
        sheet = session.book.sheet
        return [self._row(cue, sheet) for cue in sheet.cues]

    def _row(self, cue: Cue, sheet: CueSheet) -> SpotRow:
        spot = cue.spot
        start, end = timecodes(spot.record, sheet)
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
            state=SpotState.NEW,
            state_text="new",
            note="",
            takes=0,
            chosen="",
            progress=None,
            problems=0,
        )


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
