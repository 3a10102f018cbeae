"""Takes as sound in memory: read in a thread, with what is drawn of them found out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plugin.controller.background import Background
from plugin.controller.chores import unforeseen
from plugin.controller.kept import Kept
from plugin.controller.onsets import find_onsets
from plugin.errors import SagafoleyError
from plugin.media.audio import read_pieces, read_wav, resample_stream
from plugin.timebase import STEM_RATE

Samples = NDArray[np.float32]

_NOTHING = np.zeros(0, np.float32)

_MEMORY = 256 << 20
_OUTLINES = 128 << 20
BLOCK = 128
"""Samples whose lowest and highest are kept together."""

_SHORT = 1 << 21
"""Sounds of up to so many samples can be drawn sample by sample; longer ones block by block."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What is drawn of a sound; small, so that many are kept.

    Attributes:
        total: how many samples it has, at 48 kHz.
        low: float32 `[ceil(total / BLOCK)]`, the lowest sample of each block.
        high: the highest of each block.
        onsets: samples at which something begins to sound.
        samples: all of them, float32 `[total]`, of a short sound; None of a long one.
        error: why there is no sound, None when there is.
    """

    total: int
    low: Samples
    high: Samples
    onsets: tuple[int, ...] = ()
    samples: Samples | None = None
    error: SagafoleyError | None = None

    @classmethod
    def of(cls, samples: Samples, *, onsets: tuple[int, ...] = ()) -> Outline:
        """The outline of samples `[n]`."""
        edges = np.arange(0, len(samples), BLOCK)
        low = np.minimum.reduceat(samples, edges) if len(samples) else _NOTHING
        high = np.maximum.reduceat(samples, edges) if len(samples) else _NOTHING
        return cls(len(samples), low, high, onsets, samples if len(samples) <= _SHORT else None)

    @property
    def bytes(self) -> int:
        """What it takes of memory."""
        drawn = 0 if self.samples is None else self.samples.nbytes
        return int(drawn + self.low.nbytes + self.high.nbytes) + 200


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A mono sound at 48 kHz.

    Attributes:
        samples: float32 `[n]`, read-only.
        error: why there is no sound, None when there is.
    """

    samples: Samples
    error: SagafoleyError | None = None

    @classmethod
    def of(cls, samples: Samples) -> Sound:
        """The sound of these samples, which must not be changed any more."""
        samples.flags.writeable = False
        return cls(samples)


def sound_pieces(path: Path) -> Iterator[Samples]:
    """The sound of a file, mixed to one channel, at 48 kHz, in pieces float32 `[n]`.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: not a sound file.
    """
    _, rate = read_wav(path, frames=0)
    yield from resample_stream(read_pieces(path), source_rate=rate, target_rate=STEM_RATE)


class Sounds:
    """Sounds by file; one that is not in memory is read aside. End it with `close`."""

    def __init__(self, *, ready: Callable[[], None] = lambda: None, memory: int = _MEMORY) -> None:
        """Nothing is read yet.

        Args:
            ready: called from another thread when a sound has come.
            memory: bytes of sound that may be kept.
        """
        self._ready = ready
        self._kept: Kept[Sound] = Kept(memory)
        self._outlines: Kept[Outline] = Kept(_OUTLINES)
        self._thread = Background("sounds")

    @property
    def busy(self) -> bool:
        """Whether any is being read."""
        return self._thread.busy

    def of(self, path: Path) -> Sound | None:
        """The sound of a file, to be heard; None until it is read. One that cannot be read is silent."""
        known = self._kept.get(path)
        if known is None:
            self._thread.put(path, lambda: self._read(path))
        return known

    def outline(self, path: Path) -> Outline | None:
        """What is drawn of a file's sound; None until it is read. One that cannot be read says why."""
        known = self._outlines.get(path)
        if known is None:
            self._thread.put(path, lambda: self._read(path))
        return known

    def forget(self) -> None:
        """Read all of them again when they are asked for."""
        self._kept.clear()
        self._outlines.clear()

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    def _read(self, path: Path) -> None:
        try:
            pieces = list(sound_pieces(path))
            samples = np.concatenate(pieces) if pieces else _NOTHING
            sound = Sound.of(samples)
            outline = Outline.of(samples, onsets=find_onsets(samples, sample_rate=STEM_RATE))
        except SagafoleyError as error:
            sound, outline = _silent(error)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            sound, outline = _silent(unforeseen(f"reading {path.name}", error))
        self._kept.put(path, sound, weight=int(sound.samples.nbytes) + 200)
        self._outlines.put(path, outline, weight=outline.bytes)
        self._ready()


def _silent(error: SagafoleyError) -> tuple[Sound, Outline]:
    return Sound(_NOTHING, error), Outline(0, _NOTHING, _NOTHING, error=error)
