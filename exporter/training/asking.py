"""Which sound is asked for in a training sample: one object, several, the whole frame, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.training.scenes import SILENT, Bytes, Float, Scene

KINDS = ("one", "several", "full", "null")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mask of a scene and what should be heard for it.

    Attributes:
        kind: of `KINDS`.
        masks: [T, S, S] bytes.
        stem: [samples].
        onsets: seconds.
        labels: classes that sound in it.
        captions: phrases; for several objects, their phrases joined.
        thing: index of the object for "one", else -1.
        gains: of the onsets; empty where one is not known.
        chosen: indices of the marked things.
    """

    kind: str
    masks: Bytes
    stem: Float
    onsets: tuple[float, ...]
    labels: tuple[int, ...]
    captions: tuple[str, ...]
    thing: int
    gains: tuple[float, ...] = ()
    chosen: tuple[int, ...] = ()


def draw_kind(rng: np.random.Generator, *, null_mask: float, full_mask: float, several: float) -> str:
    """One of `KINDS` by its share."""
    one = max(0.0, 1 - null_mask - full_mask - several)
    shares = (one, several, full_mask, null_mask)
    return str(rng.choice(KINDS, p=np.asarray(shares) / sum(shares)))


def wanted(scene: Scene, kind: str, rng: np.random.Generator) -> Wanted:
    """A sample of that kind; a scene with less than two objects has no "several"."""
    count = len(scene.things)
    if kind == "null" or count == 0:
        masks = np.zeros(scene.frames.shape[:3], np.uint8)
        return _together(scene, (), "null", masks)
    if kind == "full":
        masks = np.full(scene.frames.shape[:3], 255, np.uint8)
        return _together(scene, tuple(range(count)), "full", masks)
    if kind == "several" and count > 1:
        size = int(rng.integers(2, count + 1))
        chosen = tuple(sorted(int(one) for one in rng.choice(count, size, replace=False)))
        masks = np.max([scene.things[one].masks for one in chosen], axis=0)
        return _together(scene, chosen, "several", masks)
    one = int(rng.integers(count))
    return _together(scene, (one,), "one", scene.things[one].masks)


def just_one(scene: Scene, thing: int) -> Wanted:
    """That object alone."""
    return _together(scene, (thing,), "one", scene.things[thing].masks)


def _together(scene: Scene, chosen: tuple[int, ...], kind: str, masks: Bytes) -> Wanted:
    things = [scene.things[one] for one in chosen]
    stem = np.zeros_like(scene.things[0].stem) if scene.things else np.zeros(1, np.float32)
    for thing in things:
        stem = stem + thing.stem
    sounding = [thing for thing in things if thing.label != SILENT]
    onsets = [time for thing in sounding for time in thing.onsets]
    gains = [gain for thing in sounding for gain in thing.gains]
    order = np.argsort(onsets, kind="stable")
    return Wanted(
        kind=kind,
        masks=masks,
        stem=stem,
        onsets=tuple(onsets[one] for one in order),
        labels=tuple(dict.fromkeys(thing.label for thing in sounding)),
        captions=_joined([thing.captions for thing in things]),
        thing=chosen[0] if kind == "one" else -1,
        gains=tuple(gains[one] for one in order) if len(gains) == len(onsets) else (),
        chosen=chosen,
    )


def _joined(phrases: list[tuple[str, ...]]) -> tuple[str, ...]:
    """As many phrases as the object with fewest has; those of several objects with "and" between."""
    return tuple(" and ".join(row) for row in zip(*phrases, strict=False)) if phrases else ("",)
