"""Preview movies: the picture copied as it is, with stems as its sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from plugin.errors import UndecodableMedia
from plugin.media.audio import read_wav
from plugin.media.containers import UNSEEKABLE, open_container, picture_stream, undecodable
from plugin.media.loudness import LimitedSound, peak_limited
from plugin.media.movies import Movie
from plugin.timebase import STEM_RATE, sample_position
from plugin.wholefile import discard, output_error, part_of

Samples = NDArray[np.float32]

_MP4 = frozenset({"h264", "hevc", "av1", "mpeg4", "mpeg2video", "vp9"})
_MOV = frozenset(
    {"prores", "dnxhd", "qtrle", "png", "mjpeg", "dvvideo", "cfhd", "rawvideo", "v210", "jpeg2000"}
)
_MUXERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
_PIECE = 1 << 16
_AAC_BLOCK = 1024
_AAC_OPTIONS = {"b": "192000", "aac_coder": "fast"}
"""A quarter of the time of the usual search. Signal to noise of what strikes and rustles is better (clicks 28
instead of 15 dB), of a pure tone worse (25 to 31 instead of 46 to 59): enough for a preview."""


@dataclass(frozen=True, slots=True)
class PlacedStem:
    """A stem and where it goes.

    Attributes:
        path: a 48 kHz WAV.
        start: sample at which its first sample sounds, counted from the start of the mix; may be
            negative, then its head is left out.
        gain: linear.
    """

    path: Path
    start: int = 0
    gain: float = 1.0


@dataclass(frozen=True, slots=True)
class Preview:
    """A finished preview.

    Attributes:
        path: where it is; its suffix may differ from the one asked for.
        lead: seconds of picture in the file before the start, because a copied picture can only
            begin at a keyframe. Players that honour edit lists (nearly all) hide it in MP4 and MOV;
            in Matroska it shows, in silence.
        gain: what the mix was turned down by, to keep its true peak at or under -1 dBTP.
    """

    path: Path
    lead: Fraction
    gain: float


def mix_stems(stems: Sequence[PlacedStem], *, samples: int) -> Iterator[Samples]:
    """The sum of the stems (several channels: their mean), float32 `[n]` pieces, `samples` in all.

    Raises:
        MediaMissing: a stem is not there.
        UndecodableMedia: it is no sound file, or not at 48 kHz.
    """
    for begin in range(0, samples, _PIECE):
        piece = np.zeros(min(_PIECE, samples - begin), np.float32)
        for stem in stems:
            first = max(begin, stem.start)
            last = begin + len(piece)
            if first < last:
                sound = _read_stem(stem.path, first - stem.start, last - first)
                piece[first - begin : first - begin + len(sound)] += sound * np.float32(stem.gain)
        yield piece


def _read_stem(path: Path, start: int, frames: int) -> Samples:
    sound, rate = read_wav(path, start=start, frames=frames)
    if rate != STEM_RATE:
        raise undecodable(path, f"has {rate} samples per second", remedy="Choose a 48 kHz WAV file.")
    mono: Samples = sound.mean(axis=1, dtype=np.float32)
    return mono


def preview_suffix(codec: str) -> str:
    """The container that can hold a copied picture of an FFmpeg codec name: .mp4, .mov or .mkv."""
    return ".mp4" if codec in _MP4 else ".mov" if codec in _MOV else ".mkv"


def mux_preview(
    video: Path,
    stems: Sequence[PlacedStem],
    *,
    out: Path,
    start: Fraction = Fraction(0),
    end: Fraction | None = None,
) -> Preview:
    """Copies the picture of `video` in `[start, end)` and lays the stems under it as AAC.

    The picture is not re-encoded. Where `start` is not a keyframe, the file begins at the keyframe
    before it, and an edit list makes players start at `start`; a few frames past `end` may remain
    where earlier ones need them. The suffix of `out` gives way to `.mov` or `.mkv` where the
    picture's codec needs that. Written beside and renamed when whole; an older preview is replaced.

    Args:
        video: a local movie.
        stems: what to hear, placed from `start` on.
        out: where to write.
        start: media seconds from the first frame.
        end: media seconds; None is the end of the picture.

    Raises:
        MediaMissing: the video or a stem is not there.
        UndecodableMedia: the video has no picture that can be copied, or a stem is no sound.
        OutputError: the folder refuses or the disk is full.
    """
    with closing(Movie.open(video)) as movie:
        if movie.info.is_still:
            raise undecodable(video, "is a single image", remedy="Choose a movie for the preview.")
        if movie.clocked_by_decoding:
            raise _uncopyable(video, "its packets have no presentation times")
        stop = movie.extent().end if end is None else min(end, movie.extent().end)
        suffix = preview_suffix(movie.info.codec)
        entry = _entry(movie, start)
        picture = _Picture(video, movie.first_pts, movie.time_base, start=start, end=stop, entry=entry)
    if stop <= start:
        raise undecodable(video, "has no picture in that range", remedy="Choose a range inside the movie.")
    out = out if out.suffix.lower() in {suffix, ".mkv"} else out.with_suffix(suffix)
    mix = mix_stems(stems, samples=sample_position(stop - start))
    with peak_limited(mix, sample_rate=STEM_RATE) as sound:
        return Preview(out, _write(picture, sound, out), sound.gain)


def _entry(movie: Movie, start: Fraction) -> Fraction:
    """Time of the last keyframe at or before `start`."""
    frames = movie.frames_from(start)
    entry = next(frames).time
    for frame in takewhile(lambda frame: frame.time <= start, frames):
        entry = frame.time if frame.load().key_frame else entry
    return entry


@dataclass(frozen=True, slots=True)
class _Picture:
    """The part `[start, end)` of a movie to copy, from the keyframe at `entry`; ticks are of `base`."""

    path: Path
    first_pts: int
    base: Fraction
    start: Fraction
    end: Fraction
    entry: Fraction

    def tick_of(self, time: Fraction) -> int:
        return self.first_pts + round(time / self.base)


def _write(picture: _Picture, sound: LimitedSound, out: Path) -> Fraction:
    part = part_of(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lead = _mux(picture, sound, part, kind=_MUXERS[out.suffix.lower()])
        part.replace(out)
    except OSError as error:  # FFmpeg's own errors with a system error number are OSErrors too
        raise output_error(out, error) from error
    except (av.error.FFmpegError, ValueError) as error:
        raise _uncopyable(picture.path, error) from error
    finally:
        discard(part)
    return lead


def _uncopyable(path: Path, error: Exception | str) -> UndecodableMedia:
    return undecodable(
        path,
        "has a picture that cannot be copied into a preview",
        remedy="Transcode the movie to H.264 or ProRes for the preview.",
        detail=str(error),
    )


def _mux(picture: _Picture, sound: LimitedSound, part: Path, *, kind: str) -> Fraction:
    """Writes picture and sound interleaved; returns the seconds of picture before the start."""
    with ExitStack() as stack:
        source: Any = stack.enter_context(open_container(picture.path))
        stream = picture_stream(source, picture.path)
        target: Any = stack.enter_context(av.open(str(part), "w", format=kind))
        video = target.add_stream_from_template(stream)
        audio = target.add_stream("aac", rate=STEM_RATE, layout="mono", options=_AAC_OPTIONS)
        blocks = _encoded_sound(audio, sound)
        lead = Fraction(0)
        written = Fraction(0)
        for packet in _copied_packets(picture):
            lead = max(lead, -packet.pts * picture.base)
            while written < packet.dts * picture.base and (packets := next(blocks, None)) is not None:
                target.mux(packets)
                written += Fraction(_AAC_BLOCK, STEM_RATE)
            packet.stream = video
            target.mux(packet)
        for packets in blocks:
            target.mux(packets)
        return lead


def _copied_packets(picture: _Picture) -> Iterator[Any]:
    """Packets from the entry on, their clock moved so that the start is 0."""
    begin, stop = picture.tick_of(picture.start), picture.tick_of(picture.end)
    for packet in _with_decode_times(_packets_from_entry(picture)):
        if packet.dts >= stop:
            return
        packet.pts -= begin
        packet.dts -= begin
        yield packet


def _packets_from_entry(picture: _Picture) -> Iterator[Any]:
    """Packets from the keyframe at the entry; where a seek misses it, by reading from the beginning."""
    entry, near = picture.tick_of(picture.entry), picture.tick_of(picture.entry - 1)
    for seek in (True, False):
        with open_container(picture.path) as source:
            stream = picture_stream(source, picture.path)
            if seek and near > picture.first_pts and source.format.name not in UNSEEKABLE:
                with suppress(av.error.FFmpegError):
                    source.seek(near, stream=stream, backward=True)
            packets = (
                packet for packet in _readable(source, stream) if packet.size and packet.pts is not None
            )
            found = dropwhile(lambda packet: packet.pts != entry, packets)
            if (first := next(found, None)) is not None:
                yield first
                yield from found
                return


def _readable(source: Any, stream: Any) -> Iterator[Any]:
    """Packets up to the end or to where a truncated file breaks off."""
    packets = source.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError):
            return
        if packet is None:
            return
        yield packet


def _with_decode_times(packets: Iterator[Any]) -> Iterator[Any]:
    """Fills in the decode times that Matroska leaves out at its beginning: one frame apart, backwards."""
    waiting: list[Any] = []
    for packet in packets:
        waiting.append(packet)
        if packet.dts is None:
            continue
        step = max(1, packet.duration or 1)
        for count, early in enumerate(reversed(waiting)):
            early.dts = packet.dts - count * step
        yield from waiting
        waiting.clear()
    if waiting:
        raise ValueError("no packet has a decode time")


def _encoded_sound(stream: Any, sound: LimitedSound) -> Iterator[list[Any]]:
    """AAC packets, a list per block of 1024 samples."""
    position = 0
    waiting: Samples = np.zeros(0, np.float32)
    for piece in sound.pieces():
        waiting = np.concatenate([waiting, piece])
        whole = len(waiting) // _AAC_BLOCK * _AAC_BLOCK
        for begin in range(0, whole, _AAC_BLOCK):
            yield _encode(stream, waiting[begin : begin + _AAC_BLOCK], position + begin)
        position, waiting = position + whole, waiting[whole:]
    if len(waiting):
        yield _encode(stream, waiting, position)
    yield stream.encode(None)


def _encode(stream: Any, block: Samples, position: int) -> list[Any]:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block[None]), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = STEM_RATE, position, Fraction(1, STEM_RATE)
    packets: list[Any] = stream.encode(frame)
    return packets
