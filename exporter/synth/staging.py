"""Who is in a scene and where: cast, places, ways in and out, camera, things in front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.synth.arrays import Float64, Random
from exporter.synth.chance import across, between, chance, pick, whole
from exporter.synth.drawing import Placement
from exporter.synth.makers import MAKERS
from exporter.synth.motion import Key, keyed, wander
from exporter.synth.palettes import draw_colour, lighter
from exporter.synth.rhythm import Span
from exporter.synth.settings import SceneSettings
from exporter.synth.shapes import Figure, Part, at, bar, box, disc

_SMALLEST, _LARGEST = 0.1, 0.32
"""Half the height of the figures that sound highest and lowest, relative to the picture."""

_COUNTS = (0.17, 0.43, 0.27, 0.13)


@dataclass(frozen=True, slots=True)
class Actor:
    """One thing to draw.

    Attributes:
        name: its class; "silent" for a mover without sound.
        variant: which look.
        masked: it has a mask (decoys have none).
        placement: where it is in every frame.
        span: when it may sound.
        size: 0 (small) to 1 (large).
        depth: far things (low) are drawn before near ones.
    """

    name: str
    variant: int
    masked: bool
    placement: Placement
    span: Span
    size: float
    depth: float


@dataclass(frozen=True, slots=True)
class Camera:
    """What moves and squeezes everything: `[T, 2]` pixels, `[T]` zoom, horizontal stretch."""

    shake: Float64
    zoom: Float64
    stretch: float


def draw_cast(rng: Random, settings: SceneSettings) -> tuple[str, ...]:
    """The classes of the objects that have masks."""
    fewest, most = settings.objects
    weights = np.array([_COUNTS[min(n, 4) - 1] for n in range(fewest, most + 1)])
    count = int(rng.choice(np.arange(fewest, most + 1), p=weights / weights.sum()))
    names = [pick(rng, settings.classes) for _ in range(count)]
    if chance(rng, settings.same_class):
        names = names[:1] * count
    if count > 1 and chance(rng, settings.silent_object):
        names[whole(rng, 0, count - 1)] = "silent"
    return tuple(names)


def draw_camera(rng: Random, times: Float64, settings: SceneSettings) -> Camera:
    """A camera: on a tripod, handheld, or jolted."""
    shake = np.zeros((len(times), 2))
    zoom = np.ones(len(times))
    if chance(rng, settings.shake):
        reach = across(rng, 0.004, 0.03) * settings.size
        period = between(rng, 0.5, 2.5)
        shake = np.stack([wander(rng, times, reach=reach, slowest=period) for _ in range(2)], axis=1)
        shake += rng.normal(0, 0.1 * reach, shake.shape)
        zoom = 1 + wander(rng, times, reach=between(rng, 0, 0.08), slowest=8)
    stretch = across(rng, 0.56, 1.3) if chance(rng, settings.squeezed) else 1.0
    return Camera(shake, zoom, stretch)


def draw_actors(
    rng: Random, cast: tuple[str, ...], times: Float64, camera: Camera, settings: SceneSettings
) -> tuple[Actor, ...]:
    """Places for the cast and for some decoys; the masked ones first, in the order of the cast."""
    decoys = sum(chance(rng, settings.decoy) for _ in range(2))
    names = (*cast, *("silent",) * decoys)
    slots = rng.permutation(len(names))
    return tuple(
        _actor(rng, name, times, camera, settings, slot=(int(slot), len(names)), masked=k < len(cast))
        for k, (name, slot) in enumerate(zip(names, slots, strict=True))
    )


def _actor(
    rng: Random,
    name: str,
    times: Float64,
    camera: Camera,
    settings: SceneSettings,
    *,
    slot: tuple[int, int],
    masked: bool,
) -> Actor:
    crowd = slot[1]
    smallest, largest = settings.extent
    largest *= (1.15, 1.0, 0.82, 0.7, 0.6, 0.55)[min(crowd, 6) - 1]
    half = across(rng, smallest, max(smallest, largest))
    path, span = _path(rng, times, half, slot, settings)
    offset = path * settings.size + camera.shake
    middle = settings.size / 2
    offset = middle + (offset - middle) * camera.zoom[:, None]
    scale = (
        half * settings.size * camera.zoom * (1 + wander(rng, times, reach=between(rng, 0, 0.06), slowest=7))
    )
    lean = between(rng, -0.12, 0.12) if chance(rng, 0.3) else 0.0
    place = Placement(offset, scale, camera.stretch * float(pick(rng, (-1, 1))), lean)
    size = float(np.clip(np.log(half / _SMALLEST) / np.log(_LARGEST / _SMALLEST) + rng.normal(0, 0.12), 0, 1))
    variant = int(rng.integers(MAKERS[name].variants))
    return Actor(name, variant, masked, place, span, size, depth=half + between(rng, -0.05, 0.05))


def _path(
    rng: Random, times: Float64, half: float, slot: tuple[int, int], settings: SceneSettings
) -> tuple[Float64, Span]:
    """The way of a figure's origin, `[T, 2]` in picture sides, and when it is in the picture."""
    place, crowd = slot
    x = (place + 0.5 + between(rng, -0.28, 0.28)) / crowd
    edge = min(0.45, 1.15 * half)
    x, y = float(np.clip(x, edge, 1 - edge)), float(np.clip(between(rng, 0.3, 0.78), edge, 1 - edge))
    path = at(np.full(len(times), x), y)
    if chance(rng, 0.35):
        reach = between(rng, 0.01, 0.08)
        path = path + np.stack([wander(rng, times, reach=reach) for _ in range(2)], axis=1)
    start, end = 0.0, settings.seconds
    if chance(rng, settings.passing):
        outside = (-1.4 * half) if x < 0.5 else (1 + 1.4 * half)
        if chance(rng, 0.5):
            start = between(rng, 0.15, 0.4) * settings.seconds
            keys = [Key(start - between(rng, 0.5, 1.2), outside), Key(start, x)]
        else:
            end = between(rng, 0.6, 0.85) * settings.seconds
            keys = [Key(end, x), Key(end + between(rng, 0.5, 1.2), outside)]
        path[:, 0] += keyed(times, keys) - x
    return path, Span(start, end, settings.seconds)


def draw_occluder(
    rng: Random, actors: tuple[Actor, ...], times: Float64, settings: SceneSettings
) -> tuple[Figure, Placement] | None:
    """Something in front of an actor, standing or passing by; None mostly."""
    if not chance(rng, settings.occluder):
        return None
    target = pick(rng, actors).placement
    side = settings.size
    width = float(np.median(target.scale)) * between(rng, 0.25, 0.8)
    where = target.offset + rng.uniform(-0.6, 0.6, 2) * target.scale[:, None]
    where = np.broadcast_to(where.mean(axis=0), (len(times), 2)).copy()
    if chance(rng, 0.3):
        speed = between(rng, 0.25, 0.8) * float(pick(rng, (-1, 1)))
        where[:, 0] += side * speed * (times - between(rng, 0.2, 0.8) * settings.seconds)
    return _occluder(rng), Placement(where, np.full(len(times), width))


def _occluder(rng: Random) -> Figure:
    """A pillar, a beam, a bush or a sign; about one unit wide."""
    colour = draw_colour(rng)
    kind = whole(rng, 0, 3)
    if kind == 0:
        return Part(box((0, 0), 1.0, 30.0), colour), Part(box((-0.3, 0), 0.2, 30.0), lighter(colour, 0.2))
    if kind == 1:
        return (Part(box((0, 0.9), 30.0, 0.7), colour),)
    if kind == 2:
        blobs = rng.uniform(-0.6, 0.6, (5, 2))
        return tuple(Part(disc(blob, 0.5), lighter(colour, between(rng, -0.2, 0.2))) for blob in blobs)
    post = Part(bar((0, 0), (0, 12), 0.08), lighter(colour, -0.4))
    return post, Part(box((0, 0), 1.3, 0.8), colour)
