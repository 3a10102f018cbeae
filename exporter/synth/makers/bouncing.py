"""Balls: a rubber ball, a ping-pong ball, a dropped coin that skips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exporter.synth.arrays import Float64, Random
from exporter.synth.chance import across, between, chance
from exporter.synth.makers.maker import Maker, Shot, pitch_of
from exporter.synth.modal import Strike
from exporter.synth.motion import flash, flights, wander
from exporter.synth.noises import Band
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, bounces
from exporter.synth.scores import Score
from exporter.synth.shapes import Figure, Part, at, bar, disc, solid, turned
from exporter.synth.voices import Voice, struck_voice

GROUND = 0.9
"""Where a ball touches down, figure units below the origin."""


@dataclass(frozen=True, slots=True)
class Ball:
    """Where a ball is: its middle `[T, 2]`, its radius, how flat `[T]` and how far turned `[T]` it is."""

    centre: Float64
    radius: float
    squash: Float64
    angle: Float64

    def disc(self, share: float = 1.0, offset: tuple[float, float] = (0.0, 0.0)) -> Float64:
        """A disc of a share of the ball, at an offset in radii that turns with it."""
        flat = 1 - self.squash
        middle = self.centre + self.radius * turned(offset, self.angle)
        return disc(middle, share * self.radius * (1 + 0.7 * self.squash), share * self.radius * flat)


def bouncing(shot: Shot, *, radius: float, longest: float, soft: float) -> Ball:
    """The ball in all frames; its lower edge is on the ground at every event."""
    rng, times = shot.rng, shot.times
    height = flights(times, shot.score, first=longest * 0.9, last=longest * 0.8)
    height = height * (between(rng, 1.3, 1.9) / (longest**2 / 4))
    squash = soft * flash(times, shot.score, decay=0.03)
    drift = wander(rng, times, reach=between(rng, 0, 0.45))
    y = GROUND - height - radius * (1 - squash)
    return Ball(at(drift, y), radius, squash, between(rng, -6, 6) * times + 2 * drift)


def _plain(ball: Ball, shot: Shot) -> Figure:
    return Part(ball.disc(), shot.paints.main), Part(ball.disc(0.35, (0.4, -0.35)), shot.paints.second)


def _striped(ball: Ball, shot: Shot) -> Figure:
    reach = ball.radius * 0.95
    band = bar(
        ball.centre - reach * turned((1, 0), ball.angle),
        ball.centre + reach * turned((1, 0), ball.angle),
        0.22 * reach,
    )
    return Part(ball.disc(), shot.paints.main), Part(band, shot.paints.accent)


def _beach(ball: Ball, shot: Shot) -> Figure:
    arc = np.linspace(0, np.pi / 3, 6)
    wedge = np.concatenate([[[0.0, 0.0]], np.stack([np.cos(arc), np.sin(arc)], 1)]) * ball.radius
    colours = (shot.paints.second, shot.paints.accent, lighter(shot.paints.main, 0.7))
    wedges = tuple(
        Part(solid(wedge, ball.centre, angle=ball.angle + 2 * np.pi / 3 * k), colour)
        for k, colour in enumerate(colours)
    )
    return (Part(ball.disc(), shot.paints.main), *wedges)


def _seamed(ball: Ball, shot: Shot) -> Figure:
    seams = tuple(
        Part(
            disc(ball.centre, ball.radius * 0.95, ball.radius * share, angle=ball.angle),
            shot.paints.dark,
            line=0.04,
        )
        for share in (0.02, 0.5)
    )
    return (Part(ball.disc(), shot.paints.main), *seams)


_BALLS: tuple[Callable[[Ball, Shot], Figure], ...] = (_plain, _striped, _beach, _seamed)


def _rubber_look(shot: Shot) -> Figure:
    ball = bouncing(shot, radius=between(shot.rng, 0.3, 0.48), longest=1.0, soft=0.35)
    return _floor(shot) + _BALLS[shot.variant](ball, shot)


def _floor(shot: Shot) -> Figure:
    """Sometimes a board it bounces on; never part of the object."""
    if chance(shot.rng, 0.6):
        return ()
    return (Part(bar((-0.8, GROUND + 0.06), (0.8, GROUND + 0.06), 0.06), shot.paints.dark, foreign=True),)


def _rubber_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size)
    base = (115, 150, 90, 75)[variant] * pitch
    decay = across(rng, 0.03, 0.055) * (1, 1, 0.8, 2.2)[variant]
    ratios = ((1.0, 2.1, 3.4), (1.0, 1.8, 3.1), (1.0, 2.7), (1.0, 2.0, 3.3, 6.5, 8.9))[variant]
    strike = Strike(
        base, ratios, decay, 0.5, 0.6, click=0.45, click_band=Band(250, 1800), click_decay=0.008, thud=0.4
    )
    return struck_voice([strike], rng)


def _pingpong_look(shot: Shot) -> Figure:
    ball = bouncing(shot, radius=between(shot.rng, 0.2, 0.3), longest=0.62, soft=0.05)
    table = bar((-0.9, GROUND + 0.07), (0.9, GROUND + 0.07), 0.07)
    line = bar((-0.9, GROUND + 0.03), (0.9, GROUND + 0.03), 0.025)
    top = (Part(table, shot.paints.dark), Part(line, lighter(shot.paints.dark, 0.7)))
    return top[: (2, 0)[shot.variant]] + _plain(ball, shot)


def _pingpong_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.8)
    click = Band(1500, 6500)
    strikes = (
        Strike(
            1350 * pitch,
            (1.0, 1.83, 2.7, 4.1),
            across(rng, 0.009, 0.016),
            0.4,
            0.5,
            click=0.5,
            click_band=click,
        ),
        Strike(
            960 * pitch, (1.0, 2.2, 4.6), across(rng, 0.008, 0.013), 0.4, 0.4, click=0.6, click_band=click
        ),
    )
    return struck_voice([strikes[variant]], rng)


def _coin_look(shot: Shot) -> Figure:
    ball = bouncing(shot, radius=between(shot.rng, 0.26, 0.4), longest=0.5, soft=0.0)
    if shot.variant:
        outline = disc((0.0, 0.0), 1.0, 0.22) * ball.radius
        coin = solid(outline[0], ball.centre, angle=0.4 * np.sin(3 * ball.angle))
        return Part(coin, shot.paints.main), Part(
            ball.centre[:, None] + 0.6 * (coin - ball.centre[:, None]), shot.paints.second
        )
    nut = solid(
        ball.radius * np.stack([np.cos(np.arange(6) * np.pi / 3), np.sin(np.arange(6) * np.pi / 3)], 1),
        ball.centre,
        angle=ball.angle,
    )
    return Part(nut, shot.paints.main), Part(ball.disc(0.45), shot.paints.dark)


def _coin_voice(rng: Random, variant: int, size: float) -> Voice:
    pitch = pitch_of(rng, size, octaves=0.8)
    ratios = ((1.0, 1.67, 2.44, 3.3), (1.0, 1.35, 2.1, 2.9))[variant]
    strike = Strike(
        (4100, 5200)[variant] * pitch,
        ratios,
        across(rng, 0.03, 0.08),
        0.3,
        0.1,
        click=0.3,
        click_band=Band(5000, 15000),
        click_decay=0.002,
    )
    return struck_voice([strike], rng)


def _bounces(longest: float, low: float, high: float) -> Callable[[Random, Span], Score]:
    def compose(rng: Random, span: Span) -> Score:
        return bounces(
            rng, span, restitution=between(rng, low, high), longest=longest * between(rng, 0.75, 1.1)
        )

    return compose


BOUNCING: tuple[Maker, ...] = (
    Maker(
        "rubber_ball",
        "impact",
        (
            "a bouncing ball",
            "a rubber ball bouncing",
            "a basketball dribbled on the floor",
            "a ball hitting the ground",
        ),
        ("rubber", "plain"),
        4,
        -4,
        _bounces(0.95, 0.78, 0.9),
        _rubber_look,
        _rubber_voice,
    ),
    Maker(
        "pingpong",
        "impact",
        (
            "a ping pong ball",
            "a table tennis ball bouncing",
            "a small plastic ball bouncing",
            "ping pong bounces",
        ),
        ("plain", "rubber"),
        2,
        -8,
        _bounces(0.62, 0.74, 0.88),
        _pingpong_look,
        _pingpong_voice,
    ),
    Maker(
        "coin",
        "impact",
        ("a coin dropping", "a metal nut bouncing on stone", "a falling coin", "coins hitting the floor"),
        ("brass", "metal"),
        2,
        -10,
        _bounces(0.5, 0.7, 0.84),
        _coin_look,
        _coin_voice,
    ),
)
"""Every class of this family."""
