"""Playing a spot: where the playhead is, how fast it runs, and the sound that goes with it.

Sound is the clock where it is heard: the picture follows the samples that a device has played. Without a
device the machine's own clock stands in, and everything else is the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from plugin.controller.mixing import Layer, Mixer
from plugin.timebase import STEM_RATE, TimeSpan, format_timecode, frame_at, is_smpte_rate, sample_position

FASTEST = 8
"""Times normal speed, both ways."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """The timeline's frames and how they are counted.

    Attributes:
        rate: frames per second.
        drop_frame: how timecode counts.
    """

    rate: Fraction
    drop_frame: bool = False

    def frame(self, when: Fraction) -> int:
        """Number, since midnight, of the frame on screen at an absolute time."""
        return frame_at(when, self.rate)

    def time(self, frame: int) -> Fraction:
        """Start of a frame, absolute seconds."""
        return frame / self.rate

    def timecode(self, frame: int) -> str:
        """A frame in the timeline's notation; seconds where its rate has no timecode."""
        if not is_smpte_rate(self.rate):
            return f"{float(self.time(frame)):.3f}s"
        return format_timecode(frame, self.rate, drop_frame=self.drop_frame)


@dataclass(frozen=True, slots=True)
class TransportView:
    """What the transport shows; frames count from the spot's first.

    Attributes:
        frame: under the playhead.
        frames: how many the spot has.
        timecode: of the playhead.
        length: of the spot, or between the marks, in words.
        playing: the playhead moves.
        speed: in words, "" when it stands.
        loop: it begins again at the end.
        mark_in: first marked frame, None for none.
        mark_out: last marked frame, None for none.
        volume: 0..1.
        muted: nothing is to be heard.
    """

    frame: int
    frames: int
    timecode: str
    length: str
    playing: bool
    speed: str
    loop: bool
    mark_in: int | None
    mark_out: int | None
    volume: float
    muted: bool


class Playback:
    """The playhead of one spot; used by the window's thread."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is loaded.

        Args:
            clock: seconds that only grow; decides the pace where no device does.
        """
        self._clock = clock
        self._ruler = Ruler(Fraction(25))
        self._first, self._count = 0, 0
        self._head = Fraction(0)  # frames from the first; whole while it stands
        self._speed = 0
        self._since = 0.0
        self._heard: int | None = None  # samples that a device has played since the playhead began to move
        self._pulled = 0
        self._mixer = Mixer()
        self._marks: tuple[int | None, int | None] = (None, None)
        self.generation = 0
        """Counts up whenever what a device still holds is not what should sound now."""
        self.loop = True
        self.volume = 1.0
        self.muted = False

    def load(self, span: TimeSpan | None, ruler: Ruler) -> None:
        """Show another spot from its first frame; None for none. What plays stops."""
        self._ruler = ruler
        self._first = ruler.frame(span.start) if span else 0
        self._count = max(1, math.ceil(span.end * ruler.rate) - self._first) if span else 0
        self._marks = (None, None)
        self._stand(0)

    @property
    def loaded(self) -> bool:
        """Whether there is a spot."""
        return self._count > 0

    @property
    def playing(self) -> bool:
        """Whether the playhead moves."""
        return self._speed != 0

    @property
    def speed(self) -> int:
        """-8..8; 0 while it stands."""
        return self._speed

    @property
    def ruler(self) -> Ruler:
        """How the loaded spot's frames are counted."""
        return self._ruler

    def frame(self) -> int:
        """The frame under the playhead, from the spot's first; at the end of the range it stops there."""
        if not self._speed:
            return int(self._head)
        moved = self._moved(self._elapsed())
        if moved is None:
            self._stand(self._range()[1] if self._speed > 0 else self._range()[0])
            return int(self._head)
        return min(max(math.floor(moved), 0), self._count - 1)

    def time(self) -> Fraction:
        """Start of the frame under the playhead, absolute seconds."""
        return self._ruler.time(self._first + self.frame())

    def view(self) -> TransportView:
        """What the transport shows."""
        frame = self.frame()
        first, last = self._range()
        return TransportView(
            frame=frame,
            frames=self._count,
            timecode=self._ruler.timecode(self._first + frame) if self._count else "",
            length=f"{last - first + 1} frames" if self._count else "",
            playing=self.playing,
            speed=_speed_words(self._speed),
            loop=self.loop,
            mark_in=self._marks[0],
            mark_out=self._marks[1],
            volume=self.volume,
            muted=self.muted,
        )

    def marked(self) -> tuple[str, str] | None:
        """Timecodes of the marked range, its end exclusive; None while neither mark is set."""
        if self._marks == (None, None) or not self._count:
            return None
        first, last = self._range()
        return self._ruler.timecode(self._first + first), self._ruler.timecode(self._first + last + 1)

    def toggle(self) -> None:
        """Play, or stop."""
        self._run(0 if self._speed else 1)

    def stop(self) -> None:
        """Stop where it is."""
        self._run(0)

    def shuttle(self, direction: int) -> None:
        """Play that way (1 or -1); again: faster, up to eight times."""
        same = self._speed * direction > 0
        self._run(min(abs(self._speed) * 2, FASTEST) * direction if same else direction)

    def step(self, frames: int) -> None:
        """Stop and move by whole frames, within the spot."""
        self.seek(self.frame() + frames)

    def seek(self, frame: int) -> None:
        """Move to a frame of the spot; what plays goes on from there."""
        speed = self._speed
        self._stand(min(max(frame, 0), max(0, self._count - 1)))
        self._move(speed)

    def mark_in(self) -> None:
        """The range begins at this frame."""
        frame, (_, end) = self.frame(), self._marks
        self._mark(frame, None if end is not None and end < frame else end)

    def mark_out(self) -> None:
        """The range ends with this frame."""
        frame, (begin, _) = self.frame(), self._marks
        self._mark(None if begin is not None and begin > frame else begin, frame)

    def clear_marks(self) -> None:
        """The range is the whole spot again."""
        self._mark(None, None)

    def set_loop(self, loop: bool) -> None:  # noqa: FBT001 - a switch's own value
        """Begin again at the end of the range, or stop there."""
        frame = self.frame()
        self.loop = loop
        if self._speed:
            self.seek(frame)

    def hear(self, layers: tuple[Layer, ...]) -> None:
        """What sounds from now on; one mix goes over into the other without a gap."""
        self._mixer.change(layers)

    def heard(self, samples: int | None) -> None:
        """How many of the samples pulled since the last `generation` a device has played: it is the clock.

        None: there is no device any more, and the machine's clock goes on from here.
        """
        if samples is None and self._heard is not None:
            self.seek(self.frame())
        elif self._speed:
            self._heard = samples

    def pull(self, count: int) -> bytes:
        """The next `count` samples: 48 kHz, two channels, 16 bits in native order."""
        if not self._speed or not count:
            return bytes(4 * count)
        positions, sounding = self._positions(np.arange(self._pulled, self._pulled + count))
        self._pulled += count
        level = np.float32(0.0 if self.muted else self.volume)
        mono = np.clip(self._mixer.mix(positions) * sounding * level, -1.0, 1.0)
        return np.repeat(np.round(mono * 32767).astype(np.int16), 2).tobytes()

    def _positions(self, samples: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Sample positions, since midnight, of samples counted from the start, and which of them sound."""
        begin, end = self._range()
        first, last = self._sample_of(begin), self._sample_of(end + 1)
        head = sample_position(self._ruler.time(self._first) + self._head / self._ruler.rate)
        moved = (head + samples * self._speed).astype(np.float64)
        if self.loop:
            return first + np.mod(moved - first, max(1, last - first)), np.ones(len(samples), np.bool_)
        return moved, (moved >= first) & (moved < last)

    def _sample_of(self, frame: int) -> int:
        return sample_position(self._ruler.time(self._first + frame))

    def _elapsed(self) -> Fraction:
        if self._heard is not None:
            return Fraction(self._heard, STEM_RATE)
        return Fraction(self._clock() - self._since).limit_denominator(STEM_RATE)

    def _moved(self, elapsed: Fraction) -> Fraction | None:
        """Where the playhead is, in frames from the first, after `elapsed` seconds; None past the range."""
        first, last = self._range()
        moved = self._head + elapsed * self._speed * self._ruler.rate
        if self.loop:
            return first + (moved - first) % (last - first + 1)
        if self._speed > 0:
            return moved if moved < last + 1 else None
        return moved if moved >= first else None

    def _range(self) -> tuple[int, int]:
        """First and last frame of the marked range, the whole spot where a mark is not set."""
        begin, end = self._marks
        return (0 if begin is None else begin), (max(0, self._count - 1) if end is None else end)

    def _mark(self, begin: int | None, end: int | None) -> None:
        if not self._count:
            return
        frame = self.frame()
        self._marks = (begin, end)
        if self._speed:
            self.seek(frame)

    def _run(self, speed: int) -> None:
        """Play at this speed from here, or from the other end of the range where it is at its end."""
        frame, (first, last) = self.frame(), self._range()
        if speed and (not first <= frame <= last or frame == (last if speed > 0 else first)):
            frame = first if speed > 0 else last
        self._stand(frame)
        self._move(speed)

    def _move(self, speed: int) -> None:
        if not speed or not self._count:
            return
        if speed < 0:
            self._head += 1 - Fraction(1, 1000)  # backwards, a frame is entered at its end
        self._speed, self._since = speed, self._clock()

    def _stand(self, frame: int) -> None:
        self._head, self._speed = Fraction(frame), 0
        self._heard, self._pulled = None, 0
        self._mixer.settle()
        self.generation += 1


def _speed_words(speed: int) -> str:
    return "" if not speed else f"{speed:+d}x" if speed != 1 else "1x"
