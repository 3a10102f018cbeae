"""Bodies that are struck. Each takes the tremble of the blow, `[T, 2]` or an angle, and stands still else.

The place a tool strikes is the same in all looks of a class; see `makers.strikes`.
"""

from __future__ import annotations

from exporter.synth.arrays import Float64
from exporter.synth.chance import between, chance
from exporter.synth.makers.maker import Shot
from exporter.synth.palettes import lighter
from exporter.synth.shapes import Figure, Part, at, bar, box, disc, solid, turned

XYLOPHONE_BARS = 6


def anvil(shot: Shot, shift: Float64) -> Figure:
    """An anvil, a lying pipe, or a hanging steel plate; struck at (0, -0.25)."""
    rng, paints = shot.rng, shot.paints
    if shot.variant == 1:
        radius = between(rng, 0.16, 0.24)
        ends = at(-0.95, -0.25 + radius) + shift, at(0.95, -0.25 + radius) + shift
        stands = tuple(Part(box((x, 0.55), 0.16, 0.9), paints.dark) for x in (-0.6, 0.6))
        return (
            *stands,
            Part(bar(*ends, radius), paints.main),
            Part(disc(ends[1], 0.6 * radius, radius), paints.dark),
        )
    if shot.variant == 2:
        width = between(rng, 0.5, 0.8)
        plate = [(-width, -0.25), (width, -0.25), (width * 0.8, 0.9), (-width * 0.8, 0.9)]
        return Part(solid(plate, shift), paints.main), Part(disc(shift + at(0, 0.35), 0.2), paints.second)
    horn = between(rng, 0.4, 0.8)
    top = [(-0.6 - horn, -0.2), (-0.55, -0.25), (0.65, -0.25), (0.65, 0.1), (-0.5, 0.1)]
    waist = [(-0.35, 0.05), (0.4, 0.05), (0.25, 0.6), (-0.2, 0.6)]
    foot = [(-0.35, 0.55), (0.4, 0.55), (0.65, 0.9), (-0.6, 0.9)]
    return tuple(
        Part(solid(outline, shift), colour)
        for outline, colour in ((foot, paints.dark), (waist, paints.main), (top, lighter(paints.main, 0.1)))
    )


def wood_block(shot: Shot, shift: Float64) -> Figure:
    """A hollow block, a crate, or a temple block; struck at (0, -0.2)."""
    rng, paints = shot.rng, shot.paints
    if shot.variant == 1:
        half = between(rng, 0.6, 0.8)
        boards = tuple(Part(box(shift + at(0, y), 2 * half, 0.07), paints.dark) for y in (0.2, 0.55))
        crate = Part(box(shift + at(0, 0.35), 2 * half, 1.1), paints.main)
        brace = Part(bar(shift + at(-half, 0.88), shift + at(half, -0.15), 0.05), paints.second)
        return (crate, *boards, brace)
    if shot.variant == 2:
        body = Part(disc(shift + at(0, 0.25), between(rng, 0.55, 0.75), 0.45), paints.main)
        mouth = Part(bar(shift + at(-0.4, 0.35), shift + at(0.4, 0.35), 0.06), paints.dark)
        return body, mouth, Part(box((0, 0.85), 0.5, 0.3), paints.second)
    width = between(rng, 1.3, 1.8)
    block = Part(box(shift + at(0, 0.1), width, 0.6), paints.main)
    slot = Part(box(shift + at(0, 0.1), width * 0.8, 0.09), paints.dark)
    return block, slot, Part(box((0, 0.55), width * 0.6, 0.3), paints.second)


def glass(shot: Shot, shift: Float64) -> Figure:
    """A tumbler, a bottle, or a stemmed glass; struck from the right at (0.28, -0.45)."""
    paints = shot.paints
    shine = lighter(paints.main, 0.5)
    if shot.variant == 1:
        body = solid([(-0.28, -0.5), (0.28, -0.5), (0.3, 0.9), (-0.3, 0.9)], shift)
        neck = solid([(-0.11, -1.1), (0.11, -1.1), (0.28, -0.5), (-0.28, -0.5)], shift)
        label = Part(box(shift + at(0, 0.25), 0.58, 0.4), paints.second)
        return (
            Part(body, paints.main),
            Part(neck, paints.main),
            label,
            Part(box(shift + at(-0.17, 0), 0.06, 0.8), shine),
        )
    if shot.variant == 2:
        cup = solid(
            [(-0.3, -0.75), (0.3, -0.75), (0.24, -0.1), (0.1, 0.1), (-0.1, 0.1), (-0.24, -0.1)], shift
        )
        stem = Part(box(shift + at(0, 0.45), 0.07, 0.8), paints.main)
        return (
            stem,
            Part(disc(shift + at(0, 0.85), 0.32, 0.07), paints.main),
            Part(cup, shine),
            _wine(shot, shift),
        )
    body = solid([(-0.32, -0.7), (0.32, -0.7), (0.24, 0.8), (-0.24, 0.8)], shift)
    drink = solid([(-0.27, -0.1), (0.27, -0.1), (0.22, 0.74), (-0.22, 0.74)], shift)
    rim = Part(disc(shift + at(0, -0.7), 0.32, 0.08), shine)
    return Part(body, paints.main), Part(drink, paints.second), rim


def _wine(shot: Shot, shift: Float64) -> Part:
    level = solid(
        [(-0.26, -0.4), (0.26, -0.4), (0.22, -0.1), (0.09, 0.07), (-0.09, 0.07), (-0.22, -0.1)], shift
    )
    return Part(level, shot.paints.second)


def drum(shot: Shot, shift: Float64) -> Figure:
    """A tom on legs, a snare, or a big drum; struck near (0, -0.35)."""
    paints = shot.paints
    half, depth = ((0.7, 0.8), (0.85, 0.45), (1.0, 1.1))[shot.variant]
    shell = Part(
        solid([(-half, 0), (half, 0), (half * 0.95, depth), (-half * 0.95, depth)], shift + at(0, -0.35)),
        paints.main,
    )
    base = Part(disc(shift + at(0, depth - 0.35), half * 0.95, 0.18), paints.main)
    hoop = Part(disc(shift + at(0, -0.35), half * 1.04, 0.2), paints.second)
    head = Part(disc(shift + at(0, -0.35), half * 0.9, 0.15), lighter(paints.main, 0.75))
    legs = tuple(
        Part(bar((x * 0.8 * half, depth - 0.3), (x * 1.1 * half, 1.0), 0.035), paints.dark) for x in (-1, 1)
    )
    band = Part(
        solid([(-half, 0), (half, 0), (half, 0.1), (-half, 0.1)], shift + at(0, depth / 2 - 0.35)),
        paints.accent,
    )
    return (*legs, base, shell, band, hoop, head)


def cymbal(shot: Shot, tilt: Float64) -> Figure:
    """A cymbal on its stand, thin or seen from above; struck at (0.45, -0.5)."""
    paints = shot.paints
    flat = (0.07, 0.26)[shot.variant]
    stand = Part(bar((0, -0.5), (0, 0.9), 0.035), paints.dark)
    feet = tuple(Part(bar((0, 0.55), (x, 0.95), 0.03), paints.dark) for x in (-0.4, 0.4))
    centre = at(0.0, -0.5 + (0.05 if shot.variant else 0.02))
    plate = Part(disc(centre, 0.95, flat, angle=tilt), paints.main)
    ring = Part(disc(centre, 0.6, flat * 0.6, angle=tilt), lighter(paints.main, 0.2))
    bell = Part(disc(centre + turned((0, -flat * 0.5), tilt), 0.18, 0.09, angle=tilt), paints.second)
    return (stand, *feet, plate, ring, bell)


def xylophone(shot: Shot, shake: Float64) -> Figure:
    """Six bars on two rails; struck at y -0.12, bar k at x (k - 2.5) * 1.7 / 6."""
    paints = shot.paints
    step = 1.7 / XYLOPHONE_BARS
    rails = tuple(Part(bar((-0.95, y), (0.95, y * 0.8), 0.04), paints.dark) for y in (0.35, 0.0))
    bars = tuple(_xylophone_bar(shot, index, step, shake) for index in range(XYLOPHONE_BARS))
    return rails + bars


def _xylophone_bar(shot: Shot, index: int, step: float, shake: Float64) -> Part:
    x = (index - (XYLOPHONE_BARS - 1) / 2) * step
    height = 0.9 - 0.07 * index
    rainbow = shot.variant == 0
    colour = lighter(shot.paints.main, -0.3 + 0.12 * index) if rainbow else shot.paints.main
    return Part(box(at(x, -0.12 + height / 2 + 0.5 * shake), step * 0.8, height), colour)


def door(shot: Shot, shift: Float64) -> Figure:
    """A door with panels or a metal locker; struck from the right at (0.1, -0.05)."""
    rng, paints = shot.rng, shot.paints
    leaf = Part(box(shift + at(-0.4, 0), 1.05, 2.0), paints.main)
    knob = Part(disc(shift + at(-0.02, 0.25), 0.07), paints.accent)
    edge = Part(box((-0.4, 0), 1.2, 2.15), paints.dark)
    if shot.variant == 1:
        slots = tuple(Part(box(shift + at(-0.4, y), 0.6, 0.06), paints.dark) for y in (-0.75, -0.6, -0.45))
        return (edge, leaf, *slots, knob)
    panels = tuple(
        Part(box(shift + at(x, y), 0.36, between(rng, 0.6, 0.75)), lighter(paints.main, -0.15))
        for x in (-0.65, -0.16)
        for y in ((-0.5, 0.5) if chance(rng, 0.7) else (0.5,))
    )
    return (edge, leaf, *panels, knob)
