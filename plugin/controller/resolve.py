"""DaVinci Resolve without a window: connected to, and the part of its timeline that the editor points at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from fractions import Fraction

from plugin.cues import Spot
from plugin.errors import HostNotRunning, UsageError
from plugin.hosts import Scope
from plugin.timebase import TimeSpan
from resolve_bridge.connecting import Connection, connect
from resolve_bridge.host import ResolveHost


class Within(StrEnum):
    """Which spots of Resolve's timeline are meant."""

    ALL = "all"
    MARKS = "marks"
    SELECTION = "selection"


@contextmanager
def reached() -> Iterator[Connection]:
    """The connection to Resolve, or the report of why there is none; let go of at the end."""
    connection = connect()
    try:
        yield connection
    finally:
        if connection.channel is not None:
            connection.channel.close()


@contextmanager
def connected() -> Iterator[ResolveHost]:
    """The running Resolve, let go of at the end.

    Raises:
        HostNotRunning: no way to it works.
    """
    with reached() as connection:
        yield host_of(connection)


def host_of(connection: Connection) -> ResolveHost:
    """The host behind a connection.

    Raises:
        HostNotRunning: there is none; remedy and detail are those of the way that is nearest to working.
    """
    try:
        return ResolveHost.of(connection.required())
    except HostNotRunning as error:
        detail = "\n  ".join((error.detail, *connection.by_hand.lines())).strip()
        raise HostNotRunning(error.message, remedy=error.remedy, detail=detail) from None


def spots_within(spots: Sequence[Spot], scope: Scope, within: Within, *, rate: Fraction) -> tuple[str, ...]:
    """Ids of the spots that are meant.

    A spot counts when it shares more than one frame with the range: whether an out point belongs to it
    is not the same everywhere.

    Raises:
        UsageError: nothing is marked or selected, or no spot lies there.
    """
    if within is Within.ALL:
        return tuple(spot.id for spot in spots)
    spans = _spans(scope, within)
    frame = 1 / rate
    found = tuple(spot.id for spot in spots if any(_shared(spot.record, span) > frame for span in spans))
    if spots and not found:
        where = "between the in and out points" if within is Within.MARKS else "under the selected clips"
        raise UsageError(
            f"Nothing {where} in Resolve asks for sound.",
            remedy="Mark another part, or leave `--within` out to take the whole timeline.",
        )
    return found


def _spans(scope: Scope, within: Within) -> tuple[TimeSpan, ...]:
    if within is Within.MARKS:
        if scope.marked is None:
            raise UsageError(
                "In Resolve, in and out points are not both set.",
                remedy="Set them with I and O on the Edit page, or leave `--within` out.",
            )
        return (scope.marked,)
    if not scope.selected:
        raise UsageError(
            "In Resolve no clip is selected, or this version does not tell.",
            remedy="Select clips on the Edit page (Resolve 21.0.4 and later), or use `--within marks`.",
        )
    return scope.selected


def _shared(one: TimeSpan, other: TimeSpan) -> Fraction:
    common = one.intersect(other)
    return common.duration if common else Fraction(0)
