"""Things struck with a tool: anvil, wood block, glass, drum, cymbal, xylophone, door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from exporter.synth.arrays import Float64, Random
from exporter.synth.chance import across, between, pick
from exporter.synth.makers.maker import Maker, Shot, pitch_of
from exporter.synth.makers.targets import (
    XYLOPHONE_BARS,
    anvil,
    cymbal,
    door,
    drum,
    glass,
    wood_block,
    xylophone,
)
from exporter.synth.makers.tools import Reach, tool
from exporter.synth.modal import CLAMPED_BAR, CUP, FREE_BAR, MEMBRANE, Strike
from exporter.synth.motion import ringing, tone_path
from exporter.synth.noises import Band
from exporter.synth.rhythm import Span, Tempo, hits
from exporter.synth.scores import Score
from exporter.synth.shapes import Figure, at
from exporter.synth.voices import Voice, struck_voice

Rhythm = Callable[[Random, Span], Score]


def _jiggle(shot: Shot, depth: float) -> Float64:
    """The tremble `[T, 2]` of what was struck."""
    rate = between(shot.rng, 7, 11)
    return at(0.0, depth * ringing(shot.times, shot.score, rate=rate, decay=0.09))


def _anvil_look(shot: Shot) -> Figure:
    body = anvil(shot, _jiggle(shot, 0.08))
    return body + tool(shot, Reach(at(0.0, -0.25)), pick(shot.rng, ("hammer", "mallet")))


def _anvil_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    strikes = (
        Strike(620 * pitch, FREE_BAR, across(rng, 0.18, 0.4), 0.35, 0.2, click=0.5),
        Strike(440 * pitch, (1.0, 2.0, 2.9, 5.4, 8.1, 11.0), across(rng, 0.35, 0.8), 0.3, 0.3, click=0.3),
        Strike(
            330 * pitch, (1.0, 1.42, 2.31, 3.07, 4.2, 5.9, 7.7), across(rng, 0.15, 0.35), 0.4, 0.1, click=0.6
        ),
    )
    return struck_voice([strikes[variant]], rng)


def _wood_look(shot: Shot) -> Figure:
    body = wood_block(shot, _jiggle(shot, 0.08))
    return body + tool(shot, Reach(at(0.0, -0.2)), pick(shot.rng, ("stick", "mallet")))


def _wood_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    click = Band(900, 5000)
    strikes = (
        Strike(
            760 * pitch, (1.0, 2.6, 4.1), across(rng, 0.02, 0.035), 0.5, 0.9, click=0.35, click_band=click
        ),
        Strike(
            420 * pitch, (1.0, 1.9, 3.3, 4.6), across(rng, 0.016, 0.03), 0.5, 0.8, click=0.4, click_band=click
        ),
        Strike(1150 * pitch, (1.0, 2.41), across(rng, 0.03, 0.05), 0.6, 1.0, click=0.25, click_band=click),
    )
    return struck_voice([strikes[variant]], rng)


def _glass_look(shot: Shot) -> Figure:
    body = glass(shot, _jiggle(shot, 0.06))
    return body + tool(shot, Reach(at(0.28, -0.45), side=True), pick(shot.rng, ("spoon", "stick")))


def _glass_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    strikes = (
        Strike(2100 * pitch, CUP, across(rng, 0.12, 0.25), 0.5, 0.5, click=0.2, click_band=Band(4000, 14000)),
        Strike(1250 * pitch, (1.0, 1.9, 3.3, 5.2), across(rng, 0.08, 0.16), 0.6, 0.7, click=0.3),
        Strike(
            2700 * pitch, CUP[:4], across(rng, 0.35, 0.7), 0.6, 0.9, click=0.15, click_band=Band(4000, 14000)
        ),
    )
    return struck_voice([strikes[variant]], rng)


def _drum_look(shot: Shot) -> Figure:
    body = drum(shot, _jiggle(shot, 0.09))
    return body + tool(
        shot, Reach(at(between(shot.rng, -0.2, 0.2), -0.35)), pick(shot.rng, ("stick", "mallet"))
    )


def _drum_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    base = Strike(
        150 * pitch, MEMBRANE, across(rng, 0.09, 0.2), 0.55, 0.9, click=0.25, click_band=Band(300, 3500)
    )
    strikes = (
        base,
        replace(
            base, frequency=210 * pitch, click=1.1, click_band=Band(1500, 9000), click_decay=0.045, decay=0.06
        ),
        replace(base, frequency=85 * pitch, decay=across(rng, 0.18, 0.35), click=0.12, thud=0.5),
    )
    return struck_voice([strikes[variant]], rng)


def _cymbal_look(shot: Shot) -> Figure:
    tilt = 0.35 * ringing(shot.times, shot.score, rate=between(shot.rng, 2.5, 4.5), decay=0.4)
    return cymbal(shot, tilt) + tool(shot, Reach(at(0.45, -0.5)), "stick")


def _cymbal_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.7)
    low, high = ((320, 40), (520, 28))[variant]
    ratios = tuple(np.sort(np.exp(rng.uniform(0, np.log(high), 70))).tolist())
    strike = Strike(
        low * pitch,
        ratios,
        across(rng, 0.5, 1.0),
        0.25,
        0.05,
        click=0.4,
        click_band=Band(3000, 14000),
        click_decay=0.06,
    )
    return struck_voice([strike], rng)


_SCALES = ((0, 2, 4, 5, 7, 9, 11, 12), (0, 2, 4, 7, 9, 12, 14, 16), (0, 2, 3, 5, 7, 8, 10, 12))


def _xylophone_look(shot: Shot) -> Figure:
    step = 1.7 / XYLOPHONE_BARS
    where = (tone_path(shot.times, shot.score) - (XYLOPHONE_BARS - 1) / 2) * step
    bars = xylophone(shot, 0.1 * ringing(shot.times, shot.score, rate=9, decay=0.1))
    return bars + tool(shot, Reach(at(where, -0.12)), "mallet")


def _xylophone_voice(rng: Random, variant: int, size: float) -> Voice:
    base = (520, 340)[variant] * pitch_of(rng, size, octaves=0.8)
    decay = across(rng, 0.09, 0.18) * (1, 2.5)[variant]
    ratios = ((1.0, 3.0, 6.1, 9.8), (1.0, 3.93, 9.6))[variant]
    strikes = [
        Strike(base * 2 ** (note / 12), ratios, decay, 0.8, 0.9, click=0.2, click_band=Band(1200, 7000))
        for note in pick(rng, _SCALES)[:XYLOPHONE_BARS]
    ]
    return struck_voice(strikes, rng)


def _door_look(shot: Shot) -> Figure:
    body = door(shot, _jiggle(shot, 0.05))
    return body + tool(shot, Reach(at(0.1, -0.05), side=True), "fist")


def _door_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.8)
    strikes = (
        Strike(
            125 * pitch, (1.0, 1.7, 2.6, 3.9, 5.3), across(rng, 0.03, 0.05), 0.5, 0.7, click=0.2, thud=0.5
        ),
        Strike(190 * pitch, (*CLAMPED_BAR[:2], 1.6, 2.2, 3.4), across(rng, 0.05, 0.1), 0.4, 0.4, click=0.3),
    )
    return struck_voice([replace(strikes[variant], click_band=Band(300, 2500))], rng)


def _compose(low: float, high: float, *, tones: int = 1) -> Rhythm:
    def compose(rng: Random, span: Span) -> Score:
        return hits(rng, span, Tempo(low, high), tones=tones)

    return compose


STRIKES: tuple[Maker, ...] = (
    Maker(
        "anvil",
        "impact",
        (
            "a hammer hitting an anvil",
            "hammering on metal",
            "a blacksmith's hammer on steel",
            "a metal pipe being hit",
        ),
        ("metal", "wood"),
        3,
        -2,
        _compose(0.22, 0.8),
        _anvil_look,
        _anvil_voice,
    ),
    Maker(
        "wood_block",
        "impact",
        ("a wood block being struck", "knocking on wood", "a stick tapping a wooden box", "a wooden block"),
        ("wood", "wood"),
        3,
        -6,
        _compose(0.16, 0.7),
        _wood_look,
        _wood_voice,
    ),
    Maker(
        "glass",
        "impact",
        (
            "a glass being tapped",
            "a spoon clinking on a glass",
            "clinking glass",
            "a glass bottle being struck",
        ),
        ("glass", "metal"),
        3,
        -8,
        _compose(0.22, 0.9),
        _glass_look,
        _glass_voice,
    ),
    Maker(
        "drum",
        "impact",
        ("a drum", "drumming", "a drum being played with a stick", "drum hits"),
        ("rubber", "plain"),
        3,
        -2,
        _compose(0.16, 0.6),
        _drum_look,
        _drum_voice,
    ),
    Maker(
        "cymbal",
        "impact",
        ("a cymbal", "a crash cymbal being hit", "cymbal hits", "a drummer striking a cymbal"),
        ("brass", "metal"),
        2,
        -6,
        _compose(0.3, 1.1),
        _cymbal_look,
        _cymbal_voice,
    ),
    Maker(
        "xylophone",
        "impact",
        ("a xylophone", "a xylophone melody", "mallets on xylophone bars", "a marimba"),
        ("wood", "brass"),
        2,
        -6,
        _compose(0.2, 0.6, tones=XYLOPHONE_BARS),
        _xylophone_look,
        _xylophone_voice,
    ),
    Maker(
        "door_knock",
        "impact",
        ("knocking on a door", "a fist knocking on a door", "door knocks", "someone knocks at the door"),
        ("wood", "skin"),
        2,
        -6,
        _compose(0.2, 0.5),
        _door_look,
        _door_voice,
    ),
)
"""Every class of this family."""
