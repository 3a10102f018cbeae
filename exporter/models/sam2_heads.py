"""SAM 2.1's heads: prompts to tokens, tokens and picture to four masks (spec sections 3 and 4)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.models.sam2_layers import TOKEN_EPS, ChannelNorm, Mlp, SplitAttention
from exporter.models.sam2_sizes import MASK_TOKENS, Sam2Dims

POINT_KINDS = 4
"""Labels of points: 0 not on the object, 1 on it, 2 and 3 corners of a box; -1 is no point at all."""
_MASK_CHANNELS = (4, 16)
_HEAD_LAYERS = 3


class PointCode(nn.Module):
    """Random Fourier features of a place; the matrix is saved with the weights."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, width // 2))

    def forward(self, places: Tensor) -> Tensor:
        """Places [..., 2] as (x, y), each in 0..1, to [..., width]."""
        turned = 2 * math.pi * ((2 * places - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([turned.sin(), turned.cos()], -1)


class PromptEncoder(nn.Module):
    """Points and an earlier mask as tokens and as a map."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        width, (few, more) = dims.model_width, _MASK_CHANNELS
        self.image_size, self.grid = dims.image_size, dims.grid
        self.pe_layer = PointCode(width)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(POINT_KINDS))
        self.not_a_point_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, few, 2, stride=2),
            ChannelNorm(few),
            nn.GELU(),
            nn.Conv2d(few, more, 2, stride=2),
            ChannelNorm(more),
            nn.GELU(),
            nn.Conv2d(more, width, 1),
        )
        self.no_mask_embed = nn.Embedding(1, width)

    def points(self, points: Tensor, labels: Tensor) -> Tensor:
        """Tokens [1, n + 1, C] of places [1, n, 2] in pixels of the square picture and labels [1, n].

        A token that stands for no point is always added at the end.
        """
        kinds = [self.not_a_point_embed.weight, *(kind.weight for kind in self.point_embeddings)]
        table = torch.cat([kind for kind in kinds if isinstance(kind, Tensor)])
        places = self.pe_layer((points + 0.5) / self.image_size)
        code = places * (labels >= 0).unsqueeze(-1).to(places.dtype)
        return torch.cat([code + table[labels + 1], self.not_a_point_embed.weight[None]], 1)

    def dense(self, mask: Tensor, has_mask: Tensor) -> Tensor:
        """A map [1, C, S/16, S/16] of logits [1, 1, S/4, S/4]; `has_mask` [1] of 0 stands for none."""
        none = self.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return torch.lerp(none, self.mask_downscaling(mask), has_mask.reshape(1, 1, 1, 1))

    def image_position(self) -> Tensor:
        """The places of the picture's tokens, [1, C, S/16, S/16]."""
        centres = (torch.arange(self.grid) + 0.5) / self.grid
        rows, columns = torch.meshgrid(centres, centres, indexing="ij")
        return self.pe_layer(torch.stack([columns, rows], -1)).permute(2, 0, 1)[None]


class TwoWayBlock(nn.Module):
    """Tokens look at each other and at the picture, then the picture at the tokens.

    `is_first`: self-attention sees no positions, and its result takes the tokens' place.
    """

    def __init__(self, dims: Sam2Dims, *, is_first: bool) -> None:
        super().__init__()
        width, heads = dims.model_width, dims.decoder_heads
        self.is_first = is_first
        self.self_attn = SplitAttention(width, inner=width, heads=heads)
        self.norm1 = nn.LayerNorm(width, eps=TOKEN_EPS)
        self.cross_attn_token_to_image = SplitAttention(width, inner=width // 2, heads=heads)
        self.norm2 = nn.LayerNorm(width, eps=TOKEN_EPS)
        self.mlp = Mlp(width, dims.decoder_hidden, width)
        self.norm3 = nn.LayerNorm(width, eps=TOKEN_EPS)
        self.norm4 = nn.LayerNorm(width, eps=TOKEN_EPS)
        self.cross_attn_image_to_token = SplitAttention(width, inner=width // 2, heads=heads)

    def forward(self, x: Tensor, image: Tensor, position: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [1, T, C] and picture [1, N, C], with their positions, to new ones."""
        if self.is_first:
            x = self.norm1(self.self_attn(x, x, x))
        else:
            x = self.norm1(x + self.self_attn(x + position, x + position, x))
        x = self.norm2(x + self.cross_attn_token_to_image(x + position, image + places, image))
        x = self.norm3(x + self.mlp(x))
        image = self.norm4(image + self.cross_attn_image_to_token(image + places, x + position, x))
        return x, image


class TwoWayTransformer(nn.Module):
    """The decoder's transformer."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        width = dims.model_width
        self.layers = nn.ModuleList(
            TwoWayBlock(dims, is_first=number == 0) for number in range(dims.decoder_layers)
        )
        self.final_attn_token_to_image = SplitAttention(width, inner=width // 2, heads=dims.decoder_heads)
        self.norm_final_attn = nn.LayerNorm(width, eps=TOKEN_EPS)

    def forward(self, tokens: Tensor, image: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens [1, T, C], picture and places [1, N, C], to tokens and picture."""
        x = tokens
        for layer in self.layers:
            x, image = layer(x, image, tokens, places)
        mixed = self.final_attn_token_to_image(x + tokens, image + places, image)
        return self.norm_final_attn(x + mixed), image


class Decoded(NamedTuple):
    """What the decoder gives.

    Attributes:
        masks: logits [1, 4, S/4, S/4].
        iou: how good each mask thinks it is, 0..1, [1, 4].
        tokens: the masks' tokens [1, 4, C].
        score: above 0 where the object can be seen, [1, 1].
    """

    masks: Tensor
    iou: Tensor
    tokens: Tensor
    score: Tensor


class MaskDecoder(nn.Module):
    """Prompt tokens and picture to four masks."""

    def __init__(self, dims: Sam2Dims) -> None:
        super().__init__()
        width, eighth = dims.model_width, dims.model_width // 8
        hidden = (width,) * _HEAD_LAYERS
        self.transformer = TwoWayTransformer(dims)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(MASK_TOKENS, width)
        self.obj_score_token = nn.Embedding(1, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, stride=2),
            ChannelNorm(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, eighth, 2, stride=2),
            nn.GELU(),
        )
        self.conv_s0 = nn.Conv2d(width, eighth, 1)
        self.conv_s1 = nn.Conv2d(width, width // 4, 1)
        self.output_hypernetworks_mlps = nn.ModuleList(Mlp(*hidden, eighth) for _ in range(MASK_TOKENS))
        self.iou_prediction_head = Mlp(*hidden, MASK_TOKENS)
        self.pred_obj_score_head = Mlp(*hidden, 1)

    def forward(self, source: Tensor, places: Tensor, prompts: Tensor, s0: Tensor, s1: Tensor) -> Decoded:
        """The masks.

        Args:
            source: picture plus dense prompt, [1, C, S/16, S/16].
            places: position of the picture, the same shape.
            prompts: [1, T, C].
            s0: the finest map [1, C/8, S/4, S/4].
            s1: the one between [1, C/4, S/8, S/8].
        """
        own = (self.obj_score_token.weight, self.iou_token.weight, self.mask_tokens.weight)
        tokens = torch.cat([torch.cat(own)[None], prompts], 1)
        flat = (map_.flatten(2).transpose(1, 2) for map_ in (source, places))
        x, image = self.transformer(tokens, *flat)
        masks_out = x[:, 2 : 2 + MASK_TOKENS]
        fine = self._upscale(image.transpose(1, 2).reshape(source.shape), s0, s1)
        kernels = [mlp(masks_out[:, index]) for index, mlp in enumerate(self.output_hypernetworks_mlps)]
        masks = torch.stack(kernels, 1) @ fine.flatten(2)
        return Decoded(
            masks=masks.unflatten(2, fine.shape[2:]),
            iou=torch.sigmoid(self.iou_prediction_head(x[:, 1])),
            tokens=masks_out,
            score=self.pred_obj_score_head(x[:, 0]),
        )

    def _upscale(self, image: Tensor, s0: Tensor, s1: Tensor) -> Tensor:
        enlarge, norm, _, enlarge_again, _ = self.output_upscaling
        half = F.gelu(norm(enlarge(image) + s1))
        return F.gelu(enlarge_again(half) + s0)
