"""When things happen: event times, gains and drives of many tempos and habits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.chance import across, between, chance, pick, whole
from exporter.synth.scores import Event, Score, ticks_of

_EDGE = 0.06
"""Seconds between an event and the ends of its span."""


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a scene in which an object may sound; seconds."""

    start: float
    end: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Tempo:
    """Seconds between events: the range that suits an object."""

    low: float
    high: float


Gaps = Callable[[Random, Tempo], Iterator[float]]


def _steady(rng: Random, tempo: Tempo) -> Iterator[float]:
    gap = across(rng, tempo.low, tempo.high)
    while True:
        yield gap * between(rng, 0.97, 1.03)


def _swung(rng: Random, tempo: Tempo) -> Iterator[float]:
    gap = across(rng, tempo.low * 1.3, tempo.high)
    share = between(rng, 0.55, 0.7)
    while True:
        yield 2 * gap * share
        yield max(2 * gap * (1 - share), tempo.low)


def _free(rng: Random, tempo: Tempo) -> Iterator[float]:
    while True:
        yield across(rng, tempo.low, tempo.high * 1.6)


def _bursts(rng: Random, tempo: Tempo) -> Iterator[float]:
    gap = across(rng, tempo.low, (tempo.low * tempo.high) ** 0.5)
    while True:
        for _ in range(whole(rng, 1, 4)):
            yield gap * between(rng, 0.95, 1.05)
        yield between(rng, 0.7, 1.6)


def _changing(rng: Random, tempo: Tempo) -> Iterator[float]:
    gap = across(rng, tempo.low, tempo.high)
    factor = pick(rng, (0.88, 0.93, 1.08, 1.14))
    while True:
        yield gap
        gap = float(np.clip(gap * factor, tempo.low, tempo.high))


def _sparse(rng: Random, tempo: Tempo) -> Iterator[float]:
    while True:
        yield between(rng, max(0.8, tempo.low), max(2.4, tempo.high))


_HABITS: tuple[Gaps, ...] = (_steady, _steady, _swung, _free, _bursts, _changing, _sparse)


def event_times(rng: Random, span: Span, tempo: Tempo, *, habits: tuple[Gaps, ...] = _HABITS) -> list[float]:
    """Ascending seconds inside the span, at least `tempo.low` apart."""
    first = between(rng, 0, min(1.0, 0.3 * (span.end - span.start)))
    time = span.start + _EDGE + first
    gaps = pick(rng, habits)(rng, tempo)
    times = []
    while time < span.end - _EDGE:
        times.append(time)
        time += next(gaps)
    return times


def steady_times(rng: Random, span: Span, tempo: Tempo) -> list[float]:
    """Ascending seconds inside the span, evenly spaced but for 3 percent."""
    return event_times(rng, span, tempo, habits=(_steady,))


def gains_of(rng: Random, count: int) -> Float64:
    """`[count]` linear gains of 0.15..1: even, accented, free, growing or dying away."""
    index = np.arange(count)
    habit = whole(rng, 0, 4)
    shapes: tuple[Callable[[], Float64], ...] = (
        lambda: np.ones(count),
        lambda: np.where(index % whole(rng, 2, 4) == 0, 1.0, between(rng, 0.3, 0.6)),
        lambda: rng.uniform(0.2, 1, count),
        lambda: np.linspace(0.25, 1, count),
        lambda: np.linspace(1, 0.25, count),
    )
    gains = shapes[habit]() * rng.uniform(0.85, 1, count) * between(rng, 0.8, 1)
    return np.clip(gains, 0.15, 1.0)


def events_at(rng: Random, times: list[float], *, tones: int = 1) -> tuple[Event, ...]:
    """Events at these times with gains of one habit and notes that wander."""
    gains = gains_of(rng, len(times))
    notes = np.abs(np.cumsum(rng.integers(-2, 3, len(times))) + whole(rng, 0, tones)) % tones
    return tuple(
        Event(time, float(gain), int(note)) for time, gain, note in zip(times, gains, notes, strict=True)
    )


def hits(rng: Random, span: Span, tempo: Tempo, *, tones: int = 1) -> Score:
    """A score of impacts in any habit."""
    return Score(span.seconds, events_at(rng, event_times(rng, span, tempo), tones=tones))


def alternating_hits(rng: Random, span: Span, tempo: Tempo) -> Score:
    """Evenly spaced impacts of two alternating notes (a pendulum, two feet)."""
    times = steady_times(rng, span, tempo)
    gains = gains_of(rng, len(times))
    return Score(
        span.seconds,
        tuple(Event(t, float(g), i % 2) for i, (t, g) in enumerate(zip(times, gains, strict=True))),
    )


def bounces(rng: Random, span: Span, *, restitution: float, longest: float) -> Score:
    """Contacts of a ball: every flight shorter than the last, until it is thrown again.

    Args:
        rng: where the draws come from.
        span: when it may bounce.
        restitution: how much of a flight's length the next one keeps, 0..1.
        longest: seconds of the flight after a throw.
    """
    flight = longest * between(rng, 0.8, 1.0)
    time = span.start + _EDGE + between(rng, 0.05, 0.6)
    events = []
    while time < span.end - _EDGE:
        events.append(Event(time, float(np.clip(flight / longest, 0.15, 1.0))))
        flight *= restitution
        if flight < between(rng, 0.2, 0.42) * longest:
            flight = longest * between(rng, 0.8, 1.0)
        flight = max(flight, 0.12)
        time += flight
    return Score(span.seconds, tuple(events))


def _hump(ticks: Float64, *, start: float, length: float, sharpness: float) -> Float64:
    phase = (ticks - start) / length
    inside = (phase > 0) & (phase < 1)
    return np.where(inside, np.abs(np.sin(np.pi * np.clip(phase, 0, 1))) ** sharpness, 0.0)


def strokes(rng: Random, span: Span, *, length: Tempo, pause: Tempo, tones: int = 1) -> Score:
    """Separate movements: the drive rises and falls once in each.

    Args:
        rng: where the draws come from.
        span: when it may move.
        length: seconds of a stroke.
        pause: seconds between the end of one and the start of the next.
        tones: how many notes there are.
    """
    ticks = ticks_of(span.seconds)
    drive = np.zeros(len(ticks))
    sharpness = between(rng, 0.6, 1.6)
    base, rest = across(rng, length.low, length.high), across(rng, pause.low, pause.high)
    time = span.start + _EDGE + between(rng, 0, 0.6)
    starts, peaks = [], []
    while time + length.low < span.end - _EDGE:
        lasting = min(base * between(rng, 0.8, 1.2), span.end - _EDGE - time)
        peak = between(rng, 0.45, 1)
        drive = np.maximum(drive, peak * _hump(ticks, start=time, length=lasting, sharpness=sharpness))
        starts.append(time)
        peaks.append(peak)
        time += lasting + rest * between(rng, 0.7, 1.4)
    notes = rng.integers(0, tones, len(starts))
    events = tuple(Event(t, p, int(n)) for t, p, n in zip(starts, peaks, notes, strict=True))
    return Score(span.seconds, events, drive.astype(np.float32))


def speeds(rng: Random, span: Span, *, change: Tempo) -> Score:
    """A machine: it runs up, holds, changes its speed, and may stop and start again.

    Args:
        rng: where the draws come from.
        span: when it may run.
        change: seconds a speed is kept.
    """
    times, levels = [span.start, span.start + 0.05], [0.0, between(rng, 0.0, 1.0)]
    while times[-1] < span.end:
        times.append(times[-1] + between(rng, 0.25, 0.9))
        levels.append(0.0 if levels[-1] > 0 and chance(rng, 0.25) else between(rng, 0.3, 1))
        times.append(times[-1] + between(rng, change.low, change.high))
        levels.append(levels[-1])
    drive = _smoothed(np.interp(ticks_of(span.seconds), times, levels), 25)
    ticks = ticks_of(span.seconds)
    drive = drive * np.clip((span.end - ticks) / 0.2, 0, 1) * np.clip((ticks - span.start) / 0.2, 0, 1)
    return Score(span.seconds, _starts(drive), drive.astype(np.float32))


def _smoothed(values: Float64, width: int) -> Float64:
    window = np.hanning(width + 2)[1:-1]
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, window / window.sum(), "valid")[: len(values)]


def _starts(drive: Float64) -> tuple[Event, ...]:
    """An event wherever the drive leaves zero."""
    going = drive > 0.03
    edges = np.flatnonzero(np.diff(going.astype(int), prepend=0) == 1)
    ticks = ticks_of((len(drive) - 1) / 200)
    return tuple(Event(float(ticks[i]), float(max(drive[i : i + 200].max(), 0.15))) for i in edges)


def as_drive(values: Float64) -> Float32:
    """A drive out of any curve, held to 0..1."""
    return np.clip(values, 0, 1).astype(np.float32)
