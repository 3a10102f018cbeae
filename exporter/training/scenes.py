"""What the stages learn from: scenes of sounding objects, drawn by number, and a pool that keeps some.

A scene is asked for by its index and is always the same, so nothing about the data has to be saved
with a checkpoint. The generator stands behind `SceneSource` (see `synthetic`).
"""

from __future__ import annotations

import math
import mmap
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from exporter.training.config import Data

Bytes = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]

OFFSETS = {"sync": 0, "motion": 20_000_000, "towers": 0, "vae": 0, "vocoder": 0, "features": 40_000_000}
"""Where a stage's scenes begin. Features come from scenes that no encoder was trained on."""

CHECK_OFFSET = 900_000_000
"""Held-out scenes of every stage."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a scene.

    Attributes:
        label: index of its class; `SILENT` for an object that makes no sound.
        masks: [T, S, S], 0 or 255.
        stem: its sound alone, [samples], zeros for a silent object.
        onsets: seconds of its events; empty for classes that sound throughout.
        captions: phrases that name it.
        gains: linear, of each event; empty where nobody knows.
    """

    label: int
    masks: Bytes
    stem: Float
    onsets: tuple[float, ...]
    captions: tuple[str, ...]
    gains: tuple[float, ...] = ()


SILENT = -1


@dataclass(frozen=True, slots=True)
class Scene:
    """Pictures [T, S, S, 3] on the sync encoder's canvas, and what is in them."""

    frames: Bytes
    things: tuple[Thing, ...]

    @property
    def mixture(self) -> Float:
        """All stems together."""
        return np.sum([thing.stem for thing in self.things], axis=0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound and the words for it."""

    label: int
    stem: Float
    captions: tuple[str, ...]


class SceneSource(Protocol):
    """Scenes by number.

    Attributes:
        labels: names of the classes that sound.
    """

    labels: tuple[str, ...]

    def scene(self, index: int, *, ease: float = 0.0) -> Scene:
        """Scene `index`, the same on every call; easier to read the nearer `ease` is to 1."""

    def sounds(self, index: int) -> tuple[Sound, ...]:
        """The stems of scene `index`, without drawing pictures; silent objects left out."""

    def revoiced(self, index: int, *, thing: int, seed: int) -> Sound | None:
        """The sound that another class makes at this thing's events; None where that has no meaning."""

    def steady(self, label: int) -> bool:
        """Whether a class sounds throughout, instead of at events."""

    def example(self, label: int, seed: int) -> Float:
        """A sound of a class as a scene has it, [samples]."""

    def voice(
        self, label: int, seed: int, *, efforts: tuple[float, ...], seconds: float, onset: float
    ) -> Float:
        """One voice of a class played so hard one after the other, `seconds` each, [samples].

        An event comes `onset` after the beginning of each; what sounds throughout is driven so hard as long.
        """


class ScenePool:
    """The scenes a stage sees: a window that moves along the numbered scenes, drawn from at random.

    At step k the window ends after `pool + k / steps_per_scene` scenes (fewer at the start) and is
    `pool` long. Scenes are rendered when they are first drawn and kept while in the window; a run that
    goes on after a kill renders again what it needs and sees exactly the same scenes.
    """

    def __init__(self, source: SceneSource, data: Data, *, stage: str) -> None:
        self.source = source
        self.first = data.first_scene + OFFSETS[stage]
        self.data = data
        self.kept: OrderedDict[int, Scene] = OrderedDict()

    def window(self, step: int) -> range:
        """Scenes of a step. It starts with a fifth of the pool and grows until it is full."""
        end = int(max(self.data.pool // 5, 1) + step / self.data.steps_per_scene)
        return range(self.first + max(0, end - self.data.pool), self.first + end)

    def enters(self, number: int) -> int:
        """The step at which a scene comes into the window."""
        after = number - self.first + 1 - max(self.data.pool // 5, 1)
        return math.ceil(max(0, after) * self.data.steps_per_scene)

    def draw(self, step: int, generator: np.random.Generator) -> tuple[int, Scene]:
        """One of the window's scenes with its number."""
        window = self.window(step)
        index = window[int(generator.integers(len(window)))]
        return index, self.get(index, oldest=window.start)

    def get(self, index: int, *, oldest: int) -> Scene:
        """A scene; those before `oldest` are let go."""
        if index not in self.kept:
            self.kept[index] = _settled(self.source.scene(index))
        for old in [one for one in self.kept if one < oldest]:
            del self.kept[old]
        return self.kept[index]


def in_own_pages(pictures: Bytes) -> Bytes:
    """A copy outside the heap, where what is kept for long does not lie between what passes."""
    kept = np.frombuffer(mmap.mmap(-1, max(pictures.nbytes, 1)), np.uint8, count=pictures.size)
    kept = kept.reshape(pictures.shape)
    kept[...] = pictures
    return kept


def _settled(scene: Scene) -> Scene:
    things = tuple(replace(thing, masks=in_own_pages(thing.masks)) for thing in scene.things)
    return Scene(in_own_pages(scene.frames), things)


def check_scenes(source: SceneSource, data: Data) -> list[Scene]:
    """The held-out scenes."""
    return [source.scene(CHECK_OFFSET + index) for index in range(data.check_scenes)]
