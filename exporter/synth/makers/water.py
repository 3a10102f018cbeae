"""Water drops into a pool, a bucket or a puddle."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float32, Float64, Random
from exporter.synth.chance import across, between
from exporter.synth.makers.maker import Maker, Shot, pitch_of
from exporter.synth.modal import at_level
from exporter.synth.noises import Band, burst
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, Tempo, hits
from exporter.synth.scores import SAMPLE_RATE, Event, Score
from exporter.synth.shapes import Figure, Part, at, bar, disc, solid
from exporter.synth.voices import Voice, voice_of

_SURFACE = 0.55
_TAP = -0.95


def _look(shot: Shot) -> Figure:
    drops = tuple(part for event in shot.score.events for part in _drop(shot, event))
    rings = tuple(part for event in shot.score.events for part in _ripple(shot, event))
    behind, front = _vessel(shot)
    return behind + rings + drops + front


def _vessel(shot: Shot) -> tuple[Figure, Figure]:
    """What is behind the drops, and what is before them."""
    paints = shot.paints
    tap = (Part(bar((0.55, _TAP - 0.12), (0.0, _TAP - 0.12), 0.1), paints.dark), Part(_mouth(), paints.dark))
    water = Part(disc((0, _SURFACE), 0.95, 0.26), paints.main)
    if shot.variant == 0:
        return (water, *tap), ()
    if shot.variant == 1:
        wall = solid([(-0.75, _SURFACE), (0.75, _SURFACE), (0.6, 1.1), (-0.6, 1.1)])
        surface = Part(disc((0, _SURFACE), 0.75, 0.2), paints.main)
        return (Part(wall, paints.second), Part(disc((0, 1.1), 0.6, 0.14), paints.second), surface, *tap), ()
    leaf = disc((0.1, _TAP - 0.05), 0.5, 0.14, angle=-0.4)
    return (
        water,
        Part(leaf, paints.accent),
        Part(bar((0.1, _TAP - 0.05), (0.9, _TAP - 0.5), 0.04), paints.dark),
    ), ()


def _mouth() -> Float64:
    """The mouth of the tap."""
    return solid([(-0.08, _TAP - 0.2), (0.08, _TAP - 0.2), (0.06, _TAP + 0.02), (-0.06, _TAP + 0.02)])


def _drop(shot: Shot, event: Event) -> Figure:
    """It swells at the tap, lets go, and falls until the event."""
    fall = 0.34
    since = shot.times - (event.time - fall)
    grown = np.clip((since + 0.3) / 0.3, 0, 1)
    share = np.clip(since / fall, 0, 1)
    y = _TAP + 0.05 + (_SURFACE - _TAP - 0.05) * share**2
    radius = (0.03 + 0.1 * event.gain) * grown
    visible = (since > -0.3) & (shot.times <= event.time + 0.02)
    colour = lighter(shot.paints.main, 0.35)
    return (Part(disc(at(0.0, y), radius, radius * (1 + 0.8 * share)), colour, visible=visible),)


def _ripple(shot: Shot, event: Event) -> Figure:
    """A ring that widens, and droplets thrown up."""
    since = np.clip(shot.times - event.time, 0, 0.6)
    visible = (shot.times >= event.time - 0.005) & (since < 0.59)
    reach = 0.1 + (0.5 + 0.9 * event.gain) * since
    colour = lighter(shot.paints.main, 0.5)
    wide = 0.95 if shot.variant != 1 else 0.75
    ring = Part(
        disc((0, _SURFACE), np.minimum(reach, wide), np.minimum(reach, wide) * 0.27),
        colour,
        line=0.05,
        visible=visible,
    )
    flying = visible & (since < 0.28)
    height = event.gain * (4.2 * since - 15 * since**2)
    drops = tuple(
        Part(disc(at(side * (0.05 + 0.9 * since), _SURFACE - height), 0.05), colour, visible=flying)
        for side in (-1, 1)
    )
    return (ring, *drops)


def _voice(rng: Random, variant: int, size: float) -> Voice:
    base = (1050, 620, 1500)[variant] * pitch_of(rng, size)
    rise = across(rng, 1.5, 5)
    decay = across(rng, 0.016, 0.034)

    def plink(rng: Random, hardness: float) -> Float32:
        time = np.arange(round(8 * decay * SAMPLE_RATE)) / SAMPLE_RATE
        sound = np.zeros(len(time))
        for start, share, pitch in (
            (0.0, 0.35, 1.9),
            (between(rng, 0.004, 0.012), 1.0, 1.0),
            (0.03, 0.25, 1.4),
        ):
            later = np.maximum(time - start, 0)
            phase = base * pitch * (later + rise * later**2)
            bubble = np.sin(2 * np.pi * phase) * np.exp(-later / decay) * np.minimum(later / 0.0006, 1)
            sound += share * np.where(time >= start, bubble, 0)
        splash = burst(rng, Band(1500, 9000), decay=0.003) * np.float32(0.35 + 0.4 * hardness)
        sound[: len(splash)] += splash[: len(sound)]
        return at_level(sound.astype(np.float32))

    return voice_of(plink, rng, notes=3)


def _score(rng: Random, span: Span) -> Score:
    return hits(rng, span, Tempo(0.22, 1.0), tones=3)


WATER: tuple[Maker, ...] = (
    Maker(
        "water_drops",
        "impact",
        ("water dripping", "water drops falling into a pool", "a dripping tap", "drops of water"),
        ("water", "metal"),
        3,
        -12,
        _score,
        _look,
        _voice,
    ),
)
"""Every class of this family."""
