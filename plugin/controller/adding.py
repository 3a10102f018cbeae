"""Spots that an editor adds: between two points, of a marker; and the tracks that could hold mattes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from plugin.controller.book import Book
from plugin.controller.matching import free_id
from plugin.controller.relinking import relinked_spot
from plugin.controller.session import Session
from plugin.controller.sheets import range_finder, timecodes
from plugin.controller.views import MarkerRow, TrackRow
from plugin.cueing import CueChoices, build_sheet
from plugin.cues import Spot
from plugin.errors import UsageError
from plugin.timebase import TimeSpan, frame_time, parse_timecode
from plugin.timeline.ranges import RANGE_SOURCE, plain_tracks


def absolute_time(time: Fraction | str, session: Session) -> Fraction:
    """Absolute seconds of a time that is given so, or as timecode.

    Raises:
        UsageError: neither.
    """
    if isinstance(time, Fraction):
        return time
    rate = session.book.sheet.rate
    try:
        return frame_time(parse_timecode(time.strip(), rate), rate)
    except ValueError as error:
        raise UsageError(
            f"'{time}' is no timecode of this timeline: {error}.",
            remedy=f"Write it like {session.view.start}.",
        ) from error


def range_spots(
    session: Session, span: TimeSpan, *, label: str, source: str | None = None
) -> tuple[Spot, ...]:
    """Spots without a number between two points, one per picture.

    Args:
        session: the open timeline.
        span: absolute seconds.
        label: the object's word.
        source: name of the marker; None for in and out points.

    Raises:
        UsageError: nothing names the object, or no picture is there.
    """
    words = " ".join(label.split())
    if not words:
        raise UsageError("The spot names no object.", remedy="Say what sounds, for example 'violin'.")
    spots = range_finder(session.opened).spots(span, label=words, source=source or RANGE_SOURCE)
    if not spots:
        start, end = timecodes(span, session.book.sheet)
        raise UsageError(
            f"No picture lies between {start} and {end}.", remedy="Set the points over a picture clip."
        )
    return tuple(relinked_spot(spot, session.book.relinks) for spot in spots)


def added(session: Session, spots: Sequence[Spot], *, choices: CueChoices) -> tuple[Book, tuple[str, ...]]:
    """The book with cues for these spots, and their ids."""
    book = session.book
    entries = (*(cue.id for cue in (*book.sheet.cues, *book.dismissed)), *(one.id for one in book.orphans))
    taken = {each.casefold() for each in entries}
    numbered = [replace(spot, id=free_id(taken)) for spot in spots]
    made = build_sheet(
        numbered,
        timeline_name=book.sheet.timeline_name,
        rate=book.sheet.rate,
        drop_frame=book.sheet.drop_frame,
        record=book.sheet.record,
        presets=session.presets,
        choices=choices,
    )
    after = book.with_cues((*book.sheet.cues, *made.cues))
    own = {**book.own, **{spot.id: spot for spot in numbered}}
    return replace(after, own=own), tuple(spot.id for spot in numbered)


def marker_rows(session: Session) -> tuple[MarkerRow, ...]:
    """Markers that no spot was made of."""
    book = session.book
    made = {(spot.source_name, spot.record) for spot in book.own.values()}
    rows = []
    for marker in range_finder(session.opened).markers():
        if (marker.name, marker.record) not in made:
            start, _ = timecodes(marker.record, book.sheet)
            rows.append(MarkerRow(str(marker.number), marker.name, start, marker.record))
    return tuple(rows)


def track_rows(session: Session) -> tuple[TrackRow, ...]:
    """Video tracks that are no mask tracks."""
    named = session.book.reading.mask_tracks
    tracks = plain_tracks(session.opened.document)
    return tuple(TrackRow(number, name or f"V{number}") for number, name in tracks if number not in named)
