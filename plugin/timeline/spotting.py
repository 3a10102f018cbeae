"""Where a timeline asks for sound: spots, and everything that is wrong, said before any rendering.

1. Each matte clip on a mask track is one spot per picture that it covers. Mask tracks may be disabled.
2. Each marker `FOLEY ...` is one spot per picture that it covers; its matte is the matte reference of
   the picture, else with `use_alpha` the picture's alpha, else the whole frame sounds.
3. A media reference of a picture clip whose key is `mask`, `matte`, `MASK violin`, ... is its matte.
4. Metadata `role = "alpha"` on a picture clip makes its alpha channel the matte; `use_alpha` does so
   for every visible picture that has no other spot and whose file format can hold alpha.

How names and metadata are read is in `plugin.timeline.wishes`; the choices behind all this are in
docs/adr/0003-placing.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.cues import Problem, Severity, Spot
from plugin.timebase import TimeSpan
from plugin.timeline.clock import Clock, clock_of
from plugin.timeline.drafts import Draft, DraftFinder
from plugin.timeline.flattening import Fault, flatten
from plugin.timeline.pictures import Pictures
from plugin.timeline.sources import Sources, Trouble

_FIX_ITEM = "Correct or remove it in the editing program and export the timeline again."


@dataclass(frozen=True, slots=True)
class Spotting:
    """What a timeline asks for.

    Attributes:
        name: the timeline's name.
        rate: frames per second.
        drop_frame: how its timecode is printed.
        record: its extent, absolute seconds.
        spots: in record order, then track order.
        problems: of spots (with their ids) and of the timeline.
        notes: what had to be assumed, whole sentences.
    """

    name: str
    rate: Fraction
    drop_frame: bool
    record: TimeSpan
    spots: tuple[Spot, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def find_spots(
    timeline: Any,
    *,
    folder: Path,
    use_alpha: bool = False,
    mask_tracks: Mapping[int, str] | None = None,
    drop_frame: bool | None = None,
) -> Spotting:
    """Everything on a timeline that asks for sound, and everything that is wrong with it.

    Args:
        timeline: an OTIO Timeline; it is not changed.
        folder: the folder that relative media references start from (the timeline's own).
        use_alpha: take alpha channels as mattes (rules 2 and 4).
        mask_tracks: video tracks that hold mattes whatever their names say: track number, 1 the
            lowest, to words such as `violin | not trumpet`.
        drop_frame: how timecode is counted, where the caller knows.

    Raises:
        UsageError: `mask_tracks` names a track that is not there.
    """
    clock = clock_of(timeline, drop_frame=drop_frame)
    flattened = flatten(timeline, clock, mask_tracks=mask_tracks)
    pictures, sources = Pictures.of(flattened.shown), Sources(folder)
    finder = DraftFinder(flattened, clock, pictures, sources, use_alpha)
    drafts = sorted(finder.find(), key=lambda one: (one.record.start, one.layer, one.record.end))
    numbered = [(f"{number:03}", draft) for number, draft in enumerate(drafts, 1)]
    spots = tuple(_spot(number, draft, sources) for number, draft in numbered)
    problems = (
        *_before_midnight(clock),
        *_general(flattened.faults, finder.general),
        *(problem for number, draft in numbered for problem in _problems(number, draft)),
        *_overlaps(spots),
    )
    return Spotting(
        name=timeline.name or "timeline",
        rate=clock.rate,
        drop_frame=clock.drop_frame,
        record=flattened.record,
        spots=spots,
        problems=problems,
        notes=clock.notes,
    )


def _spot(number: str, draft: Draft, sources: Sources) -> Spot:
    return Spot(
        id=number,
        record=draft.record,
        label=draft.wish.stem_label,
        prompt=draft.wish.words,
        negative_prompt=draft.wish.negative,
        picture=sources.of(draft.picture)[0] if draft.picture else None,
        matte=draft.matte,
        origin=draft.origin,
        source_name=draft.source_name,
    )


def _before_midnight(clock: Clock) -> Iterator[Problem]:
    """A start below zero: timecode and the time stamp in a Broadcast WAV count from midnight."""
    if clock.start < 0:
        begins = f"The timeline begins {float(-clock.start):g} s before 00:00:00:00"
        stamp = "a Broadcast WAV cannot say so (its TimeReference is never negative)"
        message = f"{begins}; {stamp}: stems from there are stamped 00:00:00:00."
        remedy = "Give the timeline a start timecode of 00:00:00:00 or later and export it again."
        yield Problem(Severity.WARNING, "", "start timecode", message, remedy)


def _general(faults: Iterable[Fault], troubles: Iterable[Trouble]) -> Iterator[Problem]:
    for fault in dict.fromkeys(faults):
        yield Problem(Severity.WARNING, "", fault.subject, fault.message, _FIX_ITEM)
    for trouble in troubles:
        yield Problem(Severity.WARNING, "", trouble.subject, trouble.message, trouble.remedy)


def _problems(number: str, draft: Draft) -> Iterator[Problem]:
    for severity, trouble in dict.fromkeys(draft.findings):
        yield Problem(severity, number, trouble.subject, trouble.message, trouble.remedy)


def _overlaps(spots: tuple[Spot, ...]) -> Iterator[Problem]:
    """Spots of one label that sound at the same time: each gets its own track, and both are heard."""
    latest: dict[str, Spot] = {}
    for spot in spots:
        before = latest.get(spot.label.casefold())
        if before is not None and spot.record.start < before.record.end:
            message = f"Spots {before.id} and {spot.id} are both {spot.label!r} and overlap; both will sound."
            remedy = "Give one of them another name, or remove it, if only one is meant."
            yield Problem(Severity.WARNING, spot.id, spot.source_name, message, remedy)
        if before is None or spot.record.end > before.record.end:
            latest[spot.label.casefold()] = spot
