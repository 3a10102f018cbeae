"""Scenes out of seeds: the one place where everything comes together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from exporter.synth.arrays import Bytes, Float64, Random
from exporter.synth.backgrounds import draw_background
from exporter.synth.chance import across, between, chance, pick, stream, whole
from exporter.synth.colours import degraded
from exporter.synth.drawing import Layer, layers_of, paint
from exporter.synth.excerpts import excerpt
from exporter.synth.frame_rates import SOURCE_RATES, frame_times
from exporter.synth.makers import MAKERS
from exporter.synth.makers.maker import Shot
from exporter.synth.motion import wander
from exporter.synth.palettes import draw_paints
from exporter.synth.rhythm import Span
from exporter.synth.rooms import DRY, draw_room
from exporter.synth.scenes import Scene, SceneObject
from exporter.synth.scores import Score, silence
from exporter.synth.settings import SceneSettings
from exporter.synth.sounding import Part, levelled, nominal_level, sounded
from exporter.synth.staging import Actor, Camera, draw_actors, draw_camera, draw_cast, draw_occluder
from exporter.synth.styles import Style, add_texture, draw_style

_LONGEST_LEAD = 1.5
"""Seconds at most that a scene has gone on before it is seen."""

_STAGE, _LOOK, _SOUND, _PICTURE, _SCORE, _OFFSCREEN = range(6)
"""Streams of random numbers, so that more draws for one thing leave the others alone."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure ready to be painted: its layers, its texture's style, its id and its way."""

    layers: tuple[Layer, ...]
    style: Style
    identity: int
    offset: Float64


def generate(seed: int, settings: SceneSettings | None = None) -> Scene:
    """The scene of a seed; the same seed and settings give the same scene.

    Args:
        seed: 0 or above.
        settings: what kind of scene; None for the defaults.
    """
    wanted = settings or SceneSettings()
    rng = stream(seed, _STAGE)
    if not chance(rng, wanted.midway):
        return _generated(seed, rng, wanted)
    first = whole(rng, 5, round(_LONGEST_LEAD * wanted.fps))
    longer = replace(wanted, seconds=wanted.seconds + first / wanted.fps)
    return excerpt(_generated(seed, rng, longer), first, frames=wanted.frames)


def _generated(seed: int, rng: Random, wanted: SceneSettings) -> Scene:
    times = _times(rng, wanted)
    cast = draw_cast(rng, wanted)
    camera = draw_camera(rng, times, wanted)
    actors = draw_actors(rng, cast, times, camera, wanted)
    scores = tuple(_score(stream(seed, _SCORE, k), actor, wanted) for k, actor in enumerate(actors))
    frames, ids = _picture(seed, actors, scores, times=times, camera=camera, settings=wanted)
    room = draw_room(stream(seed, _SOUND)) if chance(rng, wanted.room) else DRY
    objects = tuple(
        sounded(_part(actor, score), room, stream(seed, _SOUND, k))
        for k, (actor, score) in enumerate(zip(actors[: len(cast)], scores, strict=False))
    )
    offscreen = tuple(sounded(part, room, stream(seed, _OFFSCREEN, 1)) for part in _unseen(seed, wanted))
    loud = levelled((*objects, *offscreen))
    return Scene(seed, wanted.fps, times, frames, ids, loud[: len(cast)], loud[len(cast) :], room)


def scenes(first_seed: int, settings: SceneSettings | None = None, *, step: int = 1) -> Iterator[Scene]:
    """Scenes without end, of the seeds first, first + step, ...

    Args:
        first_seed: of the first scene; 0 or above.
        settings: what kind of scenes.
        step: distance of the seeds: with n workers, start worker k at first + k with step n.
    """
    seed = first_seed
    while True:
        yield generate(seed, settings)
        seed += step


def _times(rng: Random, settings: SceneSettings) -> Float64:
    drawn = pick(rng, SOURCE_RATES) if chance(rng, settings.held) else None
    source = settings.source or drawn
    return frame_times(settings.frames, fps=settings.fps, source=source)


def _score(rng: Random, actor: Actor, settings: SceneSettings) -> Score:
    if not actor.masked or chance(rng, settings.idle):
        return silence(settings.seconds)
    return MAKERS[actor.name].compose(rng, actor.span)


def _part(actor: Actor, score: Score) -> Part:
    distance = float(np.clip(1.0 - actor.size, 0, 1))
    return Part(
        actor.name, actor.variant, score, actor.size, distance, nominal_level(actor.name, distance=distance)
    )


def _unseen(seed: int, settings: SceneSettings) -> tuple[Part, ...]:
    """What is heard but not seen."""
    rng = stream(seed, _OFFSCREEN)
    if not chance(rng, settings.offscreen):
        return ()
    name = pick(rng, settings.classes)
    distance = between(rng, 0.5, 1.0)
    score = MAKERS[name].compose(rng, Span(0.0, settings.seconds, settings.seconds))
    variant = int(rng.integers(MAKERS[name].variants))
    return (Part(name, variant, score, rng.random(), distance, nominal_level(name, distance=distance)),)


def _picture(
    seed: int,
    actors: tuple[Actor, ...],
    scores: tuple[Score, ...],
    *,
    times: Float64,
    camera: Camera,
    settings: SceneSettings,
) -> tuple[Bytes, Bytes]:
    """Frames `[T, H, W, 3]` and id map `[T, H, W]`."""
    rng = stream(seed, _PICTURE)
    family = pick(rng, settings.styles)
    drawn = []
    for k, (actor, score) in enumerate(zip(actors, scores, strict=True)):
        name = family if chance(rng, 0.75) else pick(rng, settings.styles)
        style = draw_style(rng, name, size=settings.size)
        foreign = chance(rng, settings.foreign_tool)
        identity = k + 1 if actor.masked else 0
        look = stream(seed, _LOOK, k)
        drawn.append(_drawn(look, actor, score, times, identity=identity, style=style, foreign=foreign))
    order = sorted(range(len(actors)), key=lambda k: actors[k].depth)
    drawn = [drawn[k] for k in order]
    front = draw_occluder(rng, actors, times, settings)
    if front is not None:
        style = draw_style(rng, family, size=settings.size)
        drawn.append(Drawn(layers_of(*front, style, identity=0), style, 0, front[1].offset))
    frames, ids = _painted(rng, drawn, times, camera, settings)
    return _finished(rng, frames, times, settings), ids


def _drawn(
    rng: Random, actor: Actor, score: Score, times: Float64, *, identity: int, style: Style, foreign: bool
) -> Drawn:
    maker = MAKERS[actor.name]
    shot = Shot(rng, actor.variant, score, times, draw_paints(rng, maker.materials), foreign)
    figure = maker.look(shot)
    return Drawn(
        layers_of(figure, actor.placement, style, identity=identity), style, identity, actor.placement.offset
    )


def _painted(
    rng: Random, drawn: list[Drawn], times: Float64, camera: Camera, settings: SceneSettings
) -> tuple[Bytes, Bytes]:
    size = settings.size
    background = draw_background(rng, times, camera.shake, size=size)
    layers = [layer for item in drawn for layer in item.layers]
    textured = [item for item in drawn if item.style.texture is not None and item.identity]
    frames = np.empty((len(times), size, size, 3), np.uint8)
    ids = np.zeros((len(times), size, size), np.uint8)
    for index in range(len(times)):
        frame = background.frame(index)
        paint(frame, ids[index], layers, index)
        for item in textured:
            x, y = item.offset[index]
            mask = np.asarray(cv2.inRange(ids[index], (item.identity,), (item.identity,)), np.uint8)
            if item.style.texture is not None:
                add_texture(frame, mask, item.style.texture, (round(x), round(y)))
        frames[index] = frame
    return frames, ids


def _finished(rng: Random, frames: Bytes, times: Float64, settings: SceneSettings) -> Bytes:
    """Light that changes, and the faults of cameras."""
    if chance(rng, 0.3):
        light = across(rng, 0.65, 1.3) * (1 + wander(rng, times, reach=between(rng, 0, 0.25), slowest=5))
        frames = np.stack(
            [cv2.convertScaleAbs(frame, alpha=float(gain)) for frame, gain in zip(frames, light, strict=True)]
        ).astype(np.uint8, copy=False)
    return degraded(frames, rng) if chance(rng, settings.degraded) else frames


def sounding_objects(scene: Scene) -> tuple[SceneObject, ...]:
    """The objects of a scene that are heard."""
    return tuple(item for item in scene.objects if item.wet.any())
