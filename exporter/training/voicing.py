"""Filling a bank of voices from the sounds of a training set, and learning to choose from it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from exporter.models.voices import Voices
from exporter.training.features import KINDS, Features
from exporter.training.scenes import SILENT

ROUNDS = 20
NEARNESS = 0.3
"""Weight of choosing the nearest voice of a class beside choosing the class."""


def classes_of(samples: Features, *, count: int) -> Tensor:
    """The class of every sample's sound in a bank of `count` classes, [n]: first several, last none.

    An object that makes no sound is none, like an empty mask.
    """
    alone = (samples.kind == KINDS.index("null")) | (samples.kind == KINDS.index("one"))
    return torch.where(alone & (samples.label == SILENT), count - 1, samples.label - SILENT)


@torch.no_grad()
def fill_bank(voices: Voices, latents: Tensor, classes: Tensor) -> None:
    """Set silence, sizes and bank from latents [n, N, C], normalised, and their classes [n].

    Each class is divided into as many groups of like sounds as it has voices; of each, the sound nearest to
    the middle is kept. A class with fewer sounds repeats them, one without any says nothing.
    """
    none = classes == voices.bank.shape[0] - 1
    if bool(none.any()):
        voices.silence.copy_(latents[none].mean((0, 1)))
    voices.size.fill_(1.0)
    described = voices.describe(latents)
    voices.size.copy_(described[~none].std(0))
    described = described / voices.size.clamp(min=1e-6)
    for kind in range(voices.bank.shape[0]):
        members = described[classes == kind]
        if len(members):
            voices.bank[kind].copy_(_typical(members, voices.bank.shape[1]))


def _typical(members: Tensor, count: int) -> Tensor:
    """`count` of [n, D] rows that stand for the others; always the same ones."""
    if len(members) <= count:
        return members[torch.arange(count) % len(members)]
    middles = members[_spread(members, count)]
    for _ in range(ROUNDS):
        nearest = torch.cdist(members, middles).argmin(1)
        groups = [members[nearest == one] for one in range(count)]
        middles = torch.stack(
            [group.mean(0) if len(group) else middles[one] for one, group in enumerate(groups)]
        )
    return members[torch.cdist(middles, members).argmin(1)]


def _spread(members: Tensor, count: int) -> Tensor:
    """Rows to begin with: the most usual one, then each time the one farthest from those taken."""
    taken = [int(torch.cdist(members.mean(0, keepdim=True), members).argmin())]
    for _ in range(count - 1):
        away = torch.cdist(members, members[taken]).amin(1)
        taken.append(int(away.argmax()))
    return torch.tensor(taken)


def choice_loss(voices: Voices, logits: tuple[Tensor, Tensor], classes: Tensor, described: Tensor) -> Tensor:
    """How unlikely the true class [B] was, and the voice nearest to the true sound [B, 2 C] in it."""
    kinds, each = logits
    rows = torch.arange(len(classes), device=classes.device)
    bank = voices.bank[classes]
    nearest = (bank - described.unsqueeze(1)).square().sum(-1).argmin(1)
    return F.cross_entropy(kinds, classes) + NEARNESS * F.cross_entropy(each[rows, classes], nearest)
