"""Scores into sounds: a voice for an object, its level, its place in the room; and re-voicing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exporter.synth.arrays import Float32, Random
from exporter.synth.captions import draw_caption
from exporter.synth.chance import stream
from exporter.synth.makers import MAKERS, names_of
from exporter.synth.rooms import Room
from exporter.synth.scenes import Scene, SceneObject
from exporter.synth.scores import SAMPLE_RATE, Score

LOUDEST = 0.89
"""Peak that no mixture and no stem exceeds."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is needed to make an object sound."""

    name: str
    variant: int
    score: Score
    size: float
    distance: float
    level: float


def nominal_level(name: str, *, distance: float) -> float:
    """The linear peak of an event of gain 1 of this class at this distance."""
    return float(10 ** ((MAKERS[name].level - 9 * distance) / 20))


def dry_sound(part: Part, rng: Random) -> Float32:
    """The sound of a part without a room, `[samples]`; its peak is the level times the loudest gain."""
    score = part.score
    if not score.events:
        return np.zeros(round(score.seconds * SAMPLE_RATE), np.float32)
    sound = MAKERS[part.name].voice(rng, part.variant, part.size).play(score, rng)
    peak = float(np.abs(sound).max())
    loudest = float(score.gains.max())
    return sound * np.float32(part.level * loudest / max(peak, 1e-9))


def sounded(part: Part, room: Room, rng: Random) -> SceneObject:
    """The object of a part, sounding in a room, with a caption."""
    dry = dry_sound(part, rng)
    return SceneObject(
        name=part.name,
        kind=MAKERS[part.name].kind,
        variant=part.variant,
        caption=draw_caption(rng, part.name),
        score=part.score,
        dry=dry,
        wet=room.placed(dry, distance=part.distance),
        level=part.level,
        distance=part.distance,
        size=part.size,
    )


def scaled(item: SceneObject, factor: float) -> SceneObject:
    """The object, louder or softer."""
    gain = np.float32(factor)
    return replace(item, dry=item.dry * gain, wet=item.wet * gain, level=item.level * factor)


def levelled(items: tuple[SceneObject, ...]) -> tuple[SceneObject, ...]:
    """All objects softer by one factor, if their sum or one of them would be too loud."""
    total = np.sum([item.wet for item in items], axis=0)
    peak = max(float(np.abs(sound).max()) for sound in (total, *(s for i in items for s in (i.wet, i.dry))))
    return items if peak <= LOUDEST else tuple(scaled(item, LOUDEST / peak) for item in items)


def other_voices(name: str) -> tuple[str, ...]:
    """The classes whose voices can play this class's scores, itself left out."""
    return tuple(other for other in names_of(MAKERS[name].kind) if other != name)


def revoice(scene: Scene, index: int, *, name: str, seed: int) -> SceneObject:
    """An object's events played with another class's voice: same picture and timing, other words and sound.

    Args:
        scene: where the object is.
        index: which object, from 0.
        name: the class whose voice plays; of the object's kind (see `other_voices`).
        seed: which of that class's voices.

    Raises:
        ValueError: the object's kind cannot be played by that class.
    """
    item = scene.objects[index]
    if MAKERS[name].kind != item.kind:
        raise ValueError(f"a {item.kind} object ({item.name}) cannot be played by {name}")
    rng = stream(seed, index)
    variant = int(rng.integers(MAKERS[name].variants))
    level = item.level * nominal_level(name, distance=0) / nominal_level(item.name, distance=0)
    part = Part(name, variant, item.score, item.size, item.distance, level)
    return levelled((sounded(part, scene.room, rng),))[0]
