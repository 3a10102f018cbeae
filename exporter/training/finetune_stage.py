"""Fine-tuning the authors' way (spec section 10): a frozen base learns to listen to a mask.

Trained are the context layers and the mask embedding of the sync encoder, and low-rank updates of the
flow network's latent attention with the biases beside them. The first pass of the sync encoder runs
without gradient; the gradient of the mask embedding comes through the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.func import functional_call

from exporter.models.lora import lora_layers, merge_lora, trainable_keys
from exporter.training.base import MASK_PARTS, Base
from exporter.training.checkpoint import write_weights
from exporter.training.config import Config
from exporter.training.flow_stage import Batch, Matching, matching_pair, with_nulls
from exporter.training.frozen import Encoders
from exporter.training.picturing import Views, find_box, views
from exporter.training.randomness import draws, noise_source
from exporter.training.sms import Solo, decode_solo, read_solos
from exporter.training.towers_stage import Words, clip_pictures

CHECK_SOLOS = 8


class Tuned(nn.Module):
    """Both networks that fine-tuning changes."""

    def __init__(self, base: Base) -> None:
        super().__init__()
        self.sync = base.encoders.sync
        self.matching = Matching(base.flow)


class FinetuneTraining:
    """The stage "finetune"."""

    name = "finetune"

    def __init__(self, config: Config, out: Path, device: torch.device) -> None:
        self.config, self.device = config, device
        folder = Path(config.data.folder)
        self.solos = read_solos(folder, split="train")
        self.held_out = read_solos(folder, split="val")[:CHECK_SOLOS]
        settings = config.finetune
        with torch.random.fork_rng():
            torch.manual_seed(noise_source(config.seed, self.name, "weights").initial_seed())
            base = Base.load(Path(settings.checkpoints), config.model, device, lora_rank=settings.lora_rank)
        self.encoders: Encoders = base.encoders
        self.network = Tuned(base)
        self.words = Words(config.model.clip)
        self.cache = out / self.name / "features"
        for value in self.trained().values():
            value.requires_grad = True

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The tensors that learn masks."""
        parameters = dict(self.network.named_parameters())
        low_rank = set(trainable_keys(parameters))
        masks = tuple(f"sync.{part}" for part in MASK_PARTS)
        return {key: value for key, value in parameters.items() if key.startswith(masks) or key in low_rank}

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """See `Stage`."""
        rng = draws(self.config.seed, self.name, step, "batch")
        size = self.config.finetune.optimisation.batch
        chosen = [self.solos[int(one)] for one in rng.integers(len(self.solos), size=size)]
        generator = noise_source(self.config.seed, self.name, step, "noise")
        batch = self._batch(chosen, generator)
        settings = self.config.finetune
        dropped = with_nulls(
            self.network.matching.flow,
            batch,
            no_video=torch.rand(size, generator=generator) < settings.drop_video,
            no_text=torch.rand(size, generator=generator) < settings.drop_text,
        )
        t, x, velocity = matching_pair(batch.x1, generator)
        return {"loss": (self._velocity(dropped, x, t) - velocity).square().mean()}

    def _velocity(self, batch: Batch, x: Tensor, t: Tensor) -> Tensor:
        """With the low-rank updates added to the frozen weights."""
        settings = self.config.finetune
        scaling = settings.lora_alpha / max(settings.lora_rank, 1)
        merged = merge_lora(dict(self.network.matching.named_parameters()), scaling=scaling)
        return functional_call(self.network.matching, merged, (batch, x, t))

    def _batch(self, solos: list[Solo], generator: torch.Generator) -> Batch:
        rows = [self._stored(solo) for solo in solos]
        flow = self.network.matching.flow
        mean, std = (torch.cat([row[name] for row in rows]) for name in ("mean", "std"))
        latent = mean + std * torch.randn(mean.shape, generator=generator)
        return Batch(
            clip=torch.cat([row["clip"] for row in rows]).to(self.device),
            sync=torch.stack([self._sync_features(row) for row in rows]),
            text=torch.cat([row["text"] for row in rows]).to(self.device),
            x1=(latent.to(self.device) - flow.latent_mean) / flow.latent_std,
            kinds=torch.zeros(len(latent), dtype=torch.long, device=self.device),
            curves=torch.zeros(len(latent), 0, 3, device=self.device),
            present=torch.zeros(len(latent), 0, device=self.device),
        )

    def _stored(self, solo: Solo) -> dict[str, Tensor]:
        """What the frozen encoders make of a clip, and its pictures; kept on disk."""
        path = self.cache / f"{solo.name}.safetensors"
        if not path.is_file():
            write_weights(path, self._features(solo))
        return load_file(path)

    @torch.no_grad()
    def _features(self, solo: Solo) -> dict[str, Tensor]:
        sizes, encoders = self.config.model, self.encoders
        lengths = sizes.lengths(sizes.train_frames, batch=1)
        clip = decode_solo(
            solo,
            frames=sizes.train_frames,
            rate=sizes.sync_rate,
            side=sizes.synchformer.image_size,
            samples=lengths["samples"],
            sample_rate=sizes.sample_rate,
        )
        mean, std = encoders.posterior(torch.from_numpy(clip.wave)[None])
        times = np.arange(lengths["clip_frames"]) * sizes.sync_rate // sizes.clip_rate
        pictures = clip_pictures(clip.frames, times=times, size=sizes.clip.image_size)
        return {
            "mean": mean.cpu(),
            "std": std.cpu(),
            "clip": encoders.clip.visual(pictures.to(self.device))[None].cpu(),
            "text": encoders.clip(self.words.rows([solo.label]).to(self.device)).cpu(),
            "frames": torch.from_numpy(clip.frames),
            "masks": torch.from_numpy(clip.masks),
        }

    def _sync_features(self, row: Mapping[str, Tensor]) -> Tensor:
        """[Ts, Ds]; the first pass without gradient."""
        extractor = self.network.sync.vfeat_extractor
        seen = self._views(row)
        with torch.no_grad():
            context = extractor.context(seen.frames, seen.mask)
        detail = extractor.detail(seen.detail_frames, seen.detail_mask, context=context.detach())
        return extractor.aggregate(detail).flatten(0, 1)

    def _views(self, row: Mapping[str, Tensor]) -> Views:
        dims = self.config.model.synchformer
        frames = row["frames"].movedim(-1, 1).float() / 255
        masks = row["masks"].float() / 255
        seen = views(frames, masks, find_box(masks, crop_min=self.config.model.crop_min), shrink=1)
        count = (len(frames) - dims.segment_frames) // dims.segment_step + 1
        rows = torch.arange(count)[:, None] * dims.segment_step + torch.arange(dims.segment_frames)[None]
        parts = (seen.frames, seen.mask, seen.detail_frames, seen.detail_mask)
        return Views(*(part[rows].to(self.device) for part in parts))

    def check(self) -> Mapping[str, float]:
        """Error of the velocity in the middle of the way, on held-out clips, nothing dropped."""
        generator = noise_source(self.config.seed, self.name, "check")
        batch = self._batch(list(self.held_out), generator)
        x0 = torch.randn(batch.x1.shape, generator=generator).to(self.device)
        t = torch.full((len(batch.x1),), 0.5, device=self.device)
        found = self._velocity(batch, (x0 + batch.x1) / 2, t)
        return {"velocity": float((found - (batch.x1 - x0)).square().mean())}

    def deliver(self, folder: Path) -> None:
        """Both networks; the low-rank updates are in the weights, as the exporter expects them."""
        settings = self.config.finetune
        flow = self.network.matching.flow.state_dict()
        merged = merge_lora(flow, scaling=settings.lora_alpha / max(settings.lora_rank, 1))
        low_rank = {f"{layer}.{part}" for layer in lora_layers(flow) for part in ("lora_A", "lora_B")}
        write_weights(
            folder / "flow.safetensors", {key: value for key, value in merged.items() if key not in low_rank}
        )
        write_weights(folder / "synchformer.safetensors", self.network.sync.state_dict())
