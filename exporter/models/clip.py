"""CLIP's two towers: pictures and prompts into the same space (spec section 2).

The published network is DFN5B ViT-H-14-378 with quick GELU. Two things differ from common use: the
image tower is fed 384 x 384 pixels and its strided convolution leaves the last six rows and columns
out, and the text tower gives every position's hidden state, not one pooled vector.

Keys and shapes are open_clip's. Each tower can be built and loaded alone; together they are `Clip`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
NORM_EPS = 1e-5
UNIT_EPS = 1e-12
VISUAL_PREFIX = "visual."
UNUSED_KEYS = frozenset({"text_projection", "logit_scale"})
"""Keys of a whole checkpoint that neither graph needs."""


@dataclass(frozen=True, slots=True)
class ClipDims:
    """Every size of both towers.

    Attributes:
        image_size: side of the square picture, pixels.
        patch: side of a patch, pixels; pixels beyond the last whole patch are ignored.
        vision_width, vision_heads, vision_layers, vision_hidden: of the image transformer.
        embed: width of an image feature.
        text_length: tokens of a prompt, padding included.
        vocabulary: number of token ids.
        text_width, text_heads, text_layers, text_hidden: of the text transformer; `text_width` is
            also the width of a text feature.
    """

    image_size: int
    patch: int
    vision_width: int
    vision_heads: int
    vision_layers: int
    vision_hidden: int
    embed: int
    text_length: int
    vocabulary: int
    text_width: int
    text_heads: int
    text_layers: int
    text_hidden: int

    @property
    def grid(self) -> int:
        """Whole patches along one side of the picture."""
        return self.image_size // self.patch


CLIP_VIT_H_14_378 = ClipDims(
    image_size=384,
    patch=14,
    vision_width=1280,
    vision_heads=16,
    vision_layers=32,
    vision_hidden=5120,
    embed=1024,
    text_length=77,
    vocabulary=49408,
    text_width=1024,
    text_heads=16,
    text_layers=24,
    text_hidden=4096,
)
TINY_CLIP = ClipDims(
    image_size=64,
    patch=8,
    vision_width=96,
    vision_heads=3,
    vision_layers=3,
    vision_hidden=384,
    embed=96,
    text_length=16,
    vocabulary=1024,
    text_width=96,
    text_heads=3,
    text_layers=2,
    text_hidden=384,
)
GOLDEN_CLIP = ClipDims(
    image_size=18,
    patch=4,
    vision_width=16,
    vision_heads=2,
    vision_layers=1,
    vision_hidden=32,
    embed=12,
    text_length=8,
    vocabulary=520,
    text_width=12,
    text_heads=2,
    text_layers=1,
    text_hidden=24,
)


def quick_gelu(x: Tensor) -> Tensor:
    """CLIP's own activation, `x * sigmoid(1.702 x)`; the weights were trained with it."""
    return x * torch.sigmoid(1.702 * x)


class Attention(nn.Module):
    """Multi-head self-attention; queries, keys and values lie one after the other in `in_proj`."""

    def __init__(self, width: int, *, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.normal_(self.in_proj_weight, std=width**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, L, width] to the same; with `causal` a position sees itself and those before it."""
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in qkv)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))

    def first_row(self, x: Tensor) -> Tensor:
        """[batch, L, width] to the first position's row of `forward`, [batch, 1, width]; not causal."""
        width = x.shape[-1]
        q = F.linear(x[:, :1], self.in_proj_weight[:width], self.in_proj_bias[:width])
        pair = F.linear(x, self.in_proj_weight[width:], self.in_proj_bias[width:]).chunk(2, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, *pair))
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Two linear layers with quick GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, hidden)
        self.c_proj = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] to the same."""
        return self.c_proj(quick_gelu(self.c_fc(x)))


class ResidualBlock(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int, *, heads: int, hidden: int, causal: bool) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.attn = Attention(width, heads=heads, causal=causal)
        self.ln_2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, L, width] to the same."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))

    def first_row(self, x: Tensor) -> Tensor:
        """[batch, L, width] to the first position's row of `forward`, [batch, 1, width]."""
        row = x[:, :1] + self.attn.first_row(self.ln_1(x))
        return row + self.mlp(self.ln_2(row))


class Transformer(nn.Module):
    """Residual blocks in a row."""

    def __init__(self, width: int, *, heads: int, hidden: int, layers: int, causal: bool) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(
            ResidualBlock(width, heads=heads, hidden=hidden, causal=causal) for _ in range(layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, L, width] to the same."""
        for block in self.resblocks:
            x = block(x)
        return x


class ImageTower(nn.Module):
    """Pictures to unit vectors (spec section 2.1). Keys lack the checkpoint's `visual.` prefix."""

    def __init__(self, dims: ClipDims) -> None:
        super().__init__()
        width = dims.vision_width
        self.class_embedding = nn.Parameter(torch.randn(width) * width**-0.5)
        self.positional_embedding = nn.Parameter(torch.randn(dims.grid**2 + 1, width) * width**-0.5)
        self.proj = nn.Parameter(torch.randn(width, dims.embed) * width**-0.5)
        self.conv1 = nn.Conv2d(3, width, dims.patch, stride=dims.patch, bias=False)
        self.ln_pre = nn.LayerNorm(width, eps=NORM_EPS)
        self.transformer = Transformer(
            width,
            heads=dims.vision_heads,
            hidden=dims.vision_hidden,
            layers=dims.vision_layers,
            causal=False,
        )
        self.ln_post = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, images: Tensor) -> Tensor:
        """[batch, 3, S, S] RGB in 0..1 to unit vectors [batch, embed]; pictures are independent."""
        x = self.ln_pre(self.embed(images))
        x = self.transformer(x)
        return F.normalize(self.ln_post(x[:, 0]) @ self.proj, dim=-1, eps=UNIT_EPS)

    def embed(self, images: Tensor) -> Tensor:
        """[batch, 3, S, S] RGB in 0..1 to tokens [batch, 1 + grid * grid, width], class token first."""
        mean = torch.tensor(MEAN, dtype=images.dtype, device=images.device).view(3, 1, 1)
        std = torch.tensor(STD, dtype=images.dtype, device=images.device).view(3, 1, 1)
        patches = self.conv1((images - mean) / std).flatten(2).transpose(1, 2)
        class_token = self.class_embedding.expand(patches.shape[0], 1, -1)
        return torch.cat([class_token, patches], dim=1) + self.positional_embedding


class ImageGraph(nn.Module):
    """An image tower whose last block computes the class token only: nobody reads the patches after it."""

    def __init__(self, tower: ImageTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, images: Tensor) -> Tensor:
        """See `ImageTower.forward`; the same to the last bits."""
        tower = self.tower
        *blocks, last = cast("list[ResidualBlock]", list(tower.transformer.resblocks))
        x = tower.ln_pre(tower.embed(images))
        for block in blocks:
            x = block(x)
        row = tower.ln_post(last.first_row(x)[:, 0])
        return F.normalize(row @ tower.proj, dim=-1, eps=UNIT_EPS)


class TextTower(nn.Module):
    """Tokens to one unit vector per position (spec section 2.2).

    There is no padding mask: what follows the end token is encoded like words, and used.
    """

    def __init__(self, dims: ClipDims) -> None:
        super().__init__()
        width = dims.text_width
        self.positional_embedding = nn.Parameter(torch.randn(dims.text_length, width) * 0.01)
        self.token_embedding = nn.Embedding(dims.vocabulary, width)
        self.transformer = Transformer(
            width, heads=dims.text_heads, hidden=dims.text_hidden, layers=dims.text_layers, causal=True
        )
        self.ln_final = nn.LayerNorm(width, eps=NORM_EPS)
        nn.init.normal_(self.token_embedding.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """Ids [batch, L], int64, L at most `text_length`, to [batch, L, text_width]."""
        x = self.token_embedding(tokens) + self.positional_embedding[: tokens.shape[1]]
        x = self.ln_final(self.transformer(x))
        return F.normalize(x, dim=-1, eps=UNIT_EPS)


class Clip(TextTower):
    """Both towers under the keys of a whole checkpoint; as a module call it is the text tower.

    `text_projection` and `logit_scale` serve contrastive training only.
    """

    def __init__(self, dims: ClipDims) -> None:
        super().__init__(dims)
        self.visual = ImageTower(dims)
        self.text_projection = nn.Parameter(torch.randn(dims.text_width, dims.embed) * dims.text_width**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())


def image_state_dict(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The image tower's part of a whole checkpoint, under the tower's own keys."""
    return {
        key.removeprefix(VISUAL_PREFIX): value
        for key, value in checkpoint.items()
        if key.startswith(VISUAL_PREFIX)
    }


def text_state_dict(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The text tower's part of a whole checkpoint: all but the image tower and `UNUSED_KEYS`."""
    return {
        key: value
        for key, value in checkpoint.items()
        if not key.startswith(VISUAL_PREFIX) and key not in UNUSED_KEYS
    }
