"""Friction: something dragged over a surface, a saw, a rolling thing."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float64, Random
from exporter.synth.chance import across, between, chance
from exporter.synth.makers.maker import Maker, Shot, pitch_of
from exporter.synth.motion import wander
from exporter.synth.noises import Band
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, Tempo, speeds, strokes
from exporter.synth.scores import Score
from exporter.synth.shapes import Figure, Part, at, bar, box, disc, solid, turned
from exporter.synth.voices import NoiseVoice, Voice

_TABLE = 0.6


def _centred(path: Float64) -> Float64:
    return path - 0.5 * (path.min() + path.max())


def _scrape_look(shot: Shot) -> Figure:
    """A block, a brush or a chair pushed to and fro."""
    rng, paints = shot.rng, shot.paints
    x = _centred(between(rng, 1.8, 2.8) * shot.score.travel_at(shot.times, alternating=True))
    shake = 0.025 * shot.score.drive_at(shot.times) * np.sin(2 * np.pi * 11 * shot.times)
    table = Part(box((0, _TABLE + 0.12), 2.3, 0.24), paints.dark, foreign=shot.foreign)
    body = at(x, _TABLE + shake)
    hand = Part(
        bar(body + at(0.15, -0.75), body + at(0.5, -1.4), 0.14),
        lighter(paints.accent, 0.2),
        foreign=shot.foreign,
    )
    if shot.variant == 1:
        brush = [(-0.4, 0), (0.4, 0), (0.33, -0.28), (-0.33, -0.28)]
        return (
            table,
            Part(solid(brush, body), paints.second),
            Part(box(body + at(0, -0.4), 0.8, 0.26), paints.main),
            hand,
        )
    if shot.variant == 2:
        legs = tuple(
            Part(bar(body + at(side, 0), body + at(side * 0.9, -0.6), 0.05), paints.main)
            for side in (-0.35, 0.35)
        )
        back = Part(bar(body + at(-0.35, -0.6), body + at(-0.45, -1.35), 0.06), paints.main)
        return (table, *legs, back, Part(box(body + at(0, -0.62), 0.85, 0.14), paints.second))
    block = Part(box(body + at(0, -0.36), 0.75, 0.72), paints.main)
    return table, block, Part(box(body + at(0, -0.36), 0.3, 0.3), paints.second), hand


def _scrape_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.8)
    low, high = ((500, 2600), (2200, 8000), (280, 1500))[variant]
    peak = between(rng, 1.1, 1.8) * low * pitch
    return NoiseVoice(
        slow=Band(0.6 * low * pitch, 0.7 * high * pitch, 1.5),
        fast=Band(low * pitch, high * pitch, 1.5, ((peak, 0.08, 4),)),
        power=1.1,
        grain=between(rng, 0.3, 0.7),
        grain_rate=across(rng, 30, 90),
        flutter=0.35 if variant == 2 else 0.0,
        flutter_rate=55.0,
    )


def _scrapes(rng: Random, span: Span) -> Score:
    return strokes(rng, span, length=Tempo(0.3, 0.9), pause=Tempo(0.1, 0.8))


def _saw_look(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    x = _centred(between(rng, 1.6, 2.4) * shot.score.travel_at(shot.times, alternating=True))
    lean = between(rng, 0.05, 0.3)
    hub = at(0.35, -0.2) + turned((1.0, 0.0), lean) * x[:, None]
    deep = (0.34, 0.2)[shot.variant]
    blade = solid([(-1.25, 0.12 - 0.3 * deep), (0.0, -deep), (0.0, 0.12), (-1.25, 0.12)], hub, angle=lean)
    teeth = tuple(
        Part(
            solid(
                [(-0.05, 0.1), (0.05, 0.1), (0.0, 0.2)],
                hub + turned((-0.12 - 0.2 * k, 0.0), lean),
                angle=lean,
            ),
            paints.second,
        )
        for k in range(6)
    )
    log: Figure = (
        Part(bar((-0.7, 0.45), (0.3, 0.45), 0.36), paints.main),
        Part(disc((0.32, 0.45), 0.2, 0.34), lighter(paints.main, 0.35)),
    )
    handle = Part(bar(hub + turned((0.1, -0.2), lean), hub + turned((0.16, 0.12), lean), 0.14), paints.accent)
    log = tuple(Part(part.points, part.colour, foreign=shot.foreign) for part in log)
    return (*log, Part(blade, lighter(paints.second, 0.2)), *teeth, handle)


def _saw_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.8)
    centre = (2600, 4300)[variant] * pitch
    return NoiseVoice(
        slow=Band(700, centre, 1.5, ((0.6 * centre, 0.1, 4),)),
        fast=Band(1200, 1.6 * centre, 1.5, ((centre, 0.06, 7), (1.7 * centre, 0.05, 4))),
        power=1.0,
        grain=0.25,
        grain_rate=120,
        flutter=between(rng, 0.4, 0.8),
        flutter_rate=across(rng, 40, 70),
    )


def _sawing(rng: Random, span: Span) -> Score:
    return strokes(rng, span, length=Tempo(0.16, 0.4), pause=Tempo(0.01, 0.12))


def _rolling_look(shot: Shot) -> Figure:
    """A barrel, a wheel or a marble rolling along, and back when it has gone too far."""
    rng, paints = shot.rng, shot.paints
    radius = (0.5, 0.62, 0.34)[shot.variant]
    gone = between(rng, 1.0, 1.8) * shot.score.travel_at(shot.times)
    reach = between(rng, 0.5, 0.95)
    x = reach * (2 / np.pi) * np.arcsin(np.sin(np.pi * gone / (2 * reach)))
    angle = x / radius
    hub = at(x, 0.9 - radius - 0.02 * shot.score.drive_at(shot.times) * np.abs(np.sin(9 * gone)))
    floor = (
        (Part(bar((-1.3, 0.96), (1.3, 0.96), 0.06), paints.dark, foreign=True),) if chance(rng, 0.4) else ()
    )
    if shot.variant == 1:
        spokes = tuple(
            Part(
                bar(
                    hub - turned((radius * 0.9, 0), angle + turn),
                    hub + turned((radius * 0.9, 0), angle + turn),
                    0.035,
                ),
                paints.second,
            )
            for turn in (0.0, np.pi / 3, 2 * np.pi / 3)
        )
        return (
            *floor,
            Part(disc(hub, radius * 0.92), paints.main, line=0.16),
            *spokes,
            Part(disc(hub, 0.1), paints.accent),
        )
    marks = tuple(
        Part(disc(hub + turned((0.6 * radius, 0), angle + turn), 0.2 * radius), paints.second)
        for turn in (0.0, 2.1, 4.2)
    )
    band = Part(
        bar(hub - turned((radius * 0.9, 0), angle), hub + turned((radius * 0.9, 0), angle), 0.09),
        paints.accent,
    )
    return (*floor, Part(disc(hub, radius), paints.main), *(marks if shot.variant == 0 else (band,)))


def _rolling_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.8)
    low, high = ((70, 420), (150, 900), (420, 2000))[variant]
    return NoiseVoice(
        slow=Band(low * pitch, 0.6 * high * pitch, 2),
        fast=Band(1.4 * low * pitch, 1.5 * high * pitch, 2, ((2.2 * low * pitch, 0.15, 4),)),
        power=1.0,
        grain=0.3,
        grain_rate=across(rng, 18, 45),
        flutter=between(rng, 0.15, 0.4),
        flutter_rate=between(rng, 4, 9),
    )


def _rolls(rng: Random, span: Span) -> Score:
    if chance(rng, 0.5):
        return speeds(rng, span, change=Tempo(0.2, 0.9))
    return strokes(rng, span, length=Tempo(0.8, 1.8), pause=Tempo(0.2, 0.9))


def _zip_look(shot: Shot) -> Figure:
    """A zip: its slider runs up and down between two rows of teeth that part above it."""
    rng, paints = shot.rng, shot.paints
    y = _centred(between(rng, 1.6, 2.4) * shot.score.travel_at(shot.times, alternating=True))
    y = np.clip(y, -0.85, 0.85) + wander(rng, shot.times, reach=0.01)
    slider = at(0.0, y)
    opening = tuple(
        Part(
            np.stack(np.broadcast_arrays(at(0, -1), slider, at(side * (0.15 + 0.3 * (y + 1)), -1)), axis=1),
            lighter(paints.main, -0.35),
        )
        for side in (-0.5, 0.5)
    )
    teeth = tuple(Part(box((0, k), 0.2, 0.06), paints.second) for k in np.linspace(-0.9, 0.95, 12))
    cloth = Part(box((0, 0), (1.3, 0.9)[shot.variant], 2.0), paints.main)
    pull = Part(bar(slider, slider + at(0.08, 0.35), 0.06), paints.accent)
    return (cloth, *teeth, *opening, Part(box(slider, 0.3, 0.26), paints.dark), pull)


def _zip_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.6)
    low, high = ((3200, 9000), (5000, 13000))[variant]
    return NoiseVoice(
        slow=Band(low * pitch, high * pitch, 2),
        fast=Band(1.3 * low * pitch, 1.3 * high * pitch, 2, ((1.6 * low * pitch, 0.1, 3),)),
        power=0.8,
        grain=0.2,
        grain_rate=100,
        flutter=0.9,
        flutter_rate=across(rng, 60, 95),
    )


def _zips(rng: Random, span: Span) -> Score:
    return strokes(rng, span, length=Tempo(0.25, 0.6), pause=Tempo(0.25, 1.0))


FRICTION: tuple[Maker, ...] = (
    Maker(
        "scrape",
        "continuous",
        (
            "scraping",
            "something heavy dragged over the floor",
            "scrubbing with a brush",
            "a chair dragged along",
        ),
        ("wood", "plain"),
        3,
        -8,
        _scrapes,
        _scrape_look,
        _scrape_voice,
    ),
    Maker(
        "saw",
        "continuous",
        ("a saw", "sawing wood", "a hand saw cutting a log", "someone sawing"),
        ("wood", "metal"),
        2,
        -6,
        _sawing,
        _saw_look,
        _saw_voice,
    ),
    Maker(
        "rolling",
        "continuous",
        ("something rolling", "a barrel rolling", "a wheel rolling over the ground", "a rolling marble"),
        ("wood", "metal"),
        3,
        -8,
        _rolls,
        _rolling_look,
        _rolling_voice,
    ),
    Maker(
        "zip",
        "continuous",
        ("a zipper", "a zip being closed", "zipping a bag", "opening a zip"),
        ("rubber", "metal"),
        2,
        -12,
        _zips,
        _zip_look,
        _zip_voice,
    ),
)
"""Every class of this family."""
