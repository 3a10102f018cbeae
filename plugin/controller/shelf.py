"""The takes of a stem folder by the cue they answer, and whether each is what its cue asks for today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from plugin.cues import ClipSource, Cue, Matte, Spot
from plugin.errors import MediaError
from plugin.render.provenance import take_identity
from plugin.render.stemfolder import TRASH
from plugin.render.takes import Take, find_takes
from plugin.timebase import TimeSpan

K = TypeVar("K")

Pictures = tuple[TimeSpan, ClipSource | None, Matte | None]
"""What decides the pictures of a spot."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The takes that lie in the stem folder and its trash.

    Attributes:
        takes: by name.
    """

    takes: Mapping[str, Take] = field(default_factory=dict)
    _by_id: Mapping[str, tuple[Take, ...]] = field(default_factory=dict)
    _by_place: Mapping[tuple[str, TimeSpan], tuple[Take, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, *, timeline: str) -> Shelf:
        """The takes of that timeline in the folder and its trash."""
        found = (*find_takes(folder), *find_takes(folder / TRASH))
        return cls.of(take for take in found if take.timeline_name == timeline)

    @classmethod
    def of(cls, takes: Iterable[Take]) -> Shelf:
        """A shelf of these takes."""
        by_name = {take.name: take for take in takes}
        ordered = sorted(by_name.values(), key=lambda take: (take.created, take.name))
        by_id: dict[str, list[Take]] = defaultdict(list)
        by_place: dict[tuple[str, TimeSpan], list[Take]] = defaultdict(list)
        for take in ordered:
            spot = take.cue.spot
            by_id[spot.id].append(take)
            by_place[spot.label.casefold(), spot.record].append(take)
        return cls(by_name, _frozen(by_id), _frozen(by_place))

    def with_takes(self, takes: Iterable[Take]) -> Shelf:
        """The same with takes added."""
        return Shelf.of((*self.takes.values(), *takes))

    def of_cue(self, cue: Cue) -> tuple[Take, ...]:
        """The takes of a cue, oldest first: of its id and source where they overlap it, or of its place."""
        spot = cue.spot
        named = [
            take
            for take in self._by_id.get(cue.id, ())
            if take.cue.spot.source_name == spot.source_name and take.cue.spot.record.intersect(spot.record)
        ]
        placed = self._by_place.get((spot.label.casefold(), spot.record), ())
        if not placed or set(_names(placed)) <= set(_names(named)):
            return tuple(named)
        both = {take.name: take for take in (*named, *placed)}
        return tuple(sorted(both.values(), key=lambda take: (take.created, take.name)))


def _names(takes: Iterable[Take]) -> Iterator[str]:
    return (take.name for take in takes)


def _frozen(lists: Mapping[K, list[Take]]) -> dict[K, tuple[Take, ...]]:
    return {key: tuple(takes) for key, takes in lists.items()}


def pictures_of(spot: Spot) -> Pictures:
    """What decides the pictures of a spot; the key of its footage's fingerprint."""
    return (spot.record, spot.picture, spot.matte)


def read_footage(spots: Iterable[Spot], wanted: Callable[[], bool]) -> dict[Pictures, str]:
    """Fingerprints of the footage of spots; "" where the media cannot be read. Slow: files are read.

    Args:
        spots: whose.
        wanted: asked before each; False ends it early.
    """
    from plugin.render.footage import ClipFootage  # noqa: PLC0415 (PyAV only when pictures are needed)

    prints: dict[Pictures, str] = {}
    for spot in spots:
        if not wanted():
            break
        try:
            with ClipFootage.open(spot) as footage:
                prints[pictures_of(spot)] = footage.fingerprint
        except MediaError:
            prints[pictures_of(spot)] = ""
    return prints


def outdated(take: Take, cue: Cue, *, timeline: str, bundle: str, footage: str | None) -> str:
    """Why a take is not what its cue asks for today, a sentence; "" when it is.

    Args:
        take: one of the cue's.
        cue: as it is today; the take's own seed counts as asked for.
        timeline: name of the cue sheet.
        bundle: digest of the bundle in use, "" when there is none to compare with.
        footage: fingerprint of the cue's footage; None while it is not known, "" when it cannot be.
    """
    reasons = list(_differences(take, cue, bundle))
    if reasons:
        return f"Made {_joined(reasons)}."
    if take.timeline_name != timeline:
        return "Made for another timeline."
    if not footage or not take.identity or not bundle:
        return ""
    same = replace(cue, seed=take.cue.seed)
    identity = take_identity(same, timeline_name=timeline, footage=footage, bundle_digest=bundle)
    return "" if identity == take.identity else "Made of other pictures: the media or the matte has changed."


def _differences(take: Take, cue: Cue, bundle: str) -> Iterator[str]:
    was = take.cue
    if was.spot.record != cue.spot.record:
        yield "for another place or length"
    if (was.prompt, was.negative_prompt) != (cue.prompt, cue.negative_prompt):
        yield "with other words"
    if was.spot.label != cue.spot.label:
        yield f"under the name '{was.spot.label}'"
    if was.steps != cue.steps:
        yield f"with {was.steps} steps"
    if was.guidance != cue.guidance:
        yield f"with guidance {was.guidance:g}"
    if was.resize != cue.resize:
        yield "with another way of resizing"
    if bundle and take.engine.bundle_digest != bundle:
        yield f"with another bundle ({take.engine.bundle_id})"


def _joined(reasons: list[str]) -> str:
    if len(reasons) == 1:
        return reasons[0]
    return f"{', '.join(reasons[:-1])} and {reasons[-1]}"
