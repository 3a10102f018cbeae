"""The sync encoder with context, trained from scratch by dense questions about every 80 ms.

The mask is an input from the first step. The context pass starts after `single_pass` of the steps: up
to there one pass over either view is trained, and the context gates rest at their first value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.models.synchformer import Synchformer, SynchformerDims, fold_area_average
from exporter.training.asking import just_one
from exporter.training.checkpoint import go_on_from, write_weights
from exporter.training.config import Config
from exporter.training.matching import Tally, match_onsets, pick_onsets
from exporter.training.motion import FIGURES, motion_figures
from exporter.training.picturing import Views, Wear, draw_wear, no_wear
from exporter.training.randomness import draws, noise_source
from exporter.training.scenes import SILENT, Scene, SceneSource, check_scenes
from exporter.training.segments import Answers, SegmentPool, joined, parts_of, segment_views
from exporter.training.starting import tame_start
from exporter.training.targets import BINS, MISSED

DETAIL_SHARE = 0.75
ONSET_THRESHOLD = 0.4


class SyncNetwork(nn.Module):
    """The encoder and four linear questions; the last class is "nothing sounds here"."""

    def __init__(self, dims: SynchformerDims, *, labels: int, gate: float) -> None:
        super().__init__()
        self.encoder = Synchformer(dims)
        self.onset = nn.Linear(dims.width, BINS)
        self.energy = nn.Linear(dims.width, BINS)
        self.label = nn.Linear(dims.width, labels + 1)
        self.motion = nn.Linear(dims.width, dims.tubelet * FIGURES)
        for name, value in self.encoder.named_parameters():
            if name.endswith("_factor"):
                nn.init.constant_(value, gate)


class SyncTraining:
    """The stage "sync"."""

    name = "sync"

    def __init__(self, config: Config, source: SceneSource, device: torch.device) -> None:
        self.config, self.source, self.device = config, source, device
        sizes = config.model
        shrink = config.sync.shrink
        self.dims = replace(
            sizes.synchformer,
            image_size=sizes.synchformer.image_size // shrink,
            patch=sizes.synchformer.patch // shrink,
            motion=0,
        )
        with torch.random.fork_rng():
            torch.manual_seed(noise_source(config.seed, "sync", "weights").initial_seed())
            self.network = SyncNetwork(self.dims, labels=len(source.labels), gate=config.sync.gate)
            tame_start(self.network)
        if config.sync.begin:
            go_on_from(self.network, Path(config.sync.begin), stage=self.name)
        self.network.to(device)
        self.pool = SegmentPool(source, config)
        self._held_out: list[Scene] | None = None

    def trained(self) -> Mapping[str, nn.Parameter]:
        """All but the two-dimensional patch embedding, which nothing uses."""
        return {key: value for key, value in self.network.named_parameters() if ".patch_embed." not in key}

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """See `Stage`."""
        rng = draws(self.config.seed, self.name, step, "batch")
        samples = [self.pool.draw(step, rng) for _ in range(self.config.sync.optimisation.batch)]
        seen = joined([one for one, _ in samples], self.device)
        asked = [one for _, one in samples]
        features, shown = self._encode(step, rng, seen)
        answers = Answers(*(_together(asked, name).to(self.device) for name in Answers.__slots__))
        motion = self.network.motion(features).flatten(1).unflatten(1, (-1, FIGURES))
        moved = F.mse_loss(motion, motion_figures(*shown))
        return self._compare(features, answers, moved)

    def _encode(
        self, step: int, rng: np.random.Generator, seen: Views
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Features, and the pictures and masks they are of: early on any of the views, later the detail."""
        extractor = self.network.encoder.vfeat_extractor
        detail, whole = (seen.detail_frames, seen.detail_mask), (seen.frames, seen.mask)
        if step < self.config.sync.single_pass * self.config.sync.optimisation.steps:
            shown = detail if rng.random() < DETAIL_SHARE else whole
            return extractor.aggregate(extractor.context(*shown)), shown
        with torch.no_grad():
            context = extractor.context(*whole)
        return extractor.aggregate(extractor.detail(*detail, context=context.detach())), detail

    def _compare(self, features: Tensor, answers: Answers, moved: Tensor) -> dict[str, Tensor]:
        settings = self.config.sync
        weight = torch.tensor(MISSED, device=features.device)
        onset = F.binary_cross_entropy_with_logits(
            self.network.onset(features), answers.onset, pos_weight=weight
        )
        energy = F.mse_loss(self.network.energy(features), answers.energy)
        label = F.cross_entropy(self.network.label(features).flatten(0, 1), answers.label.flatten(0, 1))
        flat = features.flatten(0, 1).float()
        scale = flat.mean(0).square().mean() + (flat.std(0) - 1).square().mean()
        total = settings.onset * onset + settings.energy * energy + settings.label * label
        total = total + settings.motion * moved + settings.scale * scale
        parts = {"onset": onset, "energy": energy, "label": label, "motion": moved, "scale": scale}
        return {"loss": total, **parts}

    def check(self) -> Mapping[str, float]:
        """Onset F1 within 50 ms and class accuracy of held-out objects, with clean and with worn mattes."""
        if self._held_out is None:
            self._held_out = check_scenes(self.source, self.config.data)
        figures: dict[str, float] = {}
        for kind in ("clean", "worn"):
            tally, right, asked = Tally(), 0, 0
            for number, scene in enumerate(self._held_out):
                for index, thing in enumerate(scene.things):
                    if thing.label == SILENT:
                        continue
                    found, label = self.answer(scene, index, self._wear(kind, scene, number, index))
                    tally += match_onsets(found, thing.onsets) if thing.onsets else Tally()
                    right, asked = right + (label == thing.label), asked + 1
            figures |= {f"{kind} onset F1": tally.f1, f"{kind} class": right / max(asked, 1)}
        return figures

    def _wear(self, kind: str, scene: Scene, *parts: int) -> Wear:
        if kind == "clean":
            return no_wear(len(scene.frames))
        rng = draws(self.config.seed, "check wear", *parts)
        return draw_wear(rng, self.config.mattes, count=len(scene.frames), rate=self.config.model.sync_rate)

    def answer(self, scene: Scene, index: int, wear: Wear) -> tuple[tuple[float, ...], int]:
        """Onsets in seconds and the likeliest class for one object, from both passes over the window."""
        length = self.dims.segment_frames
        starts = np.arange(0, len(scene.frames) - length + 1, length)
        seen = segment_views(scene, just_one(scene, index), wear, starts, self.config)
        features = self.network.encoder(*(one.to(self.device) for one in parts_of(seen)))
        curve = self.network.onset(features).sigmoid().flatten().float().cpu().numpy()
        rate = self.config.model.sync_rate * BINS * self.dims.steps / length
        shares = self.network.label(features).log_softmax(-1)[..., :-1].flatten(0, 1).mean(0)
        return pick_onsets(curve, rate=rate, threshold=ONSET_THRESHOLD), int(shares.argmax())

    def deliver(self, folder: Path) -> None:
        """The encoder at its canvas's size, and the questions beside it."""
        state = fold_area_average(self.network.encoder.state_dict(), factor=self.config.sync.shrink)
        write_weights(folder / "synchformer.safetensors", state)
        heads = {key: value for key, value in self.network.state_dict().items() if "encoder." not in key}
        write_weights(folder / "heads.safetensors", heads)


def _together(answers: list[Answers], name: str) -> Tensor:
    return torch.cat([getattr(one, name) for one in answers])
