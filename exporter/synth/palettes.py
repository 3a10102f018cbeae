"""Colours. A class must not be its colour: most objects get any colours at all."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

from exporter.synth.arrays import Random
from exporter.synth.chance import between, chance, pick
from exporter.synth.shapes import Colour


@dataclass(frozen=True, slots=True)
class Paints:
    """The colours of one object, apart from each other in lightness."""

    main: Colour
    second: Colour
    accent: Colour
    dark: Colour


NATURAL: dict[str, tuple[Colour, ...]] = {
    "wood": ((150, 104, 58), (190, 140, 84), (104, 66, 36), (214, 176, 122)),
    "metal": ((128, 134, 142), (86, 90, 98), (170, 174, 178), (60, 64, 72)),
    "brass": ((200, 164, 72), (176, 134, 48), (222, 196, 120)),
    "glass": ((168, 206, 214), (120, 176, 160), (190, 214, 230), (84, 132, 96)),
    "skin": ((222, 178, 146), (172, 120, 86), (112, 74, 52), (240, 204, 178)),
    "rubber": ((206, 62, 54), (52, 120, 196), (240, 160, 48), (70, 160, 90)),
    "water": ((70, 130, 180), (96, 160, 200), (48, 92, 140), (110, 180, 190)),
    "plain": ((235, 232, 224), (40, 42, 48), (120, 120, 124)),
}


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """RGB of 0..255 out of three numbers of 0..1 (the hue wraps)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return int(255 * red), int(255 * green), int(255 * blue)


def lighter(colour: Colour, amount: float) -> Colour:
    """The colour moved towards white (above 0) or black (below 0)."""
    goal = 255 if amount > 0 else 0
    return mixed(colour, (goal, goal, goal), abs(amount))


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """The first colour with a share of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def brightness(colour: Colour) -> float:
    """Perceived lightness, 0..1."""
    return (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]) / 255


def draw_colour(rng: Random) -> Colour:
    """Any colour: vivid, pale, dark or grey."""
    saturation = pick(rng, (between(rng, 0.6, 1), between(rng, 0.15, 0.6), between(rng, 0, 0.15)))
    return hsv(rng.random(), saturation, between(rng, 0.2, 1.0))


def draw_paints(rng: Random, materials: tuple[str, ...], *, natural: float = 0.4) -> Paints:
    """Colours of one object.

    Args:
        rng: where the draws come from.
        materials: what it is made of, most important first (keys of `NATURAL`).
        natural: how often it has the colours of its materials.
    """
    if chance(rng, natural):
        colours = [pick(rng, NATURAL[material]) for material in materials]
        colours = [lighter(colour, between(rng, -0.2, 0.2)) for colour in colours]
    else:
        colours = [draw_colour(rng) for _ in materials]
    main = colours[0]
    second = _apart(rng, colours[1] if len(colours) > 1 else draw_colour(rng), main)
    return Paints(main, second, _apart(rng, draw_colour(rng), main), lighter(main, -between(rng, 0.35, 0.6)))


def _apart(rng: Random, colour: Colour, other: Colour) -> Colour:
    """The colour, moved away from another that is as light."""
    if abs(brightness(colour) - brightness(other)) > 0.12:
        return colour
    return lighter(colour, between(rng, 0.3, 0.55) * (1 if brightness(other) < 0.5 else -1))
