"""Onsets paired with events, one to one, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.evaluation.onsets import TOLERANCE, Times

NEAR_OWN = 0.15
"""Seconds around an event of the marked object in which another object's event is not judged."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many onsets were found, how many events there were, how many pairs; pairs' errors in seconds."""

    found: int = 0
    there: int = 0
    errors: Times = ()

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.found + other.found, self.there + other.there, self.errors + other.errors)

    @property
    def precision(self) -> float:
        """Share of the onsets that belong to an event."""
        return len(self.errors) / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of the events that have an onset."""
        return len(self.errors) / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 1 when nothing was there and nothing was found."""
        return 2 * len(self.errors) / (self.found + self.there) if self.found + self.there else 1.0


def match(found: Times, there: Times, *, tolerance: float = TOLERANCE) -> Counts:
    """As many pairs as possible, each time used once; errors are found minus there.

    Both ascending: taking the earliest partner that is near enough gives the largest number of pairs.
    """
    errors: list[float] = []
    index = 0
    for event in there:
        while index < len(found) and found[index] < event - tolerance:
            index += 1
        if index < len(found) and found[index] <= event + tolerance:
            errors.append(_nearest(found, index, event, tolerance) - event)
            index += 1
    return Counts(len(found), len(there), tuple(errors))


def _nearest(found: Times, index: int, event: float, tolerance: float) -> float:
    """The error is told of the nearest of those near enough, though the earliest is used up."""
    near = [one for one in found[index:] if one <= event + tolerance]
    return min(near, key=lambda one: abs(one - event))


def exclusive(others: Times, own: Times) -> Times:
    """Events of others that no event of one's own is near to."""
    return tuple(one for one in others if all(abs(one - mine) > NEAR_OWN for mine in own))


@dataclass(frozen=True, slots=True)
class Hits:
    """Events of others that could be judged, and those at which an onset was found."""

    judged: int = 0
    hit: int = 0

    def __add__(self, other: Hits) -> Hits:
        return Hits(self.judged + other.judged, self.hit + other.hit)

    @property
    def rate(self) -> float:
        """Share of them; 0 when none could be judged."""
        return self.hit / self.judged if self.judged else 0.0


def false_hits(found: Times, *, others: Times, own: Times, tolerance: float = TOLERANCE) -> Hits:
    """How many events of unmarked objects are heard."""
    judged = exclusive(others, own)
    hit = sum(any(abs(one - event) <= tolerance for one in found) for event in judged)
    return Hits(len(judged), hit)
