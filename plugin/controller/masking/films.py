"""The film of a mask session: frames by number, full size for makers, smaller for the screen."""

from __future__ import annotations

from fractions import Fraction

from plugin.masks.documents import Film
from plugin.masks.makers import Picture
from plugin.masks.shot_changes import SIDE, Thumbnail, thumbnail
from plugin.media.stills import Size, StillReader

_SMALL = Size(8 * SIDE, 8 * SIDE)
"""Large enough that a thumbnail made of it is as good as one of the whole picture."""


class FilmReader:
    """Pictures of a film by number, opened at the first use; for one thread at a time."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._reader: StillReader | None = None

    def picture(self, frame: int) -> Picture:
        """RGB `[height, width, 3]`, upright, as large as the film.

        Raises:
            MediaMissing: the film is gone.
            UndecodableMedia: the frame cannot be decoded.
        """
        return self.still(frame, limit=Size(self._film.width, self._film.height))

    def still(self, frame: int, *, limit: Size) -> Picture:
        """The same, no larger than `limit`."""
        if self._reader is None:
            self._reader = StillReader.open(self._film.media)
        return self._reader.picture(Fraction(2 * frame + 1, 2) / self._film.rate, limit=limit)

    def thumbnail(self, frame: int) -> Thumbnail:
        """Luma of a frame, very small."""
        return thumbnail(self.still(frame, limit=_SMALL))

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None
