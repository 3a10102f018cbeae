"""Which sounds are heard as what they are once they went through latents and decoder: a bank keeps those.

A sound whose softest stroke is taken for another class is no good voice, however near it lies to the middle
of its class. So every candidate is placed at a few times, at several efforts, decoded, and compared with
sounds of scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from exporter.likeness import Likeness, Vectors
from exporter.models.mel import log_mel
from exporter.models.voices import BINS, Voices
from exporter.sizes import Sizes
from exporter.training.frozen import Encoders
from exporter.training.scenes import Float, SceneSource

EXAMPLES = 24
"""Sounds of scenes that are known of each class."""
TIMES = (0.08, 0.26, 0.4, 0.62, 0.8)
"""When a candidate that is struck is heard, shares of a window."""
STRIKES = (-0.1, -0.5, -0.9)
"""How hard, log10 of the gain."""
DRIVEN = (0.0, -0.15, -0.3)
"""How much less than its loudest a sound that goes on is driven, in units of energy."""
SWELL = 0.15
SWELLS = 3.0
"""How far and how often in a window its energy swells."""
SHARES = (0.3, 0.1, 0.03, 0.01)
LOUD, FAINT = 0.1, 0.01
FLOOR = 1e-10
GROUP = 4
"""Mel bands that are described together."""
LIKELY = 5.0
"""Log odds of an onset that is one."""

Audition = Callable[[int, Tensor], Tensor]
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
class Auditions:
    """Listens to normalised latents.

    Attributes:
        judge: knows the sounds of scenes.
        decode: normalised latents [n, N, C] to log-mels [n, bands, frames].
        names: of the labels.
    """

    judge: Likeness
    decode: Callable[[Tensor], Tensor]
    names: tuple[str, ...]

    @classmethod
    @torch.no_grad()
    def prepared(
        cls, source: SceneSource, sizes: Sizes, encoders: Encoders, latent: Mapping[str, Tensor]
    ) -> Auditions:
        """With a judge that has heard `EXAMPLES` sounds of every class.

        Args:
            source: of the sounds.
            sizes: of the model.
            encoders: with the VAE.
            latent: `latent_mean` and `latent_std`.
        """
        hop = sizes.latent_hop
        known = []
        for label, name in enumerate(source.labels):
            for seed in range(EXAMPLES):
                wave = source.example(label, seed)
                whole = torch.from_numpy(np.ascontiguousarray(wave[: len(wave) // hop * hop]))[None]
                known.append((name, described(log_mel(whole, encoders.mel)[0].numpy())))

        def decode(latents: Tensor) -> Tensor:
            plain = latents * latent["latent_std"] + latent["latent_mean"]
            return encoders.vae.decode(plain.transpose(1, 2).to(encoders.device)).cpu()

        return cls(Likeness.learn(known), decode, source.labels)

    @torch.no_grad()
    def margins(self, label: int, sounds: Tensor) -> Tensor:
        """An `Audition`: at the effort where it is worst, how far the class is before all others."""
        own = self.judge.names.index(self.names[label])
        margins = []
        for efforts in sounds:
            scores = np.stack([self.judge.scores(described(mel)) for mel in self.decode(efforts).numpy()])
            others = np.delete(scores, own, axis=1).max(1)
            margins.append(float((scores[:, own] - others).min()))
        return torch.tensor(margins)


def described(mel: Float) -> Vectors:
    """Numbers of a log-mel [bands, frames] that tell classes apart and hardly depend on level and time."""
    power = np.exp(2 * np.asarray(mel, np.float64))
    course = power.sum(0)
    top = max(float(course.max(initial=0.0)), FLOOR)
    loud, fading = course > LOUD * top, (course > 1e-4 * top) & (course <= FAINT * top)
    shapes = [_shape(power[:, where] if where.any() else power) for where in (loud, fading)]
    above = np.sqrt([float((course > share * top).mean()) for share in SHARES])
    return np.concatenate([*shapes, 4 * above])


def _shape(power: Vectors) -> Vectors:
    """The mean spectrum under its own maximum, tempered, and how uneven the bands are."""
    mean = power.mean(1)
    bels = np.log10(np.maximum(mean / max(float(mean.max()), FLOOR), 1e-5))
    whole = len(bels) // GROUP * GROUP
    uneven = float(np.exp(np.log(mean + FLOOR).mean()) / (mean.mean() + FLOOR))
    return np.append(bels[:whole].reshape(-1, GROUP).mean(1), 3 * uneven)
