"""Voices: what plays a score. Any voice of a kind plays any score of that kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.chance import stream
from exporter.synth.modal import Strike, struck
from exporter.synth.noises import Band, noise
from exporter.synth.scores import CONTROL_RATE, SAMPLE_RATE, Score
from exporter.synth.tones import period, phase_of, played, to_samples, unsteady


class Voice(Protocol):
    """Plays scores."""

    def play(self, score: Score, rng: Random) -> Float32:
        """The dry sound `[samples]` of the score; silent without events and drive.

        Args:
            score: what to play.
            rng: the irregularities of this performance.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """One note of a struck thing, played softly and hard; both of the same level."""

    soft: Float32
    hard: Float32


@dataclass(frozen=True, slots=True)
class StruckVoice:
    """A thing that sounds when something touches it.

    Attributes:
        notes: its notes, low to high; an event's tone chooses one.
    """

    notes: tuple[Hit, ...]

    def play(self, score: Score, rng: Random) -> Float32:
        """Every event's hit from its sample on, its level the event's gain, brighter the louder."""
        sound = np.zeros(round(score.seconds * SAMPLE_RATE), np.float32)
        for event in score.events:
            start = round(event.time * SAMPLE_RATE)
            hit = self.notes[event.tone % len(self.notes)]
            hardness = float(np.clip(event.gain + 0.12 * rng.standard_normal(), 0, 1))
            for part, share in ((hit.soft, 1 - hardness), (hit.hard, hardness)):
                end = min(len(sound), start + len(part))
                sound[start:end] += np.float32(event.gain * share) * part[: end - start]
        return sound


def struck_voice(strikes: Sequence[Strike], rng: Random) -> StruckVoice:
    """A voice of one body per note; the same irregularities in its soft and its hard blow."""
    seeds = rng.integers(2**31, size=len(strikes))
    return StruckVoice(
        tuple(
            Hit(
                struck(strike, stream(int(seed)), hardness=0.0),
                struck(strike, stream(int(seed)), hardness=1.0),
            )
            for strike, seed in zip(strikes, seeds, strict=True)
        )
    )


def voice_of(make: Callable[[Random, float], Float32], rng: Random, *, notes: int = 1) -> StruckVoice:
    """A voice of any way to make a hit: `make(rng, hardness)`."""
    return StruckVoice(tuple(Hit(make(rng, 0.0), make(rng, 1.0)) for _ in range(notes)))


@dataclass(frozen=True, slots=True)
class NoiseVoice:
    """Friction and air: noise whose level and colour follow the drive.

    Attributes:
        slow: its spectrum when hardly driven.
        fast: its spectrum when driven hard.
        power: level = drive ** power.
        grain: depth of its irregular modulation, 0..1.
        grain_rate: changes of that modulation per second, when driven hard.
        flutter: depth of a regular modulation by the distance gone, 0..1.
        flutter_rate: its cycles per second, when driven hard.
    """

    slow: Band
    fast: Band
    power: float = 1.3
    grain: float = 0.3
    grain_rate: float = 60.0
    flutter: float = 0.0
    flutter_rate: float = 20.0

    def play(self, score: Score, rng: Random) -> Float32:
        """Two noises crossfaded by the drive, then roughened."""
        samples = round(score.seconds * SAMPLE_RATE)
        drive = score.drive.astype(np.float64)
        share = to_samples(drive, samples=samples).astype(np.float32)
        level = to_samples(self._rough(drive, rng), samples=samples).astype(np.float32)
        dull, bright = noise(rng, self.slow, samples=samples), noise(rng, self.fast, samples=samples)
        return np.float32(0.18) * level * (dull + share * (bright - dull))

    def _rough(self, drive: Float64, rng: Random) -> Float64:
        level = drive**self.power
        gone = np.cumsum(drive) / CONTROL_RATE
        knots = rng.standard_normal(int(gone[-1] * self.grain_rate) + 4)
        level *= np.exp(
            self.grain * np.interp(gone * self.grain_rate, np.arange(len(knots)), knots) - self.grain**2
        )
        return level * (1 + self.flutter * np.sin(2 * np.pi * self.flutter_rate * gone)) / (1 + self.flutter)


@dataclass(frozen=True, slots=True)
class MotorVoice:
    """A machine: a tone whose pitch follows the drive, with noise in its rhythm.

    Attributes:
        slowest: Hz of the fundamental when hardly driven.
        fastest: Hz when driven hard.
        soft: harmonic levels `[H]` when hardly driven.
        hard: harmonic levels `[H]` when driven hard.
        air: the noise beside it.
        air_level: its level beside the tone's 1.
        pulse: depth of the noise's modulation in the tone's rhythm, 0..1.
        power: level = drive ** power.
        wobble: relative unsteadiness of the pitch.
    """

    slowest: float
    fastest: float
    soft: Float64
    hard: Float64
    air: Band
    air_level: float
    pulse: float
    power: float = 0.8
    wobble: float = 0.01

    def play(self, score: Score, rng: Random) -> Float32:
        """Two tables crossfaded by the drive over noise pulsing with them."""
        samples = round(score.seconds * SAMPLE_RATE)
        drive = score.drive.astype(np.float64)
        pitch = self.slowest * (self.fastest / self.slowest) ** drive
        pitch = pitch * unsteady(rng, len(drive), amount=self.wobble)
        phase = phase_of(pitch, samples=samples)
        share = to_samples(drive, samples=samples).astype(np.float32)
        level = to_samples(
            drive**self.power * unsteady(rng, len(drive), amount=0.06), samples=samples
        ).astype(np.float32)
        soft, hard = played(period(rng, self.soft), phase), played(period(rng, self.hard), phase)
        air = noise(rng, self.air, samples=samples) * np.float32(self.air_level * 0.4)
        air *= 1 + np.float32(self.pulse) * played(period(rng, np.array([1.0, 0.4])), phase)
        return np.float32(0.3) * level * (soft + share * (hard - soft) + air)


@dataclass(frozen=True, slots=True)
class BowedVoice:
    """A bowed or blown note: pitch by the stroke's tone, level by the drive.

    Attributes:
        pitches: Hz of the notes.
        soft: harmonic levels `[H]` of a slow bow.
        hard: harmonic levels `[H]` of a fast one.
        vibrato: relative depth.
        vibrato_rate: Hz.
        hiss: the noise of bow or breath.
        hiss_level: beside the tone's 1.
    """

    pitches: tuple[float, ...]
    soft: Float64
    hard: Float64
    vibrato: float
    vibrato_rate: float
    hiss: Band
    hiss_level: float

    def play(self, score: Score, rng: Random) -> Float32:
        """The tone of each stroke, with vibrato and bow noise."""
        samples = round(score.seconds * SAMPLE_RATE)
        drive = score.drive.astype(np.float64)
        phase = phase_of(self._pitch(score, rng), samples=samples)
        share = to_samples(drive, samples=samples).astype(np.float32)
        level = share ** np.float32(0.7)
        soft, hard = played(period(rng, self.soft), phase), played(period(rng, self.hard), phase)
        hiss = noise(rng, self.hiss, samples=samples) * np.float32(0.3 * self.hiss_level)
        return np.float32(0.3) * level * (soft + share * (hard - soft) + hiss)

    def _pitch(self, score: Score, rng: Random) -> Float64:
        ticks = np.arange(len(score.drive)) / CONTROL_RATE
        tones = [event.tone % len(self.pitches) for event in score.events] or [0]
        stroke = np.clip(np.searchsorted(score.times, ticks, side="right") - 1, 0, len(tones) - 1)
        pitch = np.asarray(self.pitches)[np.asarray(tones)[stroke]]
        vibrato = 1 + self.vibrato * np.sin(2 * np.pi * self.vibrato_rate * ticks + rng.uniform(0, 6))
        return pitch * vibrato * unsteady(rng, len(ticks), amount=0.002)
