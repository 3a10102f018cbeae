"""What a tracker writes down on its way, so that work that was killed goes on and does not begin again."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from plugin.errors import OutputError
from plugin.masks.makers import Tracker

Note = Mapping[str, npt.NDArray[Any]]
"""Arrays by name; what is read is what was written, to the last bit."""


class Notes(Protocol):
    """Notes of one call of `Tracker.track`, kept for the same call made again."""

    def read(self, name: str) -> Note | None:
        """What was written last under a name; None where there is nothing, or it is damaged."""

    def write(self, name: str, note: Note) -> None:
        """Writes it down, whole or not at all; work does not stop for want of notes."""


@runtime_checkable
class NotingTracker(Protocol):
    """A tracker that can take notes."""

    def noting(self, notes: Notes) -> Tracker:
        """The same tracker, which writes down where it is after every few frames.

        Called again with the same notes, frames, keyframes and range it goes on from there. Frames that it
        had told before the last note are not told again; all others come out as they would have.
        """


@dataclass(frozen=True, slots=True)
class Forgetful:
    """Notes that are not kept."""

    def read(self, _name: str) -> Note | None:
        """Nothing."""
        return None

    def write(self, _name: str, _note: Note) -> None:
        """Does nothing."""


class NoteShelf(Protocol):
    """Where bytes are kept by key and name; see `plugin.masks.results.MaskStore`."""

    def note(self, key: str, name: str) -> bytes | None:
        """What lies there; None where nothing does."""

    def store_note(self, key: str, name: str, data: bytes) -> None:
        """Puts it there, whole or not at all.

        Raises:
            OutputError: the disk is full or refuses.
        """


@dataclass(frozen=True, slots=True)
class KeptNotes:
    """Notes on a shelf, under the key of what is tracked.

    Attributes:
        shelf: where they lie.
        key: says what decides the masks.
    """

    shelf: NoteShelf
    key: str

    def read(self, name: str) -> Note | None:
        """See `Notes`."""
        data = self.shelf.note(self.key, name)
        return None if data is None else _unpacked(data)

    def write(self, name: str, note: Note) -> None:
        """See `Notes`."""
        with suppress(OutputError):
            self.shelf.store_note(self.key, name, _packed(note))


_LAYOUT = b"SGN1"


def _packed(note: Note) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **dict(note))
    data = file.getvalue()
    return _LAYOUT + zlib.crc32(data).to_bytes(4, "big") + data


def _unpacked(data: bytes) -> Note | None:
    head, body = data[:8], data[8:]
    if head != _LAYOUT + zlib.crc32(body).to_bytes(4, "big"):
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}
