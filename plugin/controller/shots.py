"""What is on screen of one spot at a record time: its picture and its matte."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Self

from plugin.cues import ClipSource, ImageSequence, MediaSource, Spot
from plugin.errors import MediaError
from plugin.media.picking import Pick, Picture
from plugin.media.stills import Size, StillReader
from plugin.render.clocks import ANYWHERE, MediaClock, Reach, clock_of, media_of, reach_of

Stamp = tuple[int, int]
GONE: Stamp = (-1, -1)
"""Of a file that is not there."""


@dataclass(slots=True)
class _Side:
    """The picture or the matte, open."""

    reader: StillReader
    clock: MediaClock
    reach: Reach

    @property
    def pick(self) -> Pick:
        return Pick.REVERSE if self.clock.clip.speed < 0 else Pick.SCREEN

    def file_time(self, record_time: Fraction) -> Fraction:
        return self.clock.file_time(self.reach.held(record_time))


class Shot:
    """A spot's media, open for one thread; make it with `open`.

    Attributes:
        spot: whose.
        matte_error: why the matte is not to be seen, None when it is, or when there is none.
    """

    def __init__(
        self, spot: Spot, *, picture: _Side, matte: _Side | None, matte_error: MediaError | None
    ) -> None:
        self.spot = spot
        self.matte_error = matte_error
        self._picture = picture
        self._matte = matte

    @classmethod
    def open(cls, spot: Spot) -> Shot:
        """The opened shot; a matte that cannot be opened leaves its error in `matte_error`.

        Raises:
            MediaMissing: there is no picture.
            UndecodableMedia: the picture cannot be decoded.
        """
        clip, source = media_of(spot.picture, spot=spot, kind="picture")
        reader = StillReader.open(source)
        picture = _Side(reader, clock_of(clip, reader.info), ANYWHERE)
        try:
            return cls(spot, picture=picture, matte=_open_matte(spot), matte_error=None)
        except MediaError as error:
            return cls(spot, picture=picture, matte=None, matte_error=error)
        except BaseException:
            reader.close()
            raise

    def moved_to(self, spot: Spot) -> Shot | None:
        """The same open files for another spot, which takes them over; None where its files are others."""
        picture = _moved(self._picture, spot.picture)
        if picture is None or self.matte_error is not None:
            return None
        before, now = self.spot.matte, spot.matte
        if self._matte is None or before is None or now is None:
            both_bare = self._matte is None and now is None
            return Shot(spot, picture=picture, matte=None, matte_error=None) if both_bare else None
        matte = _moved(self._matte, now.clip)
        if matte is None or now.channel is not before.channel:  # another channel may need another decoder
            return None
        matte.reach = reach_of(now.clip, spot.record)
        return Shot(spot, picture=picture, matte=matte, matte_error=None)

    def shows(self, spot: Spot) -> bool:
        """Whether the open files are those of this spot."""
        return _files(spot) == _files(self.spot)

    @property
    def size(self) -> Size:
        """Of the upright picture as it is stored."""
        return self._picture.reader.size

    def picture(self, time: Fraction, *, limit: Size) -> Picture:
        """RGB `[h, w, 3]` on screen at an absolute record time, within `limit`.

        Raises:
            MediaError: it cannot be shown.
        """
        side = self._picture
        return side.reader.picture(side.file_time(time), pick=side.pick, limit=limit)

    def mask(self, time: Fraction, *, size: Size) -> Picture | None:
        """The matte at that time, uint8 `[h, w]` of `size`; None without one.

        Raises:
            MediaError: it cannot be shown.
        """
        side, matte = self._matte, self.spot.matte
        if side is None or matte is None:
            return None
        return side.reader.mask(
            side.file_time(time), pick=side.pick, size=size, channel=matte.channel, invert=matte.invert
        )

    def close(self) -> None:
        """Lets go of the files."""
        self._picture.reader.close()
        if self._matte is not None:
            self._matte.reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _moved(side: _Side, clip: ClipSource | None) -> _Side | None:
    """The same file under another clip; None where it is another file."""
    if clip is None or clip.media is None or clip.media != side.reader.source:
        return None
    return _Side(side.reader, clock_of(clip, side.reader.info), ANYWHERE)


def _open_matte(spot: Spot) -> _Side | None:
    if spot.matte is None:
        return None
    clip, source = media_of(spot.matte.clip, spot=spot, kind="matte")
    reader = StillReader.open(source, channel=spot.matte.channel)
    return _Side(reader, clock_of(clip, reader.info), reach_of(clip, spot.record))


class OpenShot:
    """One shot kept open for one thread: the next spot of the same files need not open them again."""

    def __init__(self) -> None:
        self._shot: Shot | None = None
        self._stamps: tuple[Stamp, ...] = ()

    def has_changed(self, spot: Spot) -> bool:
        """Whether the files of this spot are the open ones, but were written anew or went away since."""
        shot = self._shot
        return shot is not None and shot.shows(spot) and media_stamps(spot) != self._stamps

    def shot_of(self, spot: Spot) -> Shot:
        """The shot of a spot, open.

        Raises:
            MediaError: there is no picture.
        """
        if self.has_changed(spot):
            self.close()
        if self._shot is None or self._shot.spot != spot:
            moved = self._shot.moved_to(spot) if self._shot else None
            if moved is None:
                self.close()
                self._stamps = media_stamps(spot)
                moved = Shot.open(spot)
            self._shot = moved
        return self._shot

    def close(self) -> None:
        """Lets go of the files."""
        if self._shot is not None:
            self._shot.close()
        self._shot = None


def media_stamps(spot: Spot) -> tuple[Stamp, ...]:
    """Size and time of last change of the spot's picture and matte, `GONE` where nothing is."""
    return tuple(_stamp(source) for source in _files(spot) if source is not None)


def _files(spot: Spot) -> tuple[MediaSource | None, MediaSource | None]:
    """Of the picture and of the matte."""
    picture = spot.picture.media if spot.picture else None
    return picture, spot.matte.clip.media if spot.matte else None


def _stamp(source: MediaSource) -> Stamp:
    path = source.path_of(source.first) if isinstance(source, ImageSequence) else source.path
    try:
        status = path.stat()
    except (OSError, ValueError):
        return GONE
    return (status.st_size, status.st_mtime_ns)
