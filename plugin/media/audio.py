"""Sound in pieces: resampling that keeps every instant in place, and reading wave files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from plugin.media.containers import require_file, undecodable

Samples = NDArray[np.float32]

_QUALITY = "VHQ"
_READ_FRAMES = 1 << 16


def resampled_length(samples: int, *, source_rate: int, target_rate: int) -> int:
    """How many samples `resample_stream` gives for `samples`: the duration kept, rounded half up."""
    return (2 * samples * target_rate + source_rate) // (2 * source_rate)


def resample_stream(pieces: Iterable[Samples], *, source_rate: int, target_rate: int) -> Iterator[Samples]:
    """The same sound at another rate, float32 `[n]` pieces; sample k stays at time k / rate.

    How the input is cut into pieces changes nothing, and no piece given is empty. The length is
    that of `resampled_length`. Equal rates pass the samples through.

    Args:
        pieces: mono float32 `[n]`.
        source_rate: samples per second of `pieces`.
        target_rate: samples per second of the result.
    """
    if source_rate == target_rate:
        yield from (piece for piece in pieces if len(piece))
        return
    stream = soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality=_QUALITY)
    taken = given = 0
    for piece in pieces:
        taken += len(piece)
        made = stream.resample_chunk(np.ascontiguousarray(piece, np.float32))
        given += len(made)
        if len(made):
            yield made
    rest = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    missing = resampled_length(taken, source_rate=source_rate, target_rate=target_rate) - given
    if missing > 0:
        yield np.pad(rest, (0, max(0, missing - len(rest))))[:missing]


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    require_file(path)
    try:
        with soundfile.SoundFile(path) as sound:
            yield sound
    except soundfile.LibsndfileError as error:
        raise undecodable(
            path, "is not a sound file", remedy="Choose a WAV file.", detail=str(error)
        ) from error


def read_wav(path: Path, *, start: int = 0, frames: int | None = None) -> tuple[Samples, int]:
    """Samples float32 `[frames, channels]`, -1..1, and the rate of a wave file.

    Args:
        path: the file.
        start: first frame to read.
        frames: how many at most; None reads to the end.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: not a sound file.
    """
    with _opened(path) as sound:
        sound.seek(min(start, sound.frames))
        samples = sound.read(-1 if frames is None else frames, dtype="float32", always_2d=True)
        return np.asarray(samples, np.float32), int(sound.samplerate)


def read_pieces(path: Path, *, frames: int = _READ_FRAMES) -> Iterator[Samples]:
    """The file's sound as mono float32 `[n]` pieces (the mean of its channels), `frames` at a time.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: not a sound file.
    """
    with _opened(path) as sound:
        while len(block := sound.read(frames, dtype="float32", always_2d=True)):
            yield np.asarray(block.mean(axis=1), np.float32)
