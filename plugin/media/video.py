"""Pictures of a movie, an image or an image sequence, asked for by time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

import av
from av.video.reformatter import VideoReformatter

from plugin.cues import ImageSequence, MediaSource
from plugin.media.headers import Extent, MediaInfo
from plugin.media.movies import Movie
from plugin.media.picking import Pick, Picture, Slot, Time, pick_frames
from plugin.media.pixels import rgb_picture
from plugin.media.sequences import SequenceReader

__all__ = ["Extent", "MediaInfo", "Pick", "VideoReader", "extent_of", "open_frames", "probe"]


def open_frames(source: MediaSource, *, with_alpha: bool = False) -> Movie | SequenceReader:
    """The timed frames of a file or an image sequence.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: no picture can be decoded.
    """
    if isinstance(source, ImageSequence):
        return SequenceReader.open(source)
    return Movie.open(source.path, with_alpha=with_alpha)


def probe(source: MediaSource) -> MediaInfo:
    """What a source says about itself; one frame is decoded, where no reader did so before.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: no picture can be decoded.
    """
    if isinstance(source, ImageSequence):
        with VideoReader.open(source) as reader:
            return reader.info
    return Movie.info_of(source.path)


def extent_of(source: MediaSource) -> Extent:
    """Where a source really ends; a movie is opened only where no reader found out before.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: no picture can be decoded.
    """
    if isinstance(source, ImageSequence):
        with VideoReader.open(source) as reader:
            return reader.extent()
    return Movie.extent_of(source.path)


class VideoReader:
    """RGB pictures by time; make it with `open` and use it in a `with` block.

    Time 0 is the first presented frame. One `frames_at` runs at a time: starting another ends the
    one before with a `ValueError`.
    """

    def __init__(self, source: MediaSource, frames: Movie | SequenceReader) -> None:
        self._frames = frames
        self._converter = VideoReformatter()
        self.source = source
        self.edge_repeats = 0
        """Times answered so far with a held first or last frame because the source has none there."""

    @classmethod
    def open(cls, source: MediaSource) -> VideoReader:
        """The opened source.

        Raises:
            MediaMissing: nothing is there.
            UndecodableMedia: no picture can be decoded: damaged, empty, sound only, unknown.
        """
        return cls(source, open_frames(source))

    @property
    def info(self) -> MediaInfo:
        """What the source says about itself."""
        return self._frames.info

    @property
    def damaged(self) -> int:
        """Frames and packets left out so far because they could not be decoded."""
        return self._frames.damaged

    def extent(self) -> Extent:
        """Where the source really ends (the last group of pictures is decoded once)."""
        return self._frames.extent()

    def frames_at(
        self,
        times: Sequence[Time],
        *,
        pick: Pick = Pick.ONSET,
        slot: Slot = None,
        reduce: Callable[[Picture], Picture] | None = None,
    ) -> Iterator[Picture]:
        """RGB24 uint8 `[H, W, 3]` for every time, turned upright, read-only, in order.

        Times outside the source show its first or last frame and count in `edge_repeats`.

        Args:
            times: seconds from the first frame; ascending, constant or descending is cheap.
            pick: which frame answers for a time.
            slot: for `Pick.ONSET`: the frame may start at most this many seconds after its time.
            reduce: applied to each picture before it is kept or given; with descending times it
                bounds memory (256 MB of reduced pictures are held at most).
        """

        def convert(frame: av.VideoFrame) -> Picture:
            picture = rgb_picture(frame, rotation=self.info.rotation, converter=self._converter)
            return picture if reduce is None else reduce(picture)

        return pick_frames(
            self._frames, times, pick=pick, slot=slot, convert=convert, notice=self._count_edges
        )

    def _count_edges(self, outside: bool) -> None:  # noqa: FBT001 - a callback's one argument
        self.edge_repeats += outside

    def close(self) -> None:
        """Lets go of the file."""
        self._frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
