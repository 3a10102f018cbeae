"""SAM 2.1's image encoder: the Hiera trunk and the neck over its four stages (spec section 2).

Channels are last inside the trunk. Quirks that the published weights were trained with, each with a
test of its own: a stage's first block has the windows of the stage before; pictures that no whole
number of windows fills are padded with zeros after the norm, and the padding takes part as keys; the
shortcut of a widening block is projected from the normed input.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.models.sam2_layers import PICTURE_EPS, Mlp
from exporter.models.sam2_sizes import POOLING, Sam2Dims

PATCH, PATCH_STEP = 7, 4
MLP_RATIO = 4


class WindowAttention(nn.Module):
    """Self-attention among the tokens of one window; `pools` halves the sides of what is asked for."""

    def __init__(self, width: int, out: int, *, heads: int, pools: bool) -> None:
        super().__init__()
        self.heads = heads
        self.pools = pools
        self.qkv = nn.Linear(width, 3 * out)
        self.proj = nn.Linear(out, out)

    def forward(self, x: Tensor) -> Tensor:
        """[windows, H, W, width] to [windows, H', W', out], the sides halved where it pools."""
        height, width = x.shape[1:3]
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        if self.pools:
            q = pool(q)
            height, width = height // POOLING, width // POOLING
        split = (t.flatten(1, 2).unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v))
        mixed = F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)
        return self.proj(mixed.unflatten(1, (height, width)))


class TrunkBlock(nn.Module):
    """One block of the trunk.

    Args:
        width, out: channels in and out; where they differ the sides are halved.
        heads: of the attention.
        window: side of its windows, tokens; 0 for the whole picture.
    """

    def __init__(self, width: int, out: int, *, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.widens = width != out
        self.norm1 = nn.LayerNorm(width, eps=PICTURE_EPS)
        self.attn = WindowAttention(width, out, heads=heads, pools=self.widens)
        self.norm2 = nn.LayerNorm(out, eps=PICTURE_EPS)
        self.mlp = Mlp(out, MLP_RATIO * out, out, activation=nn.GELU)
        if self.widens:
            self.proj = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        """[1, H, W, width] to [1, H', W', out]."""
        normed = self.norm1(x)
        shortcut = pool(self.proj(normed)) if self.widens else x
        x = shortcut + self._attend(normed, side=shortcut.shape[1])
        return x + self.mlp(self.norm2(x))

    def _attend(self, x: Tensor, *, side: int) -> Tensor:
        if not self.window:
            return self.attn(x)
        mixed = self.attn(cut_windows(x, self.window))
        return join_windows(mixed, side)


class Trunk(nn.Module):
    """Hiera: from pictures to the maps of four stages."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        grid, window = dims.position_grid, dims.windows[0]
        self.side = dims.image_size // PATCH_STEP
        self.pos_embed = nn.Parameter(torch.zeros(1, dims.width, grid, grid))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, dims.width, window, window))
        self.patch_embed = nn.ModuleDict(
            {"proj": nn.Conv2d(3, dims.width, PATCH, stride=PATCH_STEP, padding=PATCH // 2)}
        )
        self.blocks = nn.ModuleList(_block(dims, number) for number in range(sum(dims.depths)))
        self.last_blocks = tuple(sum(dims.depths[: stage + 1]) - 1 for stage in range(4))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """[1, 3, S, S] to four maps [1, width * 2^i, S/4/2^i, S/4/2^i]."""
        x = self.patch_embed["proj"](image).permute(0, 2, 3, 1) + self.position()
        stages = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.last_blocks:
                stages.append(x.permute(0, 3, 1, 2))
        return tuple(stages)

    def position(self) -> Tensor:
        """[1, S/4, S/4, width]: the coarse table resized, plus the window's one, repeated."""
        coarse = F.interpolate(self.pos_embed, size=(self.side, self.side), mode="bicubic")
        times = self.side // self.pos_embed_window.shape[-1]
        return (coarse + self.pos_embed_window.tile(1, 1, times, times)).permute(0, 2, 3, 1)


class Neck(nn.Module):
    """One map per stage at the model's width; only the third gets what the fourth sees."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Sequential(OrderedDict(conv=nn.Conv2d(width, dims.model_width, 1)))
            for width in reversed(dims.stage_widths)
        )

    def forward(self, stages: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Maps of the first three stages, [1, C, S/4, S/4], [1, C, S/8, S/8], [1, C, S/16, S/16]."""
        fourth, third, second, first = (
            conv(stage) for conv, stage in zip(self.convs, reversed(stages), strict=True)
        )
        above = F.interpolate(fourth, scale_factor=2.0, mode="nearest")
        return first, second, third + above


class ImageEncoder(nn.Module):
    """Trunk and neck."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        self.trunk = Trunk(dims)
        self.neck = Neck(dims)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A normalised picture [1, 3, S, S] to the neck's three maps."""
        return self.neck(self.trunk(image))


def pool(x: Tensor) -> Tensor:
    """The largest of every 2 x 2 tokens of [batch, H, W, C]."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), POOLING).permute(0, 2, 3, 1)


def cut_windows(x: Tensor, window: int) -> Tensor:
    """[1, H, W, C] to [windows, window, window, C], filled up with zeros below and at the right."""
    missing = -x.shape[1] % window
    padded = F.pad(x, (0, 0, 0, missing, 0, missing))
    count = padded.shape[1] // window
    cut = padded.reshape(1, count, window, count, window, -1)
    return cut.permute(0, 1, 3, 2, 4, 5).reshape(count * count, window, window, -1)


def join_windows(windows: Tensor, side: int) -> Tensor:
    """[windows, w, w, C] to [1, side, side, C], the filling cut off."""
    window = windows.shape[1]
    count = -(-side // window)
    joined = windows.reshape(1, count, count, window, window, -1).permute(0, 1, 3, 2, 4, 5)
    return joined.reshape(1, count * window, count * window, -1)[:, :side, :side]


def _block(dims: Sam2Dims, number: int) -> TrunkBlock:
    stage = max(index for index, first in enumerate(dims.first_blocks) if number >= first)
    is_first = stage > 0 and number == dims.first_blocks[stage]
    before = stage - 1 if is_first else stage
    return TrunkBlock(
        dims.stage_widths[before],
        dims.stage_widths[stage],
        heads=dims.heads << stage,
        window=0 if number in dims.global_blocks else dims.windows[before],
    )
