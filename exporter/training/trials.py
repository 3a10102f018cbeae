"""Which sounds are heard as what they are once they went through latents and decoder: a bank keeps those.

A sound whose soft stroke is taken for another class is no good voice, however near it lies to the middle of
its class. So every candidate is placed at a few times, hard and softly, decoded to a wave, and compared with
sounds of scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from exporter.checkpoints import load_strictly, read_checkpoint
from exporter.evaluation.likeness import description
from exporter.likeness import Likeness
from exporter.models.vocos import Vocos
from exporter.models.voices import BINS, Voices
from exporter.sizes import Sizes
from exporter.training.config import Config
from exporter.training.frozen import Encoders
from exporter.training.scenes import SceneSource
from exporter.training.vocoder_stage import vocos_dims

EXAMPLES = 24
"""Sounds of scenes that are known of each class."""
TIMES = (0.08, 0.26, 0.4, 0.62, 0.8)
"""When a candidate that is struck is heard, shares of a window."""
STRIKES = (-0.15, -0.7)
"""How hard, log10 of the gain."""
DRIVEN = (-0.05, -0.25)
"""How much less than its loudest a sound that goes on is driven, in units of energy."""
SWELL = 0.15
SWELLS = 3.0
"""How far and how often in a window its energy swells."""
LIKELY = 5.0
"""Log odds of an onset that is one."""

Trial = Callable[[int, Tensor], Tensor]
"""Of a label and sounds [n, efforts, N, C] in normalised latents: how well each is heard as that, [n]."""


@torch.no_grad()
def tried(voices: Voices, sizes: Sizes) -> Tensor:
    """Every voice of class 1 as it is heard at several efforts, [voices, efforts, N, C]."""
    lengths = sizes.lengths(sizes.train_frames, batch=1)
    moments, count = BINS * lengths["sync_frames"], lengths["latents"]
    kind, steady = torch.tensor([1]), bool(voices.steady[0])
    found = []
    for voice in range(voices.dims.voices):
        rows = []
        for strike, less in zip(STRIKES, DRIVEN, strict=True):
            curves = torch.zeros(1, moments, 3)
            curves[..., 0] = -LIKELY
            curves[:, [int(share * moments) for share in TIMES], 0] = LIKELY
            curves[..., 2] = strike
            if steady:
                turn = torch.linspace(0, 2 * torch.pi * SWELLS, moments).cos()
                curves[..., 1] = voices.energy[0, voice, 0] + less - SWELL * (1 - turn) / 2
            rows.append(voices.placed(kind, torch.tensor([voice]), curves, count=count)[0])
        found.append(torch.stack(rows))
    return torch.stack(found)


@dataclass(frozen=True, slots=True)
class Trials:
    """Listens to normalised latents.

    Attributes:
        judge: knows the sounds of scenes.
        decode: normalised latents [n, N, C] to waves [n, samples].
        rate: of the waves, Hz.
        names: of the labels.
    """

    judge: Likeness
    decode: Callable[[Tensor], Tensor]
    rate: int
    names: tuple[str, ...]

    @classmethod
    @torch.no_grad()
    def prepared(cls, source: SceneSource, sizes: Sizes, decode: Callable[[Tensor], Tensor]) -> Trials:
        """With a judge that has heard `EXAMPLES` sounds of every class.

        Args:
            source: of the sounds.
            sizes: of the model.
            decode: see above.
        """
        rate = sizes.sample_rate
        known = [
            (name, description(source.example(label, seed), rate=rate))
            for label, name in enumerate(source.labels)
            for seed in range(EXAMPLES)
        ]
        return cls(Likeness.learn(known), decode, rate, source.labels)

    @torch.no_grad()
    def margins(self, label: int, sounds: Tensor) -> Tensor:
        """An `Trial`: at the effort where it is worst, how far the class is before all others."""
        own = self.judge.names.index(self.names[label])
        margins = []
        for efforts in sounds:
            waves = self.decode(efforts).numpy()
            scores = np.stack([self.judge.scores(description(one, rate=self.rate)) for one in waves])
            others = np.delete(scores, own, axis=1).max(1)
            margins.append(float((scores[:, own] - others).min()))
        return torch.tensor(margins)

    def right(self, label: int, sounds: Tensor) -> Tensor:
        """Of latents [n, N, C]: which are heard as that class, [n] bool."""
        waves = self.decode(sounds).numpy()
        heard = [self.judge.name(description(one, rate=self.rate)) for one in waves]
        return torch.tensor([one == self.names[label] for one in heard])


def waves_of(
    config: Config, encoders: Encoders, latent: Mapping[str, Tensor], vocoder: Path
) -> Callable[[Tensor], Tensor]:
    """What `Trials` decode with: the VAE's decoder and the run's last one.

    Args:
        config: of the run.
        encoders: with the VAE.
        latent: `latent_mean` and `latent_std`.
        vocoder: its weights.
    """
    last = Vocos(vocos_dims(config))
    load_strictly(last, read_checkpoint(vocoder), name=str(vocoder))
    last = last.to(encoders.device).eval()

    def decode(latents: Tensor) -> Tensor:
        plain = latents * latent["latent_std"] + latent["latent_mean"]
        mel = encoders.vae.decode(plain.transpose(1, 2).to(encoders.device))
        return torch.as_tensor(last(mel)[:, 0].cpu())

    return decode
