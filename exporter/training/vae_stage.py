"""The VAE, trained from scratch: absolute differences weighted by level, and a little divergence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call

from exporter.models.mel import log_mel
from exporter.models.vae import Posterior, Vae, VaeDims, normalise_weights
from exporter.training.checkpoint import write_weights
from exporter.training.config import Config
from exporter.training.randomness import draws, noise_source
from exporter.training.scenes import SceneSource
from exporter.training.sounding import (
    SoundPool,
    check_sounds,
    errors_by_class,
    level_weights,
    loud_error,
    mel_layout,
)

START_LOG_VARIANCE = -5.0
START_GAIN = -0.9
"""Of coders beside a linear path: a tenth of their size without one."""
FLOOR_STD = 0.5
"""Smallest deviation of a band's mel: a band that hardly moves must not be blown up."""


class Autoencoder(nn.Module):
    """The VAE with a forward pass for training; weights are used as they are (see `normalise_weights`)."""

    def __init__(self, dims: VaeDims) -> None:
        super().__init__()
        self.vae = Vae(dims)

    def forward(self, mel: Tensor, noise: Tensor | None) -> tuple[Tensor, Posterior]:
        """Mel [B, bands, frames] -> the mel again, from the mean or a sample, and the posterior."""
        posterior = self.vae.encode(mel)
        latent = posterior.mean if noise is None else posterior.mean + posterior.std * noise
        return self.vae.decode(latent), posterior


class VaeTraining:
    """The stage "vae".

    The stored weights are raw, entries about 1; what the network computes with is normalised anew at
    every step, as the exporter does once at load. That is why the learning rate is so high.
    """

    name = "vae"

    def __init__(self, config: Config, source: SceneSource, device: torch.device) -> None:
        self.config, self.source, self.device = config, source, device
        self.mel = mel_layout(config.model)
        self.network = Autoencoder(config.model.vae)
        self._start()
        self.network.to(device)
        self.pool = SoundPool(source, config.data, stage=self.name)

    @torch.no_grad()
    def _start(self) -> None:
        """Weights of entries about 1; mean and deviation of the mel from the first sounds."""
        generator = noise_source(self.config.seed, self.name, "weights")
        for key, value in self.network.named_parameters():
            if key.endswith(".weight"):
                value.normal_(generator=generator)
        mels = torch.cat(self._some_mels("statistics", self.config.vae.statistics))
        vae = self.network.vae
        vae.data_mean.copy_(mels.mean((0, 2)).view(1, -1, 1))
        vae.data_std.copy_(mels.std((0, 2)).clamp(min=FLOOR_STD).view(1, -1, 1))
        if vae.straight is not None:
            weights = level_weights(mels, loud=self.config.vae.loud, depth=self.config.vae.depth)
            start_straight(vae, mels, weights)

    def _some_mels(self, purpose: str, count: int) -> list[Tensor]:
        pool = SoundPool(self.source, self.config.data, stage=self.name)
        samples = self.config.vae.frames * self.mel.hop
        rng = draws(self.config.seed, self.name, purpose)
        return [
            log_mel(torch.from_numpy(pool.draw(0, rng, samples=samples))[None], self.mel)
            for _ in range(count)
        ]

    def trained(self) -> Mapping[str, nn.Parameter]:
        """All of it."""
        return dict(self.network.named_parameters())

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """See `Stage`."""
        settings, rng = self.config.vae, draws(self.config.seed, self.name, step, "batch")
        samples = settings.frames * self.mel.hop
        waves = [
            torch.from_numpy(self.pool.draw(step, rng, samples=samples))
            for _ in range(settings.optimisation.batch)
        ]
        mel = log_mel(torch.stack(waves).to(self.device), self.mel)
        dims = self.config.model.vae
        shape = (len(waves), dims.latent_channels, settings.frames // dims.frames_per_latent)
        noise = torch.randn(shape, generator=noise_source(self.config.seed, self.name, step)).to(self.device)
        found, posterior = self._run(mel, noise)
        weights = level_weights(mel, loud=settings.loud, depth=settings.depth)
        error = (found - mel).abs()
        distance = (weights * error).sum() / weights.sum()
        squared = (weights * error.square()).sum() / weights.sum()
        mean, std = posterior
        divergence = 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).mean()
        return {
            "loss": distance + settings.square * squared + settings.kl * dims.latent_channels * divergence,
            "distance": distance,
            "squared": squared,
            "divergence": divergence,
        }

    def _run(self, mel: Tensor, noise: Tensor | None) -> tuple[Tensor, Posterior]:
        tensors = normalise_weights(dict(self.network.named_parameters()))
        return functional_call(self.network, tensors, (mel, noise))

    def check(self) -> Mapping[str, float]:
        """Error of the loud bins, dB, by class; of the mean latent, without noise."""
        samples = latent_frames(self.config) * self.mel.hop
        errors = []
        for label, wave in check_sounds(self.source, self.config.data, samples=samples):
            mel = log_mel(wave.to(self.device), self.mel)
            found, _ = self._run(mel, None)
            errors.append((label, loud_error(found, mel)))
        return errors_by_class(errors, self.source.labels)

    def deliver(self, folder: Path) -> None:
        """The raw weights, and mean and deviation of the latent."""
        write_weights(folder / "vae.safetensors", self.network.vae.state_dict())
        latents = []
        for mel in self._some_mels("latent statistics", self.config.vae.statistics):
            _, posterior = self._run(mel.to(self.device), None)
            latents.append(posterior.mean[0])
        joined = torch.cat(latents, -1)
        statistics = {
            "latent_mean": joined.mean(1).view(1, 1, -1),
            "latent_std": joined.std(1).clamp(min=1e-3).view(1, 1, -1),
        }
        write_weights(folder / "latent.safetensors", statistics)


@torch.no_grad()
def start_straight(vae: Vae, mels: Tensor, weights: Tensor) -> None:
    """The linear path begins as the principal components of some mels; both coders begin nearly mute.

    Args:
        vae: its mel statistics are there already.
        mels: [B, bands, frames], natural log-mel.
        weights: of every bin, the same shape.
    """
    straight, count = vae.straight, vae.dims.latent_channels
    if straight is None:
        return
    joined = torch.cat([(mels - vae.data_mean) / vae.data_std, weights], 1)
    columns = joined.unflatten(2, (-1, straight.frames)).transpose(2, 3).flatten(1, 2)
    values, share = columns.transpose(1, 2).flatten(0, 1).chunk(2, 1)
    scatter = (values * share.mean(1, keepdim=True)).T @ values / share.mean(1).sum()
    strengths, vectors = torch.linalg.eigh(scatter)
    kept = vectors.flip(1)[:, :count]
    size = strengths[-1].clamp(min=1e-6).sqrt()
    root = math.sqrt(straight.bins)
    straight.forth[:count].copy_(kept.T / size * root)
    straight.back.copy_(kept * size * root)
    straight.offset[count:].fill_(START_LOG_VARIANCE)
    for coder in (vae.encoder, vae.decoder):
        coder.learnable_gain.fill_(START_GAIN)


def latent_frames(config: Config) -> int:
    """Mel frames of a window."""
    return config.model.lengths(config.model.train_frames, batch=1)["mel_frames"]
