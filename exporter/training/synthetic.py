"""The generator of scenes as a `SceneSource`: its objects, sounds and words as the stages want them."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.errors import ExportError
from exporter.sizes import Sizes
from exporter.synth import generating
from exporter.synth.captions import captions_of
from exporter.synth.makers import CLASS_NAMES
from exporter.synth.scenes import Scene as Generated
from exporter.synth.scenes import SceneObject
from exporter.synth.scores import SAMPLE_RATE
from exporter.synth.settings import SceneSettings
from exporter.synth.sounding import other_voices, revoice
from exporter.training.randomness import draws
from exporter.training.scenes import SILENT, Scene, Sound, Thing

IMPACT = "impact"
CAPTIONS = 8
"""Phrases of an object; the plain ones come first."""


class SyntheticScenes:
    """Scenes of the procedural generator; scene `index` is that of seed `index`."""

    labels: tuple[str, ...] = CLASS_NAMES

    def __init__(self, sizes: Sizes, *, settings: SceneSettings | None = None) -> None:
        if sizes.sample_rate != SAMPLE_RATE:
            raise ExportError(
                f"The generator makes sound at {SAMPLE_RATE} Hz; {sizes.name} wants {sizes.sample_rate}.",
                remedy="Train sizes of that rate, such as tiny.",
            )
        self.settings = settings or SceneSettings(
            size=sizes.synchformer.image_size,
            fps=float(sizes.sync_rate),
            seconds=sizes.train_frames / sizes.sync_rate,
        )
        self._last: tuple[int, Generated] | None = None

    def _generated(self, index: int) -> Generated:
        """The scene of a seed; the last one is kept, for its voices are often asked for next."""
        if self._last is None or self._last[0] != index:
            self._last = (index, generating.generate(index, self.settings))
        return self._last[1]

    def scene(self, index: int) -> Scene:
        """See `SceneSource`."""
        made = self._generated(index)
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


def _sounds(item: SceneObject) -> bool:
    return item.name in CLASS_NAMES and bool(item.score.events or len(item.score.drive))


def _sound(item: SceneObject) -> Sound:
    return Sound(CLASS_NAMES.index(item.name), item.wet, _captions(item))


def _captions(item: SceneObject) -> tuple[str, ...]:
    return tuple(dict.fromkeys((item.caption, *captions_of(item.name))))[:CAPTIONS]


def _onsets(item: SceneObject) -> Iterator[float]:
    if item.kind == IMPACT:
        yield from (event.time for event in item.score.events)


def _thing(made: Generated, number: int) -> Thing:
    item = made.objects[number]
    return Thing(
        label=CLASS_NAMES.index(item.name) if _sounds(item) else SILENT,
        masks=made.mask(number),
        stem=item.wet,
        onsets=tuple(_onsets(item)),
        captions=_captions(item),
    )
