"""What is rendered for an evaluation: held-out scenes, and all that is done to picture, mask and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from exporter.synth import mattes
from exporter.synth.captions import captions_of
from exporter.synth.chance import stream
from exporter.synth.colours import hue_turned
from exporter.synth.generating import generate
from exporter.synth.makers import MAKERS
from exporter.synth.scenes import Scene
from exporter.synth.settings import SceneSettings

Bytes = npt.NDArray[np.uint8]

FIRST_SCENE = 910_000_000
"""Far from the numbers of every stage of the training and of its own checks."""

OWN, WORDLESS, CONTRADICTED, NEGATED = (
    "own mask and words",
    "own mask, no words",
    "other words",
    "negative words",
)
FULL, FULL_WORDLESS, BLACKED, WORDS = "full mask", "full mask, no words", "rest blacked out", "words only"
SEVERAL, NULL = "several masks", "null mask"
TRUE, ORACLE, VOCODED = "true stem", "VAE and decoder on the true stem", "decoder on the true mel"


@dataclass(frozen=True, slots=True)
class Case:
    """One sound to be made.

    Attributes:
        condition: of the constants above, or a key of `WORN`.
        scene: seed of the generator.
        things: marked objects; the first is whose class is asked for.
        prompt, negative: words.
        named: class that the prompt names, "" for none.
    """

    condition: str
    scene: int
    things: tuple[int, ...]
    prompt: str
    negative: str = ""
    named: str = ""

    @property
    def key(self) -> str:
        """A name for files."""
        words = "".join(one if one.isalnum() else "_" for one in self.condition)
        return f"{words}-{self.scene}-{'_'.join(map(str, self.things))}"


@dataclass(frozen=True, slots=True)
class Material:
    """Pictures [T, H, W, 3] and masks [T, h, w], None for the whole frame."""

    frames: Bytes
    masks: Bytes | None


Change = Callable[[Material], Material]


def _masks(change: Callable[[Bytes], Bytes]) -> Change:
    def changed(shown: Material) -> Material:
        return Material(shown.frames, None if shown.masks is None else change(shown.masks))

    return changed


def _same(shown: Material) -> Material:
    return shown


def _share(masks: Bytes, share: float) -> int:
    return max(1, round(share * masks.shape[1]))


WORN: Mapping[str, Change] = {
    "dilated": _masks(lambda masks: mattes.dilated(masks, pixels=_share(masks, 0.025))),
    "eroded": _masks(lambda masks: mattes.eroded(masks, pixels=_share(masks, 0.01))),
    "blurred": _masks(lambda masks: mattes.blurred(masks, sigma=0.02 * masks.shape[1])),
    "held every 4th frame": _masks(lambda masks: mattes.held_every(masks, frames=4)),
    "hue changed": lambda shown: Material(hue_turned(shown.frames, degrees=120), shown.masks),
    "24 fps source": _same,
    "30 fps source": _same,
    "12.5 fps source": _same,
    "static union matte": _masks(mattes.union),
    "shifted by 3 %": _masks(lambda masks: mattes.shifted(masks, right=_share(masks, 0.03), down=0)),
}
"""Ways in which what an editor gives is worse than what the generator knows."""

SOURCES: Mapping[str, float] = {"24 fps source": 24.0, "30 fps source": 30.0, "12.5 fps source": 12.5}
"""Those of them that are drawn anew, at the moments of a source of that rate."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many scenes of each condition; the first ones of the same row of scenes.

    Attributes:
        scenes: with every object's own mask and words; truth and oracle of all these.
        few: of the other conditions.
        worn: of every kind of wear, one object each.
        settings: of the generator.
        first: seed of the first scene.
    """

    scenes: int = 100
    few: int = 24
    worn: int = 20
    settings: SceneSettings = field(
        default_factory=lambda: SceneSettings(objects=(2, 3), silent_object=0.0, idle=0.0, offscreen=0.0)
    )
    first: int = FIRST_SCENE

    def scene(self, seed: int, *, source: float | None = None) -> Scene:
        """The scene of a seed, its picture perhaps from a source of another frame rate."""
        return generate(seed, replace(self.settings, source=source))

    def seeds(self) -> range:
        """Of all scenes."""
        return range(self.first, self.first + self.scenes)

    def cases(self, seed: int) -> Iterator[Case]:
        """Everything that is made of one scene."""
        number, scene = seed - self.first, self.scene(seed)
        rng = stream(seed, 77)
        for thing in range(len(scene.objects)):
            yield _case(OWN, scene, thing)
            yield _case(TRUE, scene, thing)
            if number < 2 * self.few:
                yield Case(WORDLESS, seed, (thing,), "")
                yield _case(ORACLE, scene, thing)
                yield _case(VOCODED, scene, thing)
        chosen = int(rng.integers(len(scene.objects)))
        if number < self.few:
            yield from self._others(scene, chosen, rng)
        if number < self.worn:
            yield from (_case(name, scene, chosen) for name in WORN)

    def _others(self, scene: Scene, chosen: int, rng: np.random.Generator) -> Iterator[Case]:
        for condition in (FULL, BLACKED, WORDS, NULL):
            yield _case(condition, scene, chosen)
        everything = tuple(range(len(scene.objects)))
        yield Case(FULL_WORDLESS, scene.seed, everything, "")
        pair = tuple(sorted(int(one) for one in rng.choice(len(scene.objects), 2, replace=False)))
        yield Case(SEVERAL, scene.seed, pair, "")
        for blend in {everything, pair}:
            yield Case(TRUE, scene.seed, blend, "")
        own = scene.objects[chosen]
        names = [
            one
            for one in self.settings.classes
            if MAKERS[one].kind == own.kind and one not in {item.name for item in scene.objects}
        ]
        other = names[int(rng.integers(len(names)))]
        yield Case(CONTRADICTED, scene.seed, (chosen,), captions_of(other)[0], named=other)
        yield Case(NEGATED, scene.seed, (chosen,), "", negative=captions_of(own.name)[0])


def _case(condition: str, scene: Scene, thing: int) -> Case:
    item = scene.objects[thing]
    return Case(condition, scene.seed, (thing,), item.caption, named=item.name)


def material(plan: Plan, scene: Scene, case: Case) -> Material:
    """What the model is shown of a scene of the plan."""
    if case.condition in SOURCES:
        scene = plan.scene(case.scene, source=SOURCES[case.condition])
    masks = scene.joint_mask(case.things)
    shown = Material(scene.frames, masks)
    if case.condition in WORN:
        return WORN[case.condition](shown)
    if case.condition in {FULL, FULL_WORDLESS}:
        return Material(scene.frames, None)
    if case.condition == BLACKED:
        return Material(np.where(masks[..., None] > 0, scene.frames, np.uint8(0)).astype(np.uint8), None)
    if case.condition == NULL:
        return Material(scene.frames, np.zeros_like(masks))
    return shown


def truth(scene: Scene, things: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """The stems of these objects together, [samples]."""
    stems = [scene.objects[one].wet for one in things]
    return np.asarray(np.sum(stems, axis=0), np.float32)
