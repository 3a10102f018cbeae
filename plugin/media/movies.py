"""Movies and single images as timed frames: exact by presentation time, decoding as little as it can."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import av.error

from plugin.errors import UndecodableMedia
from plugin.media.containers import is_image, open_container, picture_stream, told_in_words, undecodable
from plugin.media.picking import EXACT, TimedFrame
from plugin.timebase import parse_timecode, snap_rate

FOREVER = Fraction(10**9)
"""Seconds that a single image stays on screen."""

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_THREADS = min(4, os.cpu_count() or 1)
_STEPS_BACK = (Fraction(0), *(Fraction(2**n) for n in range(31)))
_STATED_SLACK = Fraction(1, 10)
_CONTAINER_SLACK = Fraction(1)


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a source says about itself; None where it says nothing.

    Attributes:
        width: pixels, after rotation.
        height: pixels, after rotation.
        duration: seconds, as the file states it; `extent()` tells the truth. None for one image.
        start_timecode: seconds of the first frame's timecode since midnight.
        rate: nominal frames per second, for a VFR file a mean; never compute times from it.
        rotation: degrees, counter-clockwise, already applied to pictures: 0, 90, 180 or 270.
        has_alpha: the frames carry alpha.
        codec: FFmpeg's name of the codec, "" for sequences of mixed kinds.
        is_still: one image, on screen for ever.
    """

    width: int
    height: int
    duration: Fraction | None
    start_timecode: Fraction | None
    rate: Fraction | None
    rotation: int
    has_alpha: bool
    codec: str
    is_still: bool


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a source really ends.

    Attributes:
        last: start of the last frame that can be shown, seconds.
        end: its end, seconds; what lies past it can only be a held last frame.
        stated: the end that the file claims, None when it claims none.
        complete: nothing that the file claims is missing. False for a truncated file.
    """

    last: Fraction
    end: Fraction
    stated: Fraction | None
    complete: bool


class Movie:
    """A movie (or one image) opened for reading; make it with `open`.

    Attributes:
        info: what the file says about itself.
        tolerance: seconds by which its stored times may be off, at least a microsecond.
        damaged: frames and packets left out so far because they could not be decoded.
        time_base: seconds of one tick of the file's clock.
        first_pts: tick of media time 0.
    """

    info: MediaInfo

    def __init__(self, path: Path, *, alpha: bool) -> None:
        self._path = path
        self._alpha = alpha
        self._container: Any = None
        self._stream: Any = None
        self._decoder: Any = None
        self.time_base = Fraction(1)
        self._lead = Fraction(0)
        self._slack = Fraction(0)
        self.first_pts = 0
        self._run = 0
        self._extent: Extent | None = None
        self.tolerance = EXACT
        self.damaged = 0

    @classmethod
    def open(cls, path: Path, *, with_alpha: bool = False) -> Movie:
        """The movie at `path`, its first frame decoded once to know time zero.

        `with_alpha` chooses the decoder that also gives the alpha of VP8 and VP9.

        Raises:
            MediaMissing: nothing is there.
            UndecodableMedia: no picture can be decoded from it, or its frames have no times.
        """
        movie = cls(path, alpha=with_alpha)
        try:
            movie._connect()
            movie._learn()
        except BaseException:
            movie.close()
            raise
        return movie

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
        """The real end, found by decoding the last group of pictures; remembered."""
        if self._extent is None:
            stated = self.info.duration
            (last,) = deque(self.frames_from(FOREVER if stated is None else stated), maxlen=1)
            complete = stated is None or last.end >= stated - self._slack
            self._extent = Extent(last.time, last.end, stated, complete)
        return self._extent

    def _connect(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = open_container(self._path)
        with told_in_words(self._path):
            self._stream = picture_stream(self._container, self._path)
            name = _ALPHA_DECODERS.get(self._stream.codec_context.name, "")
            if self._alpha and name and _states_alpha(self._stream):
                self._decoder = av.CodecContext.create(name, "r")
            else:
                self._decoder = self._stream.codec_context
            self._decoder.thread_type = "AUTO"
            self._decoder.thread_count = _THREADS

    def _learn(self) -> None:
        """Time zero, tolerance and info, from the headers and the first frame."""
        frame = next(self._decoded(after_key=False, run=self._run), None)
        if frame is None:
            raise undecodable(self._path, "gives no picture")
        stream = self._stream
        self.time_base = Fraction(stream.time_base)
        self.first_pts = frame.pts or 0
        rate = _nominal_rate(stream)
        still = is_image(self._path)
        if rate is not None and not still:
            self._lead = 4 / rate if stream.codec_context.has_b_frames else Fraction(0)
            if (1 / rate / self.time_base).denominator != 1:
                self.tolerance = min(self.time_base / 2, 1 / rate / 8) + EXACT
        duration, self._slack = (None, Fraction(0)) if still else _stated_duration(self._container, stream)
        rotation = round(frame.rotation / 90) * 90 % 360
        turned = rotation % 180 != 0
        self.info = MediaInfo(
            width=frame.height if turned else frame.width,
            height=frame.width if turned else frame.height,
            duration=None if duration is None else _on_frame_grid(duration, rate),
            start_timecode=None if still else _start_timecode(self._container, rate),
            rate=None if still else rate,
            rotation=rotation,
            has_alpha=_states_alpha(stream) or any(part.is_alpha for part in frame.format.components),
            codec=stream.codec_context.name,
            is_still=still,
        )

    def _frames_from(self, time: Fraction, run: int) -> Iterator[TimedFrame]:
        stated = self.info.duration
        aim = time if stated is None else min(time, stated)
        for back in _STEPS_BACK:
            target = aim - self._lead - back
            from_start = target <= 0 or self.info.is_still
            frames = self._timed(self._after_seek(target, from_start=from_start, run=run))
            first = next(frames, None)
            if first is not None and (from_start or first.time <= aim + self.tolerance):
                break
            if from_start:
                break
        if first is None:
            raise undecodable(self._path, "gives no picture any more")
        yield first
        yield from frames

    def _after_seek(self, target: Fraction, *, from_start: bool, run: int) -> Iterator[av.VideoFrame]:
        """Decoded frames from the keyframe at or before `target` seconds."""
        self._check(run)
        pts = self.first_pts if from_start else self.first_pts + int(target / self.time_base)
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
            self._decoder.flush_buffers()
        except av.error.FFmpegError:  # the format cannot seek: read it from its beginning
            self._connect()
            from_start = True
        return self._decoded(after_key=not from_start, run=run)

    def _timed(self, frames: Iterator[av.VideoFrame]) -> Iterator[TimedFrame]:
        previous: Fraction | None = None
        for frame in frames:
            time = ((frame.pts or 0) - self.first_pts) * self.time_base
            if time < 0 or (previous is not None and time <= previous):
                continue  # priming frames, and frames of a broken clock
            previous = time
            yield TimedFrame(time, time + self._length(frame), partial(_itself, frame))

    def _length(self, frame: av.VideoFrame) -> Fraction:
        if self.info.is_still:
            return FOREVER
        if frame.duration:
            return frame.duration * self.time_base
        return 1 / self.info.rate if self.info.rate else self.time_base

    def _decoded(self, *, after_key: bool, run: int) -> Iterator[av.VideoFrame]:
        """Frames in presentation order; damaged ones are left out and counted.

        `after_key`: leave out what is shown before the first keyframe read, since it leans on
        pictures that were not.
        """
        key_pts: int | None = None
        for packet in self._packets(run):
            if packet is not None and after_key and key_pts is None:
                if not packet.is_keyframe:
                    continue
                key_pts = packet.pts
            for frame in self._decode(packet):
                if frame.pts is None:
                    raise _untimed(self._path)
                if not after_key or key_pts is None or frame.pts >= key_pts:
                    yield frame
                    self._check(run)

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


def _itself(frame: av.VideoFrame) -> av.VideoFrame:
    return frame


def _untimed(path: Path) -> UndecodableMedia:
    return undecodable(path, "has frames without times", remedy="Rewrap the file as MOV, MP4 or MXF.")


def _states_alpha(stream: Any) -> bool:
    """Whether a WebM says that its packets carry alpha beside the picture."""
    return any(key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items())


def _nominal_rate(stream: Any) -> Fraction | None:
    for rate in (stream.guessed_rate, stream.average_rate):
        if rate and 0 < rate <= 1000:
            return snap_rate(Fraction(rate))
    return None


def _stated_duration(container: Any, stream: Any) -> tuple[Fraction | None, Fraction]:
    """Seconds that the file claims for its picture, and by how much the claim is usually off."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base, _STATED_SLACK
    if tagged := _seconds_of_tag(stream.metadata.get("DURATION", "")):
        return tagged, _STATED_SLACK
    if container.duration:
        return Fraction(container.duration, av.time_base), _CONTAINER_SLACK
    return None, _STATED_SLACK


def _on_frame_grid(duration: Fraction, rate: Fraction | None) -> Fraction:
    """A duration that the file rounded to milliseconds, as the whole number of frames it was."""
    if rate is None:
        return duration
    whole = round(duration * rate) / rate
    return whole if abs(whole - duration) <= Fraction(1, 1000) else duration


def _seconds_of_tag(text: str) -> Fraction | None:
    """`00:00:05.400000000`, as Matroska writes it, in seconds."""
    try:
        hours, minutes, seconds = text.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    except ValueError:
        return None


def _start_timecode(container: Any, rate: Fraction | None) -> Fraction | None:
    """Seconds since midnight of the first timecode found in the picture, another stream or the file."""
    streams = [*container.streams.video, *container.streams]
    texts = [source.metadata.get("timecode") for source in [*streams, container]]
    text = next((text for text in texts if text), None)
    if text is None or rate is None:
        return None
    try:
        return parse_timecode(text, rate) / rate
    except ValueError:
        return None
