"""A matte of the command line onto a timeline: over every clip that shows its video."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from plugin.cues import MediaSource
from plugin.errors import UsageError
from plugin.filehost import FileHost
from plugin.hosts import Conflict, Flavour, MattePiece, PlacedMatte
from plugin.masks.matte_files import MatteFile
from plugin.opening import OpenTimeline
from plugin.timeline.film_uses import FilmUse, uses_of
from plugin.timeline.reading import media_folder


@dataclass(frozen=True, slots=True)
class Placing:
    """A timeline that a matte is wanted on.

    Attributes:
        opened: the timeline.
        uses: every visible piece of the video on it, at least one.
        host: writes the new timeline.
    """

    opened: OpenTimeline
    uses: tuple[FilmUse, ...]
    host: FileHost

    @classmethod
    def open(
        cls, timeline: Path, media: MediaSource, *, rate: Fraction, packages: Path, flavour: Flavour
    ) -> Placing:
        """The timeline in a file.

        Args:
            timeline: OTIO, OTIOZ, EDL, XML or AAF.
            media: the video.
            rate: its frames per second.
            packages: where packages are unpacked.
            flavour: who reads the new timeline.

        Raises:
            UnreadableTimeline: it is none.
            UsageError: it does not show the video.
        """
        opened = OpenTimeline.read(timeline, unpack_into=packages)
        uses = uses_of(opened.document, media, rate=rate, folder=media_folder(opened.source))
        if not uses:
            raise UsageError(
                f"{timeline.name} shows no frame of {media.name}.",
                remedy="Give the video that a visible clip of the timeline refers to.",
            )
        host = FileHost.of(opened, folder=opened.source.parent, flavour=flavour)
        return cls(opened, uses, host)

    @property
    def shown(self) -> tuple[int, int]:
        """First and last frame of the video that the timeline shows."""
        ends = [use.frames for use in self.uses]
        return min(first for first, _ in ends), max(last for _, last in ends)

    def place(self, matte: MatteFile, *, label: str, prompts: Path) -> tuple[PlacedMatte, ...]:
        """Lays the matte over every clip that shows frames of it.

        Raises:
            UsageError: no clip does.
            OutputError: the new timeline cannot be written.
        """
        last = matte.first + matte.frames - 1
        spans = [(use, use.seen_of(matte.first, last)) for use in self.uses]
        pieces = [
            MattePiece(
                label=label,
                path=matte.path,
                rate=matte.rate,
                frames=matte.frames,
                first=matte.first,
                start=use.first_frame(span.start),
                record=span,
                prompts=prompts,
            )
            for use, span in spans
            if span is not None
        ]
        if not pieces:
            raise UsageError(
                f"{self.opened.path.name} shows none of the frames {matte.first} to {last}.",
                remedy="Choose a --range that the timeline shows; the matte itself is written.",
            )
        placed = (self.host.place_matte(piece, conflict=Conflict.REPLACE) for piece in pieces)
        return tuple(one for one in placed if one is not None)
