"""What swings to and fro and sounds where it turns: bell, clock, maraca; and a swung stick."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.chance import across, between
from exporter.synth.makers.maker import Maker, Shot, pitch_of
from exporter.synth.modal import BELL, Strike, at_level
from exporter.synth.motion import swing, wander
from exporter.synth.noises import Band, noise
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, Tempo, alternating_hits, hits, strokes
from exporter.synth.scores import SAMPLE_RATE, Score
from exporter.synth.shapes import Figure, Part, at, bar, box, disc, solid, turned
from exporter.synth.voices import NoiseVoice, Voice, struck_voice, voice_of


def _bell_look(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    angle = between(rng, 0.45, 0.75) * swing(shot.times, shot.score)
    clapper_angle = angle * 1.5
    if shot.variant == 1:
        return _hand_bell(shot, angle)
    wide = between(rng, 0.55, 0.75)
    pivot = at(0.0, -0.75)
    outline = [(-0.2, 0.05), (0.2, 0.05), (0.32, 0.6), (wide, 1.25), (-wide, 1.25), (-0.32, 0.6)]
    return (
        Part(bar((-0.6, -0.75), (0.6, -0.75), 0.06), paints.dark),
        Part(disc(pivot + turned((0, 1.35), clapper_angle), 0.13), paints.dark),
        Part(solid(outline, pivot, angle=angle), paints.main),
        Part(
            bar(pivot + turned((-wide, 1.22), angle), pivot + turned((wide, 1.22), angle), 0.07),
            paints.second,
        ),
    )


def _hand_bell(shot: Shot, angle: Float64) -> Figure:
    paints = shot.paints
    pivot = at(0.0, 0.9)
    outline = [(-0.5, -1.7), (0.5, -1.7), (0.28, -0.95), (-0.28, -0.95)]
    return (
        Part(bar(pivot, pivot + turned((0, -0.95), angle), 0.09), paints.second),
        Part(disc(pivot + turned((0, -1.72), 1.12 * angle), 0.12), paints.dark),
        Part(solid(outline, pivot, angle=angle), paints.main),
    )


def _bell_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    strikes = (
        Strike(480 * pitch, BELL, across(rng, 0.6, 1.1), 0.55, 0.5, click=0.2, spread=0.0008),
        Strike(1500 * pitch, BELL[1:8], across(rng, 0.35, 0.7), 0.5, 0.5, click=0.15, spread=0.0008),
    )
    return struck_voice([strikes[variant]], rng)


def _bell_score(rng: Random, span: Span) -> Score:
    return alternating_hits(rng, span, Tempo(0.35, 1.0))


def _clock_look(shot: Shot) -> Figure:
    paints = shot.paints
    angle = between(shot.rng, 0.3, 0.5) * swing(shot.times, shot.score, softest=1.0)
    if shot.variant == 1:
        return _metronome(shot, angle)
    steps = np.searchsorted(shot.score.times, shot.times, side="right")
    hand = 2 * np.pi / 12 * steps
    face = at(0.0, -0.35)
    return (
        Part(box((0, 0.15), 1.2, 2.0), paints.main),
        Part(disc(face, 0.5), lighter(paints.main, 0.75)),
        Part(bar(face, face + turned((0, -0.4), hand), 0.035), paints.dark),
        Part(bar(face, face + turned((0.22, 0.0), between(shot.rng, 0, 6)), 0.05), paints.dark),
        Part(bar(at(0, 0.25), at(0, 0.25) + turned((0, 0.6), angle), 0.03), paints.second),
        Part(disc(at(0, 0.25) + turned((0, 0.65), angle), 0.15), paints.second),
    )


def _metronome(shot: Shot, angle: Float64) -> Figure:
    paints = shot.paints
    pivot = at(0.0, 0.7)
    body = [(-0.25, -0.8), (0.25, -0.8), (0.6, 0.9), (-0.6, 0.9)]
    return (
        Part(solid(body), paints.main),
        Part(bar(pivot, pivot + turned((0, -1.6), angle), 0.035), paints.dark),
        Part(box(pivot + turned((0, -1.1), angle), 0.2, 0.2, angle=angle), paints.accent),
    )


def _clock_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.8)
    base, band = ((2600, Band(2500, 9000)), (1700, Band(1200, 5000)))[variant]
    tick = Strike(
        base * pitch,
        (1.0, 1.58, 2.3),
        across(rng, 0.005, 0.009),
        0.3,
        0.3,
        click=0.9,
        click_band=band,
        click_decay=0.0015,
    )
    tock = Strike(
        base * pitch * 0.78,
        (1.0, 1.71, 2.5),
        across(rng, 0.006, 0.011),
        0.3,
        0.3,
        click=0.8,
        click_band=band,
        click_decay=0.0015,
    )
    return struck_voice([tick, tock], rng)


def _clock_score(rng: Random, span: Span) -> Score:
    return alternating_hits(rng, span, Tempo(0.3, 1.0))


def _maraca_look(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    swung = swing(shot.times, shot.score)
    if shot.variant == 1:
        body = at(0.0, 0.35 * swung)
        stripe = Part(box(body, 1.25, 0.12), paints.accent)
        return Part(bar(body + at(-0.5, 0), body + at(0.5, 0), 0.28), paints.main), stripe
    angle = between(rng, 0.35, 0.6) * swung
    pivot = at(0.0, 0.9)
    head = pivot + turned((0, -1.3), angle)
    return (
        Part(bar(pivot, head, 0.08), paints.second),
        Part(disc(head, 0.38, 0.48, angle=angle), paints.main),
        Part(bar(head + turned((-0.33, 0), angle), head + turned((0.33, 0), angle), 0.06), paints.accent),
    )


def _maraca_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.6)
    band = (Band(5200 * pitch, 11000 * pitch), Band(2800 * pitch, 8000 * pitch))[variant]
    decay = across(rng, 0.014, 0.028)

    def shake(rng: Random, hardness: float) -> Float32:
        samples = round(7 * decay * SAMPLE_RATE)
        time = np.arange(samples, dtype=np.float32) / SAMPLE_RATE
        grains = (rng.random(samples) < 0.02 + 0.03 * hardness).astype(np.float32)
        kernel = noise(rng, band, samples=90) * np.exp(-np.arange(90, dtype=np.float32) / 25)
        grains[0] = 1
        sound = np.convolve(grains * rng.uniform(0.2, 1, samples), kernel)[:samples]
        return at_level((sound * np.exp(-time / decay)).astype(np.float32))

    return voice_of(shake, rng)


def _maraca_score(rng: Random, span: Span) -> Score:
    return hits(rng, span, Tempo(0.16, 0.45))


def _whoosh_look(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    reach = between(rng, 3.5, 5.5)
    gone = shot.score.travel_at(shot.times, alternating=shot.variant == 0)
    angle = between(rng, -0.6, 0.6) + reach * 1.6 * gone + wander(rng, shot.times, reach=0.06)
    pivot = at(0.0, 0.35)
    if shot.variant == 1:
        ball = pivot + turned((0, -1.1), angle)
        return Part(bar(pivot, ball, 0.03), paints.dark), Part(disc(ball, 0.2), paints.main)
    tip = pivot + turned((0, -1.35), angle)
    middle = pivot + turned((0, -0.35), angle)
    thick = (0.04, 0.04, 0.13)[shot.variant]
    return (
        Part(bar(middle, tip, 0.6 * thick + 0.02, thick), paints.main),
        Part(bar(pivot, middle, 0.06), paints.second),
        Part(bar(middle + turned((-0.16, 0), angle), middle + turned((0.16, 0), angle), 0.04), paints.dark),
    )


def _whoosh_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    centre = (1100, 480, 650)[variant] * pitch
    return NoiseVoice(
        slow=Band(0.35 * centre, 0.6 * centre, 2, ((0.5 * centre, 0.2, 3),)),
        fast=Band(0.8 * centre, 1.3 * centre, 2, ((centre, 0.12, 5), (2.1 * centre, 0.2, 2))),
        power=2.2,
        grain=0.1,
    )


def _whoosh_score(rng: Random, span: Span) -> Score:
    return strokes(rng, span, length=Tempo(0.22, 0.6), pause=Tempo(0.15, 1.0))


SWINGING: tuple[Maker, ...] = (
    Maker(
        "bell",
        "impact",
        ("a ringing bell", "a church bell", "a hand bell being rung", "bell ringing"),
        ("brass", "wood"),
        2,
        -4,
        _bell_score,
        _bell_look,
        _bell_voice,
    ),
    Maker(
        "clock",
        "impact",
        ("a ticking clock", "a pendulum clock", "a metronome", "clock ticks"),
        ("wood", "brass"),
        2,
        -12,
        _clock_score,
        _clock_look,
        _clock_voice,
    ),
    Maker(
        "maraca",
        "impact",
        ("a maraca", "a shaker being shaken", "shaking maracas", "a rattle"),
        ("wood", "rubber"),
        2,
        -8,
        _maraca_score,
        _maraca_look,
        _maraca_voice,
    ),
    Maker(
        "whoosh",
        "continuous",
        ("a whoosh", "a stick swung through the air", "a sword swinging", "swishing air"),
        ("metal", "wood"),
        3,
        -10,
        _whoosh_score,
        _whoosh_look,
        _whoosh_voice,
    ),
)
"""Every class of this family."""
