"""How a masked object moves, measured on the very pictures an encoder is given: a helping question.

Events are what motion says, and a network that has to find out by itself that motion matters learns
nothing for long. These figures need no knowledge of the scene, so they can be asked of any footage.
"""

from __future__ import annotations

import torch
from torch import Tensor

FIGURES = 7
"""Per frame: area, its centre (x, y), how much of the mask changed, where (x, y), how the picture changed."""

CHANGE_GAIN = 12.0
"""Brings shares of changed pixels to the size of the other figures."""


def motion_figures(frames: Tensor, mask: Tensor) -> Tensor:
    """Figures of every frame against the one before; the first frame's against the second.

    Args:
        frames: [B, T, 3, s, s], -1..1.
        mask: [B, T, 1, s, s], 0..1.

    Returns:
        [B, T, FIGURES], all roughly within -1..1.
    """
    marked = mask.squeeze(2)
    before = torch.cat([marked[:, 1:2], marked[:, :-1]], 1)
    changed = (marked - before).abs()
    area = marked.mean((2, 3))
    pictured = (frames - torch.cat([frames[:, 1:2], frames[:, :-1]], 1)).abs().mean(2) * marked
    moving = (CHANGE_GAIN * pictured.mean((2, 3)) / (area + 0.02)).clamp(max=2) / 2
    parts = (
        area,
        *_centre(marked),
        (CHANGE_GAIN * changed.mean((2, 3))).clamp(max=2) / 2,
        *_centre(changed),
        moving,
    )
    return torch.stack(parts, -1)


def _centre(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Centres [B, T] in -1..1 of [B, T, s, s]; pulled to the middle where there is next to nothing."""
    side = weights.shape[-1]
    places = torch.linspace(-1, 1, side, device=weights.device)
    total = weights.sum((2, 3)) + 0.002 * side * side
    across = (weights.sum(2) * places).sum(2) / total
    down = (weights.sum(3) * places).sum(2) / total
    return across, down
