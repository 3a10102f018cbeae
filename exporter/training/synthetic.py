"""The generator of scenes as a `SceneSource`: its objects, sounds and words as the stages want them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exporter.errors import ExportError
from exporter.sizes import Sizes
from exporter.synth import generating
from exporter.synth.captions import captions_of
from exporter.synth.makers import CLASS_NAMES, MAKERS
from exporter.synth.rhythm import Span
from exporter.synth.rooms import draw_room
from exporter.synth.scenes import Scene as Generated
from exporter.synth.scenes import SceneObject
from exporter.synth.scores import CONTROL_RATE, SAMPLE_RATE, Event, Score
from exporter.synth.settings import SceneSettings
from exporter.synth.sounding import Part, nominal_level, other_voices, revoice, sounded
from exporter.training.config import Data
from exporter.training.randomness import draws
from exporter.training.scenes import SILENT, Float, Scene, Sound, Thing

IMPACT = "impact"
CLEAR = frozenset(
    [
        "anvil",
        "wood_block",
        "glass",
        "drum",
        "rubber_ball",
        "pingpong",
        "footsteps",
        "xylophone",
        "door_knock",
        "bell",
        "clap",
    ]
)
"""Classes whose events are large movements, far enough from each other."""
_HARDSHIPS = ("decoy", "occluder", "shake", "passing", "foreign_tool", "degraded", "squeezed", "held")
STROKED = frozenset(["violin", "whoosh", "scrape", "rolling"])
"""Classes that sound throughout, in strokes that can be seen to begin: who is asked for that learns to see
how they swell, too."""
STROKES = 3
"""Strokes of a loop, each of another tone."""
_SMALL = 32
"""Side of pictures that nobody sees."""
LOOP = 72 / 104
"""Share of an effort's time that becomes a loop."""
CAPTIONS = 8
"""Phrases of an object; the plain ones come first."""


class SyntheticScenes:
    """Scenes of the procedural generator; scene `index` is that of seed `index`."""

    labels: tuple[str, ...] = CLASS_NAMES

    def __init__(
        self, sizes: Sizes, *, data: Data | None = None, settings: SceneSettings | None = None
    ) -> None:
        if sizes.sample_rate != SAMPLE_RATE:
            raise ExportError(
                f"The generator makes sound at {SAMPLE_RATE} Hz; {sizes.name} wants {sizes.sample_rate}.",
                remedy="Train sizes of that rate, such as tiny.",
            )
        wanted = data or Data()
        self.settings = settings or SceneSettings(
            size=sizes.synchformer.image_size,
            fps=float(sizes.sync_rate),
            seconds=sizes.train_frames / sizes.sync_rate,
            objects=wanted.objects,
            extent=wanted.extent,
            classes=wanted.classes or CLASS_NAMES,
        )
        self._last: tuple[int, float, Generated] | None = None

    def _generated(self, index: int, ease: float = 0.0) -> Generated:
        """The scene of a seed; the last one is kept, for its voices are often asked for next."""
        if self._last is None or self._last[:2] != (index, ease):
            settings = eased(self.settings, ease, draws(index, "ease").random())
            self._last = (index, ease, generating.generate(index, settings))
        return self._last[2]

    def scene(self, index: int, *, ease: float = 0.0) -> Scene:
        """See `SceneSource`."""
        made = self._generated(index, ease)
        things = tuple(_thing(made, number) for number in range(len(made.objects)))
        return Scene(frames=made.frames, things=things)

    def sounds(self, index: int) -> tuple[Sound, ...]:
        """See `SceneSource`."""
        objects = (*self._generated(index).objects, *self._generated(index).offscreen)
        return tuple(_sound(item) for item in objects if _sounds(item))

    def revoiced(self, index: int, *, thing: int, seed: int) -> Sound | None:
        """See `SceneSource`."""
        made = self._generated(index)
        item = made.objects[thing]
        names = other_voices(item.name)
        if not _sounds(item) or not names:
            return None
        name = str(draws(seed, "voice").choice(names))
        return _sound(revoice(made, thing, name=name, seed=seed))

    def steady(self, label: int) -> bool:
        """See `SceneSource`."""
        return MAKERS[CLASS_NAMES[label]].kind != IMPACT

    def example(self, label: int, seed: int) -> Float:
        """See `SceneSource`."""
        alone = replace(
            self.settings,
            size=_SMALL,
            classes=(CLASS_NAMES[label],),
            objects=(1, 1),
            silent_object=0.0,
            idle=0.0,
            offscreen=0.0,
        )
        return generating.generate(seed, alone).objects[0].wet

    def voice(
        self, label: int, seed: int, *, efforts: tuple[float, ...], seconds: float, onset: float
    ) -> Float:
        """See `SceneSource`."""
        name, rng = CLASS_NAMES[label], draws(seed, "bank", label)
        starts = [number * seconds for number in range(len(efforts))]
        total = seconds * len(efforts)
        if self.steady(label):
            score = _driven(name, rng, efforts=efforts, seconds=seconds)
        else:
            events = (Event(start + onset, one) for start, one in zip(starts, efforts, strict=True))
            score = Score(total, tuple(events))
        distance = float(rng.uniform(0.1, 0.5))
        part = Part(
            name,
            variant=seed % MAKERS[name].variants,
            score=score,
            size=float(rng.uniform(0.2, 0.8)),
            distance=distance,
            level=nominal_level(name, distance=distance),
        )
        return sounded(part, draw_room(rng), rng).wet


def _driven(name: str, rng: np.random.Generator, *, efforts: tuple[float, ...], seconds: float) -> Score:
    """A class that sounds throughout, driven so hard for so long each; in strokes, if it changes its tone."""
    total = seconds * len(efforts)
    ticks = np.arange(round(total * CONTROL_RATE)) / CONTROL_RATE
    turn = np.minimum(ticks // seconds, len(efforts) - 1).astype(int)
    drive = np.asarray(efforts, np.float32)[turn]
    usual = MAKERS[name].compose(rng, Span(0, total, total))
    tones = tuple(dict.fromkeys(event.tone for event in usual.events))[:STROKES]
    if len(tones) < STROKES:
        return Score(total, (Event(0.0, 1.0),), drive)
    stroke = seconds * LOOP / STROKES
    starts = np.arange(0, total, stroke)
    events = tuple(Event(float(start), 1.0, tones[k % STROKES]) for k, start in enumerate(starts))
    share = (ticks / stroke) % 1
    bow = np.minimum(1, np.minimum(share / 0.15, (1 - share) / 0.35))
    return Score(total, events, (drive * bow).astype(np.float32))


def eased(settings: SceneSettings, ease: float, luck: float) -> SceneSettings:
    """Easier scenes: larger and fewer objects, a still camera, nothing in front, clear events.

    Args:
        settings: what is asked for in the end.
        ease: 0 for exactly that, 1 for the easiest.
        luck: 0..1, of this scene; below `ease`, only classes of clear events appear.
    """
    if ease <= 0:
        return settings
    smallest, largest = settings.extent
    clear = tuple(name for name in settings.classes if name in CLEAR)
    return replace(
        settings,
        extent=(smallest + (0.22 - smallest) * ease, largest + (0.36 - largest) * ease),
        objects=(settings.objects[0], max(settings.objects[0], settings.objects[1] - round(2 * ease))),
        classes=clear if clear and luck < ease else settings.classes,
        **{name: getattr(settings, name) * (1 - ease) for name in _HARDSHIPS},
    )


def _sounds(item: SceneObject) -> bool:
    return item.name in CLASS_NAMES and bool(item.score.events or len(item.score.drive))


def _sound(item: SceneObject) -> Sound:
    return Sound(CLASS_NAMES.index(item.name), item.wet, _captions(item))


def _captions(item: SceneObject) -> tuple[str, ...]:
    return tuple(dict.fromkeys((item.caption, *captions_of(item.name))))[:CAPTIONS]


def _events(item: SceneObject) -> tuple[Event, ...]:
    return tuple(item.score.events) if item.kind == IMPACT or item.name in STROKED else ()


def _thing(made: Generated, number: int) -> Thing:
    item = made.objects[number]
    return Thing(
        label=CLASS_NAMES.index(item.name) if _sounds(item) else SILENT,
        masks=made.mask(number),
        stem=item.wet,
        onsets=tuple(event.time for event in _events(item)),
        captions=_captions(item),
        gains=tuple(event.gain for event in _events(item)),
    )
