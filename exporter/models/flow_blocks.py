"""Building blocks of the flow network (spec section 4): gated MLPs, attention, streams, blocks.

Tokens travel channels last, [B, L, H]. Module names are those of the checkpoints.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-5
RMS_EPS = torch.finfo(torch.float32).eps
"""RMSNorm without an explicit eps uses the machine epsilon of float32."""


class ChannelsLastConv(nn.Conv1d):
    """Same-length convolution over time of [B, L, C] tokens, zero padded at the true ends."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__(channels_in, channels_out, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """[B, L, C_in] -> [B, L, C_out]."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class GatedMlp(nn.Module):
    """`w2(silu(w1 x) * w3 x)` without biases, as linear layers (kernel 1) or convolutions over time."""

    def __init__(self, width: int, hidden: int, *, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.w1 = self._layer(width, hidden)
        self.w2 = self._layer(hidden, width)
        self.w3 = self._layer(width, hidden)

    def _layer(self, channels_in: int, channels_out: int) -> nn.Module:
        if self.kernel == 1:
            return nn.Linear(channels_in, channels_out, bias=False)
        return nn.Conv1d(channels_in, channels_out, self.kernel, padding=self.kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, L, C] -> [B, L, C]; a convolution runs channels first, with one turn in and one out."""
        if self.kernel == 1:
            return self._gate(x)
        return self._gate(x.transpose(1, 2)).transpose(1, 2)

    def _gate(self, x: Tensor) -> Tensor:
        return cast("Tensor", self.w2(F.silu(self.w1(x)) * self.w3(x)))


class RmsScale(nn.Module):
    """The learned scale of an RMSNorm over one head."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))


class QkvLinear(nn.Linear):
    """The joint projection to queries, keys and values, with room for the LoRA tensors.

    [MATCH] `weight` already contains the LoRA delta; `lora_A` and `lora_B` are carried so that the
    checkpoint's keys are complete, and are never applied here (spec 4.1; see `lora.merge_lora`).
    """

    def __init__(self, width: int, *, lora_rank: int) -> None:
        super().__init__(width, 3 * width)
        if lora_rank:
            self.lora_A = nn.Parameter(torch.zeros(2 * lora_rank, width))
            self.lora_B = nn.Parameter(torch.zeros(2 * width, lora_rank))


class Attention(nn.Module):
    """Queries, keys and values of one stream (spec section 4, self-attention).

    [MATCH] The projection's rows are interleaved: head h, element d, kind j (0 q, 1 k, 2 v) is row
    `h * 3D + 3d + j`. They are regrouped here into q | k | v, head by head, and the adjacent RoPE
    pairs (2i, 2i+1) of q and k into two halves: dot products do not see a common permutation, and
    halves need no strided access. Weights are constant in a graph, so this costs nothing there.
    """

    def __init__(self, width: int, heads: int, *, lora_rank: int = 0) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = width // heads
        self.qkv = QkvLinear(width, lora_rank=lora_rank)
        self.q_norm = RmsScale(self.head_width)
        self.k_norm = RmsScale(self.head_width)

    def query_key_value(self, x: Tensor, rope: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens [B, L, H] -> q, k, v, each [B, heads, L, D]."""
        q, k, v = self._project(x, (0, 1, 2))
        return self._rotated(q, self.q_norm, rope), self._rotated(k, self.k_norm, rope), v

    def key_value(self, x: Tensor, rope: Tensor | None) -> tuple[Tensor, Tensor]:
        """As `query_key_value` for a stream nobody reads after this block: no queries are made."""
        k, v = self._project(x, (1, 2))
        return self._rotated(k, self.k_norm, rope), v

    def _project(self, x: Tensor, kinds: tuple[int, ...]) -> tuple[Tensor, ...]:
        weight = torch.cat([self._rows(self.qkv.weight, kind) for kind in kinds])
        bias = torch.cat([self._rows(self.qkv.bias.unsqueeze(1), kind) for kind in kinds])
        joint = F.linear(x, weight, bias.squeeze(1))
        return tuple(
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in joint.chunk(len(kinds), 2)
        )

    def _rows(self, weight: Tensor, kind: int) -> Tensor:
        """Rows [3H, C] of one kind -> [H, C]: heads in order; q and k with even elements first."""
        rows = weight.unflatten(0, (self.heads, self.head_width // 2, 2, 3))[:, :, :, kind]
        return (rows if kind == 2 else rows.transpose(1, 2)).flatten(0, 2)

    def _rotated(self, x: Tensor, norm: RmsScale, rope: Tensor | None) -> Tensor:
        scale = norm.weight.unflatten(0, (-1, 2)).transpose(0, 1).flatten()
        x = x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + RMS_EPS) * scale
        return x if rope is None else rotate_halves(x, rope)


def rotate_halves(x: Tensor, rope: Tensor) -> Tensor:
    """Rotary embedding of [B, heads, L, D] whose pair i is (x[i], x[D/2 + i]); rope [L, D/2, 2] cos, sin."""
    first, second = x.chunk(2, -1)
    cos, sin = rope.unbind(-1)
    return torch.cat([cos * first - sin * second, sin * first + cos * second], -1)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(D)) v, [B, heads, L, D] -> tokens [B, L, H], heads concatenated."""
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalised tokens, scaled and shifted by the condition: `LN(x) * (1 + scale) + shift`."""
    return F.layer_norm(x, x.shape[-1:], eps=NORM_EPS) * (1 + scale) + shift


class Stream(nn.Module):
    """One stream of a joint block, or a whole fused block.

    Args:
        kernel: of linear1 and the MLP; 1 makes them linear layers (text).
        pre_only: keys and values only; nothing is written back (clip and text of the last joint block).
    """

    def __init__(
        self, width: int, *, heads: int, hidden: int, kernel: int, lora_rank: int = 0, pre_only: bool = False
    ) -> None:
        super().__init__()
        self.attn = Attention(width, heads, lora_rank=lora_rank)
        if not pre_only:
            self.linear1: nn.Module = (
                nn.Linear(width, width) if kernel == 1 else ChannelsLastConv(width, width, kernel)
            )
            self.ffn = GatedMlp(width, hidden, kernel=kernel)
        parts = 2 if pre_only else 6
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, parts * width))

    def modulation(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Condition [B, 1 or L, H] -> shift, scale (and gate, shift, scale, gate), each like it."""
        parts: Tensor = self.adaLN_modulation(condition)
        return parts.chunk(parts.shape[-1] // condition.shape[-1], -1)

    def write_back(self, x: Tensor, attended: Tensor, modulation: tuple[Tensor, ...]) -> Tensor:
        """The rest of the block after attention: gated linear1, then the gated, modulated MLP."""
        _, _, gate1, shift2, scale2, gate2 = modulation
        x = x + self.linear1(attended) * gate1
        return x + cast("Tensor", self.ffn(modulate(x, shift2, scale2))) * gate2

    def forward(self, x: Tensor, condition: Tensor, rope: Tensor) -> Tensor:
        """A fused block: the latent stream alone, [B, N, H] -> [B, N, H]."""
        modulation = self.modulation(condition)
        q, k, v = self.attn.query_key_value(modulate(x, *modulation[:2]), rope)
        return self.write_back(x, attend(q, k, v), modulation)


class JointBlock(nn.Module):
    """Latent, clip and text streams with one attention over all their tokens (spec 5.2)."""

    def __init__(
        self, width: int, *, heads: int, hidden: int, kernel: int, lora_rank: int, last: bool
    ) -> None:
        super().__init__()
        self.last = last
        self.latent_block = Stream(width, heads=heads, hidden=hidden, kernel=kernel, lora_rank=lora_rank)
        self.clip_block = Stream(width, heads=heads, hidden=hidden, kernel=kernel, pre_only=last)
        self.text_block = Stream(width, heads=heads, hidden=hidden, kernel=1, pre_only=last)

    def forward(
        self,
        streams: tuple[Tensor, Tensor, Tensor],
        conditions: tuple[Tensor, Tensor],
        ropes: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One block.

        Args:
            streams: latent [B, N, H], clip [B, Tc, H], text [B, L, H].
            conditions: per latent position [B, N, H], global [B, 1, H].
            ropes: latent [N, D/2, 2], clip [Tc, D/2, 2].
        """
        if self.last:
            return self._latent_only(streams, conditions, ropes), streams[1], streams[2]
        blocks = (self.latent_block, self.clip_block, self.text_block)
        modulations = tuple(
            block.modulation(condition)
            for block, condition in zip(blocks, (*conditions, conditions[1]), strict=True)
        )
        parts = [
            block.attn.query_key_value(modulate(x, *modulation[:2]), rope)
            for block, x, modulation, rope in zip(blocks, streams, modulations, (*ropes, None), strict=True)
        ]
        attended = attend(*(torch.cat(kind, 2) for kind in zip(*parts, strict=True)))
        pieces = attended.split([x.shape[1] for x in streams], 1)
        latent, clip, text = (
            block.write_back(x, piece, modulation)
            for block, x, piece, modulation in zip(blocks, streams, pieces, modulations, strict=True)
        )
        return latent, clip, text

    def _latent_only(
        self,
        streams: tuple[Tensor, Tensor, Tensor],
        conditions: tuple[Tensor, Tensor],
        ropes: tuple[Tensor, Tensor],
    ) -> Tensor:
        """The last block: only latent tokens ask; clip and text give keys and values."""
        latent, clip, text = streams
        modulation = self.latent_block.modulation(conditions[0])
        q, k, v = self.latent_block.attn.query_key_value(modulate(latent, *modulation[:2]), ropes[0])
        pairs = [(k, v)]
        for block, x, rope in ((self.clip_block, clip, ropes[1]), (self.text_block, text, None)):
            pairs.append(block.attn.key_value(modulate(x, *block.modulation(conditions[1])), rope))
        keys, values = (torch.cat(kind, 2) for kind in zip(*pairs, strict=True))
        return self.latent_block.write_back(latent, attend(q, keys, values), modulation)


class FinalLayer(nn.Module):
    """Modulated norm and convolution from hidden width to latent channels."""

    def __init__(self, width: int, channels: int, kernel: int) -> None:
        super().__init__()
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.conv = ChannelsLastConv(width, channels, kernel)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """[B, N, H] and the global condition [B, 1, H] -> velocity [B, N, C]."""
        shift, scale = self.adaLN_modulation(condition).chunk(2, -1)
        return cast("Tensor", self.conv(modulate(x, shift, scale)))
