"""Image sequences as timed frames: every number is looked up by itself, holes are a policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from functools import partial

import av
import numpy as np

from plugin.cues import ImageSequence
from plugin.errors import MediaMissing
from plugin.media.headers import Extent, MediaInfo
from plugin.media.movies import Movie
from plugin.media.picking import EXACT, TimedFrame


class SequenceReader:
    """An image sequence opened for reading; make it with `open`.

    Numbers run from `first` to `last` in steps; number `first + k * step` starts at `k / rate`. What
    a missing number shows is the sequence's own policy: "error" raises when (and only when) that
    number is asked for, "hold" shows the nearest image before it (the first one there is, where
    none is before), "black" shows black without alpha.
    """

    def __init__(self, sequence: ImageSequence, numbers: tuple[int, ...], info: MediaInfo) -> None:
        self._sequence = sequence
        self._numbers = numbers
        self._present = frozenset(numbers)
        self._count = len(_numbers(sequence))
        self._closed = False
        self.info = info
        self.tolerance = EXACT
        self.damaged = 0

    @classmethod
    def open(cls, sequence: ImageSequence) -> SequenceReader:
        """The sequence, its present numbers listed and its first image decoded once.

        Raises:
            MediaMissing: none of its images is there.
            UndecodableMedia: the first image cannot be decoded.
        """
        wanted = _numbers(sequence)
        numbers = tuple(number for number in wanted if sequence.path_of(number).is_file())
        if not numbers:
            raise MediaMissing(
                f"{sequence.name} is not there: none of its {len(wanted)} images exists.",
                remedy="Relink the clip to its image sequence.",
                detail=str(sequence.folder),
            )
        with closing(Movie.open(sequence.path_of(numbers[0]))) as movie:
            first = movie.info
        info = MediaInfo(
            width=first.width,
            height=first.height,
            duration=len(wanted) / sequence.rate,
            start_timecode=None,
            rate=sequence.rate,
            rotation=0,
            has_alpha=first.has_alpha,
            codec=first.codec,
            is_still=False,
        )
        return cls(sequence, numbers, info)

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the sequence that have no file."""
        return tuple(number for number in _numbers(self._sequence) if number not in self._present)

    def close(self) -> None:
        """Ends every iterator in a `ValueError`."""
        self._closed = True

    def extent(self) -> Extent:
        """From the numbers; a sequence with holes is not complete."""
        end = self._count / self._sequence.rate
        return Extent(end - 1 / self._sequence.rate, end, end, complete=not self.missing)

    def frames_from(self, time: Fraction) -> Iterator[TimedFrame]:
        """Frames from the one on screen at `time`; files are opened only when a frame is loaded."""
        rate = self._sequence.rate
        start = min(max(((time + self.tolerance) * rate).__floor__(), 0), self._count - 1)
        for index in range(start, self._count):
            if self._closed:
                raise ValueError(f"{self._sequence.name}: the reader was closed")
            yield TimedFrame(index / rate, (index + 1) / rate, partial(self._load, index))

    def _load(self, index: int) -> av.VideoFrame:
        sequence = self._sequence
        number = _numbers(sequence)[index]
        if number in self._present:
            return _load_image(sequence, number)
        if sequence.missing == "hold":
            before = [known for known in self._numbers if known < number]
            return _load_image(sequence, before[-1] if before else self._numbers[0])
        if sequence.missing == "black":
            black = np.zeros((self.info.height, self.info.width, 4), np.uint8)
            return av.VideoFrame.from_ndarray(black, format="rgba")
        raise MediaMissing(
            f"{sequence.path_of(number).name} is missing from the sequence {sequence.name}.",
            remedy=f"Render or copy {sequence.path_of(number).name} into {sequence.folder}.",
            detail=str(sequence.path_of(number)),
        )


def _numbers(sequence: ImageSequence) -> range:
    return range(sequence.first, sequence.last + 1, max(1, sequence.step))


def _load_image(sequence: ImageSequence, number: int) -> av.VideoFrame:
    with closing(Movie.open(sequence.path_of(number))) as movie:
        return next(movie.frames_from(Fraction(0))).load()
