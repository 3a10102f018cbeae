"""Where a timeline lives: an OTIO file on disk, or a running editor. One protocol for both.

A host gives a snapshot of its timeline as an OTIO file and takes finished stem pieces and mattes back. It
only ever adds: whatever it holds that is not ours stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Protocol, runtime_checkable

from plugin.timebase import STEM_RATE, TimeSpan, span_samples

TRACK_PREFIX = "FOLEY "
"""Every audio track that we add is named `FOLEY <label>`."""

MASK_PREFIX = "MASK "
"""Every video track that we add for a matte is named `MASK <label>`; spotting finds it by that name."""


class Conflict(StrEnum):
    """What happens where an earlier placement of ours is on the timeline already."""

    NEW_TRACK = "new-track"
    """Everything goes to further tracks; the earlier ones stay."""
    REPLACE = "replace"
    """The earlier ones give way."""
    SKIP = "skip"
    """What already sounds there stays, and only the other pieces are added."""


class Flavour(StrEnum):
    """Which reader a written timeline is for."""

    GENERIC = "generic"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class HostInfo:
    """What a host is and what it can do.

    Attributes:
        kind: "file" or "resolve".
        name: for people ("DaVinci Resolve Studio", or the file's name).
        version: the program's version, "" for a file.
        timeline_name: the timeline that is open.
        moves_playhead: whether `Host.show` does anything.
        project: the project that the timeline belongs to, "" for a file.
    """

    kind: str
    name: str
    version: str
    timeline_name: str
    moves_playhead: bool
    project: str = ""


@dataclass(frozen=True, slots=True)
class StemPiece:
    """One chosen take, ready to be placed.

    Attributes:
        cue_id: the cue that it answers.
        label: the object's word; pieces of one label share a track.
        path: the WAV file, absolute.
        record: where it belongs, absolute seconds.
        channels: audio channels of the file.
        facts: name and value of what else travels with it (prompt, seed, licence, ...).
    """

    cue_id: str
    label: str
    path: Path
    record: TimeSpan
    channels: int = 1
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def samples(self) -> int:
        """Exact length of the file at 48 kHz."""
        return span_samples(self.record)

    @property
    def track_name(self) -> str:
        """The track it goes to."""
        return TRACK_PREFIX + self.label


@dataclass(frozen=True, slots=True)
class PlacedPiece:
    """A stem piece as the host showed it when it was read back.

    Attributes:
        piece: what was asked for.
        track_name: the track it lies on.
        record_start: absolute seconds, as read back.
    """

    piece: StemPiece
    track_name: str
    record_start: Fraction

    @property
    def error_samples(self) -> Fraction:
        """Distance from the asked-for position in samples of 48 kHz; 0 is right."""
        return (self.record_start - self.piece.record.start) * STEM_RATE


@dataclass(frozen=True, slots=True)
class MattePiece:
    """A finished matte, ready to be placed over the picture that it was made from.

    The matte shows its source frame for frame, usually with handles around what is placed: its picture
    number `start - first` lies at the beginning of `record`.

    Attributes:
        label: the object's word, which becomes the prompt ("violin", or "violin | not trumpet").
        path: absolute; a folder of PNG pictures numbered without gaps (nothing else in it), or a movie.
        rate: frames per second of the matte, as of its source.
        frames: how many it has, handles and all.
        first: the source frame that its first picture shows; source frames count from 0.
        start: the source frame that is shown at the beginning of `record`.
        record: where it belongs, absolute seconds; begins and ends on frames of the timeline.
        prompts: the document that it can be made from again, None for none.
    """

    label: str
    path: Path
    rate: Fraction
    frames: int
    first: int
    start: int
    record: TimeSpan
    prompts: Path | None = None

    @property
    def is_sequence(self) -> bool:
        """Whether it is a folder of pictures."""
        return self.path.is_dir()

    @property
    def head(self) -> int:
        """Pictures before the one that is shown first."""
        return self.start - self.first

    @property
    def track_name(self) -> str:
        """The track it goes to."""
        return MASK_PREFIX + self.label


@dataclass(frozen=True, slots=True)
class PlacedMatte:
    """A matte as the host showed it when it was read back.

    Attributes:
        piece: what was asked for.
        track_name: the disabled video track it lies on.
        record: where it lies, absolute seconds, as read back.
    """

    piece: MattePiece
    track_name: str
    record: TimeSpan


@dataclass(frozen=True, slots=True)
class Removal:
    """What `Host.remove` took away.

    Attributes:
        tracks: names of the tracks that are gone.
        pieces: how many stem pieces are gone.
        left: what is ours but stayed, and why, whole sentences (the editor moved or trimmed it).
    """

    tracks: tuple[str, ...] = ()
    pieces: int = 0
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a timeline that the editor points at.

    Attributes:
        marked: from the in point to the out point, absolute seconds; None when not both are set.
        selected: where the selected clips lie, absolute seconds; empty when none is selected or the host
            does not tell.
    """

    marked: TimeSpan | None = None
    selected: tuple[TimeSpan, ...] = ()


@runtime_checkable
class Host(Protocol):
    """A place that holds one timeline.

    Every method raises a `plugin.errors.HostError` (or `OutputError` for a file) when the host
    refuses; nothing of the editor's own is touched then.
    """

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last of the methods below had to say beside its result, whole sentences."""
        ...

    def info(self) -> HostInfo:
        """What this host is, and which timeline is open."""
        ...

    def snapshot(self, folder: Path) -> Path:
        """An OTIO file of the timeline as it is now, written to `folder` unless the host is a file."""
        ...

    def scope(self) -> Scope:
        """What the editor has marked and selected, where the host tells."""
        ...

    def place(
        self, pieces: Sequence[StemPiece], *, conflict: Conflict = Conflict.REPLACE
    ) -> tuple[PlacedPiece, ...]:
        """Add the pieces on tracks of ours, read them back and return them.

        Args:
            pieces: the chosen takes.
            conflict: what becomes of earlier ones of ours; pieces that are skipped are not returned.
        """
        ...

    def place_matte(self, piece: MattePiece, *, conflict: Conflict = Conflict.REPLACE) -> PlacedMatte | None:
        """Lay a matte on a new, disabled video track of ours above all others, and read it back.

        The track's name is `piece.track_name`, also where another has it: the name is the prompt.

        Args:
            piece: the matte.
            conflict: what becomes of earlier mattes of ours with the same label in the same place;
                `SKIP` leaves them and gives None. Mattes that the editor laid there never give way.
        """
        ...

    def remove(self) -> Removal:
        """Take our last placement away again, in this run or a later one; only what is still ours.

        A placement is the stems of one `place`, or the matte of one `place_matte`.
        """
        ...

    def show(self, time: Fraction) -> None:
        """Move the playhead to an absolute time, where the host can."""
        ...
