"""Values of a finished scene: picture, id map, objects with their sounds, the room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.synth.arrays import Bytes, Float32, Float64
from exporter.synth.rooms import Room
from exporter.synth.scores import Kind, Score


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One thing in a scene that has a mask.

    Attributes:
        name: its class.
        kind: of its class.
        variant: which look and voice of the class.
        caption: words for what it sounds like.
        score: its events and drive; without events it is silent.
        dry: `[samples]` its sound without the room.
        wet: `[samples]` its sound in the room: its share of the mixture, the training target.
        level: linear peak of an event of gain 1 in `dry`.
        distance: 0 (near) to 1 (far): how much of the room is heard.
        size: 0 (small, high) to 1 (large, low).
    """

    name: str
    kind: Kind
    variant: int
    caption: str
    score: Score
    dry: Float32
    wet: Float32
    level: float
    distance: float
    size: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A few seconds of picture and sound of which everything is known.

    Attributes:
        seed: what it was made from, with the settings.
        fps: frames per second.
        times: `[T]` the moment each frame shows, seconds: (k + 0.5) / fps, unless a slower source is
            imagined, whose frames are repeated.
        frames: `[T, H, W, 3]` RGB uint8.
        ids: `[T, H, W]` uint8: k where object k - 1 is seen, 0 elsewhere.
        objects: what has a mask, in the order of their ids.
        offscreen: what is heard but never seen.
        room: around all of them.
    """

    seed: int
    fps: float
    times: Float64
    frames: Bytes
    ids: Bytes
    objects: tuple[SceneObject, ...]
    offscreen: tuple[SceneObject, ...]
    room: Room

    def mask(self, index: int) -> Bytes:
        """The visible pixels of object `index` (from 0): `[T, H, W]` uint8, 0 or 255."""
        return np.where(self.ids == index + 1, np.uint8(255), np.uint8(0))

    def joint_mask(self, indices: tuple[int, ...]) -> Bytes:
        """The visible pixels of several objects together."""
        return np.where(np.isin(self.ids, [index + 1 for index in indices]), np.uint8(255), np.uint8(0))

    @property
    def mixture(self) -> Float32:
        """All that is heard, `[samples]`: the sum of every object's wet sound."""
        sounds = [item.wet for item in (*self.objects, *self.offscreen)]
        return np.sum(sounds, axis=0, dtype=np.float32)
