"""Filling a bank of voices with the generator's own sounds, and learning to choose from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from exporter.checkpoints import read_checkpoint
from exporter.models.voices import DRIVES, GAINS, LEAD, Voices
from exporter.sizes import Sizes
from exporter.training.checkpoint import write_weights
from exporter.training.config import Config
from exporter.training.features import KINDS, Features
from exporter.training.frozen import Encoders, finished
from exporter.training.scenes import SILENT, Float, SceneSource
from exporter.training.targets import energy_curve

CANDIDATES = 6
"""Sounds of a class for every voice that is kept."""
BEFORE = 8
"""Latent positions before a candidate's onset, or of its going on, that are left out."""
FADE = 8
"""Latent positions over which the end of a kept sound fades, or goes over into its beginning."""
ROUNDS = 20
NEARNESS = 0.3
"""Weight of choosing the nearest voice of a class beside choosing the class."""

POSITIVE_WEIGHT = 4.0
"""How much more a missed onset costs than a false one."""
FAINTEST = 0.05
"""What silence counts beside energies of about 0.5."""
KEPT = ("bank", "energy", "steady", "rows", "silence", "size")

Encode = Callable[[Float], Tensor]


def classes_of(samples: Features, *, count: int) -> Tensor:
    """The class of every sample's sound in a bank of `count` classes, [n]: first several, last none.

    An object that makes no sound is none, like an empty mask.
    """
    alone = (samples.kind == KINDS.index("null")) | (samples.kind == KINDS.index("one"))
    return torch.where(alone & (samples.label == SILENT), count - 1, samples.label - SILENT)


@torch.no_grad()
def fill_bank(voices: Voices, source: SceneSource, sizes: Sizes, encode: Encode, present: Tensor) -> None:
    """Set silence, sizes and bank.

    Of the sounds of each class, those that could be taken for another's are left out; of the others as many
    groups of like ones are made as the class has voices, and of each the sound nearest to the middle is kept.

    Args:
        voices: to fill.
        source: of the sounds.
        sizes: of the model.
        encode: a wave [samples] to its normalised latents [N, C].
        present: labels of the classes that get voices, ascending; at most `dims.kept - 1`.
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
        chosen = _plain(about, row)
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


def _plain(about: list[Tensor], row: int) -> Tensor:
    """Which half of a class's sounds [n, D] are least like those of other classes."""
    rows = torch.cat(about)
    spread = torch.cat([one - one.mean(0) for one in about]).std(0).clamp(min=1e-6)
    own = torch.cdist(about[row] / spread, about[row].mean(0, keepdim=True) / spread).squeeze(1)
    others = torch.stack([one.mean(0) for k, one in enumerate(about) if k != row]) if len(about) > 1 else rows
    margin = torch.cdist(about[row] / spread, others / spread).amin(1) - own
    return margin.argsort(descending=True, stable=True)[: max(1, len(margin) // 2)]


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


def nearest_voice(voices: Voices, classes: Tensor, latents: Tensor) -> Tensor:
    """Of each sound's class [B], the voice most like the sound, latents [B, N, C]: [B]."""
    about = voices.describe(latents)
    bank = voices.bank[voices.rows[classes].long(), :, 0]
    known = voices.describe(bank.flatten(0, 1)).unflatten(0, bank.shape[:2])
    return (known - about.unsqueeze(1)).square().sum(-1).argmin(1)


def bank_path(out: Path) -> Path:
    """Where a run keeps its bank."""
    return out / "features" / "bank.safetensors"


@torch.no_grad()
def write_bank(config: Config, source: SceneSource, out: Path, device: torch.device) -> None:
    """Fill a bank for all classes, for words may ask for any of them, and keep it; one that is there stays.

    Raises:
        ExportError: the VAE is not finished.
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

    fill_bank(voices, source, sizes, encode, torch.arange(len(source.labels)))
    write_weights(bank_path(out), {name: getattr(voices, name).data for name in KEPT})


def curve_losses(found: Tensor, true: Tensor) -> dict[str, Tensor]:
    """How far curves [B, moments, 3] are off: onsets (logits found, 0..1 true), energy, strikes at onsets.

    Energy counts more where it is high: who cannot tell a pause says a sound, not half of one.
    """
    weight = torch.tensor(POSITIVE_WEIGHT, device=found.device)
    onset = F.binary_cross_entropy_with_logits(found[..., 0], true[..., 0], pos_weight=weight)
    known = true[..., 0] * (true[..., 2] < 0)
    strike = (known * (found[..., 2] - true[..., 2]).square()).sum() / (known.sum() + 1)
    heard = true[..., 1].clamp(min=0) + FAINTEST
    energy = (heard * (found[..., 1] - true[..., 1]).square()).sum() / heard.sum()
    return {"onset": 2 * onset, "energy": 4 * energy, "strike": strike}


def choice_loss(logits: tuple[Tensor, Tensor], classes: Tensor, nearest: Tensor) -> Tensor:
    """How unlikely the true class [B] was, and the voice nearest to the true sound [B] in it."""
    kinds, each = logits
    rows = torch.arange(len(classes), device=classes.device)
    return F.cross_entropy(kinds, classes) + NEARNESS * F.cross_entropy(each[rows, classes], nearest)
