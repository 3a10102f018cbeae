"""What the sync encoder learns from: a moving pool of marked objects, seen once and cut many times.

Drawing a scene, wearing its matte down and cutting the focus cost more than a step of the network, so
every marked object is brought to the encoder's size once and kept as bytes. A batch is cut from the
kept ones; colours and sides are changed at each cut. What is kept at a step is a function of the
run's seed and the step alone.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from exporter.training.asking import Wanted, just_one, wanted
from exporter.training.config import Config, Mattes, MotionStage, SyncStage
from exporter.training.picturing import Views, Wear, draw_wear, find_box, views
from exporter.training.placing import Placed, shares
from exporter.training.randomness import draws
from exporter.training.scenes import SILENT, Bytes, Float, Scene, ScenePool, SceneSource, in_own_pages
from exporter.training.targets import BINS, energy_curve, onset_curve, strike_curve


@dataclass(frozen=True, slots=True)
class Answers:
    """Targets per segment and feature: onset, energy, strike [B, steps, BINS], shares [B, steps, labels]."""

    onset: Tensor
    energy: Tensor
    strike: Tensor
    label: Tensor


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a window: [bins] onsets, energy, strikes, [labels + 1] class shares."""

    onset: Float
    energy: Float
    strike: Float
    label: Float

    def answers(self, starts: np.ndarray, *, steps: int, frames: int) -> Answers:
        """For the segments of `frames` frames and `steps` features that begin at these frames."""
        rows = (starts * BINS * steps // frames)[:, None] + np.arange(steps * BINS)[None]
        shape = (len(starts), steps, BINS)
        return Answers(
            torch.from_numpy(self.onset[rows].reshape(shape)),
            torch.from_numpy(self.energy[rows].reshape(shape)),
            torch.from_numpy(self.strike[rows].reshape(shape)),
            torch.from_numpy(np.broadcast_to(self.label, (*shape[:2], len(self.label))).copy()),
        )


@dataclass(frozen=True, slots=True)
class Marked:
    """One marked object at the encoder's size, [T, 4, s, s] bytes (red, green, blue, mask), and its truth."""

    whole: Bytes
    detail: Bytes
    truth: Truth
    placed: Placed


def _moments(config: Config) -> tuple[int, float]:
    """Bins of a whole window, and per second."""
    sizes = config.model
    dims = sizes.synchformer
    rate = sizes.sync_rate * BINS * dims.steps / dims.segment_frames
    return sizes.train_frames * BINS * dims.steps // dims.segment_frames, rate


def placed_of(scene: Scene, sample: Wanted, wear: Wear, config: Config) -> Placed:
    """Where the things of a sample are in the worn pictures, and the onsets of each."""
    things = [scene.things[one] for one in sample.chosen]
    bins, rate = _moments(config)
    onsets = [onset_curve(one.onsets if one.label != SILENT else (), bins=bins, rate=rate) for one in things]
    return Placed(
        shares([one.masks for one in things], wear.order, flip=wear.flip),
        np.stack(onsets) if onsets else np.zeros((0, bins), np.float32),
    )


def truth_of(sample: Wanted, config: Config, *, labels: int) -> Truth:
    """The targets of a whole window."""
    sizes = config.model
    bins, rate = _moments(config)
    shares = np.zeros(labels + 1, np.float32)
    shares[list(sample.labels) or [labels]] = 1 / max(len(sample.labels), 1)
    return Truth(
        onset_curve(sample.onsets, bins=bins, rate=rate),
        energy_curve(sample.stem, bins=bins, samples_per_bin=sizes.sample_rate / rate),
        strike_curve(sample.onsets, sample.gains, bins=bins, rate=rate),
        shares,
    )


def segment_views(scene: Scene, sample: Wanted, wear: Wear, starts: np.ndarray, config: Config) -> Views:
    """Encoder input of the segments that begin at `starts`: [n, frames, C, s, s] each."""
    sizes = config.model
    masks = wear.worn_masks(sample.masks)
    box = find_box(masks, crop_min=sizes.crop_min)
    length = sizes.synchformer.segment_frames
    pieces = []
    for start in starts:
        which = slice(int(start), int(start) + length)
        frames = wear.worn_frames(scene.frames, which)
        pieces.append(views(frames, masks[which], box, shrink=config.sync.shrink))
    return stacked(pieces)


class SegmentPool:
    """Marked objects of a moving window of scenes that grow harder, and batches of their segments."""

    def __init__(self, source: SceneSource, config: Config, *, stage: str = "sync") -> None:
        self.config = config
        self.settings: SyncStage | MotionStage = config.motion if stage == "motion" else config.sync
        self.source = source
        data = config.data
        if isinstance(self.settings, MotionStage):
            data = replace(data, pool=self.settings.pool, steps_per_scene=self.settings.steps_per_scene)
        self.window = ScenePool(source, data, stage=stage)
        self.kept: OrderedDict[int, tuple[Marked, ...]] = OrderedDict()

    def draw(self, step: int, rng: np.random.Generator) -> tuple[Views, Answers]:
        """One segment of one marked object, changed in colour and side, and what is true of it."""
        numbers = self.window.window(step)
        number = numbers[int(rng.integers(len(numbers)))]
        for old in [one for one in self.kept if one < numbers.start]:
            del self.kept[old]
        if number not in self.kept:
            self.kept[number] = self.marked(number)
        marked = self.kept[number][int(rng.integers(len(self.kept[number])))]
        dims = self.config.model.synchformer
        start = 2 * int(rng.integers((len(marked.whole) - dims.segment_frames) // 2 + 1))
        which = slice(start, start + dims.segment_frames)
        look = draw_wear(rng, self._looks(step), count=dims.segment_frames, rate=self.config.model.sync_rate)
        answers = marked.truth.answers(np.array([start]), steps=dims.steps, frames=dims.segment_frames)
        return looked(marked, which, look), answers

    def marked(self, number: int) -> tuple[Marked, ...]:
        """All samples of a scene: every object, and sometimes several, everything or nothing."""
        step = self.window.enters(number)
        settings = self.settings
        ease = max(0.0, 1 - step / max(settings.easy * settings.optimisation.steps, 1.0))
        scene = self.source.scene(number, ease=ease)
        rng = draws(self.config.seed, "marked", number)
        asked = [just_one(scene, thing) for thing in range(len(scene.things))]
        shares = {"null": settings.null, "full": settings.full, "several": settings.several}
        asked += [wanted(scene, kind, rng) for kind, share in shares.items() if rng.random() < share]
        return tuple(self._seen(scene, sample, step, rng) for sample in asked)

    def _seen(self, scene: Scene, sample: Wanted, step: int, rng: np.random.Generator) -> Marked:
        mattes = self.config.mattes
        if self.settings is self.config.sync:
            mattes = replace(self._mattes(step), colour=0.0, grey=0.0, flip=0.0)
        count = len(scene.frames)
        wear = draw_wear(rng, mattes, count=count, rate=self.config.model.sync_rate)
        masks = wear.worn_masks(sample.masks)
        box = find_box(masks, crop_min=self.config.model.crop_min)
        seen = views(wear.worn_frames(scene.frames, slice(None)), masks, box, shrink=self.config.sync.shrink)
        return Marked(
            _bytes(seen.frames, seen.mask),
            _bytes(seen.detail_frames, seen.detail_mask),
            truth_of(sample, self.config, labels=len(self.source.labels)),
            placed_of(scene, sample, wear, self.config),
        )

    def _mattes(self, step: int) -> Mattes:
        return self.config.mattes.at(step, self.settings.optimisation.steps)

    def _looks(self, step: int) -> Mattes:
        """What is changed at each cut."""
        mattes = self._mattes(step)
        nothing = dict.fromkeys(Mattes.__slots__, 0.0)
        return Mattes(**nothing | {"colour": mattes.colour, "grey": mattes.grey, "flip": mattes.flip})


def looked(marked: Marked, which: slice, look: Wear) -> Views:
    """Some frames of a kept object as one segment [1, frames, C, s, s], with changed colours and sides."""
    parts: list[Tensor] = []
    for kept in (marked.whole, marked.detail):
        pictures = torch.from_numpy(kept[which]).float() / 255
        frames, mask = pictures[:, :3], pictures[:, 3:]
        for change in look.frames:
            frames = change(frames)
        both = (frames * 2 - 1, mask)
        parts += [(one.flip(-1) if look.flip else one)[None] for one in both]
    return Views(*parts)


def _bytes(frames: Tensor, mask: Tensor) -> Bytes:
    """Pictures in -1..1 and masks in 0..1 as bytes [T, 4, s, s]."""
    joint = torch.cat([(frames + 1) / 2, mask], 1)
    return in_own_pages((joint * 255 + 0.5).to(torch.uint8).numpy())


def stacked(pieces: list[Views]) -> Views:
    """Segments [frames, C, s, s] side by side."""
    return Views(*(torch.stack(column) for column in zip(*map(parts_of, pieces), strict=True)))


def joined(pieces: list[Views], device: torch.device) -> Views:
    """Segments [n, frames, C, s, s] one after the other, on the device."""
    return Views(*(torch.cat(column).to(device) for column in zip(*map(parts_of, pieces), strict=True)))


def parts_of(seen: Views) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """In the order of the encoder's arguments."""
    return seen.frames, seen.mask, seen.detail_frames, seen.detail_mask
