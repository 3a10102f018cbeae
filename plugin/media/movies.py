"""Movies and single images as timed frames: exact by presentation time, decoding as little as it can."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import av.error

from plugin.media.containers import (
    UNSEEKABLE,
    is_image,
    open_container,
    picture_stream,
    told_in_words,
    undecodable,
)
from plugin.media.headers import (
    Extent,
    Facts,
    MediaInfo,
    nominal_rate,
    on_frame_grid,
    start_timecode,
    stated_duration,
    states_alpha,
)
from plugin.media.known import Stamp, once_per_file, stamp_of
from plugin.media.picking import EXACT, TimedFrame

FOREVER = Fraction(10**9)
"""Seconds that a single image stays on screen."""

Stamped = tuple[int, av.VideoFrame]

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_THREADS = min(4, os.cpu_count() or 1)
_STEPS_BACK = (Fraction(0), *(Fraction(2**n) for n in range(31)))
_HEAD = 64
_P_TYPE, _B_TYPE = 2, 3
_REFRESHED = Fraction(64)


class Movie:
    """A movie (or one image) opened for reading; make it with `open`.

    Attributes:
        facts: all that opening the file found out, as others of the same file know it.
        info: what the file says about itself.
        tolerance: seconds by which its stored times may be off, at least a microsecond.
        damaged: frames and packets left out so far because they could not be decoded.
        time_base: seconds of one tick of the file's clock.
        first_pts: tick of media time 0.
        clocked_by_decoding: its packets have no presentation times, decode times stand in.
    """

    facts: Facts
    info: MediaInfo

    def __init__(self, path: Path, *, alpha: bool) -> None:
        self._path = path
        self._alpha = alpha
        self._stamp: Stamp | None = None
        self._container: Any = None
        self._stream: Any = None
        self._decoder: Any = None
        self.time_base = Fraction(1)
        self._lead = Fraction(0)
        self._slack = Fraction(0)
        self.first_pts = 0
        self._run = 0
        self._seekable = True
        self._extent: Extent | None = None
        self.tolerance = EXACT
        self.damaged = 0
        self.clocked_by_decoding = False

    @classmethod
    def open(cls, path: Path, *, with_alpha: bool = False) -> Movie:
        """The movie at `path`, its first frame decoded once to know time zero.

        `with_alpha` chooses the decoder that also gives the alpha of VP8 and VP9.

        Raises:
            MediaMissing: nothing is there.
            UndecodableMedia: no picture can be decoded from it, or its frames have no times.
        """
        movie = cls(path, alpha=with_alpha)
        movie._stamp = _memory_of(path)
        try:
            movie._connect()
            movie._take(once_per_file(movie._stamp, _facts(alpha=with_alpha), movie._learn))
        except BaseException:
            movie.close()
            raise
        return movie

    @classmethod
    def info_of(cls, path: Path) -> MediaInfo:
        """What the movie at `path` says about itself; it is opened only where no reader found out before.

        Raises:
            MediaMissing, UndecodableMedia: see `open`.
        """

        def find() -> Facts:
            with closing(cls.open(path)) as movie:
                return movie.facts

        return once_per_file(_memory_of(path), _facts(alpha=False), find).info

    @classmethod
    def extent_of(cls, path: Path) -> Extent:
        """The same for where it really ends.

        Raises:
            MediaMissing, UndecodableMedia: see `open`.
        """

        def find() -> Extent:
            with closing(cls.open(path)) as movie:
                return movie.extent()

        return once_per_file(_memory_of(path), _end(alpha=False), find)

    def close(self) -> None:
        """Lets go of the file; iterators end in a `ValueError`."""
        self._run += 1
        if self._container is not None:
            self._container.close()
        self._container = self._stream = self._decoder = None

    def frames_from(self, time: Fraction) -> Iterator[TimedFrame]:
        """Frames from the keyframe at or before `time` (the first, the last where past the end).

        Raises:
            ValueError: closed, or another call took over the decoder.
            UndecodableMedia: the file went away or gives no frame any more.
        """
        self._run += 1
        return self._frames_from(time, self._run)

    def extent(self) -> Extent:
        """The real end; remembered, by other readers too.

        MP4 and MOV list their pictures: where every listed one of the last group is in the file, that is
        the end. Else the last group is decoded.
        """
        if self._extent is None:
            self._extent = once_per_file(self._stamp, _end(alpha=self._alpha), self._find_end)
        return self._extent

    def _find_end(self) -> Extent:
        stated = self.info.duration
        listed = None if stated is None or not self._lists_pictures else self._listed_end(stated)
        if listed is not None:
            return listed
        (last,) = deque(self.frames_from(FOREVER if stated is None else stated), maxlen=1)
        complete = stated is None or last.end >= stated - self._slack
        return Extent(last.time, last.end, stated, complete)

    @property
    def _lists_pictures(self) -> bool:
        return "mov" in self._container.format.name.split(",") and not self.clocked_by_decoding

    def _listed_end(self, stated: Fraction) -> Extent | None:
        """The end by the packets of the last group; None where one is damaged, cut short, empty or missing.

        Empty: a download that was broken off can leave the whole length on disk, zeros at its end. Of what
        was overwritten the group's first picture tells, which is decoded.
        """
        self._run += 1
        known = self.damaged
        if not self._seek(self.first_pts + int(stated / self.time_base)):
            return None
        last: tuple[int, int] | None = None
        key: Any = None
        for packet in self._packets(self._run):
            if packet is None:
                break
            if packet.pts is None or packet.is_corrupt or not any(memoryview(packet)[:_HEAD]):
                return None
            key = packet if key is None and packet.is_keyframe else key
            if not packet.is_discard:
                last = max(last or (packet.pts, packet.duration), (packet.pts, packet.duration))
        shown = key is not None and self._decode(key) + self._decode(None)
        self._decoder.flush_buffers()
        found, self.damaged = self.damaged - known, known
        if last is None or found or not shown:
            return None
        time = (last[0] - self.first_pts) * self.time_base
        end = time + self._length(last[1])
        return Extent(time, end, stated, complete=True) if end >= stated - self._slack else None

    def _connect(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = open_container(self._path)
        with told_in_words(self._path):
            self._stream = picture_stream(self._container, self._path)
            name = _ALPHA_DECODERS.get(self._stream.codec_context.name, "")
            if self._alpha and name and states_alpha(self._stream):
                self._decoder = av.CodecContext.create(name, "r")
            else:
                self._decoder = self._stream.codec_context
            self._decoder.thread_type = "AUTO"
            self._decoder.thread_count = _THREADS
        self._seekable = self._container.format.name not in UNSEEKABLE

    def _learn(self) -> Facts:
        """Time zero, tolerance and info, from the headers and the first frame."""
        stream = self._stream
        # AVI stores no presentation times; where pictures are reordered, only decode times ascend
        reordered = bool(stream.codec_context.has_b_frames)
        self.clocked_by_decoding = reordered and self._container.format.name == "avi"
        first = next(self._decoded(after_key=False, run=self._run), None)
        if first is None:
            raise undecodable(self._path, "gives no picture")
        first_pts, frame = first
        damaged, self.damaged = self.damaged, 0
        time_base = Fraction(stream.time_base)
        rate = nominal_rate(stream)
        still = is_image(self._path)
        lead, tolerance = Fraction(0), EXACT
        if rate is not None and not still:
            lead = 4 / rate if reordered else lead
            if (1 / rate / time_base).denominator != 1:
                tolerance = min(time_base / 2, 1 / rate / 8) + EXACT
        duration, slack = (None, Fraction(0)) if still else stated_duration(self._container, stream)
        rotation = round(frame.rotation / 90) * 90 % 360
        turned = rotation % 180 != 0
        info = MediaInfo(
            width=frame.height if turned else frame.width,
            height=frame.width if turned else frame.height,
            duration=None if duration is None else on_frame_grid(duration, rate),
            start_timecode=None if still else start_timecode(self._container, rate),
            rate=None if still else rate,
            rotation=rotation,
            has_alpha=states_alpha(stream) or any(part.is_alpha for part in frame.format.components),
            codec=stream.codec_context.name,
            is_still=still,
        )
        clocked = self.clocked_by_decoding
        return Facts(info, first_pts, time_base, tolerance, lead, slack, clocked, damaged)

    def _take(self, facts: Facts) -> None:
        self.facts = facts
        self.info = facts.info
        self.first_pts, self.time_base, self.tolerance = facts.first_pts, facts.time_base, facts.tolerance
        self._lead, self._slack = facts.lead, facts.slack
        self.clocked_by_decoding, self.damaged = facts.clocked_by_decoding, facts.damaged

    def _frames_from(self, time: Fraction, run: int) -> Iterator[TimedFrame]:
        stated = self.info.duration
        aim = time if stated is None else min(time, stated)
        for back in _STEPS_BACK:
            target = aim - self._lead - back
            if target <= 0 or self.info.is_still or not self._seekable:
                break
            frames = self._timed(self._after_seek(target, run=run, anywhere=back >= _REFRESHED))
            first = next(frames, None)
            if first is not None and first.time <= aim + self.tolerance:
                yield first
                yield from frames
                return
        yield from self._from_beginning(run)

    def _from_beginning(self, run: int) -> Iterator[TimedFrame]:
        """All frames; where seeking to the first misses it, the file is opened afresh."""
        for seek in (True, False):
            self._check(run)
            if not (seek and self._seek(self.first_pts)):
                self._connect()
            frames = self._timed(self._decoded(after_key=False, run=run))
            first = next(frames, None)
            if first is not None and first.time == 0:
                yield first
                yield from frames
                return
        raise undecodable(self._path, "gives no picture any more")

    def _after_seek(self, target: Fraction, *, run: int, anywhere: bool) -> Iterator[Stamped]:
        """Decoded frames from the keyframe at or before `target` seconds; none where it is no real one.

        A stream that refreshes its picture bit by bit marks predicted frames as keyframes. They
        lead to whole pictures only after a while, so they count only with `anywhere`.
        """
        self._check(run)
        if not self._seek(self.first_pts + int(target / self.time_base)):
            return
        frames = self._decoded(after_key=True, run=run)
        first = next(frames, None)
        if first is not None and (anywhere or first[1].pict_type not in {_P_TYPE, _B_TYPE}):
            yield first
            yield from frames

    def _seek(self, pts: int) -> bool:
        """Moves to a keyframe before a tick; False where the format cannot."""
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            return False
        self._decoder.flush_buffers()
        return True

    def _timed(self, frames: Iterator[Stamped]) -> Iterator[TimedFrame]:
        previous: Fraction | None = None
        for stamp, frame in frames:
            time = (stamp - self.first_pts) * self.time_base
            if time < 0 or (previous is not None and time <= previous):
                continue  # priming frames, and frames of a broken clock
            previous = time
            yield TimedFrame(time, time + self._length(frame.duration), partial(_itself, frame))

    def _length(self, ticks: int | None) -> Fraction:
        """Seconds that a picture stays, from the ticks that the file states, if any."""
        if self.info.is_still:
            return FOREVER
        usual = 1 / self.info.rate if self.info.rate else self.time_base
        if not ticks:
            return usual
        stated = ticks * self.time_base
        return usual if abs(stated - usual) < self.time_base else stated

    def _decoded(self, *, after_key: bool, run: int) -> Iterator[Stamped]:
        """Frames in presentation order with their ticks; damaged ones are left out and counted.

        `after_key`: leave out what is shown before the first keyframe read, since it leans on
        pictures that were not.
        """
        key: int | None = None
        stamp: int | None = None
        for packet in self._packets(run):
            if packet is not None and after_key and key is None:
                if not packet.is_keyframe:
                    continue
                key = packet.dts if self.clocked_by_decoding else packet.pts
            known, found = self.damaged, self._decode(packet)
            if packet is not None and key is not None and (packet.pts or 0) < key:
                self.damaged = known  # it leaned on pictures before the keyframe: no fault of the file
            for frame in found:
                stamp = self._stamp_of(frame, stamp)
                if not after_key or key is None or stamp >= key:
                    yield stamp, frame
                    self._check(run)

    def _stamp_of(self, frame: av.VideoFrame, previous: int | None) -> int:
        stamp = frame.dts if self.clocked_by_decoding else frame.pts
        if stamp is not None:
            return stamp
        if self.clocked_by_decoding and previous is not None:
            return previous + 1  # the frames that the decoder still held at the end
        raise undecodable(
            self._path, "has frames without times", remedy="Rewrap the file as MOV, MP4 or MXF."
        )

    def _packets(self, run: int) -> Iterator[Any]:
        """Packets of the picture, then None, which makes the decoder give what it holds back."""
        packets = self._container.demux(self._stream)
        while True:
            self._check(run)
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError):  # the file stops in the middle of a packet
                self.damaged += 1
                packet = None
            if packet is None or packet.size == 0:
                yield None
                return
            yield packet

    def _decode(self, packet: Any) -> list[av.VideoFrame]:
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        whole = [frame for frame in frames if not frame.is_corrupt]
        self.damaged += len(frames) - len(whole)
        return whole

    def _check(self, run: int) -> None:
        if run != self._run:
            raise ValueError(f"{self._path.name}: the reader was closed or is reading elsewhere now")


def _memory_of(path: Path) -> Stamp | None:
    """Under what to remember a file; None for a picture, of which a sequence has thousands."""
    return None if is_image(path) else stamp_of(path)


def _end(*, alpha: bool) -> str:
    return f"end, alpha {alpha}"


def _facts(*, alpha: bool) -> str:
    return f"facts, alpha {alpha}"


def _itself(frame: av.VideoFrame) -> av.VideoFrame:
    return frame
