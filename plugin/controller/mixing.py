"""The mix that is heard: takes at their places on the timeline, with gain and fades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugin.controller.sounds import Sound
from plugin.media.shaping import Shape
from plugin.timebase import STEM_RATE

Samples = NDArray[np.float32]

BLEND = STEM_RATE // 100
"""Samples (10 ms) over which one mix goes over into another."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One sound of a mix.

    Attributes:
        sound: what sounds.
        first: sample position, since midnight, of its first sample.
        shape: its gain and fades.
    """

    sound: Sound
    first: int
    shape: Shape

    def at(self, positions: NDArray[np.float64]) -> Samples:
        """The sound float32 `[n]` at sample positions since midnight, interpolated; 0 outside of it."""
        samples, inside = self.sound.samples, positions - self.first
        whole = np.floor(inside).astype(np.int64)
        part = (inside - whole).astype(np.float32)
        here, there = _taken(samples, whole), _taken(samples, whole + 1)
        factors = self.shape.curve(whole, total=len(samples))
        return np.asarray((here + (there - here) * part) * factors, np.float32)


def _taken(samples: Samples, index: NDArray[np.int64]) -> Samples:
    """Samples by index, 0 outside."""
    inside = (index >= 0) & (index < len(samples))
    if not inside.any():
        return np.zeros(len(index), np.float32)
    return np.where(inside, samples[np.clip(index, 0, len(samples) - 1)], np.float32(0))


class Mixer:
    """Sounds added up; a change of what sounds goes over within `BLEND` samples."""

    def __init__(self) -> None:
        self._layers: tuple[Layer, ...] = ()
        self._former: tuple[Layer, ...] = ()
        self._blended = BLEND

    def change(self, layers: tuple[Layer, ...]) -> None:
        """What sounds from now on."""
        if layers != self._layers:
            self._former, self._layers, self._blended = self._layers, layers, 0

    def settle(self) -> None:
        """The next sample follows on none: nothing has to go over."""
        self._blended = BLEND

    def mix(self, positions: NDArray[np.float64]) -> Samples:
        """The mix float32 `[n]` at sample positions since midnight."""
        mixed = _sum(self._layers, positions)
        if self._blended >= BLEND:
            return mixed
        new = np.clip((self._blended + np.arange(len(positions))) / BLEND, 0, 1).astype(np.float32)
        self._blended += len(positions)
        return np.asarray(mixed * new + _sum(self._former, positions) * (1 - new), np.float32)


def _sum(layers: tuple[Layer, ...], positions: NDArray[np.float64]) -> Samples:
    mixed = np.zeros(len(positions), np.float32)
    for layer in layers:
        mixed += layer.at(positions)
    return mixed
