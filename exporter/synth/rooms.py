"""Rooms: impulse responses, and sounds put into them at a distance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from exporter.synth.arrays import Float32, Random
from exporter.synth.chance import across, between, whole
from exporter.synth.noises import Band, fast_length, noise
from exporter.synth.scores import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Room:
    """What a room adds to a sound.

    Attributes:
        impulse: `[m]` its answer to a click of height 1, without the click itself; energy 1.
        decay: seconds to -60 dB.
    """

    impulse: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    decay: float = 0.0

    def placed(self, dry: Float32, *, distance: float) -> Float32:
        """The sound in the room: itself unchanged at time 0, and the room's answer.

        Args:
            dry: `[n]`.
            distance: 0 (close, hardly any room) to 1 (far).
        """
        if not len(self.impulse) or not dry.any():
            return dry.copy()
        size = fast_length(len(dry) + len(self.impulse))
        spectrum = np.fft.rfft(dry, size) * np.fft.rfft(self.impulse, size)
        answer = np.fft.irfft(spectrum, size)[: len(dry)].astype(np.float32, copy=False)
        first = int(np.flatnonzero(dry)[0])
        answer[:first] = 0
        return dry + np.float32(0.08 + 0.35 * distance) * answer


DRY = Room()


def draw_room(rng: Random) -> Room:
    """A room between a padded booth and a small hall."""
    decay = across(rng, 0.09, 0.65)
    samples = round(min(decay, 0.6) * SAMPLE_RATE)
    time = np.arange(samples, dtype=np.float32) / SAMPLE_RATE
    dull = noise(rng, Band(120, between(rng, 1200, 3000)), samples=samples)
    bright = noise(rng, Band(2500, 9000), samples=samples)
    tail = dull * np.exp(-6.9 * time / decay) + 0.5 * bright * np.exp(-6.9 * time / (0.55 * decay))
    onset = between(rng, 0.004, 0.018)
    tail = tail * np.clip((time - onset) / 0.006, 0, 1)
    tail *= np.clip((time[-1] - time) / (0.2 * time[-1]), 0, 1)
    tail /= max(float(np.sqrt(np.sum(tail**2))), 1e-9)
    return Room((tail + _reflections(rng, samples)).astype(np.float32), decay)


def _reflections(rng: Random, samples: int) -> Float32:
    """The first echoes, from the walls."""
    taps = np.zeros(samples, np.float32)
    for _ in range(whole(rng, 3, 8)):
        delay = across(rng, 0.0025, 0.04)
        place = round(delay * SAMPLE_RATE)
        if place < samples:
            taps[place] += np.float32(rng.choice([-1, 1]) * 0.0022 / (delay + 0.004))
    return taps
