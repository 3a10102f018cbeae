"""Where in the picture events are: of each marked thing, its places, and the onsets of that thing alone.

Told only that something happens in a frame, a reader of many places has to find out by itself which of
them it was. The scenes know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from exporter.models.moving import FineReader
from exporter.training.scenes import Bytes, Float
from exporter.training.targets import MISSED

WITHIN = 0.1
"""Share of a place that a thing covers where it may be heard."""
BESIDE = 0.02
"""Share up to which it is not there."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Marked things of a window: bytes per place [things, T, SIDE, SIDE]; onsets [things, bins]."""

    where: Bytes
    onset: Float

    def cut(self, start: int, frames: int, *, mirrored: bool) -> tuple[Tensor, Tensor]:
        """Of a segment: shares 0..1 [things, T, SIDE * SIDE], onsets [things, bins]."""
        where = torch.from_numpy(self.where[:, start : start + frames].astype(np.float32)) / 255
        each = self.onset.shape[1] // self.where.shape[1]
        onset = torch.from_numpy(self.onset[:, start * each : (start + frames) * each])
        return (where.flip(-1) if mirrored else where).flatten(2), onset


def shares(masks: Sequence[Bytes], order: np.ndarray, *, flip: bool) -> Bytes:
    """Shares of all places that masks [T, S, S] cover, frames in that order, [things, T, SIDE, SIDE]."""
    side = FineReader.SIDE
    if not masks:
        return np.zeros((0, len(order), side, side), np.uint8)
    stacked = torch.from_numpy(np.stack([one[order] for one in masks])).float()
    pooled = F.avg_pool2d(stacked, stacked.shape[-1] // side)
    return (pooled.flip(-1) if flip else pooled).round().to(torch.uint8).numpy()


def padded(parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Segments of differently many things side by side; things that are not there cover nothing."""
    most = max(len(where) for where, _ in parts)
    where, onset = (
        torch.stack([F.pad(one, (0, 0) * (one.dim() - 1) + (0, most - len(one))) for one in column])
        for column in zip(*parts, strict=True)
    )
    return where, onset


def placed_loss(said: Tensor, where: Tensor, onset: Tensor) -> Tensor:
    """How far the strongest place of every thing is off its onsets, and how much is said where none is.

    Args:
        said: logits of every place and moment, [B, places, moments].
        where: shares 0..1, [B, things, T, places]; T divides the moments.
        onset: 0..1, [B, things, moments].
    """
    each = said.shape[-1] // where.shape[2]
    covered = where.movedim(2, 3).repeat_interleave(each, dim=-1)
    within, beside = covered > WITHIN, (covered <= BESIDE).all(1)
    there = within.any(2)
    strongest = said.unsqueeze(1).masked_fill(~within, -torch.inf).amax(2)
    weight = torch.tensor(MISSED, device=said.device)
    heard = F.binary_cross_entropy_with_logits(strongest[there], onset[there], pos_weight=weight)
    elsewhere = said.masked_fill(~beside, -torch.inf).amax(1)[beside.any(1)]
    false = F.binary_cross_entropy_with_logits(elsewhere, torch.zeros_like(elsewhere))
    parts = [part for part, found in ((heard, there.any()), (false, elsewhere.numel() > 0)) if bool(found)]
    return torch.stack(parts).sum() if parts else said.sum() * 0
