"""What struck things sound like: sums of decaying partials, clicks and thuds.

A partial is never one exact sine: it is a few strands that lie a little apart, so that it beats and
has a width, as the modes of real bodies do. All strands of a hit are summed as one matrix product:
sample b*B+j of a damped strand is its value at b*B times its power j.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.noises import Band, burst
from exporter.synth.scores import SAMPLE_RATE

Complex = NDArray[np.complex128]

_BLOCK = 256
_HIGHEST = 17_000.0
_ATTACK = 0.0003
_SIXTY_DB = 6.91

FREE_BAR = (1.0, 2.756, 5.404, 8.933, 13.345)
CLAMPED_BAR = (1.0, 6.267, 17.55)
MEMBRANE = (1.0, 1.593, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501, 3.6, 4.06)
BELL = (0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 2.66, 3.01, 4.17, 5.43)
CUP = (1.0, 2.32, 4.25, 6.63, 9.38)
HARMONIC = tuple(float(k) for k in range(1, 15))


_CONTACT = Band(1500, 9000)


@dataclass(frozen=True, slots=True)
class Partials:
    """Modes: `[K]` Hz, `[K]` seconds to 1/e, `[K]` linear levels."""

    frequencies: Float64
    decays: Float64
    levels: Float64


@dataclass(frozen=True, slots=True)
class Strike:
    """How a body answers a blow.

    Attributes:
        frequency: Hz of ratio 1.
        ratios: of its modes.
        decay: seconds to 1/e of the mode at ratio 1.
        damping: how much faster higher modes die: decay / ratio**damping.
        tilt: how much weaker higher modes are, for a hard blow: level = ratio**-tilt.
        click: level of the contact noise beside the modes, 0..2.
        click_band: where that noise lies.
        click_decay: seconds to 1/e of the contact noise.
        thud: level of a short low thump, 0..1.
        spread: how far the strands of a partial lie apart, relative.
    """

    frequency: float
    ratios: tuple[float, ...]
    decay: float
    damping: float = 0.6
    tilt: float = 0.6
    click: float = 0.3
    click_band: Band = _CONTACT
    click_decay: float = 0.004
    thud: float = 0.0
    spread: float = 0.0012


def ring(
    partials: Partials, rng: Random, *, seconds: float, strands: int = 3, spread: float = 0.0012
) -> Float32:
    """The sum of damped partials from time 0, faded in over 0.3 ms.

    Args:
        partials: the modes; those above 17 kHz are left out.
        rng: phases and distances of the strands.
        seconds: length of the result.
        strands: how many lie together as one partial.
        spread: their distance, relative to the frequency.
    """
    audible = partials.frequencies < _HIGHEST
    count = int(audible.sum())
    detune = 1 + spread * rng.standard_normal((strands, count))
    detune[0] = 1
    frequency = (partials.frequencies[audible] * detune).ravel()
    rate = np.tile(-1 / np.maximum(partials.decays[audible], 1e-4), strands) + 2j * np.pi * frequency
    shares = rng.uniform(0.3, 1, (strands, count))
    level = (partials.levels[audible] * shares / shares.sum(axis=0)).ravel()
    start = (level * np.exp(1j * rng.uniform(-np.pi, np.pi, level.size))).astype(np.complex128)
    return _fade_in(
        _powers_summed(
            start, (rate / SAMPLE_RATE).astype(np.complex128), samples=max(1, round(seconds * SAMPLE_RATE))
        )
    )


def _powers_summed(start: Complex, rate: Complex, *, samples: int) -> Float32:
    """Re sum_k start_k * exp(rate_k * n) for n of 0..samples-1."""
    blocks = -(-samples // _BLOCK)
    coarse = np.exp(np.outer(np.arange(blocks) * _BLOCK, rate)) * start
    fine = np.exp(np.outer(rate, np.arange(_BLOCK)))
    left = np.concatenate([coarse.real, -coarse.imag], axis=1).astype(np.float32)
    right = np.concatenate([fine.real, fine.imag], axis=0).astype(np.float32)
    return (left @ right).ravel()[:samples]


def _fade_in(sound: Float32) -> Float32:
    length = min(len(sound), round(_ATTACK * SAMPLE_RATE))
    sound[:length] *= np.linspace(0.25, 1, length, dtype=np.float32)
    return sound


def _fade_out(sound: Float32) -> Float32:
    length = len(sound) // 8
    sound[len(sound) - length :] *= np.linspace(1, 0, length, dtype=np.float32) ** 2
    return sound


def modes_of(strike: Strike, rng: Random, *, hardness: float) -> Partials:
    """The modes of a body struck softly (0) or hard (1): the softer, the fewer high ones."""
    ratios = np.asarray(strike.ratios) * (1 + 0.004 * rng.standard_normal(len(strike.ratios)))
    tilt = strike.tilt + 1.3 * (1 - hardness)
    levels = np.maximum(ratios, 0.3) ** -tilt * np.exp(0.35 * rng.standard_normal(len(ratios)))
    decays = strike.decay / np.maximum(ratios, 0.3) ** strike.damping
    return Partials(strike.frequency * ratios, decays, levels)


def struck(strike: Strike, rng: Random, *, hardness: float, longest: float = 2.2) -> Float32:
    """One blow, normalised to `at_level`.

    Args:
        strike: the body.
        rng: its small irregularities; the same draw gives the same body.
        hardness: 0..1.
        longest: seconds at most.
    """
    modes = modes_of(strike, rng, hardness=hardness)
    decay = max(float(modes.decays.max()), strike.click_decay, 0.03 if strike.thud else 0.0)
    seconds = min(longest, _SIXTY_DB * decay)
    sound = ring(modes, rng, seconds=seconds, spread=strike.spread)
    sound /= max(float(np.abs(sound).max()), 1e-9)
    if strike.click:
        _add(
            sound,
            strike.click * (0.35 + 0.65 * hardness) * burst(rng, strike.click_band, decay=strike.click_decay),
        )
    if strike.thud:
        thump = Partials(np.array([70.0, 110.0]), np.array([0.03, 0.02]), np.array([1.0, 0.6]))
        _add(sound, strike.thud * ring(thump, rng, seconds=0.2))
    return at_level(_fade_out(sound))


def _add(sound: Float32, other: Float32) -> None:
    length = min(len(sound), len(other))
    sound[:length] += other[:length]


def at_level(sound: Float32, *, level: float = 0.25) -> Float32:
    """The sound scaled so that the loudest 10 ms of its first quarter second have this RMS level."""
    width = min(len(sound), SAMPLE_RATE // 100)
    power = np.cumsum(np.concatenate([[0.0], sound[: SAMPLE_RATE // 4].astype(np.float64) ** 2]))
    loudest = float(np.max(power[width:] - power[:-width])) / width
    return sound * np.float32(level / max(loudest, 1e-12) ** 0.5)
