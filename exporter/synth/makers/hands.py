"""Hands at work: clapping, typing, snapping scissors shut."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.chance import across, between, whole
from exporter.synth.makers.maker import Maker, Shot, pitch_of
from exporter.synth.modal import Strike, at_level
from exporter.synth.motion import flash, lift, tone_path
from exporter.synth.noises import Band, burst
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, Tempo, hits
from exporter.synth.scores import SAMPLE_RATE, Score
from exporter.synth.shapes import Figure, Part, at, bar, box, disc, turned
from exporter.synth.voices import Voice, struck_voice, voice_of

_KEYS = 7


def _clap_look(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    gap = 0.75 * lift(shot.times, shot.score, rest=between(rng, 0.4, 0.8))
    tilt = between(rng, -0.3, 0.3)
    if shot.variant == 1:
        return _clapper(shot, gap)
    parts: Figure = ()
    for side in (-1.0, 1.0):
        palm = at(side * (0.1 + gap), -0.1)
        wrist = palm + at(side * (0.25 + 0.2 * gap), 0.6)
        tip = palm + turned((0.0, -0.42), tilt + side * 0.15 * gap)
        sleeve = Part(bar(wrist, wrist + at(side * 0.2, 0.5), 0.18), paints.second)
        hand = Part(bar(wrist, palm, 0.12, 0.15), paints.main)
        fingers = Part(bar(palm, tip, 0.15, 0.09), lighter(paints.main, 0.1))
        parts = (*parts, sleeve, hand, fingers)
    return parts


def _clapper(shot: Shot, gap: Float64) -> Figure:
    """A clapperboard whose stick falls."""
    paints = shot.paints
    hinge = at(-0.8, -0.35)
    angle = -0.9 * gap
    stick = hinge + turned((0.85, -0.1), angle)
    marks = tuple(
        Part(box(hinge + turned((x, -0.1), angle), 0.18, 0.16, angle=angle), paints.accent)
        for x in (0.3, 0.8, 1.3)
    )
    return (
        Part(box((0, 0.25), 1.7, 1.1), paints.main),
        Part(box((0, -0.28), 1.7, 0.14), paints.accent),
        Part(box(stick, 1.7, 0.18, angle=angle), paints.dark),
        *marks,
    )


def _clap_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.6)
    band = (Band(650 * pitch, 2600 * pitch, 2, ((1100 * pitch, 0.2, 3),)), Band(1100 * pitch, 7000))[variant]
    decay = across(rng, 0.008, 0.016)

    def clap(rng: Random, hardness: float) -> Float32:
        sound = np.zeros(round(0.12 * SAMPLE_RATE), np.float32)
        for start, share in ((0, 1.0), (round(across(rng, 0.002, 0.006) * SAMPLE_RATE), 0.7)):
            part = burst(rng, band, decay=decay * (0.7 + 0.6 * hardness)) * np.float32(share)
            length = min(len(part), len(sound) - start)
            sound[start : start + length] += part[:length]
        return at_level(sound)

    return voice_of(clap, rng)


def _claps(rng: Random, span: Span) -> Score:
    return hits(rng, span, Tempo(0.17, 0.7))


def _typing_look(shot: Shot) -> Figure:
    paints = shot.paints
    step = 1.7 / _KEYS
    down = lift(shot.times, shot.score, rest=0.35)
    where = (tone_path(shot.times, shot.score, ahead=0.15) - (_KEYS - 1) / 2) * step
    dip = 0.1 * flash(shot.times, shot.score, decay=0.06)
    nearest = np.rint(tone_path(shot.times, shot.score, ahead=0.15)).astype(int)
    keys = tuple(
        Part(
            box(
                at((k - (_KEYS - 1) / 2) * step, 0.2 + dip * (nearest == k)),
                0.8 * step,
                (0.3, 0.6)[shot.variant],
            ),
            lighter(paints.second, 0.4 if k % 2 else 0.15),
        )
        for k in range(_KEYS)
    )
    tip = at(where, 0.03 - 0.5 * down + dip)
    skin = lighter(paints.accent, 0.15)
    finger = (
        Part(bar(tip + at(0.3, -0.65), tip + at(0.05, -0.3), 0.13), skin),
        Part(bar(tip + at(0.05, -0.3), tip, 0.08), skin),
    )
    frame: Figure = (Part(box((0, 0.35), 1.95, 0.75), paints.main),)
    if shot.variant == 0:
        paper = box(at(-0.15 * tone_path(shot.times, shot.score) / 2, -0.35), 0.9, 0.55)
        frame = (
            Part(paper, lighter(paints.main, 0.8)),
            Part(bar((-0.8, -0.1), (0.8, -0.1), 0.1), paints.dark),
            *frame,
        )
    return frame + keys + tuple(Part(part.points, part.colour, foreign=shot.foreign) for part in finger)


def _typing_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.6)
    strikes = [
        Strike(
            (2300, 900)[variant] * pitch * between(rng, 0.93, 1.07),
            (1.0, 1.46, 2.2, 3.1),
            across(rng, 0.007, 0.012),
            0.4,
            0.2,
            click=0.9,
            click_band=(Band(1800, 8000), Band(700, 4000))[variant],
            click_decay=0.004,
            thud=0.25,
        )
        for _ in range(_KEYS)
    ]
    return struck_voice(strikes, rng)


def _typing(rng: Random, span: Span) -> Score:
    return hits(rng, span, Tempo(0.13, 0.4), tones=_KEYS)


def _scissors_look(shot: Shot) -> Figure:
    paints = shot.paints
    half = 0.08 + 0.5 * lift(shot.times, shot.score, rest=0.8)
    joint = at(0.0, 0.1)
    lean = between(shot.rng, -0.4, 0.4)
    parts: Figure = ()
    for side in (-1.0, 1.0):
        angle = lean + side * half
        tip, ring = joint + turned((0, -1.0), angle), joint + turned((0, 0.6), angle)
        colour = paints.main if side < 0 else lighter(paints.main, 0.2)
        parts = (*parts, Part(bar(ring, tip, 0.09, 0.02), colour), _handle(shot, ring))
    return (*parts, Part(disc(joint, 0.08), paints.dark))


def _handle(shot: Shot, ring: Float64) -> Part:
    if shot.variant == 0:
        return Part(disc(ring, 0.2), shot.paints.accent, line=0.1)
    return Part(disc(ring, 0.22, 0.3), shot.paints.accent)


def _scissors_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.6)
    count = whole(rng, 4, 6)
    ratios = tuple(np.sort(np.exp(rng.uniform(0, 1.0, count))).tolist())
    strike = Strike(
        (5600, 3900)[variant] * pitch,
        ratios,
        across(rng, 0.006, 0.014),
        0.2,
        0.0,
        click=1.3,
        click_band=Band(4500, 14000),
        click_decay=across(rng, 0.009, 0.018),
    )
    return struck_voice([strike], rng)


def _snips(rng: Random, span: Span) -> Score:
    return hits(rng, span, Tempo(0.22, 0.7))


HANDS: tuple[Maker, ...] = (
    Maker(
        "clap",
        "impact",
        ("clapping hands", "hand claps", "someone clapping", "a clap"),
        ("skin", "plain"),
        2,
        -6,
        _claps,
        _clap_look,
        _clap_voice,
    ),
    Maker(
        "typing",
        "impact",
        ("a typewriter", "typing on a keyboard", "keys being pressed", "keyboard clicks"),
        ("plain", "metal"),
        2,
        -12,
        _typing,
        _typing_look,
        _typing_voice,
    ),
    Maker(
        "scissors",
        "impact",
        ("scissors", "scissors snipping", "cutting with scissors", "shears snapping shut"),
        ("metal", "rubber"),
        2,
        -12,
        _snips,
        _scissors_look,
        _scissors_voice,
    ),
)
"""Every class of this family."""
