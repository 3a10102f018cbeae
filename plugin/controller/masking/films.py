"""The film of a mask session, opened when its first frame is asked for: for the screen, or for makers."""

from __future__ import annotations

from fractions import Fraction

from plugin.masks.documents import Film
from plugin.masks.footage import SourceFrames
from plugin.masks.makers import Picture
from plugin.masks.shot_changes import Thumbnail
from plugin.media.stills import Size, StillReader


class ScreenFrames:
    """Frames no larger than they are shown; for one thread."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._reader: StillReader | None = None

    def picture(self, frame: int, *, limit: Size) -> Picture:
        """RGB `[height, width, 3]`, upright, within `limit`.

        Raises:
            MediaMissing: the film is gone.
            UndecodableMedia: the frame cannot be decoded.
        """
        if self._reader is None:
            self._reader = StillReader.open(self._film.media)
        return self._reader.picture(Fraction(2 * frame + 1, 2) / self._film.rate, limit=limit)

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None


class MakersFrames:
    """Frames at full size, as makers of masks ask for them; for one thread."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._frames: SourceFrames | None = None

    def picture(self, frame: int) -> Picture:
        """RGB `[height, width, 3]`, upright.

        Raises:
            MediaMissing: the film is gone.
            UndecodableMedia: the frame cannot be decoded.
        """
        return self._opened().picture(frame)

    def thumbnail(self, frame: int) -> Thumbnail:
        """Luma of a frame, very small."""
        return self._opened().thumbnail(frame)

    def close(self) -> None:
        """Let go of the file."""
        if self._frames is not None:
            self._frames.close()
        self._frames = None

    def _opened(self) -> SourceFrames:
        if self._frames is None:
            self._frames = SourceFrames.open(self._film.media)
        return self._frames
