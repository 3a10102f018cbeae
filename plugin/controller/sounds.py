"""Takes as sound in memory: read in a thread, with what is drawn of them found out once."""

from __future__ import annotations

from collections.abc import Callable
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

_MEMORY = 256 << 20
BLOCK = 128
"""Samples whose lowest and highest are kept together."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A mono sound at 48 kHz.

    Attributes:
        samples: float32 `[n]`, read-only.
        low: float32 `[ceil(n / BLOCK)]`, the lowest of each block.
        high: the highest of each block.
        onsets: samples at which something begins to sound.
        error: why there is no sound, None when there is.
    """

    samples: Samples
    low: Samples
    high: Samples
    onsets: tuple[int, ...] = ()
    error: SagafoleyError | None = None

    @classmethod
    def of(cls, samples: Samples, *, onsets: tuple[int, ...] = ()) -> Sound:
        """The sound with its blocks measured."""
        edges = np.arange(0, len(samples), BLOCK)
        nothing = np.zeros(0, np.float32)
        low = np.minimum.reduceat(samples, edges) if len(samples) else nothing
        high = np.maximum.reduceat(samples, edges) if len(samples) else nothing
        samples.flags.writeable = False
        return cls(samples, low, high, onsets)

    @property
    def bytes(self) -> int:
        """What it takes of memory."""
        return int(self.samples.nbytes + self.low.nbytes + self.high.nbytes)


def read_sound(path: Path) -> Sound:
    """The sound of a file, mixed to one channel, at 48 kHz.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: not a sound file.
    """
    _, rate = read_wav(path, frames=0)
    pieces = list(resample_stream(read_pieces(path), source_rate=rate, target_rate=STEM_RATE))
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return Sound.of(samples, onsets=find_onsets(samples, sample_rate=STEM_RATE))


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
        self._thread = Background("sounds")

    @property
    def busy(self) -> bool:
        """Whether any is being read."""
        return self._thread.busy

    def of(self, path: Path) -> Sound | None:
        """The sound of a file; None until it is read. One that cannot be read is silent and says why."""
        known = self._kept.get(path)
        if known is None:
            self._thread.put(path, lambda: self._read(path))
        return known

    def forget(self) -> None:
        """Read all of them again when they are asked for."""
        self._kept.clear()

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    def _read(self, path: Path) -> None:
        if self._kept.get(path) is not None:
            return
        try:
            sound = read_sound(path)
        except SagafoleyError as error:
            sound = _silent(error)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            sound = _silent(unforeseen(f"reading {path.name}", error))
        self._kept.put(path, sound, weight=sound.bytes)
        self._ready()


def _silent(error: SagafoleyError) -> Sound:
    nothing = np.zeros(0, np.float32)
    return Sound(nothing, nothing, nothing, error=error)
