"""Shown clips as `ClipSource` values, each made once, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.cues import ClipSource, MediaSource
from plugin.timeline.flattening import Shown
from plugin.timeline.references import Reference, is_there, read_reference

NOT_THERE = "is not there"
"""What is said of media that may come back or be found elsewhere while a timeline is open."""

_RELINK = "Relink it in the editing program, or put the file where the timeline expects it."


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps a clip from being used: a sentence that names it, and the remedy."""

    subject: str
    message: str
    remedy: str


@dataclass(slots=True)
class Sources:
    """Clip sources by clip; media are looked for on disk once each.

    Attributes:
        folder: where relative references start.
    """

    folder: Path
    _made: dict[tuple[int, str], tuple[ClipSource, tuple[Trouble, ...]]] = field(default_factory=dict)
    _there: dict[MediaSource, bool] = field(default_factory=dict)

    def of(self, shown: Shown) -> tuple[ClipSource, tuple[Trouble, ...]]:
        """The clip's source over its whole shown range, and what is wrong with it."""
        key = (id(shown), "")
        if key not in self._made:
            reference = read_reference(shown.item.media_reference, folder=self.folder)
            self._made[key] = self._source(shown, reference, shown.source.local, "clip")
        return self._made[key]

    def of_matte_reference(self, shown: Shown, key: str) -> tuple[ClipSource, tuple[Trouble, ...]]:
        """The source of a matte that hangs on a picture clip as a second media reference."""
        if (id(shown), key) not in self._made:
            references = shown.item.media_references()
            matte = read_reference(references[key], folder=self.folder)
            picture = read_reference(shown.item.media_reference, folder=self.folder)
            start = _matte_start(shown, matte, picture)
            self._made[id(shown), key] = self._source(shown, matte, start, f"matte {key!r} of the clip")
        return self._made[id(shown), key]

    def _source(
        self, shown: Shown, reference: Reference, start: Fraction, what: str
    ) -> tuple[ClipSource, tuple[Trouble, ...]]:
        source = ClipSource(
            media=reference.media,
            record=shown.record,
            source_start=start,
            speed=shown.source.speed,
            available=reference.available,
            clip_name=shown.name,
            track_name=shown.track_name,
            rate=reference.rate,
        )
        return source, tuple(self._troubles(shown, reference, what))

    def _troubles(self, shown: Shown, reference: Reference, what: str) -> list[Trouble]:
        named = f"The {what} {shown.name!r}" + (f" on {shown.track_name!r}" if shown.track_name else "")
        found = []
        if shown.fault:
            remedy = "Render the clip with its speed change in the editing program and use that file."
            found.append(Trouble(shown.name, f"{named} {shown.fault}.", remedy))
        if reference.media is None:
            found.append(Trouble(shown.name, f"{named}: its media {reference.fault}.", _RELINK))
        elif not self._is_there(reference.media):
            message = f"{named}: its media {_place(reference.media)} {NOT_THERE}."
            found.append(Trouble(shown.name, message, _RELINK))
        return found

    def _is_there(self, media: MediaSource) -> bool:
        if media not in self._there:
            self._there[media] = is_there(media)
        return self._there[media]


def _place(media: Any) -> str:
    path = getattr(media, "path", None)
    return str(path if path is not None else media.folder / media.name)


def _matte_start(shown: Shown, matte: Reference, picture: Reference) -> Fraction:
    """Matte time at the clip's first shown frame.

    A matte that shares the picture's count is read at the same time; one with a count of its own is
    taken as frame for frame with the picture's media.
    """
    start = shown.source.local
    if matte.available is not None and matte.available.start <= start <= matte.available.end:
        return start
    if picture.available is None:
        return start
    offset = matte.available.start if matte.available is not None else Fraction(0)
    return start - picture.available.start + offset
