"""Masks out of matte pictures: one channel of a movie or sequence, asked for by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from fractions import Fraction
from types import TracebackType
from typing import Self

import av
import numpy as np

from plugin.cues import MatteChannel, MediaSource
from plugin.errors import MatteMismatch
from plugin.media.headers import Extent, MediaInfo
from plugin.media.movies import Movie
from plugin.media.picking import Pick, Picture, Slot, Time, pick_frames
from plugin.media.pixels import matte_picture
from plugin.media.sequences import SequenceReader
from plugin.media.video import open_frames

WHITE = 128
"""Values from here on mark the object when the question is yes or no."""


class PastEnd(StrEnum):
    """What a matte shows at times that it does not have."""

    REPEAT = "repeat"
    EMPTY = "empty"


class MatteReader:
    """Masks by time, uint8 `[h, w]`, 0..255, in the matte's own size; make it with `open`.

    Attributes:
        ran_short: a time outside the matte was asked for: its edge was repeated, or left empty.
    """

    def __init__(
        self,
        source: MediaSource,
        frames: Movie | SequenceReader,
        *,
        channel: MatteChannel,
        invert: bool,
    ) -> None:
        self._frames = frames
        self._channel = channel
        self._invert = invert
        self.source = source
        self.ran_short = False

    @classmethod
    def open(
        cls, source: MediaSource, *, channel: MatteChannel = MatteChannel.LUMA, invert: bool = False
    ) -> MatteReader:
        """The opened matte. The alpha of VP8 and VP9 in WebM is read too.

        Raises:
            MediaMissing: nothing is there.
            UndecodableMedia: no picture can be decoded.
            MatteMismatch: its alpha is asked for and it has none.
        """
        frames = open_frames(source, with_alpha=channel is MatteChannel.ALPHA)
        if channel is MatteChannel.ALPHA and not frames.info.has_alpha:
            frames.close()
            raise MatteMismatch(
                f"{source.name} has no alpha channel.",
                remedy="Choose another channel for the matte, or export the picture with alpha.",
            )
        return cls(source, frames, channel=channel, invert=invert)

    @property
    def info(self) -> MediaInfo:
        """What the matte says about itself."""
        return self._frames.info

    @property
    def damaged(self) -> int:
        """Frames and packets left out so far because they could not be decoded."""
        return self._frames.damaged

    def extent(self) -> Extent:
        """Where the matte really ends."""
        return self._frames.extent()

    def frames_at(
        self,
        times: Sequence[Time],
        *,
        pick: Pick = Pick.ONSET,
        slot: Slot = None,
        past_end: PastEnd = PastEnd.REPEAT,
    ) -> Iterator[Picture]:
        """One mask per time, in order, read-only, turned like the picture.

        Outside the matte's time its edge mask is repeated, or with `PastEnd.EMPTY` nothing is
        marked; either way `ran_short` says so from then on.
        """
        held = False

        def notice(outside: bool) -> None:  # noqa: FBT001 - a callback's one argument
            nonlocal held
            held = outside
            self.ran_short |= outside

        masks = pick_frames(self._frames, times, pick=pick, slot=slot, convert=self._mask, notice=notice)
        for mask in masks:
            yield np.zeros_like(mask) if held and past_end is PastEnd.EMPTY else mask

    def first_white(self, *, start: Time = 0, end: Time | None = None) -> Fraction | None:
        """Time of the first frame in `[start, end)` that marks anything at all, None when none does.

        Reads frame by frame and stops at the first find: usually one frame; all of them only when
        the matte is empty.
        """
        first = Fraction(start)
        for frame in self._frames.frames_from(first):
            if end is not None and frame.time >= end and frame.time > first:
                return None
            if frame.end > first and int(self._mask(frame.load()).max()) >= WHITE:
                return max(frame.time, first)
        return None

    def _mask(self, frame: av.VideoFrame) -> Picture:
        mask = matte_picture(frame, self._channel, rotation=self.info.rotation)
        return 255 - mask if self._invert else mask

    def close(self) -> None:
        """Lets go of the file."""
        self._frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
