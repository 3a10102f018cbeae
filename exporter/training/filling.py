"""Filling a bank of voices with the generator's own sounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from exporter.checkpoints import read_checkpoint
from exporter.models.voices import DRIVES, GAINS, LEAD, Voices
from exporter.sizes import Sizes
from exporter.training.checkpoint import write_weights
from exporter.training.config import Config
from exporter.training.frozen import Encoders, finished
from exporter.training.misheard import heard_right, replace_misheard, scene_curves
from exporter.training.scenes import SILENT, Float, SceneSource
from exporter.training.targets import energy_curve
from exporter.training.trials import Trial, Trials, tried, waves_of

CANDIDATES = 6
"""Sounds of a class for every voice that is kept."""
HEARD = 3
"""Of so many one is kept for a choice: the third that is best heard as what it is."""
BEFORE = 8
"""Latent positions before a candidate's onset, or of its going on, that are left out."""
FADE = 8
"""Latent positions over which the end of a kept sound fades, or goes over into its beginning."""
ROUNDS = 20
KEPT = ("bank", "energy", "steady", "rows", "silence", "size")

Encode = Callable[[Float], Tensor]


@torch.no_grad()
def fill_bank(
    voices: Voices, source: SceneSource, sizes: Sizes, encode: Encode, present: Tensor, *, trial: Trial
) -> None:
    """Set silence, sizes and bank.

    Of the sounds of each class, the third that is least taken for another's may stay; of
    those as many groups of like ones are made as the class has voices, and of each the sound nearest to the
    middle is kept.

    Args:
        voices: to fill.
        source: of the sounds.
        sizes: of the model.
        encode: a wave [samples] to its normalised latents [N, C].
        present: labels of the classes that get voices, ascending; at most `dims.kept - 1`.
        trial: how well sounds are heard as what they are.
    """
    dims = voices.dims
    period = dims.positions + 4 * BEFORE
    voices.silence.copy_(encode(np.zeros(period * sizes.latent_hop, np.float32))[BEFORE:-BEFORE].mean(0))
    voices.bank.copy_(voices.silence.expand_as(voices.bank))
    voices.size.fill_(1.0)
    voices.rows.fill_(dims.kept - 1)
    known = [
        _Known.made(voices, source, label, sizes=sizes, period=period, encode=encode)
        for label in present.tolist()
    ]
    about = [one.about for one in known]
    voices.size.copy_(torch.cat(about).std(0))
    for row, (label, one) in enumerate(zip(present.tolist(), known, strict=True)):
        voices.rows[label - SILENT] = row
        voices.steady[row] = float(source.steady(label))
        heard = trial(label, tried(one.bank(voices, steady=source.steady(label)), sizes))
        chosen = heard.argsort(descending=True, stable=True)[: len(heard) // HEARD]
        for number, which in enumerate(_typical(about[row][chosen] / voices.size, dims.voices)):
            voices.bank[row, number] = one.latents[chosen[which]]
            voices.energy[row, number] = one.energy[chosen[which]]


@dataclass(frozen=True, slots=True)
class _Known:
    """Candidates of a class: latents [n, efforts, positions, C], energy [n, efforts], described [n, 2 C]."""

    latents: Tensor
    energy: Tensor
    about: Tensor

    @classmethod
    def made(
        cls, voices: Voices, source: SceneSource, label: int, *, sizes: Sizes, period: int, encode: Encode
    ) -> _Known:
        steady, positions = source.steady(label), voices.dims.positions
        waves = [
            _efforts(source, label, seed, sizes=sizes, period=period, steady=steady)
            for seed in range(CANDIDATES * voices.dims.voices)
        ]
        latents = torch.stack(
            [
                torch.stack([_kept(wave, positions, sizes, encode, steady=steady) for wave in one])
                for one in waves
            ]
        )
        energy = torch.tensor([[_loudness(wave, sizes) for wave in one] for one in waves])
        return cls(latents, energy, voices.describe(latents[:, 0]))

    def bank(self, voices: Voices, *, steady: bool) -> Voices:
        """A bank of these candidates alone, of a class 1."""
        dims = replace(voices.dims, classes=3, kept=1, voices=len(self.latents))
        made = Voices(1, self.latents.shape[-1], sync_width=1, dims=dims)
        made.bank.copy_(self.latents[None])
        made.energy.copy_(self.energy[None])
        made.steady.fill_(float(steady))
        made.silence.copy_(voices.silence)
        return made


def _efforts(
    source: SceneSource, label: int, seed: int, *, sizes: Sizes, period: int, steady: bool
) -> list[Float]:
    """One voice of a class at every effort, each [period * latent_hop] samples."""
    seconds = period * sizes.latent_hop / sizes.sample_rate
    onset = (BEFORE + 0.5) * sizes.latent_hop / sizes.sample_rate
    wave = source.voice(label, seed, efforts=DRIVES if steady else GAINS, seconds=seconds, onset=onset)
    return [np.ascontiguousarray(one) for one in wave.reshape(len(GAINS), -1)]


def _kept(wave: Float, positions: int, sizes: Sizes, encode: Encode, *, steady: bool) -> Tensor:
    """The latents [positions, C] of one effort: from `LEAD` before the onset, or one round of a loop."""
    hop = sizes.latent_hop
    if not steady:
        first = BEFORE - LEAD
        shown = wave.copy()
        last = (first + positions) * hop
        shown[last - FADE * hop : last] *= np.linspace(1, 0, FADE * hop, dtype=np.float32)
        shown[last:] = 0
        return encode(shown)[first : first + positions]
    start = 2 * BEFORE * hop
    loop = wave[start : start + positions * hop].copy()
    ahead = wave[start - FADE * hop : start]
    share = np.sqrt(np.linspace(0, 1, FADE * hop, dtype=np.float32))
    loop[-FADE * hop :] = loop[-FADE * hop :] * share[::-1] + ahead * share
    round_trip = encode(np.concatenate([loop, loop, loop]))
    return round_trip[positions : 2 * positions]


def _loudness(wave: Float, sizes: Sizes) -> float:
    """Mean energy, in the units of `energy_curve`, of the middle of a wave."""
    count = len(wave) // sizes.latent_hop
    curve = energy_curve(wave, bins=count, samples_per_bin=sizes.latent_hop)
    return float(curve[2 * BEFORE : -BEFORE].mean())


def _typical(members: Tensor, count: int) -> list[int]:
    """Which `count` of [n, D] rows stand for the others; always the same ones."""
    middles = members[_spread(members, count)]
    for _ in range(ROUNDS):
        nearest = torch.cdist(members, middles).argmin(1)
        groups = [members[nearest == one] for one in range(count)]
        middles = torch.stack(
            [group.mean(0) if len(group) else middles[one] for one, group in enumerate(groups)]
        )
    return [int(one) for one in torch.cdist(middles, members).argmin(1)]


def _spread(members: Tensor, count: int) -> Tensor:
    """Rows to begin with: the most usual one, then each time the one farthest from those taken."""
    taken = [int(torch.cdist(members.mean(0, keepdim=True), members).argmin())]
    for _ in range(count - 1):
        away = torch.cdist(members, members[taken]).amin(1)
        taken.append(int(away.argmax()))
    return torch.tensor(taken)


def bank_path(out: Path) -> Path:
    """Where a run keeps its bank."""
    return out / "features" / "bank.safetensors"


@torch.no_grad()
def write_bank(config: Config, source: SceneSource, out: Path, device: torch.device) -> None:
    """Fill a bank for all classes, for words may ask for any of them, and keep it; one that is there stays.

    Raises:
        ExportError: the VAE or the vocoder is not finished.
    """
    sizes = config.model
    if sizes.flow.bank is None or bank_path(out).is_file():
        return
    latent = read_checkpoint(finished(out, "latent"))
    encoders = Encoders.load(out, sizes, device)
    voices = Voices(1, sizes.flow.latent_channels, sync_width=1, dims=sizes.flow.bank)

    def encode(wave: Float) -> Tensor:
        mean = encoders.posterior(torch.from_numpy(wave)[None]).mean.cpu()
        return ((mean - latent["latent_mean"]) / latent["latent_std"])[0]

    decode = waves_of(config, encoders, latent, finished(out, "vocoder"))
    judges = Trials.prepared(source, sizes, decode)
    fill_bank(voices, source, sizes, encode, torch.arange(len(source.labels)), trial=judges.margins)
    count = sizes.lengths(sizes.train_frames, batch=1)["latents"]
    played = scene_curves(source, config, range(len(source.labels)))
    replace_misheard(voices, played, heard_right(voices, judges, count=count))
    write_weights(bank_path(out), {name: getattr(voices, name).data for name in KEPT})
