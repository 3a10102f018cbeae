"""A small movie of a rendered timeline: its picture, and the sum of its stems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray
from pictures import Picture, resized

from plugin.cues import ClipSource, CueSheet, MediaFile
from plugin.hosts import StemPiece
from plugin.media.video import VideoReader
from plugin.timebase import STEM_RATE, frame_at, sample_position, span_samples

Sound = NDArray[np.float32]
WIDTH = 640


def sum_of_stems(sheet: CueSheet, pieces: Iterable[StemPiece]) -> Sound:
    """All pieces at their places over the timeline's extent, `[n]` at 48 kHz, peak at most 0.9."""
    total = np.zeros(span_samples(sheet.record), np.float32)
    origin = sample_position(sheet.record.start)
    for piece in pieces:
        samples, _ = soundfile.read(piece.path, dtype="float32")
        first = sample_position(piece.record.start) - origin
        total[first : first + samples.size] += samples
    return total * np.float32(min(1.0, 0.9 / max(float(np.abs(total).max(initial=0)), 1e-6)))


def timeline_pictures(sheet: CueSheet, clips: Sequence[ClipSource]) -> Iterator[Picture]:
    """The picture of every record frame in order, `[h, 640, 3]`; the clips lie end to end.

    Args:
        sheet: its rate and extent.
        clips: the picture clips in record order; their media counts from `available.start`.
    """
    for clip in clips:
        if not isinstance(clip.media, MediaFile) or clip.available is None:
            raise ValueError(f"{clip.clip_name} is not a movie of known extent")
        count = frame_at(clip.record.end, sheet.rate) - frame_at(clip.record.start, sheet.rate)
        begin = clip.source_start - clip.available.start
        times = [begin + Fraction(i) / sheet.rate for i in range(count)]
        with VideoReader.open(clip.media) as reader:
            yield from reader.frames_at(times, reduce=_small)


def _small(picture: Picture) -> Picture:
    return resized(picture, width=WIDTH)


def write_movie(path: Path, pictures: Iterable[Picture], *, rate: Fraction, sound: Sound) -> None:
    """H.264 and AAC in an MP4."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": "23", "preset": "veryfast"})
        audio = container.add_stream("aac", rate=STEM_RATE, layout="mono")
        for number, picture in enumerate(pictures):
            if number == 0:
                video.width, video.height, video.pix_fmt = picture.shape[1], picture.shape[0], "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for start in range(0, sound.size, 1024):
            piece = av.AudioFrame.from_ndarray(
                sound[None, start : start + 1024], format="fltp", layout="mono"
            )
            piece.sample_rate, piece.pts, piece.time_base = STEM_RATE, start, Fraction(1, STEM_RATE)
            container.mux(audio.encode(piece))
        container.mux(audio.encode())
