"""Single frames at the size they are looked at: found by time, scaled while they are converted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.video.reformatter import Interpolation

from plugin.cues import MatteChannel, MediaSource
from plugin.media.headers import MediaInfo
from plugin.media.mattes import MatteReader
from plugin.media.movies import Movie
from plugin.media.picking import Cursor, Pick, Picture, Rule, Time
from plugin.media.pixels import matte_picture, rgb_picture
from plugin.media.sequences import SequenceReader
from plugin.media.video import open_frames

_SMOOTH = Interpolation.BILINEAR
"""Averages where it makes smaller."""

_UNTAGGED = 2
_BT709 = 1
_HD_LINES = 720
_SCALABLE = ("gray", "gbrp", "gbrap", "rgb24", "rgba", "bgra", "yuv4", "yuva4", "yuvj4")
"""Beginnings of pixel formats that may be scaled as they are."""


@dataclass(frozen=True, slots=True)
class Size:
    """Columns and rows of a picture."""

    width: int
    height: int

    def fitted(self, limit: Size) -> Size:
        """The largest size of the same shape within `limit`; never enlarged."""
        scale = min(limit.width / self.width, limit.height / self.height, 1.0)
        return Size(max(1, round(self.width * scale)), max(1, round(self.height * scale)))

    def turned(self, rotation: int) -> Size:
        """The size before or after a turn by `rotation` degrees."""
        return Size(self.height, self.width) if rotation % 180 else self


class StillReader:
    """Frames of a movie, an image or an image sequence, one at a time; make it with `open`.

    Times near ahead of the last one are reached by decoding on, all others by seeking. Only one
    thread may use it.
    """

    def __init__(self, source: MediaSource, frames: Movie | SequenceReader) -> None:
        self.source = source
        self._frames = frames
        self._cursor: tuple[Pick, Cursor] | None = None

    @classmethod
    def open(cls, source: MediaSource, *, channel: MatteChannel | None = None) -> StillReader:
        """The opened source.

        Args:
            source: a movie, an image or a sequence.
            channel: for a matte, which values will be asked for.

        Raises:
            MediaMissing: nothing is there.
            UndecodableMedia: no picture can be decoded.
            MatteMismatch: its alpha is asked for and it has none.
        """
        if channel is MatteChannel.ALPHA:
            MatteReader.open(source, channel=channel).close()
        return cls(source, open_frames(source, with_alpha=channel is MatteChannel.ALPHA))

    @property
    def info(self) -> MediaInfo:
        """What the source says about itself."""
        return self._frames.info

    @property
    def size(self) -> Size:
        """Of its upright pictures."""
        return Size(self.info.width, self.info.height)

    def picture(self, time: Time, *, pick: Pick = Pick.SCREEN, limit: Size) -> Picture:
        """RGB `[h, w, 3]` uint8 of the frame at `time`, upright, no larger than `limit`."""
        frame = self._frame_at(time, pick)
        return small_rgb(frame, size=self.size.fitted(limit), rotation=self.info.rotation)

    def mask(
        self, time: Time, *, pick: Pick = Pick.SCREEN, size: Size, channel: MatteChannel, invert: bool
    ) -> Picture:
        """The matte at `time`, uint8 `[h, w]` of exactly `size`, its shape not kept."""
        frame = self._frame_at(time, pick)
        mask = small_mask(frame, channel, size=size, rotation=self.info.rotation)
        return 255 - mask if invert else mask

    def _frame_at(self, time: Time, pick: Pick) -> av.VideoFrame:
        if self._cursor is None or self._cursor[0] is not pick:  # a source serves one cursor at a time
            self._cursor = (pick, Cursor(self._frames, Rule(pick, self._frames.tolerance)))
        try:
            return self._cursor[1].move_to((Fraction(time), None)).frame.load()
        except BaseException:
            self._cursor = None
            raise

    def close(self) -> None:
        """Lets go of the file."""
        self._frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def small_rgb(frame: av.VideoFrame, *, size: Size, rotation: int = 0) -> Picture:
    """RGB `[h, w, 3]` uint8 of upright `size`.

    Video without colour tags is read as players do: BT.709 from 720 lines on, else BT.601.
    """
    if _floating(frame):
        return _scaled(rgb_picture(frame, rotation=rotation), size)
    stored = size.turned(rotation)
    untagged = frame.format.name.startswith(("yuv", "nv", "p0")) and frame.colorspace == _UNTAGGED
    pixels = frame.to_ndarray(
        format="rgb24",
        width=stored.width,
        height=stored.height,
        src_colorspace=_BT709 if untagged and frame.height >= _HD_LINES else None,
        interpolation=_SMOOTH,
    )
    return _upright(np.asarray(pixels, np.uint8), rotation)


def small_mask(frame: av.VideoFrame, channel: MatteChannel, *, size: Size, rotation: int = 0) -> Picture:
    """uint8 `[h, w]` of exactly upright `size`: the channel of a matte, as `matte_picture` reads it."""
    stored = size.turned(rotation)
    if stored.width * stored.height < frame.width * frame.height and _scalable(frame):
        frame = frame.reformat(width=stored.width, height=stored.height, interpolation=_SMOOTH)
    return _scaled(matte_picture(frame, channel, rotation=rotation), size)


def _scaled(picture: Picture, size: Size) -> Picture:
    if picture.shape[:2] == (size.height, size.width):
        return picture
    kind = "gray" if picture.ndim == 2 else "rgb24"
    frame = av.VideoFrame.from_ndarray(picture, format=kind)
    pixels: Any = frame.to_ndarray(width=size.width, height=size.height, interpolation=_SMOOTH)
    return np.asarray(pixels, np.uint8)


def _upright(picture: Picture, rotation: int) -> Picture:
    return np.ascontiguousarray(np.rot90(picture, rotation // 90))


def _floating(frame: av.VideoFrame) -> bool:
    return "f32" in frame.format.name or "f16" in frame.format.name


def _scalable(frame: av.VideoFrame) -> bool:
    """Whether its pixel format is one that the scaler also writes, and no rounding of floats is lost."""
    return frame.format.name.startswith(_SCALABLE) and not _floating(frame)
