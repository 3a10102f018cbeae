"""Footsteps: a walker seen from the side, on several grounds."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.chance import across, between, chance
from exporter.synth.makers.maker import Maker, Shot
from exporter.synth.modal import Partials, at_level, ring
from exporter.synth.motion import Key, keyed
from exporter.synth.noises import Band, burst
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, Tempo, event_times, events_at
from exporter.synth.scores import SAMPLE_RATE, Event, Score
from exporter.synth.shapes import Colour, Figure, Part, at, bar, box, disc
from exporter.synth.voices import Voice, voice_of

_GROUND = 0.95
_HIP = -0.05


def _feet(shot: Shot, stride: float) -> tuple[Float64, Float64, Float64]:
    """Both feet `[T, 2]` and the hip's place `[T]`: event k sets foot k % 2 down at k * stride."""
    places: list[list[Key]] = [[Key(-10.0, 0.0)], [Key(-10.0, 0.5 * stride)]]
    heights: list[list[Key]] = [[Key(-10.0, 0.0)], [Key(-10.0, 0.0)]]
    for step, event in enumerate(shot.score.events):
        foot = step % 2
        last = max(places[foot][-1].time, event.time - 0.5)
        leave = last + 0.25 * (event.time - last)
        places[foot] += [Key(leave, places[foot][-1].value), Key(event.time, (step + 1) * stride)]
        top = 0.08 + 0.2 * event.gain
        heights[foot] += [
            Key(leave, 0.0),
            Key(0.5 * (leave + event.time), top),
            Key(event.time, 0.0, "speeding"),
        ]
    x = [keyed(shot.times, keys) for keys in places]
    y = [_GROUND - keyed(shot.times, keys) for keys in heights]
    return at(x[0], y[0]), at(x[1], y[1]), (x[0] + x[1]) / 2


def _leg(hip: Float64, foot: Float64, colour: Colour, shoe: Colour) -> Figure:
    """Thigh, shin and shoe; the knee bends forward as far as the leg is too long."""
    span = np.linalg.norm(foot - hip, axis=1)
    bend = np.sqrt(np.maximum(0.55**2 - (span / 2) ** 2, 0.0016))
    knee = (hip + foot) / 2 + at(bend, -0.1 * bend)
    toe = foot + at(0.2, 0.0)
    return (
        Part(bar(hip, knee, 0.13, 0.1), colour),
        Part(bar(knee, foot - at(0, 0.06), 0.1, 0.07), colour),
        Part(bar(foot - at(0.03, 0.06), toe - at(0, 0.05), 0.075, 0.055), shoe),
    )


def _look(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    stride = between(rng, 0.35, 0.55)
    left, right, hip_x = _feet(shot, stride)
    followed = chance(rng, 0.65)
    shift = at(-hip_x if followed else -0.5 * (hip_x.min() + hip_x.max()), 0.0)
    bob = 0.04 * np.abs(left[:, 0] - right[:, 0])
    hip = at(hip_x, _HIP + bob) + shift
    behind = _leg(hip, right + shift, lighter(paints.main, -0.25), paints.dark)
    ahead = _leg(hip, left + shift, paints.main, paints.dark)
    body, front = _BODIES[shot.variant](shot, hip, (left[:, 0] - right[:, 0]) / stride)
    return behind + body + ahead + front


def _person(shot: Shot, hip: Float64, phase: Float64) -> tuple[Figure, Figure]:
    paints = shot.paints
    shoulder = hip + at(0.03, -0.75)
    skin = lighter(paints.second, 0.3)
    arm = 0.3 * phase
    torso = (
        Part(bar(shoulder, shoulder + at(arm, 0.55), 0.07), lighter(paints.second, -0.3)),
        Part(bar(hip, shoulder, 0.19, 0.22), paints.second),
        Part(disc(shoulder + at(0.03, -0.42), 0.2, 0.23), skin),
    )
    return torso, (Part(bar(shoulder, shoulder + at(-arm, 0.55), 0.07), paints.second),)


def _legs_only(shot: Shot, hip: Float64, phase: Float64) -> tuple[Figure, Figure]:
    coat = box(hip + at(0, -0.35), 0.55 + 0.1 * np.abs(phase), 0.9)
    return (Part(coat, shot.paints.second),), ()


def _bird(shot: Shot, hip: Float64, phase: Float64) -> tuple[Figure, Figure]:
    paints = shot.paints
    head = hip + at(0.5 + 0.06 * phase, -0.75)
    front = (
        Part(bar(hip + at(0.2, -0.3), head, 0.1, 0.08), paints.second),
        Part(disc(hip + at(-0.05, -0.2), 0.55, 0.36), paints.second),
        Part(bar(hip + at(-0.5, -0.3), hip + at(-0.85, -0.45), 0.14, 0.05), paints.main),
        Part(disc(head, 0.15), paints.second),
        Part(bar(head, head + at(0.28, 0.04), 0.06, 0.01), paints.accent),
    )
    return (), front


_BODIES = (_person, _legs_only, _bird)


def _voice(rng: Random, variant: int, size: float) -> Voice:
    """Hard shoes on stone, boots on gravel, bare feet on boards."""
    low = 2 ** ((0.5 - size) * 0.6)
    gap = between(rng, 0.035, 0.06)
    tail = across(rng, 0.008, 0.014)
    bands = (
        (Band(250 * low, 3200), 0.006, 0.2),
        (Band(700, 7500), 0.03, 0.4),
        (Band(90 * low, 700), 0.014, 0.9),
    )
    band, decay, thud = bands[variant]

    def step(rng: Random, hardness: float) -> Float32:
        sound = np.zeros(round(0.35 * SAMPLE_RATE), np.float32)
        heel = burst(rng, band, decay=decay)
        toe = burst(rng, band, decay=decay + tail) * np.float32(0.16 + 0.08 * hardness)
        body = ring(
            Partials(np.array([85.0, 140.0]) * low, np.array([0.025, 0.02]), np.array([1.0, 0.7])),
            rng,
            seconds=0.2,
        )
        for start, part in ((0, heel), (0, body * np.float32(thud)), (round(gap * SAMPLE_RATE), toe)):
            length = min(len(part), len(sound) - start)
            sound[start : start + length] += part[:length]
        return at_level(sound)

    return voice_of(step, rng, notes=2)


def _score(rng: Random, span: Span) -> Score:
    times = event_times(rng, span, Tempo(0.3, 0.75))
    steps = events_at(rng, times)
    return Score(
        span.seconds, tuple(Event(step.time, max(step.gain, 0.3), k % 2) for k, step in enumerate(steps))
    )


WALKING: tuple[Maker, ...] = (
    Maker(
        "footsteps",
        "impact",
        ("footsteps", "someone walking", "footsteps on gravel", "a person's steps on a hard floor"),
        ("rubber", "plain"),
        3,
        -8,
        _score,
        _look,
        _voice,
    ),
)
"""Every class of this family."""
