"""The stage "features": what the flow network is trained on, computed once by the frozen encoders.

Files are shards of some scenes each, written in one move; a run that goes on after a kill makes those
that are missing. Scenes are other ones than the encoders were trained on: on its own training scenes an
encoder is better than it will ever be again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from tqdm import tqdm

from exporter.errors import ExportError
from exporter.training.asking import Wanted, draw_kind, just_one, wanted
from exporter.training.checkpoint import write_weights
from exporter.training.config import Config
from exporter.training.frozen import Encoders
from exporter.training.picturing import Wear, draw_wear, find_box, views
from exporter.training.randomness import draws
from exporter.training.scenes import OFFSETS, SILENT, Float, Scene, SceneSource
from exporter.training.segments import truth_of
from exporter.training.towers_stage import Words, squashed

PHRASES = 4
"""Phrases kept of every sample; fewer are repeated."""

KINDS = ("one", "several", "full", "null", "revoiced")
"""By number in the column `kind`."""


@dataclass(frozen=True, slots=True)
class Features:
    """Samples side by side.

    Attributes:
        clip: [n, Tc, Dc] half precision.
        sync: [n, Ts, Ds] half precision.
        mean, std: of the latent, [n, N, C] half precision, not normalised.
        tokens: [n, PHRASES, L].
        kind: [n], of `KINDS`.
        label: [n], class of the sound; `SILENT` for none or several.
        scene, thing: [n], where it comes from.
        curves: [n, moments, 3] half precision: onset, energy, strike, as `Voices` says them.
        present: [n, labels] bool, what sounds in it.
    """

    clip: Tensor
    sync: Tensor
    mean: Tensor
    std: Tensor
    tokens: Tensor
    kind: Tensor
    label: Tensor
    scene: Tensor
    thing: Tensor
    curves: Tensor
    present: Tensor

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def joined(cls, parts: list[dict[str, Tensor]]) -> Features:
        """Of several shards or samples with a row each."""
        return cls(**{name: torch.cat([part[name] for part in parts]) for name in cls.__slots__})


def make_features(
    config: Config, source: SceneSource, out: Path, device: torch.device, *, stop: Callable[[], bool]
) -> bool:
    """Write the shards that are missing; True when all are there.

    Raises:
        ExportError: an encoder is not finished, or the folder's shards were made by another configuration.
    """
    folder = out / "features"
    maker = FeatureMaker(config, source, Encoders.load(out, config.model, device))
    shards = -(-config.features.scenes // config.features.shard)
    for shard in tqdm(range(shards), desc="features", unit="shard", disable=None):
        path = folder / f"shard_{shard:05d}.safetensors"
        if path.is_file():
            continue
        rows = []
        for index in maker.scenes(shard):
            if stop():
                return False
            rows += maker.samples(index)
        write_weights(path, {name: torch.cat([row[name] for row in rows]) for name in Features.__slots__})
    return True


def load_features(out: Path) -> tuple[Features, Features]:
    """Training samples, and those of the last shard (or the last tenth), which are held out.

    Raises:
        ExportError: there are no shards.
    """
    paths = sorted((out / "features").glob("shard_*.safetensors"))
    if not paths:
        raise ExportError(
            f"{out / 'features'} has no features.", remedy="Run `python -m exporter.training features` first."
        )
    parts = [load_file(path) for path in paths]
    if len(parts) > 1:
        return Features.joined(parts[:-1]), Features.joined(parts[-1:])
    border = max(1, len(parts[0]["kind"]) * 9 // 10)
    return (
        Features.joined([{name: value[:border] for name, value in parts[0].items()}]),
        Features.joined([{name: value[border:] for name, value in parts[0].items()}]),
    )


class FeatureMaker:
    """Scenes to rows of features."""

    def __init__(self, config: Config, source: SceneSource, encoders: Encoders) -> None:
        self.config, self.source, self.encoders = config, source, encoders
        self.words = Words(config.model.clip)
        self.first = config.data.first_scene + OFFSETS["features"]

    def scenes(self, shard: int) -> range:
        """Numbers of a shard's scenes."""
        settings = self.config.features
        start = self.first + shard * settings.shard
        return range(start, min(start + settings.shard, self.first + settings.scenes))

    @torch.no_grad()
    def samples(self, index: int) -> list[dict[str, Tensor]]:
        """All samples of one scene, each a row of `Features`."""
        scene = self.source.scene(index)
        count = len(scene.things) * self.config.features.per_object
        return [row for number in range(count) for row in self._samples(scene, index, number)]

    def _samples(self, scene: Scene, index: int, number: int) -> list[dict[str, Tensor]]:
        """One mask of a scene; where it marks one object, perhaps in others' voices as well."""
        rng = draws(self.config.seed, "features", index, number)
        thing = number % len(scene.things)
        sample = self._ask(scene, thing, rng)
        seen = self._seen(scene, sample, rng)
        rows = [seen | self._heard(sample, index, sample.kind)]
        settings = self.config.features
        often = settings.voices + (rng.random() < settings.revoiced / (1 - settings.revoiced))
        for _ in range(often if sample.kind == "one" else 0):
            sound = self.source.revoiced(index, thing=thing, seed=int(rng.integers(1 << 31)))
            if sound is not None:
                voiced = replace(sample, stem=sound.stem, labels=(sound.label,), captions=sound.captions)
                rows.append(seen | self._heard(voiced, index, "revoiced"))
        return rows

    def _seen(self, scene: Scene, sample: Wanted, rng: np.random.Generator) -> dict[str, Tensor]:
        mattes = self.config.mattes.scaled(self.config.features.wear)
        wear = draw_wear(rng, mattes, count=len(scene.frames), rate=self.config.model.sync_rate)
        return {
            "clip": self.clip_features(scene, wear)[None].half().cpu(),
            "sync": self.sync_features(scene, sample, wear)[None].half().cpu(),
        }

    def _heard(self, sample: Wanted, index: int, kind: str) -> dict[str, Tensor]:
        mean, std = self.encoders.posterior(torch.from_numpy(self._whole(sample.stem))[None])
        label = sample.labels[0] if len(sample.labels) == 1 else SILENT
        phrases = [sample.captions[one % len(sample.captions)] for one in range(PHRASES)]
        numbers = {"kind": KINDS.index(kind), "label": label, "scene": index, "thing": sample.thing}
        return {
            "mean": mean.half().cpu(),
            "std": std.half().cpu(),
            "tokens": self.words.rows(phrases)[None],
            "curves": self._curves(sample)[None].half(),
            "present": torch.tensor([[one in sample.labels for one in range(len(self.source.labels))]]),
            **{name: torch.tensor([value]) for name, value in numbers.items()},
        }

    def _curves(self, sample: Wanted) -> Tensor:
        truth = truth_of(sample, self.config, labels=len(self.source.labels))
        return torch.from_numpy(np.stack([truth.onset, truth.energy, truth.strike], -1))

    def _ask(self, scene: Scene, thing: int, rng: np.random.Generator) -> Wanted:
        """What a sample is about: by its share, an object or one of the other `asking.KINDS`."""
        settings = self.config.features
        rest = 1 - settings.revoiced
        kind = draw_kind(
            rng,
            null_mask=settings.null_mask / rest,
            full_mask=settings.full_mask / rest,
            several=settings.several / rest,
        )
        sample = just_one(scene, thing) if kind == "one" else wanted(scene, kind, rng)
        if sample.kind == "null":
            # Nothing is marked, whatever the words say.
            sample = replace(sample, captions=scene.things[thing].captions)
        return sample

    def _whole(self, stem: Float) -> Float:
        """The stem as long as a window's latents."""
        samples = self.config.model.lengths(self.config.model.train_frames, batch=1)["samples"]
        return np.ascontiguousarray(np.pad(stem, (0, max(0, samples - len(stem))))[:samples], np.float32)

    def clip_features(self, scene: Scene, wear: Wear) -> Tensor:
        """[Tc, Dc] of whole pictures at the image tower's rate."""
        sizes = self.config.model
        frames = sizes.lengths(sizes.train_frames, batch=1)["clip_frames"]
        picked = [
            wear.worn_frames(scene.frames, slice(one, one + 1))
            for one in (number * sizes.sync_rate // sizes.clip_rate for number in range(frames))
        ]
        pictures = squashed(torch.cat(picked), sizes.clip.image_size)
        return self.encoders.clip.visual(pictures.to(self.encoders.device))

    def sync_features(self, scene: Scene, sample: Wanted, wear: Wear) -> Tensor:
        """[Ts, Ds] of both views of the whole window."""
        sizes = self.config.model
        dims = sizes.synchformer
        masks = wear.worn_masks(sample.masks)
        frames = wear.worn_frames(scene.frames, slice(None))
        seen = views(frames, masks, find_box(masks, crop_min=sizes.crop_min), shrink=1)
        count = (len(frames) - dims.segment_frames) // dims.segment_step + 1
        rows = torch.arange(count)[:, None] * dims.segment_step + torch.arange(dims.segment_frames)[None]
        parts = (seen.frames, seen.mask, seen.detail_frames, seen.detail_mask)
        return self.encoders.sync(*(part[rows].to(self.encoders.device) for part in parts)).flatten(0, 1)
