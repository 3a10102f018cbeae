"""Learning to choose from a bank of voices, and when and how hard it is to be played."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from exporter.models.voices import Voices
from exporter.training.features import KINDS, Features
from exporter.training.scenes import SILENT
from exporter.training.targets import MISSED, QUIET

SEVERAL_SHARE = 0.5
"""How surely several things are called "several"; the rest says which they are."""
NEARNESS = 0.3
"""Weight of choosing the nearest voice of a class beside choosing the class."""

AMPLITUDE = -QUIET / 2
"""Nepers of amplitude in a unit of energy."""
ROOM = 0.2
"""How far above the loudest an energy may be before it counts as that."""
STILL = 1e-3
SOME = 3.0
"""Moments with an onset of two events or more; an onset's bump has about two."""
DIFFERENT = 0.005
"""Least variance of strikes, in log10 of the gain, in which there is something to tell."""
FAINTEST = 0.05
"""What silence counts beside energies of about 0.5."""


def classes_of(samples: Features, *, count: int) -> Tensor:
    """The class of every sample's sound in a bank of `count` classes, [n]: first several, last none.

    An object that makes no sound is none, like an empty mask.
    """
    alone = (samples.kind == KINDS.index("null")) | (samples.kind == KINDS.index("one"))
    return torch.where(alone & (samples.label == SILENT), count - 1, samples.label - SILENT)


def nearest_voice(voices: Voices, classes: Tensor, latents: Tensor) -> Tensor:
    """Of each sound's class [B], the voice most like the sound, latents [B, N, C]: [B]."""
    about = voices.describe(latents)
    bank = voices.bank[voices.rows[classes].long(), :, 0]
    known = voices.describe(bank.flatten(0, 1)).unflatten(0, bank.shape[:2])
    return (known - about.unsqueeze(1)).square().sum(-1).argmin(1)


def curve_losses(found: Tensor, true: Tensor, *, driven: Tensor) -> dict[str, Tensor]:
    """How far curves are off: onsets, energy and how it swells, strikes at onsets and how they differ.

    Energy is asked of what sounds throughout, for the bank's other sounds follow onsets alone. It counts more
    where it is high: who cannot tell a pause says a sound, not half of one.

    Args:
        found: [B, moments, 3], onsets as logits.
        true: likewise, onsets 0..1.
        driven: [B], 1 for what sounds throughout.
    """
    weight = torch.tensor(MISSED, device=found.device)
    onset = F.binary_cross_entropy_with_logits(found[..., 0], true[..., 0], pos_weight=weight)
    known = true[..., 0] * (true[..., 2] < 0)
    strike = (known * (found[..., 2] - true[..., 2]).square()).sum() / (known.sum() + 1)
    heard = driven.unsqueeze(1) * (true[..., 1].clamp(min=0) + FAINTEST)
    energy = (heard * (found[..., 1] - true[..., 1]).square()).sum() / heard.sum().clamp(min=1)
    swell = (driven * _unlike(found[..., 1], true[..., 1])).sum() / driven.sum().clamp(min=1)
    accent = _accents_off(found[..., 2], true[..., 2], known * (1 - driven.unsqueeze(1)))
    curves = {"onset": 2 * onset, "energy": 4 * energy, "swell": swell}
    return {**curves, "strike": strike, "accent": accent}


def _accents_off(found: Tensor, true: Tensor, where: Tensor) -> Tensor:
    """1 less the correlation of strikes [B, moments] within each sound that has some, and different ones.

    Which of two events is the harder one is heard; how hard both are together hardly is.
    """
    count = where.sum(1)
    apart = [
        one - (where * one).sum(1, keepdim=True) / count.clamp(min=STILL)[:, None] for one in (found, true)
    ]
    sizes = [(where * one.square()).sum(1).clamp(min=STILL).sqrt() for one in apart]
    alike = (where * apart[0] * apart[1]).sum(1) / (sizes[0] * sizes[1])
    differ = (count > SOME) & (sizes[1].square() > DIFFERENT * count)
    return ((1 - alike) * differ).sum() / differ.sum().clamp(min=1)


def _unlike(found: Tensor, true: Tensor) -> Tensor:
    """1 less the correlation of energies [B, moments], of their logarithms and of amplitudes: [B]."""
    loudest = 1 + ROOM
    amplitudes = [(AMPLITUDE * one.clamp(max=loudest)).exp() for one in (found, true)]
    return 1 - (_correlation(found, true) + _correlation(*amplitudes)) / 2


def _correlation(one: Tensor, other: Tensor) -> Tensor:
    """Of the rows of [B, n], [B]; 0 where one does not change."""
    apart = [values - values.mean(1, keepdim=True) for values in (one, other)]
    sizes = [values.square().sum(1).clamp(min=STILL).sqrt() for values in apart]
    return (apart[0] * apart[1]).sum(1) / (sizes[0] * sizes[1])


def choice_loss(
    logits: tuple[Tensor, Tensor], classes: Tensor, nearest: Tensor, *, present: Tensor
) -> Tensor:
    """How unlikely the true class was, and the voice nearest to the true sound in it.

    Args:
        logits: of `Voices.logits`.
        classes: [B], of `classes_of`.
        nearest: [B], of `nearest_voice`.
        present: [B, labels], 1 for those that sound; several share what is left beside "several".
    """
    kinds, each = logits
    rows = torch.arange(len(classes), device=classes.device)
    alone = F.one_hot(classes, kinds.shape[1]).to(kinds)
    shares = F.pad(present / present.sum(1, keepdim=True).clamp(min=1), (1, 1))
    several = ((classes == 0) & (present.sum(1) > 1)).unsqueeze(1)
    wanted = torch.where(several, SEVERAL_SHARE * alone + (1 - SEVERAL_SHARE) * shares, alone)
    return F.cross_entropy(kinds, wanted) + NEARNESS * F.cross_entropy(each[rows, classes], nearest)
