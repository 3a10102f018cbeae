"""Pictures of a film by frame number, for makers of masks.

Frame `n` is what is on screen at `(n + 1/2) / rate`: of a file with a constant rate its frame number `n`,
of one with a variable rate what an editor's timeline shows there. So a matte that has one picture for each
frame is in sync with the film, whatever the film is.
"""

from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction
from math import ceil
from types import TracebackType
from typing import Self

import av
import numpy as np

from plugin.cues import MediaSource
from plugin.errors import MediaError, UndecodableMedia
from plugin.masks.documents import Film
from plugin.masks.makers import Picture
from plugin.masks.shot_changes import Thumbnail, thumbnail
from plugin.media.fingerprint import fingerprint
from plugin.media.headers import MediaInfo
from plugin.media.movies import Movie
from plugin.media.picking import Cursor, Pick, Rule
from plugin.media.pixels import rgb_picture
from plugin.media.sequences import SequenceReader
from plugin.media.stills import Size, small_rgb
from plugin.media.video import open_frames

KEPT_BYTES = 256 << 20
"""Pictures that are held ready, in bytes: 40 frames of 1920 x 1080, two of 8K."""

_STILL_RATE = Fraction(25)
_FASTEST = 1000
_SMALL = Size(128, 128)


class SourceFrames:
    """Frames of a movie, an image or an image sequence; make it with `open`. For one thread.

    Going forward decodes on; going backward decodes a stretch at a time and holds it.
    """

    def __init__(self, source: MediaSource, reader: Movie | SequenceReader, *, count: int) -> None:
        self._source = source
        self._reader = reader
        self._cursor: Cursor | None = None
        self._kept: OrderedDict[int, Picture] = OrderedDict()
        self._latest = -1
        self.count = count
        """How many frames there are to be had."""

    @classmethod
    def open(cls, source: MediaSource) -> SourceFrames:
        """The opened film; its end is looked for by decoding its last frames.

        Raises:
            MediaMissing: nothing is there.
            UndecodableMedia: no picture can be decoded.
        """
        reader = open_frames(source)
        try:
            return cls(source, reader, count=_count(reader))
        except BaseException:
            reader.close()
            raise

    @property
    def info(self) -> MediaInfo:
        """What the film says about itself."""
        return self._reader.info

    @property
    def is_short(self) -> bool:
        """Whether the file ends before it says that it does: it was cut short, or not copied to its end."""
        extent = self._reader.extent()
        return not extent.complete and extent.stated is not None and extent.end < extent.stated

    @property
    def rate(self) -> Fraction:
        """Frames per second that numbers count by; a single picture gets 25."""
        return _rate(self.info)

    def film(self) -> Film:
        """The film as documents name it; its content is read once.

        Raises:
            UndecodableMedia: the file may not be read.
        """
        return Film(
            media=self._source,
            fingerprint=fingerprint(self._source),
            rate=self.rate,
            frames=self.count,
            width=self.info.width,
            height=self.info.height,
        )

    def picture(self, frame: int) -> Picture:
        """RGB `[height, width, 3]` uint8 of a frame, upright, read-only.

        Raises:
            UndecodableMedia: the film has no such frame, or it cannot be decoded.
        """
        if frame not in self._kept:
            self._require(frame)
            self._load(frame)
        self._latest = frame
        self._kept.move_to_end(frame)
        return self._kept[frame]

    def thumbnail(self, frame: int) -> Thumbnail:
        """What shots are told apart by; nothing is held.

        Raises:
            UndecodableMedia: the film has no such frame, or it cannot be decoded.
        """
        if frame in self._kept:
            return thumbnail(self._kept[frame])
        return thumbnail(small_rgb(self._decoded(frame), size=_SMALL, rotation=self.info.rotation))

    def close(self) -> None:
        """Lets go of the file."""
        self._reader.close()
        self._kept.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self, frame: int) -> None:
        """Takes a frame in, and where the way leads backward those before it that there is room for."""
        ahead = 0
        if frame == self._latest - 1:
            ahead = max(0, self._room() - 2)
        for number in range(max(0, frame - ahead), frame + 1):
            if number not in self._kept:
                picture = rgb_picture(self._decoded(number), rotation=self.info.rotation)
                picture.flags.writeable = False
                self._keep(number, picture)

    def _keep(self, frame: int, picture: Picture) -> None:
        while len(self._kept) >= self._room():
            self._kept.popitem(last=False)
        self._kept[frame] = picture

    def _room(self) -> int:
        return max(2, KEPT_BYTES // (self.info.width * self.info.height * 3))

    def _require(self, frame: int) -> None:
        if not 0 <= frame < self.count:
            raise self._unknown(frame)

    def _decoded(self, frame: int) -> av.VideoFrame:
        self._require(frame)
        time = Fraction(2 * frame + 1, 2) / self.rate
        if self._cursor is None:
            self._cursor = Cursor(self._reader, Rule(Pick.SCREEN, self._reader.tolerance))
        damaged = self._reader.damaged
        try:
            picked = self._cursor.move_to((time, None))
            loaded = picked.frame.load()
        except (MediaError, ValueError) as error:
            self._cursor = None
            raise self._undecodable(frame, str(error)) from error
        late = time - picked.frame.time > Fraction(3, 2) / self.rate
        if late and (self._reader.damaged > damaged or self._is_hole(picked.frame.end, time)):
            raise self._undecodable(frame, "")
        return loaded

    def _is_hole(self, end: Fraction, time: Fraction) -> bool:
        """Whether the frame before says of itself that it is over, in a file that is known to be damaged."""
        return self._reader.damaged > 0 and time >= end

    def _unknown(self, frame: int) -> UndecodableMedia:
        last = self.count - 1
        extent = self._reader.extent()
        short = "" if extent.complete else "; the file is cut short"
        return UndecodableMedia(
            f"{self._source.name} has no frame {frame}: its last one is {last}{short}.",
            remedy=f"Choose frames from 0 to {last}.",
        )

    def _undecodable(self, frame: int, detail: str) -> UndecodableMedia:
        return UndecodableMedia(
            f"Frame {frame} of {self._source.name} cannot be decoded.",
            remedy="Leave this frame out of the range, or export the film again.",
            detail=detail,
        )


def _rate(info: MediaInfo) -> Fraction:
    rate = info.rate
    return _STILL_RATE if rate is None or not 0 < rate <= _FASTEST else rate


def _count(reader: Movie | SequenceReader) -> int:
    if reader.info.is_still:
        return 1
    extent = reader.extent()
    last = extent.last * _rate(reader.info)
    return max(1, ceil(extent.end * _rate(reader.info) - Fraction(1, 2)), int(np.floor(float(last))) + 1)
