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


def _open_matte(spot: Spot) -> _Side | None:
    if spot.matte is None:
        return None
    clip, source = media_of(spot.matte.clip, spot=spot, kind="matte")
    reader = StillReader.open(source, channel=spot.matte.channel)
    return _Side(reader, clock_of(clip, reader.info), reach_of(clip, spot.record))


def media_stamps(spot: Spot) -> tuple[Stamp, ...]:
    """Size and time of last change of the spot's picture and matte, `GONE` where nothing is."""
    clips: tuple[ClipSource | None, ...] = (spot.picture, spot.matte.clip if spot.matte else None)
    return tuple(_stamp(clip.media) for clip in clips if clip is not None and clip.media is not None)


def _stamp(source: MediaSource) -> Stamp:
    path = source.path_of(source.first) if isinstance(source, ImageSequence) else source.path
    try:
        status = path.stat()
    except (OSError, ValueError):
        return GONE
    return (status.st_size, status.st_mtime_ns)
