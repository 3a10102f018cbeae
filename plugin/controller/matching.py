"""A timeline, its cue file and the desk's notes become one book.

The cue file decides how spots sound. Where they lie, the timeline decides, as long as nobody wrote other
times into the file: a spot that was moved or trimmed in the editing program takes its cue, with its
handles, along. Spots that the file does not know are added; entries that find no spot are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from plugin.controller.book import Book
from plugin.controller.notes import Notes, SpotMark, spot_key
from plugin.controller.relinking import relinked_spot
from plugin.controller.sheets import picked_spots
from plugin.controller.views import MAX_HANDLE
from plugin.cueing import CueChoices, CueEntry, CueFile, build_sheet
from plugin.cues import Cue, CueSheet, Spot
from plugin.errors import UsageError
from plugin.opening import OpenTimeline
from plugin.presets import Presets
from plugin.timebase import TimeSpan


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes cues of entries on one timeline."""

    opened: OpenTimeline
    presets: Presets
    choices: CueChoices

    def sheet(self, spots: Sequence[Spot], cue_file: CueFile | None) -> CueSheet:
        """The sheet of these spots and entries; see `plugin.cueing.build_sheet`."""
        found = self.opened.found
        return build_sheet(
            spots,
            timeline_name=found.name,
            rate=found.rate,
            drop_frame=found.drop_frame,
            record=found.record,
            presets=self.presets,
            choices=self.choices,
            cue_file=cue_file,
        )

    def cue(self, entry: CueEntry, spots: Sequence[Spot], cue_file: CueFile) -> Cue:
        """The cue of one entry among these spots, whether it is switched on or not.

        Raises:
            UsageError: no spot fits.
        """
        single = replace(cue_file, entries=(replace(entry, enabled=True),))
        return self.sheet(spots, single).cues[0]


def make_book(maker: Maker, cue_file: CueFile | None, notes: Notes) -> Book:
    """The book of a timeline.

    Raises:
        UsageError: the file counts other frames than the timeline, or names an unknown preset.
    """
    spots = tuple(relinked_spot(spot, notes.relinks) for spot in maker.opened.found.spots)
    sheet = maker.sheet(spots, None)
    if cue_file is None:
        return _noted(Book(sheet, own={spot.id: spot for spot in spots}), notes)
    maker.sheet(spots, replace(cue_file, entries=()))  # whether its rate fits
    entries = (replace(one, enabled=one.enabled or one.id in notes.orphans) for one in cue_file.entries)
    cue_file = replace(cue_file, entries=tuple(entries))
    sheet = replace(sheet, timeline_name=cue_file.timeline or sheet.timeline_name)
    bare = replace(cue_file, entries=tuple(_without_handles(entry, notes) for entry in cue_file.entries))
    picked = (relinked_spot(spot, notes.relinks) for spot in picked_spots(maker.opened, bare))
    return _noted(_matched(maker, sheet, (*spots, *picked), cue_file, notes), notes)


def _noted(book: Book, notes: Notes) -> Book:
    return replace(
        book,
        notes=notes.takes,
        chosen=notes.chosen,
        relinks=notes.relinks,
        accepted=notes.accepted,
        reading=notes.reading or book.reading,
    )


def _matched(maker: Maker, sheet: CueSheet, spots: Sequence[Spot], cue_file: CueFile, notes: Notes) -> Book:
    """The cues of the file on the spots, and cues of the spots that it does not know."""
    on: dict[str, Cue] = {}
    off: list[Cue] = []
    orphans: list[CueEntry] = []
    own: dict[str, Spot] = {}
    moved = _moved_spots(cue_file.entries, spots, notes)
    for entry in cue_file.entries:
        mark, at = notes.spots.get(entry.id), moved.get(entry.id)
        try:
            cue, spot = _place(maker, entry, spots, cue_file, mark=mark, at=at)
        except UsageError:
            _check_preset(maker, entry)
            orphans.append(entry)
            continue
        own[cue.id] = replace(spot, id=cue.id)
        if entry.enabled:
            on[cue.id] = cue
        else:
            off.append(cue)
    known = {(spot.source_name, spot.record) for spot in own.values()}
    taken = {entry.id.casefold() for entry in cue_file.entries}
    for cue in sheet.cues:
        if (cue.spot.source_name, cue.spot.record) not in known:
            fresh = with_id(cue, free_id(taken))
            own[fresh.id], on[fresh.id] = fresh.spot, fresh
    return Book(sheet, own=own, dismissed=tuple(off), orphans=tuple(orphans)).with_cues(on.values())


def _check_preset(maker: Maker, entry: CueEntry) -> None:
    """Raises the fault of an entry whose preset is not there; that cue has its place all the same."""
    if entry.preset is not None:
        maker.presets.find(entry.preset)


def _moved_spots(entries: Iterable[CueEntry], spots: Sequence[Spot], notes: Notes) -> dict[str, Spot]:
    """By entry id: the spot that shows what the entry's did when it was saved, wherever it lies now."""
    waiting: dict[str, list[Spot]] = {}
    for spot in spots:
        waiting.setdefault(spot_key(spot), []).append(spot)
    found: dict[str, Spot] = {}
    for entry in entries:
        mark = notes.spots.get(entry.id)
        same = waiting.get(mark.key, []) if mark else []
        if mark and same:
            best = min(same, key=lambda spot: abs(spot.record.start - mark.record.start))
            same.remove(best)
            found[entry.id] = best
    return found


def _place(
    maker: Maker,
    entry: CueEntry,
    spots: Sequence[Spot],
    cue_file: CueFile,
    *,
    mark: SpotMark | None,
    at: Spot | None,
) -> tuple[Cue, Spot]:
    """The cue of an entry and the spot that it answers."""
    kept = _handles(entry, mark)
    if at is not None and kept is not None:
        span = TimeSpan(at.record.start - kept[0], at.record.end + kept[1])
        moved = replace(entry, source=at.source_name, start=span.start, end=span.end)
        return maker.cue(moved, [replace(at, id=entry.id)], cue_file), at
    cue = maker.cue(entry, spots, cue_file)
    spot = _own_spot(cue, spots)
    if kept is not None and mark is not None and spot.record != mark.record:  # trimmed on the timeline
        span = TimeSpan(spot.record.start - kept[0], spot.record.end + kept[1])
        cue = replace(cue, spot=replace(cue.spot, record=span))
    return cue, spot


def _handles(entry: CueEntry, mark: SpotMark | None) -> tuple[Fraction, Fraction] | None:
    """Seconds before and after its spot that the entry asks for; None when it has times of its own."""
    if mark is None or entry.start is None or entry.end is None:
        return None
    before, after = mark.record.start - entry.start, entry.end - mark.record.end
    fits = all(0 <= handle <= MAX_HANDLE for handle in (before, after))
    return (before, after) if fits else None


def _without_handles(entry: CueEntry, notes: Notes) -> CueEntry:
    """The entry at the place of its spot."""
    mark = notes.spots.get(entry.id)
    if mark is None or _handles(entry, mark) is None:
        return entry
    return replace(entry, start=mark.record.start, end=mark.record.end)


def _own_spot(cue: Cue, spots: Sequence[Spot]) -> Spot:
    """The spot behind a cue: of its source and pictures, with most overlap."""

    def shared(spot: Spot) -> Fraction:
        common = spot.record.intersect(cue.spot.record)
        return common.duration if common else Fraction(0)

    same = [
        spot
        for spot in spots
        if (spot.source_name, spot.picture) == (cue.spot.source_name, cue.spot.picture) and shared(spot)
    ]
    return max(same, key=shared, default=cue.spot)


def free_id(taken: set[str]) -> str:
    """The first number that no cue has; it is taken from then on."""
    number = 1
    while f"{number:03}" in taken:
        number += 1
    taken.add(f"{number:03}")
    return f"{number:03}"


def with_id(cue: Cue, cue_id: str) -> Cue:
    """The cue under another id."""
    return replace(cue, spot=replace(cue.spot, id=cue_id))
