"""Layers that several networks of SAM 2.1 share, and their constant position codes (spec section 7)."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PICTURE_EPS = 1e-6
"""Of the norms over pictures: the trunk's and every `ChannelNorm`."""
TOKEN_EPS = 1e-5
"""Of the norms over tokens: mask decoder and memory attention."""
SINE_BASE = 10000.0


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of [batch, C, H, W], in float32 arithmetic."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, each pixel's channels normalised."""
        centred = x - x.mean(1, keepdim=True)
        deviation = torch.sqrt(centred.square().mean(1, keepdim=True) + PICTURE_EPS)
        return self.weight[:, None, None] * (centred / deviation) + self.bias[:, None, None]


class Mlp(nn.Module):
    """Linear layers with an activation between them; keys `layers.0`, `layers.1`, ..."""

    def __init__(self, *widths: int, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.activation = activation()

    def forward(self, x: Tensor) -> Tensor:
        """[..., first width] to [..., last width]."""
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


class SplitAttention(nn.Module):
    """Attention with a projection each for queries, keys, values and the result.

    Args:
        width: of the queries and of the result.
        inner: width inside.
        heads: must divide `inner`.
        source: width of keys and values; None: `width`.
    """

    def __init__(self, width: int, *, inner: int, heads: int, source: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(source or width, inner)
        self.v_proj = nn.Linear(source or width, inner)
        self.out_proj = nn.Linear(inner, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Queries [batch, L, width], keys and values [batch, K, source], to [batch, L, width]."""
        return self.attend(self.q_proj(q), self.k_proj(k), self.v_proj(v))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """The same from what was projected already."""
        split = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, k, v))
        return self.out_proj(F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2))


def sine_position(side: int, channels: int) -> Tensor:
    """The position code of a square grid, [channels, side, side]: rows first, then columns.

    Places count from 1 to `side` over one turn; sine and cosine alternate (spec section 7).
    """
    half = channels // 2
    places = torch.arange(1, side + 1, dtype=torch.float32) / (side + 1e-6) * (2 * math.pi)
    exponents = 2 * (torch.arange(half) // 2).float() / half
    angles = places[:, None] / SINE_BASE**exponents
    code = torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], 2).flatten(1).T
    rows, columns = code[:, :, None].expand(-1, -1, side), code[:, None, :].expand(-1, side, -1)
    return torch.cat([rows, columns])


def rotation_tables(side: int, width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each [side * side, width / 2], of the rotary position of a square grid.

    The first half of the pairs turns with the column, the second with the row (spec section 6).
    """
    quarter = width // 4
    frequencies = SINE_BASE ** (-torch.arange(quarter, dtype=torch.float32) * 4 / width)
    places = torch.arange(side * side)
    columns, rows = (places % side).float(), (places // side).float()
    angles = torch.cat([columns[:, None] * frequencies, rows[:, None] * frequencies], 1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns the pairs of neighbouring channels of [..., N, width] by tables [N, width / 2]."""
    first, second = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([first * cos - second * sin, first * sin + second * cos], -1).flatten(-2)
