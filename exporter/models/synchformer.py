"""Synchformer with context: what moves in an object, and when (spec section 3).

Sixteen frames and their mask become eight feature vectors. The network runs twice per segment: over
the whole frame (the context) and over the focal crop (the detail); after every block of the second
run a gated layer mixes the context in. Segments never see each other.

Quirks that the published weights were trained with, each with a test of its own: the mixing layer
does not attend from one stream to the other (`PseudoCrossAttention`), its queries are scaled before
they are normalised, its MLP uses the tanh GELU while all others use the exact one, and a block
attends over time before space though its norms are numbered the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.models.moving import MotionPath

NORM_EPS = 1e-6
RMS_EPS = 1.1920929e-07
"""Machine epsilon of float32, whatever the dtype."""
_PATCH_KERNELS = "vfeat_extractor.patch_embed"


@dataclass(frozen=True, slots=True)
class SynchformerDims:
    """Every size of the sync encoder.

    Attributes:
        image_size: side of the square canvas of frames and masks, pixels.
        patch: side of a patch, pixels.
        segment_frames: frames of a segment.
        segment_step: frames between starts of neighbouring segments.
        tubelet: frames of one token.
        width: of a token and of a feature.
        heads: of every attention; must divide `width`.
        depth: divided space-time blocks, and as many context layers.
        hidden: of every MLP.
        motion: width of the features of a motion path beside the transformer's (`moving`); 0 for none.
    """

    image_size: int
    patch: int
    segment_frames: int
    segment_step: int
    tubelet: int
    width: int
    heads: int
    depth: int
    hidden: int
    motion: int = 0

    @property
    def features(self) -> int:
        """Channels of a feature."""
        return self.width + self.motion

    @property
    def positions(self) -> int:
        """Patches of one frame."""
        return (self.image_size // self.patch) ** 2

    @property
    def steps(self) -> int:
        """Tokens along time, and features, of one segment."""
        return self.segment_frames // self.tubelet

    @property
    def head_width(self) -> int:
        """Channels of one head."""
        return self.width // self.heads


SYNCHFORMER_BASE = SynchformerDims(
    image_size=224,
    patch=16,
    segment_frames=16,
    segment_step=8,
    tubelet=2,
    width=768,
    heads=12,
    depth=12,
    hidden=3072,
)
TINY_SYNCHFORMER = SynchformerDims(
    image_size=128,
    patch=32,
    segment_frames=16,
    segment_step=16,
    tubelet=2,
    width=96,
    heads=3,
    depth=4,
    hidden=384,
    motion=96,
)
GOLDEN_SYNCHFORMER = SynchformerDims(
    image_size=16,
    patch=4,
    segment_frames=16,
    segment_step=8,
    tubelet=2,
    width=12,
    heads=3,
    depth=1,
    hidden=16,
)


def cut_segments(clip: Tensor, *, frames: int, step: int) -> Tensor:
    """Segments [S, frames, ...] of a clip [T, ...]; segment i holds the frames from `i * step` on.

    S = (T - frames) // step + 1; frames after the last whole segment are left out.

    Raises:
        ValueError: the clip is shorter than one segment.
    """
    if clip.shape[0] < frames:
        raise ValueError(f"a clip of {clip.shape[0]} frames is shorter than one segment of {frames}")
    return clip.unfold(0, frames, step).movedim(-1, 1)


def fold_area_average(state: Mapping[str, Tensor], *, factor: int) -> dict[str, Tensor]:
    """A state dict for frames `factor` times as large that are averaged down before the network.

    The average is folded into the patch kernels: patch 16 on 64 pixels becomes patch 32 on 128.
    """
    return {
        key: _enlarge(value, factor) if key.startswith(_PATCH_KERNELS) and value.dim() > 1 else value
        for key, value in state.items()
    }


def _enlarge(kernel: Tensor, factor: int) -> Tensor:
    rows = kernel.repeat_interleave(factor, dim=-2)
    return rows.repeat_interleave(factor, dim=-1) / factor**2


class PatchEmbed3d(nn.Module):
    """Cuts a segment into tubes of pixels and projects each to a token."""

    def __init__(self, dims: SynchformerDims, *, channels: int) -> None:
        super().__init__()
        tube = (dims.tubelet, dims.patch, dims.patch)
        self.proj = nn.Conv3d(channels, dims.width, tube, stride=tube)

    def forward(self, segment: Tensor) -> Tensor:
        """[S, frames, channels, s, s] to [S, steps * positions, width], ordered (t, y, x)."""
        return self.proj(segment.transpose(1, 2)).flatten(2).transpose(1, 2)


class PatchEmbed2d(nn.Module):
    """Of the network's still-picture past: its weights are in every checkpoint, nothing uses them."""

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dims.width, dims.patch, stride=dims.patch)


class Mlp(nn.Module):
    """Two linear layers with GELU between; `approximate` is "none" (erf) or "tanh"."""

    def __init__(self, width: int, hidden: int, *, approximate: str) -> None:
        super().__init__()
        self.approximate = approximate
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """[..., width] to the same."""
        return self.fc2(F.gelu(self.fc1(x), approximate=self.approximate))


def attend(queries: Tensor, keys_values: Tensor, *, heads: int) -> Tensor:
    """Multi-head attention without projections.

    Args:
        queries: [B, L, width].
        keys_values: [B, M, 2 * width], keys before values.
        heads: number of heads, each `width // heads` neighbouring channels.

    Returns:
        [B, L, width], heads side by side.
    """
    keys, values = keys_values.chunk(2, dim=-1)
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (queries, keys, values))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class DividedAttention(nn.Module):
    """Self-attention within groups of tokens, each group together with the class token.

    Over time, the tokens of one position are a group; over space, those of one step. The class
    token alone attends to everything. Queries, keys and values lie one after the other in `qkv`.
    """

    def __init__(self, dims: SynchformerDims, *, over_time: bool) -> None:
        super().__init__()
        self.heads = dims.heads
        self.steps = dims.steps
        self.positions = dims.positions
        self.over_time = over_time
        self.qkv = nn.Linear(dims.width, 3 * dims.width)
        self.proj = nn.Linear(dims.width, dims.width)

    def forward(self, x: Tensor) -> Tensor:
        """[S, 1 + steps * positions, width] to the same."""
        width = x.shape[-1]
        q, kv = self.qkv(x).split([width, 2 * width], dim=-1)
        class_q, token_q = q.split([1, self.steps * self.positions], dim=1)
        class_kv, token_kv = kv.split([1, self.steps * self.positions], dim=1)
        members = self._group(token_kv)
        shared = class_kv.unsqueeze(1).expand(-1, members.shape[1], -1, -1)
        summary = attend(class_q, kv, heads=self.heads)
        within = attend(
            self._group(token_q).flatten(0, 1),
            torch.cat([shared, members], dim=2).flatten(0, 1),
            heads=self.heads,
        )
        return self.proj(torch.cat([summary, self._ungroup(within)], dim=1))

    def _group(self, tokens: Tensor) -> Tensor:
        """[S, steps * positions, C] to [S, groups, members, C]."""
        grid = tokens.unflatten(1, (self.steps, self.positions))
        return grid.transpose(1, 2) if self.over_time else grid

    def _ungroup(self, groups: Tensor) -> Tensor:
        """[S * groups, members, C] to [S, steps * positions, C]."""
        grid = groups.unflatten(0, (-1, self.positions if self.over_time else self.steps))
        return (grid.transpose(1, 2) if self.over_time else grid).flatten(1, 2)


class Block(nn.Module):
    """A divided space-time block: time (`norm3`), then space (`norm1`), then the MLP (`norm2`)."""

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dims.width, eps=NORM_EPS)
        self.attn = DividedAttention(dims, over_time=False)
        self.timeattn = DividedAttention(dims, over_time=True)
        self.norm2 = nn.LayerNorm(dims.width, eps=NORM_EPS)
        self.mlp = Mlp(dims.width, dims.hidden, approximate="none")
        self.norm3 = nn.LayerNorm(dims.width, eps=NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """[S, 1 + steps * positions, width] to the same."""
        x = x + self.timeattn(self.norm3(x))
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PseudoCrossAttention(nn.Module):
    """Two self-attentions side by side that the weights know as one cross-attention (section 3.4).

    The query projection of the detail and the key-value projection of the context are laid side by
    side per token and then split by the rule of a joint projection, "head, channel, (q, k, v)".
    Hence the first third of the heads takes query, key and value from the detail, the others take
    all three from the context; the streams meet in `out_proj` only, token by token.
    """

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__()
        self.heads = dims.heads
        self.query_scale = dims.head_width**-0.5
        self.q = nn.Linear(dims.width, dims.width)
        self.kv = nn.Linear(dims.width, 2 * dims.width)
        self.q_norm = nn.RMSNorm(dims.head_width, eps=RMS_EPS)
        self.k_norm = nn.RMSNorm(dims.head_width, eps=RMS_EPS)
        self.out_proj = nn.Linear(dims.width, dims.width)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        """Both [S, n, width], token n of one beside token n of the other, to [S, n, width]."""
        q, k, v = self.split_heads(detail, context)
        # Scaled before it is normalised: cancels but for the epsilon. Attention scales once more.
        mixed = F.scaled_dot_product_attention(self.q_norm(q * self.query_scale), self.k_norm(k), v)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))

    def split_heads(self, detail: Tensor, context: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each [S, heads, n, head_width]."""
        joint = torch.cat([self.q(detail), self.kv(context)], dim=-1)
        q, k, v = joint.unflatten(-1, (self.heads, -1, 3)).transpose(1, 2).unbind(-1)
        return q, k, v


class ContextLayer(nn.Module):
    """Mixes the context into the detail, through two gates that start closed."""

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__()
        self.attn_factor = nn.Parameter(torch.zeros(()))
        self.mlp_factor = nn.Parameter(torch.zeros(()))
        self.cross_attn = PseudoCrossAttention(dims)
        self.layer_norm1 = nn.LayerNorm(dims.width, eps=NORM_EPS)
        self.mlp = Mlp(dims.width, dims.hidden, approximate="tanh")
        self.layer_norm2 = nn.LayerNorm(dims.width, eps=NORM_EPS)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        """Both [S, n, width] to the new detail [S, n, width]; the context is not normalised."""
        x = detail + self.attn_factor * self.cross_attn(self.layer_norm1(detail), context)
        return x + self.mlp_factor * self.mlp(self.layer_norm2(x))


class SelfAttentionWeights(nn.Module):
    """Holds an attention's projections under the keys of torch's own module."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.randn(3 * width, width) * width**-0.5)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)


class SpatialAggregation(nn.Module):
    """One transformer layer that gathers a step's tokens in a class token (spec section 3.5).

    Only the class token's row is wanted, so only that row is queried, projected and sent through
    the MLP; the others give keys and values.
    """

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__()
        self.heads = dims.heads
        self.cls_token = nn.Parameter(torch.randn(1, 1, dims.width) * 0.02)
        self.self_attn = SelfAttentionWeights(dims.width)
        self.linear1 = nn.Linear(dims.width, dims.hidden)
        self.linear2 = nn.Linear(dims.hidden, dims.width)
        self.norm1 = nn.LayerNorm(dims.width, eps=NORM_EPS)
        self.norm2 = nn.LayerNorm(dims.width, eps=NORM_EPS)

    def forward(self, groups: Tensor) -> Tensor:
        """Token groups [G, members, width] to one vector each, [G, width]."""
        class_token = self.cls_token.expand(groups.shape[0], -1, -1)
        x = (class_token + self._attend(torch.cat([class_token, groups], dim=1))).squeeze(1)
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))

    def _attend(self, sequence: Tensor) -> Tensor:
        """[G, 1 + members, width] to the first row's attention [G, 1, width]."""
        width = sequence.shape[-1]
        weight, bias = self.self_attn.in_proj_weight, self.self_attn.in_proj_bias
        normed = self.norm1(sequence)
        q = F.linear(normed[:, :1], weight[:width], bias[:width])
        kv = F.linear(normed, weight[width:], bias[width:])
        return self.self_attn.out_proj(attend(q, kv, heads=self.heads))


class VisualExtractor(nn.Module):
    """The visual encoder: embedding, blocks, context layers and aggregation."""

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__()
        self.steps = dims.steps
        self.cls_token = nn.Parameter(torch.randn(1, 1, dims.width) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, 1 + dims.positions, dims.width) * 0.02)
        self.temp_embed = nn.Parameter(torch.zeros(1, dims.steps, dims.width))
        self.patch_embed = PatchEmbed2d(dims)
        self.patch_embed_3d = PatchEmbed3d(dims, channels=3)
        self.blocks = nn.ModuleList(Block(dims) for _ in range(dims.depth))
        self.norm = nn.LayerNorm(dims.width, eps=NORM_EPS)
        self.spatial_attn_agg = SpatialAggregation(dims)
        self.patch_embed_3d_mask = PatchEmbed3d(dims, channels=1)
        self.cross_attn_layers = nn.ModuleList(ContextLayer(dims) for _ in range(dims.depth))

    def embed(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Frames and mask to tokens [S, 1 + steps * positions, width], class token first."""
        x = self.patch_embed_3d(frames) + self.patch_embed_3d_mask(mask)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1)
        places = self.temp_embed.unsqueeze(2) + self.pos_embed[:, 1:].unsqueeze(1)
        return x + torch.cat([self.pos_embed[:, :1], places.flatten(1, 2)], dim=1)

    def context(self, frames: Tensor, mask: Tensor) -> Tensor:
        """First pass: the blocks' output [S, 1 + steps * positions, width], without a final norm."""
        x = self.embed(frames, mask)
        for block in self.blocks:
            x = block(x)
        return x

    def detail(self, frames: Tensor, mask: Tensor, *, context: Tensor) -> Tensor:
        """Second pass: every block is followed by its context layer, all with the same context."""
        x = self.embed(frames, mask)
        for block, layer in zip(self.blocks, self.cross_attn_layers, strict=True):
            x = layer(block(x), context)
        return x

    def aggregate(self, x: Tensor) -> Tensor:
        """Tokens [S, 1 + steps * positions, width] to features [S, steps, width], not normalised."""
        groups = self.norm(x[:, 1:]).unflatten(1, (self.steps, -1))
        return self.spatial_attn_agg(groups.flatten(0, 1)).unflatten(0, (-1, self.steps))


class Synchformer(nn.Module):
    """The sync encoder under the checkpoint's keys (`vfeat_extractor.*`)."""

    def __init__(self, dims: SynchformerDims) -> None:
        super().__init__()
        self.vfeat_extractor = VisualExtractor(dims)
        if dims.motion:
            self.motion = MotionPath(dims.motion, tubelet=dims.tubelet)
        self.dims = dims

    def forward(self, frames: Tensor, mask: Tensor, detail_frames: Tensor, detail_mask: Tensor) -> Tensor:
        """Features of each segment alone; those of a motion path know what was before and after it.

        Args:
            frames: whole frames [S, segment_frames, 3, s, s], -1..1.
            mask: whole masks [S, segment_frames, 1, s, s], 0..1, soft edges as they are.
            detail_frames: the focal crop of the frames, enlarged to s x s.
            detail_mask: the focal crop of the masks, enlarged to s x s.

        Returns:
            [S, steps, features]; laid end to end, the sync features of the clip.
        """
        context = self.vfeat_extractor.context(frames, mask)
        detail = self.vfeat_extractor.detail(detail_frames, detail_mask, context=context)
        seen = self.vfeat_extractor.aggregate(detail)
        if not self.dims.motion:
            return seen
        return torch.cat([seen, self.motion(frames, mask, detail_frames, detail_mask)], -1)
