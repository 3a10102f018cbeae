"""Strings: a plucked one and a bowed one."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float64, Random
from exporter.synth.chance import across, between, pick
from exporter.synth.makers.maker import Maker, Shot, pitch_of
from exporter.synth.modal import HARMONIC, Strike
from exporter.synth.motion import lift, tone_path
from exporter.synth.noises import Band
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, Tempo, hits, strokes
from exporter.synth.scores import Score
from exporter.synth.shapes import Figure, Part, at, bar, box, disc, solid, turned
from exporter.synth.tones import shaped_levels
from exporter.synth.voices import BowedVoice, Voice, struck_voice

_NOTES = 5
_SCALES = ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 5, 7, 12))
_ALONG = np.linspace(-1, 1, 15)


def _vibrating(shot: Shot, *, rate: float, depth: float, y: float) -> Float64:
    """The string `[T, 15, 2]`: it is drawn aside by the finger, then swings and calms down."""
    times, score = shot.times, shot.score
    decay = between(shot.rng, 0.2, 0.4)
    at_events = np.zeros(len(times))
    if score.events:
        since = times[:, None] - score.times[None]
        swings = np.where(
            since >= 0, np.exp(-np.maximum(since, 0) / decay) * np.cos(2 * np.pi * rate * since), 0
        )
        pulled = np.where((since < 0) & (since > -0.12), (1 + since / 0.12) ** 2, 0)
        at_events = np.sum(score.gains * (swings + pulled), axis=1)
    shape = 1 - _ALONG**2
    drawn = y - depth * at_events[:, None] * shape
    return np.stack(np.broadcast_arrays(_ALONG[None] * 1.05, drawn), axis=2)


def _guitar_look(shot: Shot) -> Figure:
    paints, rng = shot.paints, shot.rng
    string = _vibrating(shot, rate=between(rng, 5.5, 8.5), depth=0.3, y=0.0)
    bodies: tuple[Figure, ...] = (
        (
            Part(disc((0.55, 0.05), 0.6, 0.55), paints.main),
            Part(disc((-0.05, 0.05), 0.42, 0.42), paints.main),
            Part(bar((-0.3, 0.03), (-1.15, 0.03), 0.09), paints.dark),
            Part(disc((0.3, 0.03), 0.2), paints.dark),
        ),
        (
            Part(box((0, 0.35), 2.1, 0.5), paints.main),
            Part(box((0, 0.35), 1.7, 0.2), lighter(paints.main, 0.2)),
        ),
        (
            Part(bar((-1.05, 0.7), (-1.05, -0.7), 0.08), paints.main),
            Part(bar((1.05, 0.7), (1.05, -0.7), 0.08), paints.main),
        ),
    )
    spread = (-0.12, 0.12) if shot.variant != 1 else (-0.15,)
    others = tuple(Part(bar((-1.05, y), (1.05, y), 0.02), paints.second) for y in spread)
    return (
        *bodies[shot.variant],
        *others,
        Part(string, paints.second, line=0.055, closed=False),
        *_finger(shot),
    )


def _finger(shot: Shot) -> Figure:
    """A finger that lies on the string at an event and then draws back."""
    away = lift(shot.times, shot.score, rest=0.5)
    x = 0.1 * tone_path(shot.times, shot.score)
    tip = at(x, -0.08 - 0.55 * away)
    skin = lighter(shot.paints.accent, 0.2)
    parts = (
        Part(bar(tip + at(0.35, -0.7), tip + at(0.12, -0.3), 0.13), skin),
        Part(bar(tip + at(0.12, -0.3), tip, 0.09), skin),
    )
    return tuple(Part(part.points, part.colour, foreign=shot.foreign) for part in parts)


def _plucked_voice(rng: Random, variant: int, size: float) -> Voice:
    base = (165, 300, 90)[variant] * pitch_of(rng, size)
    ratios = tuple(k * (1 + 0.00015 * k * k) ** 0.5 for k in HARMONIC)
    decay = across(rng, 0.35, 0.9)
    strikes = [
        Strike(
            base * 2 ** (note / 12),
            ratios,
            decay,
            0.7,
            0.75,
            click=0.1,
            click_band=Band(600, 4000),
            spread=0.0006,
        )
        for note in pick(rng, _SCALES)
    ]
    return struck_voice(strikes, rng)


def _plucks(rng: Random, span: Span) -> Score:
    return hits(rng, span, Tempo(0.25, 1.0), tones=_NOTES)


def _violin_look(shot: Shot) -> Figure:
    paints, rng = shot.paints, shot.rng
    gone = between(rng, 1.6, 2.6) * shot.score.travel_at(shot.times, alternating=True)
    lean = between(rng, -0.15, 0.15)
    middle = at(np.clip(gone, -0.95, 0.95), -0.1) + 0 * gone[:, None]
    bow = tuple(middle + turned((x, 0.0), lean) for x in (-1.1, 1.1))
    grip = bow[1] + turned((0.05, 0.08), lean)
    tall = (1.0, 1.25)[shot.variant]
    body = (
        Part(bar((0, -0.3), (0, -1.2 * tall), 0.07), paints.dark),
        Part(disc((0, -1.2 * tall), 0.1), paints.dark),
        Part(disc((0, 0.5 * tall), 0.48, 0.42), paints.main),
        Part(disc((0, -0.15), 0.38, 0.34), paints.main),
        Part(box((0, 0.2), 0.5, 0.6), paints.main),
        Part(box((0, 0.35), 0.24, 0.06), paints.accent),
    )
    strings = tuple(
        Part(bar((x, 0.35), (x, -1.1 * tall), 0.012), lighter(paints.main, 0.6)) for x in (-0.05, 0.05)
    )
    stick = (
        Part(bar(bow[0], bow[1], 0.035), paints.second),
        Part(bar(grip, grip + turned((0.5, 0.3), lean), 0.11), lighter(paints.accent, 0.2)),
    )
    return body + strings + tuple(Part(part.points, part.colour, foreign=shot.foreign) for part in stick)


def _bowed_voice(rng: Random, variant: int, size: float) -> Voice:
    base = (392, 140)[variant] * pitch_of(rng, size, octaves=0.7)
    pitches = tuple(base * 2 ** (note / 12) for note in pick(rng, _SCALES))
    body = np.exp(0.5 * rng.standard_normal(24))
    return BowedVoice(
        pitches=pitches,
        soft=shaped_levels(rng, 12, tilt=1.7) * body[:12],
        hard=shaped_levels(rng, 24, tilt=0.95) * body,
        vibrato=between(rng, 0.002, 0.009),
        vibrato_rate=between(rng, 4.5, 6.5),
        hiss=Band(1500, 7000),
        hiss_level=across(rng, 0.04, 0.12),
    )


def _bowing(rng: Random, span: Span) -> Score:
    return strokes(rng, span, length=Tempo(0.35, 1.1), pause=Tempo(0.03, 0.5), tones=_NOTES)


def _horn_look(shot: Shot) -> Figure:
    """A trumpet: its bell rises and its valves go down while it sounds."""
    paints = shot.paints
    level = shot.score.drive_at(shot.times)
    angle = -0.28 * level
    pivot = at(0.85, 0.0)

    def place(x: float, y: float) -> Float64:
        return pivot + turned((x, y), angle)

    flare = solid([(-1.9, -0.45), (-1.45, -0.1), (-1.45, 0.1), (-1.9, 0.45)], pivot, angle=angle)
    long = (1.0, 0.8)[shot.variant]
    valves = tuple(
        Part(bar(place(x, 0.28), place(x, -0.28) + at(0, 0.14 * level * (k != 1)), 0.07), paints.dark)
        for k, x in enumerate((-0.75, -0.55, -0.35))
    )
    loop = Part(disc(place(-0.55, 0.1), 0.42 * long, 0.24, angle=angle), paints.second, line=0.09)
    puff = Part(disc(place(-2.0, 0.0), 0.08, 0.42, angle=angle), lighter(paints.main, 0.4))
    return (
        loop,
        Part(bar(place(0, 0), place(-1.5, 0), 0.07), paints.main),
        Part(flare, paints.main),
        puff,
        *valves,
    )


def _horn_voice(rng: Random, variant: int, size: float) -> Voice:
    base = (262, 131)[variant] * pitch_of(rng, size, octaves=0.6)
    return BowedVoice(
        pitches=tuple(base * 2 ** (note / 12) for note in pick(rng, _SCALES)),
        soft=shaped_levels(rng, 6, tilt=1.5, ripple=0.2),
        hard=shaped_levels(rng, 18, tilt=0.35, ripple=0.2) * np.exp(-(((np.arange(18) - 4) / 7) ** 2)),
        vibrato=between(rng, 0.0, 0.004),
        vibrato_rate=between(rng, 4.5, 6),
        hiss=Band(400, 3000),
        hiss_level=across(rng, 0.01, 0.04),
    )


def _blowing(rng: Random, span: Span) -> Score:
    return strokes(rng, span, length=Tempo(0.25, 0.9), pause=Tempo(0.08, 0.7), tones=_NOTES)


STRINGED: tuple[Maker, ...] = (
    Maker(
        "plucked_string",
        "impact",
        ("a guitar", "a plucked string", "plucking a guitar string", "a harp note"),
        ("wood", "metal"),
        3,
        -6,
        _plucks,
        _guitar_look,
        _plucked_voice,
    ),
    Maker(
        "violin",
        "continuous",
        ("a violin", "a bowed violin", "someone playing the violin", "a cello"),
        ("wood", "wood"),
        2,
        -6,
        _bowing,
        _violin_look,
        _bowed_voice,
    ),
    Maker(
        "trumpet",
        "continuous",
        ("a trumpet", "a trumpet being played", "someone blowing a horn", "a brass horn"),
        ("brass", "metal"),
        2,
        -6,
        _blowing,
        _horn_look,
        _horn_voice,
    ),
)
"""Every class of this family."""
