"""Machines whose speed changes: a fan and an engine."""

from __future__ import annotations

import numpy as np

from exporter.synth.arrays import Float64, Random
from exporter.synth.chance import across, between, whole
from exporter.synth.makers.maker import Maker, Shot, pitch_of
from exporter.synth.noises import Band
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, Tempo, speeds
from exporter.synth.scores import Score
from exporter.synth.shapes import Figure, Part, at, bar, box, disc, solid, turned
from exporter.synth.tones import shaped_levels
from exporter.synth.voices import MotorVoice, Voice


def _fan_look(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    angle = between(rng, 6, 11) * shot.score.travel_at(shot.times)
    blades = whole(rng, 3, 5)
    long = between(rng, 0.75, 0.95)
    outline = np.array([(0.0, -0.09), (long, -0.24), (long + 0.05, 0.05), (0.0, 0.09)])
    wings = tuple(
        Part(
            solid(outline, (0.0, -0.1), angle=angle + 2 * np.pi * k / blades),
            paints.main if k else paints.accent,
        )
        for k in range(blades)
    )
    hub = Part(disc((0, -0.1), 0.16), paints.dark)
    if shot.variant == 1:
        tower = Part(solid([(-0.07, -0.1), (0.07, -0.1), (0.16, 1.4), (-0.16, 1.4)]), paints.second)
        return (tower, *wings, hub)
    stand = Part(bar((0, 0.0), (0, 1.1), 0.08), paints.dark)
    foot = Part(disc((0, 1.12), 0.5, 0.1), paints.dark)
    cage = Part(disc((0, -0.1), 1.06), paints.second, line=0.06)
    back = Part(disc((0, -0.1), 1.04), lighter(paints.main, 0.6))
    return (stand, foot, *((back,) if shot.variant == 2 else ()), *wings, hub, cage)


def _fan_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    slow, fast = ((42, 150), (20, 70), (60, 210))[variant]
    return MotorVoice(
        slowest=slow * pitch,
        fastest=fast * pitch,
        soft=shaped_levels(rng, 5, tilt=1.6),
        hard=shaped_levels(rng, 9, tilt=1.2),
        air=Band(200 * pitch, 2200 * pitch, 1.2),
        air_level=across(rng, 0.8, 1.8),
        pulse=between(rng, 0.3, 0.7),
        power=1.1,
    )


def _fan_score(rng: Random, span: Span) -> Score:
    return speeds(rng, span, change=Tempo(0.5, 1.6))


def _engine_look(shot: Shot) -> Figure:
    """A steam engine, a shaking motor block with a belt wheel, or a toy car whose body trembles."""
    rng, paints = shot.rng, shot.paints
    angle = between(rng, 9, 15) * shot.score.travel_at(shot.times)
    level = shot.score.drive_at(shot.times)
    shake = at(0.03 * level * np.sin(1.7 * angle), 0.035 * level * np.sin(2.3 * angle))
    if shot.variant == 1:
        body = Part(box(shake + at(-0.25, 0.2), 1.3, 1.0), paints.main)
        fins = tuple(Part(box(shake + at(-0.25, y), 1.3, 0.07), paints.dark) for y in (-0.1, 0.15, 0.4))
        pipe = Part(bar(shake + at(-0.7, -0.3), shake + at(-0.7, -0.85), 0.1), paints.second)
        return (
            body,
            *fins,
            pipe,
            *_wheel(shot, shake + at(0.7, 0.25), angle, 0.42),
            _smoke(shot, at(-0.7, -1.0), angle),
        )
    if shot.variant == 2:
        cabin = solid([(-0.35, -0.5), (0.3, -0.5), (0.5, 0.0), (-0.5, 0.0)], shake)
        hull = Part(box(shake + at(0, 0.2), 1.9, 0.5), paints.main)
        wheels = tuple(part for x in (-0.55, 0.55) for part in _wheel(shot, at(x, 0.55), 0.35 * angle, 0.28))
        return (Part(cabin, paints.second), hull, *wheels, _smoke(shot, at(1.1, 0.35), angle))
    crank = at(0.55, 0.3) + turned((0.28, 0.0), angle)
    piston = at(-0.75 + (crank[:, 0] - 0.55), 0.3)
    cylinder = Part(box((-0.85, 0.3), 0.9, 0.5), paints.main)
    rods = (Part(bar(piston, crank, 0.06), paints.accent), Part(box(piston, 0.16, 0.4), paints.dark))
    return (*_wheel(shot, at(0.55, 0.3), angle, 0.6), cylinder, *rods, _smoke(shot, at(-0.9, -0.25), angle))


def _wheel(shot: Shot, hub: Float64, angle: Float64, radius: float) -> Figure:
    paints = shot.paints
    spokes = tuple(
        Part(
            bar(
                hub - turned((radius * 0.9, 0), angle + turn),
                hub + turned((radius * 0.9, 0), angle + turn),
                0.05,
            ),
            paints.second,
        )
        for turn in (0.0, np.pi / 2)
    )
    return (Part(disc(hub, radius), paints.dark), *spokes, Part(disc(hub, 0.25 * radius), paints.accent))


def _smoke(shot: Shot, mouth: Float64, angle: Float64) -> Part:
    """A puff per turn; not part of the object."""
    share = np.mod(angle / (2 * np.pi), 1.0)
    going = shot.score.drive_at(shot.times) > 0.05
    puff = disc(mouth + at(0.1 * share, -0.45 * share), 0.07 + 0.12 * share)
    return Part(puff, (190, 190, 190), foreign=True, visible=going)


def _engine_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    slow, fast = ((14, 38), (28, 105), (55, 190))[variant]
    return MotorVoice(
        slowest=slow * pitch,
        fastest=fast * pitch,
        soft=shaped_levels(rng, 24, tilt=0.7, ripple=0.7),
        hard=shaped_levels(rng, 40, tilt=0.5, ripple=0.7),
        air=Band(90, (900, 1800, 2500)[variant] * pitch, 1.2),
        air_level=across(rng, 0.3, 0.8),
        pulse=between(rng, 0.5, 0.9),
        power=0.6,
        wobble=0.02,
    )


def _engine_score(rng: Random, span: Span) -> Score:
    return speeds(rng, span, change=Tempo(0.3, 1.3))


MACHINES: tuple[Maker, ...] = (
    Maker(
        "fan",
        "continuous",
        ("a fan", "a spinning fan", "an electric fan blowing", "rotor blades turning"),
        ("plain", "metal"),
        3,
        -8,
        _fan_score,
        _fan_look,
        _fan_voice,
    ),
    Maker(
        "engine",
        "continuous",
        ("an engine", "a running motor", "an engine revving", "a car engine"),
        ("metal", "rubber"),
        3,
        -4,
        _engine_score,
        _engine_look,
        _engine_voice,
    ),
)
"""Every class of this family."""
