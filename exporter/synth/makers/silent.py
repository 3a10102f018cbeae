"""Things that move and make no sound: the right answer to their mask is silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exporter.synth.arrays import Float32, Random
from exporter.synth.chance import between, pick, whole
from exporter.synth.makers.maker import Maker, Shot
from exporter.synth.makers.targets import anvil, drum
from exporter.synth.makers.tools import Reach, tool
from exporter.synth.motion import wander
from exporter.synth.palettes import lighter
from exporter.synth.rhythm import Span, Tempo, hits
from exporter.synth.scores import SAMPLE_RATE, Score, silence
from exporter.synth.shapes import Figure, Part, at, bar, box, disc, solid, turned


def _balloon(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    sway = at(wander(rng, shot.times, reach=0.3, slowest=4), wander(rng, shot.times, reach=0.2, slowest=4))
    knot = sway + at(0, 0.35)
    return (
        Part(bar(knot, at(0.1, 1.2) + 0.3 * sway, 0.015), paints.dark),
        Part(disc(sway + at(0, -0.3), 0.5, 0.62), paints.main),
        Part(disc(sway + at(-0.18, -0.5), 0.12, 0.18), lighter(paints.main, 0.6)),
    )


def _fish(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    rate = between(rng, 1.0, 3.0)
    beat = 0.4 * np.sin(2 * np.pi * rate * shot.times)
    body = at(wander(rng, shot.times, reach=0.3), wander(rng, shot.times, reach=0.2))
    tail = solid([(0, 0), (0.5, -0.35), (0.5, 0.35)], body + at(0.5, 0), angle=beat)
    return (
        Part(tail, paints.second),
        Part(disc(body, 0.65, 0.35, angle=-0.15 * beat), paints.main),
        Part(disc(body + at(-0.4, -0.08), 0.07), paints.dark),
    )


def _lamp(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    angle = between(rng, 0.2, 0.6) * np.sin(
        2 * np.pi * shot.times / between(rng, 0.8, 2.2) + rng.uniform(0, 6)
    )
    top = at(0.0, -1.1)
    end = top + turned((0, 1.2), angle)
    shade = solid([(-0.18, -0.3), (0.18, -0.3), (0.5, 0.2), (-0.5, 0.2)], end, angle=angle)
    return (
        Part(bar(top, end, 0.02), paints.dark),
        Part(disc(end + turned((0, 0.2), angle), 0.16), paints.accent),
        Part(shade, paints.main),
    )


def _flag(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    rate, strips = between(rng, 0.6, 2.0), 6
    x = np.linspace(-0.7, 0.9, strips + 1)
    waves = [
        0.12 * k / strips * np.sin(2 * np.pi * (rate * shot.times - 0.25 * k)) for k in range(strips + 1)
    ]
    cloth = tuple(
        Part(
            np.stack(
                np.broadcast_arrays(
                    at(x[k], -0.9 + waves[k]),
                    at(x[k + 1], -0.9 + waves[k + 1]),
                    at(x[k + 1], -0.1 + waves[k + 1]),
                    at(x[k], -0.1 + waves[k]),
                ),
                axis=1,
            ),
            lighter(paints.main, 0.15 * (k % 2)),
        )
        for k in range(strips)
    )
    return (Part(bar((-0.72, -1.0), (-0.72, 1.0), 0.05), paints.dark), *cloth)


def _bird(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    beat = 0.8 * np.sin(2 * np.pi * between(rng, 1.5, 4.0) * shot.times)
    body = at(wander(rng, shot.times, reach=0.4), wander(rng, shot.times, reach=0.3))
    wing = [(-0.18, 0.0), (0.18, 0.0), (0.05, -0.75)]
    return (
        Part(solid(wing, body, angle=beat), paints.second),
        Part(disc(body, 0.5, 0.2), paints.main),
        Part(disc(body + at(-0.5, -0.1), 0.16), paints.main),
        Part(solid(wing, body + at(0.05, 0), angle=beat + 0.15), lighter(paints.second, 0.2)),
    )


def _spinner(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    points = whole(rng, 4, 6)
    angle = between(rng, 1, 5) * shot.times
    arms = tuple(
        Part(
            solid([(0, -0.16), (0.9, 0), (0, 0.16)], (0.0, 0.0), angle=angle + 2 * np.pi * k / points),
            paints.main if k % 2 else paints.second,
        )
        for k in range(points)
    )
    return (*arms, Part(disc((0, 0), 0.2), paints.accent))


def _cloud(shot: Shot) -> Figure:
    rng, paints = shot.rng, shot.paints
    drift = at(wander(rng, shot.times, reach=0.5, slowest=8), 0.0)
    blobs = ((-0.5, 0.1, 0.35), (0.0, -0.1, 0.45), (0.5, 0.1, 0.35))
    return tuple(Part(disc(drift + at(x, y), r, 0.8 * r), lighter(paints.main, 0.5)) for x, y, r in blobs)


def _slider(shot: Shot) -> Figure:
    """A box that comes and goes without touching anything."""
    rng, paints = shot.rng, shot.paints
    x = 0.7 * np.sin(2 * np.pi * shot.times / between(rng, 0.7, 3) + rng.uniform(0, 6))
    y = wander(rng, shot.times, reach=0.5, slowest=3)
    return Part(box(at(x, y), 0.7, 0.7, angle=0.3 * x), paints.main), Part(disc(at(x, y), 0.2), paints.accent)


def _pretender(shot: Shot) -> Figure:
    """Someone about to strike who always stops short."""
    rng = shot.rng
    beats = hits(rng, Span(0.0, shot.score.seconds, shot.score.seconds), Tempo(0.3, 0.9))
    feigned = Shot(rng, shot.variant % 3, beats, shot.times, shot.paints)
    body = pick(rng, (anvil, drum))(feigned, at(0.0, 0.0))
    contact = at(0.0, -0.3)
    return body + tool(
        feigned, Reach(contact, miss=between(rng, 0.35, 0.6)), pick(rng, ("hammer", "stick", "mallet"))
    )


@dataclass(frozen=True, slots=True)
class Mover:
    """One kind of silent thing: how it is drawn and what it is called."""

    name: str
    draw: Callable[[Shot], Figure]


MOVERS: tuple[Mover, ...] = (
    Mover("a balloon", _balloon),
    Mover("a fish", _fish),
    Mover("a swinging lamp", _lamp),
    Mover("a waving flag", _flag),
    Mover("a flying bird", _bird),
    Mover("a spinning star", _spinner),
    Mover("a cloud", _cloud),
    Mover("a sliding box", _slider),
    Mover("a hammer that never hits", _pretender),
)


def _look(shot: Shot) -> Figure:
    return MOVERS[shot.variant].draw(shot)


def _score(rng: Random, span: Span) -> Score:  # noqa: ARG001 - every maker draws from the generator but this one
    return silence(span.seconds)


class _Mute:
    """Plays nothing."""

    def play(self, score: Score, rng: Random) -> Float32:  # noqa: ARG002 - the Voice protocol
        """Silence, as long as the score."""
        return np.zeros(round(score.seconds * SAMPLE_RATE), np.float32)


def _voice(rng: Random, variant: int, size: float) -> _Mute:  # noqa: ARG001 - the Maker's signature
    return _Mute()


SILENT = Maker(
    "silent",
    "silent",
    ("silence", "nothing", "no sound"),
    ("rubber", "plain"),
    len(MOVERS),
    -60,
    _score,
    _look,
    _voice,
)
"""The class of what makes no sound."""
