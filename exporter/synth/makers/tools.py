"""Tools that strike: they touch their target exactly at the events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from exporter.synth.arrays import Float64
from exporter.synth.chance import between, chance
from exporter.synth.makers.maker import Shot
from exporter.synth.motion import lift
from exporter.synth.palettes import mixed
from exporter.synth.shapes import Figure, Part, bar, box, disc, turned

ToolName = Literal["hammer", "mallet", "stick", "spoon", "fist"]


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a tool strikes.

    Attributes:
        contact: `[T, 2]` what its tip touches at an event.
        side: it comes from the right instead of from above.
        miss: distance it keeps even at an event; above 0 it only pretends.
    """

    contact: Float64
    side: bool = False
    miss: float = 0.0


def tool(shot: Shot, reach: Reach, name: ToolName) -> Figure:
    """The tool in all frames; it turns around its grip, and sometimes an arm is seen."""
    rng = shot.rng
    length = between(rng, 0.8, 1.2)
    lean = -between(rng, 1.0, 1.35) if reach.side else -between(rng, 0.1, 0.5)
    swing = between(rng, 0.55, 0.95) * (-1 if reach.side else 1)
    grip = reach.contact + turned((length, 0.0), lean)
    tip = grip + turned((-length, 0.0), lean + swing * (reach.miss + lift(shot.times, shot.score)))
    parts = _DRAWN[name](shot, grip, tip)
    if name == "fist" or chance(rng, 0.4):
        parts = _arm(shot, grip, tip, lean) + parts
    return tuple(replace(part, foreign=shot.foreign) for part in parts)


def _along(grip: Float64, tip: Float64) -> Float64:
    """The angle `[T]` from grip to tip."""
    away = tip - grip
    return np.arctan2(away[:, 1], away[:, 0])


def _hammer(shot: Shot, grip: Float64, tip: Float64) -> Figure:
    head = between(shot.rng, 0.13, 0.2)
    angle = _along(grip, tip)
    middle = tip - turned((0.0, -head), angle)
    return (
        Part(bar(grip, middle, 0.05), shot.paints.second),
        Part(box(middle, head * 0.9, 2 * head, angle=angle), shot.paints.dark),
    )


def _mallet(shot: Shot, grip: Float64, tip: Float64) -> Figure:
    radius = between(shot.rng, 0.09, 0.16)
    middle = tip - turned((0.0, -radius), _along(grip, tip))
    return Part(bar(grip, middle, 0.035), shot.paints.second), Part(disc(middle, radius), shot.paints.accent)


def _stick(shot: Shot, grip: Float64, tip: Float64) -> Figure:
    return (Part(bar(grip, tip, 0.06, 0.035), shot.paints.second),)


def _spoon(shot: Shot, grip: Float64, tip: Float64) -> Figure:
    angle = _along(grip, tip)
    bowl = tip - turned((0.1, -0.03), angle)
    return (
        Part(bar(grip, bowl, 0.035), shot.paints.second),
        Part(disc(bowl, 0.15, 0.09, angle=angle), shot.paints.second),
    )


def _fist(shot: Shot, grip: Float64, tip: Float64) -> Figure:
    skin = mixed(shot.paints.second, (225, 180, 150), 0.4)
    angle = _along(grip, tip)
    middle = tip - turned((0.0, -0.16), angle)
    return Part(bar(grip, middle, 0.12), shot.paints.accent), Part(box(middle, 0.3, 0.32, angle=angle), skin)


_DRAWN: dict[ToolName, Callable[[Shot, Float64, Float64], Figure]] = {
    "hammer": _hammer,
    "mallet": _mallet,
    "stick": _stick,
    "spoon": _spoon,
    "fist": _fist,
}


def _arm(shot: Shot, grip: Float64, tip: Float64, lean: float) -> Figure:
    """A hand at the grip and the forearm it hangs on."""
    elbow = grip + turned((0.75, 0.0), lean + 0.35 * (_along(tip, grip) - lean))
    skin = mixed(shot.paints.second, (200, 150, 120), 0.5)
    return Part(bar(elbow, grip, 0.16, 0.1), shot.paints.accent), Part(disc(grip, 0.12), skin)
