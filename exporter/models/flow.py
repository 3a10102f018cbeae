"""The flow network: conditions, velocity, and a reference sampler (spec sections 4, 5).

The work is cut where it changes pace. `FlowNetwork.conditions` runs once per cue, `velocity` once
per solver step; `ConditionsGraph` and `VelocityGraph` are the same two as modules for export.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from exporter.models.flow_blocks import ChannelsLastConv, FinalLayer, GatedMlp, JointBlock, Stream
from exporter.models.voices import BankDims, Voices, unwanted

INPUT_KERNEL = 7
BLOCK_KERNEL = 3
DEVIATION = 0.05
"""Of a latent from what is expected, where a bank of voices says that: takes differ by it."""
MAX_PERIOD = 10000.0


@dataclass(frozen=True, slots=True)
class FlowDims:
    """All sizes of a flow network.

    Attributes:
        latent_channels: C, values per latent position.
        clip_width, sync_width, text_width: Dc, Ds, Dt, values per feature.
        text_length: L, tokens of a prompt.
        segment_features: sync features of one segment, the period of `sync_pos_emb`.
        hidden, heads: H and its heads.
        joint_blocks, fused_blocks: depth.
        mlp_hidden: width inside the gated MLPs.
        time_features: values of the timestep embedding before its MLP.
        lora_rank: r of the LoRA tensors the checkpoint carries; 0 = none.
        bank: of voices (see `Voices`), if there is one: the conditions alone then say what latent is
            expected, and the layers only add to what follows from that. The published network learns it
            all; a short training has no time for it.
    """

    latent_channels: int
    clip_width: int
    sync_width: int
    text_width: int
    text_length: int
    segment_features: int
    hidden: int
    heads: int
    joint_blocks: int
    fused_blocks: int
    mlp_hidden: int
    time_features: int
    lora_rank: int
    bank: BankDims | None = None

    @property
    def told_width(self) -> int:
        """Values of the condition of one latent position: H, and what is expected there if anything is."""
        return self.hidden + (self.latent_channels if self.bank else 0)

    @property
    def head_width(self) -> int:
        """Values per attention head."""
        return self.hidden // self.heads


SMALL_44K_SA = FlowDims(
    latent_channels=40,
    clip_width=1024,
    sync_width=768,
    text_width=1024,
    text_length=77,
    segment_features=8,
    hidden=448,
    heads=7,
    joint_blocks=4,
    fused_blocks=8,
    mlp_hidden=1280,
    time_features=256,
    lora_rank=16,
)
SMALL_44K_SA_NO_LORA = replace(SMALL_44K_SA, lora_rank=0)
MEDIUM_44K_SA = replace(SMALL_44K_SA, hidden=896, heads=14, mlp_hidden=2560)
TINY_FLOW = FlowDims(
    latent_channels=64,
    clip_width=96,
    sync_width=192,
    text_width=96,
    text_length=16,
    segment_features=8,
    hidden=128,
    heads=4,
    joint_blocks=2,
    fused_blocks=4,
    mlp_hidden=256,
    time_features=256,
    lora_rank=0,
    bank=BankDims(classes=30, kept=29, voices=6, positions=72),
)
GOLDEN_FLOW = FlowDims(
    latent_channels=4,
    clip_width=8,
    sync_width=12,
    text_width=8,
    text_length=8,
    segment_features=8,
    hidden=8,
    heads=2,
    joint_blocks=2,
    fused_blocks=1,
    mlp_hidden=8,
    time_features=16,
    lora_rank=0,
)


class Conditions(NamedTuple):
    """What a velocity needs besides x and t.

    Attributes:
        clip_condition: [B, Tc, H].
        sync_condition: [B, N, H], one row per latent position; with a bank, the C values expected there
            stand behind it.
        text_condition: [B, L, H].
        global_condition: [B, H].
        latent_rope, clip_rope: [N, D/2, 2] and [Tc, D/2, 2], cos and sin.
    """

    clip_condition: Tensor
    sync_condition: Tensor
    text_condition: Tensor
    global_condition: Tensor
    latent_rope: Tensor
    clip_rope: Tensor


class NullFeatures(NamedTuple):
    """Learned features that stand for missing ones: clip [Dc], sync [Ds], text [L, Dt]."""

    clip: Tensor
    sync: Tensor
    text: Tensor


class FlowNetwork(nn.Module):
    """MM-DiT velocity field over audio latents; keys as in the SAGANet checkpoints."""

    def __init__(self, dims: FlowDims) -> None:
        super().__init__()
        self.dims = dims
        self.sync_pos_emb = nn.Parameter(torch.zeros(1, 1, dims.segment_features, dims.sync_width))
        self.latent_mean = nn.Parameter(torch.zeros(1, 1, dims.latent_channels), requires_grad=False)
        self.latent_std = nn.Parameter(torch.ones(1, 1, dims.latent_channels), requires_grad=False)
        self.empty_string_feat = nn.Parameter(
            torch.zeros(dims.text_length, dims.text_width), requires_grad=False
        )
        self.empty_clip_feat = nn.Parameter(torch.zeros(1, dims.clip_width))
        self.empty_sync_feat = nn.Parameter(torch.zeros(1, dims.sync_width))
        self._build_projections(dims)
        self.joint_blocks = nn.ModuleList(
            self._joint_block(dims, last=index == dims.joint_blocks - 1) for index in range(dims.joint_blocks)
        )
        self.fused_blocks = nn.ModuleList(self._fused_block(dims) for _ in range(dims.fused_blocks))

    def _build_projections(self, dims: FlowDims) -> None:
        width, hidden = dims.hidden, dims.mlp_hidden
        self.audio_input_proj = nn.Sequential(
            ChannelsLastConv(dims.latent_channels, width, INPUT_KERNEL),
            nn.SELU(),
            GatedMlp(width, hidden, kernel=INPUT_KERNEL),
        )
        self.clip_input_proj = nn.Sequential(
            nn.Linear(dims.clip_width, width), GatedMlp(width, hidden, kernel=BLOCK_KERNEL)
        )
        self.sync_input_proj = nn.Sequential(
            ChannelsLastConv(dims.sync_width, width, INPUT_KERNEL),
            nn.SELU(),
            GatedMlp(width, hidden, kernel=BLOCK_KERNEL),
        )
        self.text_input_proj = nn.Sequential(
            nn.Linear(dims.text_width, width), GatedMlp(width, hidden, kernel=1)
        )
        self.clip_cond_proj = nn.Linear(width, width)
        self.text_cond_proj = nn.Linear(width, width)
        self.global_cond_mlp = GatedMlp(width, hidden, kernel=1)
        self.final_layer = FinalLayer(width, dims.latent_channels, INPUT_KERNEL)
        if dims.bank:
            self.voices = Voices(width, dims.latent_channels, sync_width=dims.sync_width, dims=dims.bank)
        self.t_embed = TimeEmbedding(dims.time_features, width)

    @staticmethod
    def _joint_block(dims: FlowDims, *, last: bool) -> JointBlock:
        return JointBlock(
            dims.hidden,
            heads=dims.heads,
            hidden=dims.mlp_hidden,
            kernel=BLOCK_KERNEL,
            lora_rank=dims.lora_rank,
            last=last,
        )

    @staticmethod
    def _fused_block(dims: FlowDims) -> Stream:
        return Stream(
            dims.hidden,
            heads=dims.heads,
            hidden=dims.mlp_hidden,
            kernel=BLOCK_KERNEL,
            lora_rank=dims.lora_rank,
        )

    def conditions(
        self,
        clip_features: Tensor,
        sync_features: Tensor,
        text_features: Tensor,
        upsample_index: Tensor,
        negative_text_features: Tensor | None = None,
    ) -> Conditions:
        """Everything that depends on neither x nor t (spec 5.1).

        Args:
            clip_features: [B, Tc, Dc].
            sync_features: [B, Ts, Ds].
            text_features: [B, L, Dt].
            upsample_index: int64 [N], the sync feature of every latent position; see `upsample_index`.
            negative_text_features: [B, L, Dt] of words for what must not sound; only a network with a bank
                has a use for them here.
        """
        found = self.unvoiced(clip_features, sync_features, text_features, upsample_index)
        if not self.dims.bank:
            return found
        kinds, voices = self.logits(found, sync_features)
        against = torch.zeros_like(kinds)
        if negative_text_features is not None:
            seen = (clip_features, sync_features)
            against = self._unwanted(*seen, negative_text_features, upsample_index)
        chosen = self.voices.choose(kinds, voices, against)
        return self.voiced(found, chosen, self.voices.curves(sync_features))

    def logits(self, conditions: Conditions, sync_features: Tensor) -> tuple[Tensor, Tensor]:
        """Of classes and voices, by what `unvoiced` says of these features; see `Voices.logits`."""
        return self.voices.logits(
            conditions.sync_condition,
            conditions.global_condition,
            conditions.text_condition,
            features=sync_features,
        )

    def _unwanted(self, clip: Tensor, sync: Tensor, text: Tensor, upsample_index: Tensor) -> Tensor:
        """What words [B, L, Dt] alone, without pictures, say against each class: [B, classes]."""
        nothing = self.null_conditions()
        unseen = (nothing.clip.expand_as(clip), nothing.sync.expand_as(sync))
        named, usual = (
            self.logits(self.unvoiced(*unseen, words, upsample_index), unseen[1])[0]
            for words in (text, nothing.text.expand_as(text))
        )
        return unwanted(named, usual)

    def voiced(self, conditions: Conditions, chosen: tuple[Tensor, Tensor], curves: Tensor) -> Conditions:
        """What `unvoiced` says, for a class and a voice [B] at the times of the curves."""
        told = conditions.sync_condition
        expected = self.voices.placed(*chosen, curves, count=told.shape[1])
        return conditions._replace(sync_condition=torch.cat([told, expected], -1))

    def unvoiced(
        self, clip_features: Tensor, sync_features: Tensor, text_features: Tensor, upsample_index: Tensor
    ) -> Conditions:
        """The conditions before a voice is chosen; arguments as in `conditions`."""
        sync = sync_features + self._sync_positions(sync_features)
        sync = self.sync_input_proj(sync).index_select(1, upsample_index)
        clip = self.clip_input_proj(clip_features)
        text = self.text_input_proj(text_features)
        pooled = self.clip_cond_proj(clip.mean(1)) + self.text_cond_proj(text.mean(1))
        latent_rope, clip_rope = self._ropes(upsample_index, clip_features)
        return Conditions(clip, sync, text, self.global_cond_mlp(pooled), latent_rope, clip_rope)

    def _sync_positions(self, sync_features: Tensor) -> Tensor:
        """The position embedding [Ts, Ds], repeated for every segment."""
        frame = torch.arange(sync_features.shape[1], device=sync_features.device)
        return self.sync_pos_emb[0, 0][frame % self.dims.segment_features]

    def _ropes(self, upsample_index: Tensor, clip_features: Tensor) -> tuple[Tensor, Tensor]:
        """Rotary tables of latent and clip; clip frequencies are scaled by N / Tc (spec 4.3)."""
        device = upsample_index.device
        latent = torch.arange(upsample_index.shape[0], device=device, dtype=torch.float32)
        clip = torch.arange(clip_features.shape[1], device=device, dtype=torch.float32)
        stretch = (latent[-1] + 1) / (clip[-1] + 1)
        frequencies = _frequencies(self.dims.head_width).to(device)
        return rope_table(latent, frequencies), rope_table(clip, frequencies * stretch)

    def velocity(self, x: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """v(x, t): x [B, N, C], t [1] in 0..1 -> [B, N, C]; each batch row has its own conditions (5.2)."""
        found = self.found(x, t, conditions)
        return follow(found, x, t, *self.expected(conditions)) if self.dims.bank else found

    def found(self, x: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        """What the layers say; the velocity itself in a network without a bank."""
        latent = self.audio_input_proj(x)
        everywhere = (self.t_embed(t) + conditions.global_condition).unsqueeze(1)
        per_position = everywhere + conditions.sync_condition[..., : self.dims.hidden]
        ropes = (conditions.latent_rope, conditions.clip_rope)
        streams = (latent, conditions.clip_condition, conditions.text_condition)
        for block in self.joint_blocks:
            streams = block(streams, (per_position, everywhere), ropes)
        latent = streams[0]
        for block in self.fused_blocks:
            latent = block(latent, per_position, ropes[0])
        # [MATCH] the final layer sees the global condition, not the one per position
        return cast("Tensor", self.final_layer(latent, everywhere))

    def layers(self) -> Iterator[nn.Parameter]:
        """All parameters that what is expected does not pass through."""
        for part in (
            self.audio_input_proj,
            self.t_embed,
            self.joint_blocks,
            self.fused_blocks,
            self.final_layer,
        ):
            yield from part.parameters()

    def expected(self, conditions: Conditions) -> tuple[Tensor, Tensor]:
        """Mean and deviation [B, N, C] of the latent; only a network with a bank can say."""
        mean = conditions.sync_condition[..., self.dims.hidden :]
        return mean, torch.full_like(mean, DEVIATION)

    def null_conditions(self) -> NullFeatures:
        """Features to use where something is missing; they go through `conditions` like real ones (5.3)."""
        return NullFeatures(self.empty_clip_feat[0], self.empty_sync_feat[0], self.empty_string_feat)

    def denormalise(self, x: Tensor) -> Tensor:
        """Solver output [B, N, C] -> latent for the decoder, `x * std + mean`."""
        return x * self.latent_std + self.latent_mean


def follow(found: Tensor, x: Tensor, t: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """The velocity: what x at t says of a normal latent, and `found` at the size of what that leaves open.

    Args:
        found: of the layers, [B, N, C] as all others.
        x: the state.
        t: [1] or [B].
        mean: of the latent, as the conditions alone tell.
        deviation: of the latent, likewise.
    """
    time = t.view(-1, 1, 1)
    power = left_open(time, deviation)
    guess = mean + (time * deviation.square() - (1 - time)) / power * (x - time * mean)
    return guess + found * deviation * power.rsqrt()


def left_open(time: Tensor, deviation: Tensor) -> Tensor:
    """Mean square of the state around its own mean."""
    return (time * deviation).square() + (1 - time).square()


class TimeEmbedding(nn.Module):
    """Sinusoidal features of t in 0..1 (not scaled to 1000), then a two-layer MLP (spec 4.2)."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.features = features
        self.mlp = nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, t: Tensor) -> Tensor:
        """[n] -> [n, H]."""
        return cast("Tensor", self.mlp(time_features(t, self.features)))


def time_features(t: Tensor, count: int) -> Tensor:
    """Cosines, then sines of t times the falling frequencies: [n] -> [n, count]."""
    angle = t.unsqueeze(-1) * _frequencies(count).to(t.device)
    return torch.cat([angle.cos(), angle.sin()], -1)


def rope_table(positions: Tensor, frequencies: Tensor) -> Tensor:
    """Rotary table [n, D/2, 2] (cos, sin) of float32 positions [n]."""
    angle = positions.unsqueeze(-1) * frequencies
    return torch.stack([angle.cos(), angle.sin()], -1)


def _frequencies(width: int) -> Tensor:
    """10000^(-2i/width) for i < width/2, float32."""
    return torch.tensor([MAX_PERIOD ** (-2 * index / width) for index in range(width // 2)])


def upsample_index(sync_frames: int, latents: int) -> Tensor:
    """Sync feature nearest to every latent position, int64 [latents]: floor((i + 0.5) * Ts / N).

    [MATCH] Torch's own, whose float32 is one short at some lengths where the exact value is whole.
    """
    numbers = torch.arange(sync_frames, dtype=torch.float32)[None, None]
    return functional.interpolate(numbers, size=latents, mode="nearest-exact").flatten().long()


class ConditionsGraph(nn.Module):
    """`FlowNetwork.conditions` with the interface of a bundle's `conditions` graph."""

    def __init__(self, network: FlowNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        clip_features: Tensor,
        sync_features: Tensor,
        text_features: Tensor,
        upsample_index: Tensor,
        negative_text_features: Tensor | None = None,
    ) -> Conditions:
        """See `FlowNetwork.conditions`."""
        return self.network.conditions(
            clip_features, sync_features, text_features, upsample_index, negative_text_features
        )


class VelocityGraph(nn.Module):
    """`FlowNetwork.velocity` with the interface of a bundle's `flow` graph."""

    def __init__(self, network: FlowNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(  # noqa: PLR0917 - a graph's inputs, in order
        self,
        x: Tensor,
        t: Tensor,
        clip_condition: Tensor,
        sync_condition: Tensor,
        text_condition: Tensor,
        global_condition: Tensor,
        latent_rope: Tensor,
        clip_rope: Tensor,
    ) -> Tensor:
        """See `FlowNetwork.velocity` and `Conditions`."""
        conditions = Conditions(
            clip_condition, sync_condition, text_condition, global_condition, latent_rope, clip_rope
        )
        return self.network.velocity(x, t, conditions)


def solver_times(steps: int) -> Tensor:
    """Borders of the Euler steps, float32 [steps + 1], 0 to 1."""
    return torch.linspace(0, 1, steps + 1)


@torch.no_grad()
def euler_steps(
    network: FlowNetwork,
    x0: Tensor,
    conditions: Conditions,
    *,
    unconditional: Conditions | None,
    steps: int = 25,
    guidance: float = 7.0,
) -> Iterator[Tensor]:
    """The state after every Euler step from noise x0 [B, N, C]; the last is the normalised solution (5.4).

    Guidance mixes `g * v(cond) + (1 - g) * v(uncond)`, both branches in one call. At guidance <= 1,
    or without `unconditional`, only the conditional branch runs.
    """
    guided = unconditional is not None and guidance > 1
    if unconditional is not None and guided:
        conditions = both_branches(conditions, unconditional)
    times = solver_times(steps).to(x0)
    x = x0
    for index in range(steps):
        rows = torch.cat([x, x]) if guided else x
        velocity = network.velocity(rows, times[index : index + 1], conditions)
        if guided:
            wanted, unwanted = velocity.chunk(2)
            velocity = guidance * wanted + (1 - guidance) * unwanted
        x = x + (times[index + 1] - times[index]) * velocity
        yield x


def both_branches(conditional: Conditions, unconditional: Conditions) -> Conditions:
    """One batch with the conditional rows first; rotary tables are shared."""
    return Conditions(
        torch.cat([conditional.clip_condition, unconditional.clip_condition]),
        torch.cat([conditional.sync_condition, unconditional.sync_condition]),
        torch.cat([conditional.text_condition, unconditional.text_condition]),
        torch.cat([conditional.global_condition, unconditional.global_condition]),
        conditional.latent_rope,
        conditional.clip_rope,
    )
