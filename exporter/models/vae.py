"""The VAE "v1-44": log-mel to latent and back, all layers magnitude preserving (spec section 6).

Stored weights are not normalised; `normalise_weights` has to be applied to a checkpoint exactly
once, before loading. The modules below use the weights they hold as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-4
SILU_GAIN = 0.596
RESIDUAL_SHARE = 0.3
CLAMP = 256.0
LOG_VARIANCE_RANGE = (-30.0, 20.0)


@dataclass(frozen=True, slots=True)
class VaeDims:
    """All sizes of a VAE.

    Attributes:
        mel_bands: channels of the log-mel.
        latent_channels: C of the latent; the encoder makes a mean and a log variance for each.
        widths: channels per level, finest first.
        encoder_blocks: ResBlocks per encoder level; the decoder has one more.
        halved_levels: levels after which the encoder halves the frame rate.
        straight: a linear path leads past encoder and decoder. The published VAE has none; a small one
            that is trained briefly finds narrow partials only with it.
    """

    mel_bands: int
    latent_channels: int
    widths: tuple[int, ...]
    encoder_blocks: int
    halved_levels: tuple[int, ...]
    straight: bool = False

    @property
    def frames_per_latent(self) -> int:
        """Mel frames of one latent position."""
        return int(2 ** len(self.halved_levels))


VAE_44K = VaeDims(
    mel_bands=128, latent_channels=40, widths=(512, 1024, 2048), encoder_blocks=2, halved_levels=(0,)
)
TINY_VAE = VaeDims(
    mel_bands=128,
    latent_channels=64,
    widths=(96, 160, 224),
    encoder_blocks=1,
    halved_levels=(0,),
    straight=True,
)
GOLDEN_VAE = VaeDims(mel_bands=8, latent_channels=4, widths=(8, 12), encoder_blocks=1, halved_levels=(0,))


class Posterior(NamedTuple):
    """Mean and standard deviation of a latent, each [B, C, N]."""

    mean: Tensor
    std: Tensor


def normalise_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Checkpoint weights (or named parameters) -> what the network computes with; differentiable.

    Every row of every convolution ends with an L2 norm of about 1. [MATCH] Apply it exactly once,
    whatever the file contains: a second application shrinks rows by up to 0.8 %.
    """
    return {key: normalised(tensor) if key.endswith(".weight") else tensor for key, tensor in tensors.items()}


def normalised(weight: Tensor) -> Tensor:
    """`W / (1e-4 + rms(W)) / sqrt(fan in)` per output row, computed in float32 or wider."""
    wide = weight.to(torch.promote_types(weight.dtype, torch.float32))
    dims = tuple(range(1, weight.ndim))
    rms = wide.pow(2).mean(dims, keepdim=True).sqrt()
    return wide / (NORM_EPS + rms) / math.sqrt(math.prod(weight.shape[1:]))


def pixel_norm(x: Tensor) -> Tensor:
    """[B, C, L] scaled to root mean square 1 over channels."""
    return x / (NORM_EPS + x.pow(2).mean(1, keepdim=True).sqrt())


def scaled_silu(x: Tensor) -> Tensor:
    """SiLU that keeps the variance of a standard normal input."""
    return F.silu(x) / SILU_GAIN


def mixed(x: Tensor, residual: Tensor) -> Tensor:
    """Weighted sum of two independent unit-variance tensors, again of unit variance."""
    keep = 1 - RESIDUAL_SHARE
    return (keep * x + RESIDUAL_SHARE * residual) / math.hypot(keep, RESIDUAL_SHARE)


def bare_conv(channels_in: int, channels_out: int, kernel: int) -> nn.Conv1d:
    """Same-length convolution without bias."""
    return nn.Conv1d(channels_in, channels_out, kernel, padding=kernel // 2, bias=False)


class ResBlock(nn.Module):
    """Two convolutions beside a path that carries the *normalised* input."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv1 = bare_conv(channels_in, channels_out, 3)
        self.conv2 = bare_conv(channels_out, channels_out, 3)
        self.nin_shortcut = bare_conv(channels_in, channels_out, 1) if channels_in != channels_out else None

    def forward(self, x: Tensor) -> Tensor:
        """[B, C_in, L] -> [B, C_out, L]."""
        x = pixel_norm(x)
        residual = self.conv2(scaled_silu(self.conv1(scaled_silu(x))))
        return mixed(x if self.nin_shortcut is None else self.nin_shortcut(x), residual)


class AttentionBlock(nn.Module):
    """Single-head attention over time.

    [MATCH] Channels of `qkv` are interleaved: 3c + j, j = 0 q, 1 k, 2 v.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.qkv = bare_conv(channels, 3 * channels, 1)
        self.proj_out = bare_conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, L] -> [B, C, L]."""
        parts = self.qkv(x).unflatten(1, (-1, 3)).unbind(2)
        q, k, v = (pixel_norm(part).transpose(1, 2).unsqueeze(1) for part in parts)
        attended = F.scaled_dot_product_attention(q, k, v).squeeze(1)
        return mixed(x, self.proj_out(attended.transpose(1, 2)))


class Middle(nn.Module):
    """ResBlock, attention, ResBlock, clamp at the coarsest level."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block_1 = ResBlock(channels, channels)
        self.attn_1 = AttentionBlock(channels)
        self.block_2 = ResBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, L] -> [B, C, L]."""
        return clamped(self.block_2(self.attn_1(self.block_1(x))))


class Halving(nn.Module):
    """Half the frame rate: 1x1 convolution, mean of pairs, 1x1 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = bare_conv(channels, channels, 1)
        self.conv2 = bare_conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, L] -> [B, C, L / 2]."""
        return cast("Tensor", self.conv2(F.avg_pool1d(self.conv1(x), 2)))


class Doubling(nn.Module):
    """Twice the frame rate: every frame repeated, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = bare_conv(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, L] -> [B, C, 2 L]."""
        repeated = x.unsqueeze(-1).expand(-1, -1, -1, 2).flatten(2)
        return cast("Tensor", self.conv(repeated))


class Level(nn.Module):
    """ResBlocks of one width, each followed by a clamp, then a change of frame rate if any."""

    def __init__(self, channels_in: int, channels_out: int, *, blocks: int) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            ResBlock(channels_in if index == 0 else channels_out, channels_out) for index in range(blocks)
        )
        self.downsample: Halving | None = None
        self.upsample: Doubling | None = None

    def forward(self, x: Tensor) -> Tensor:
        """[B, C_in, L] -> [B, C_out, L, L / 2 or 2 L]."""
        for block in self.block:
            x = clamped(block(x))
        for resample in (self.downsample, self.upsample):
            if resample is not None:
                x = resample(x)
        return x


class OutputConv(nn.Conv1d):
    """The last convolution; its weight is scaled by the coder's learnable gain plus one."""

    def scaled(self, x: Tensor, gain: Tensor) -> Tensor:
        """[B, C, L] -> [B, C_out, L]."""
        return F.conv1d(x, self.weight * (gain + 1), padding=self.padding)


class Straight(nn.Module):
    """The linear path past both coders: `matrix` turns the frames of one latent into its mean, and back.

    The stored matrices have entries of about 1 and are divided by the root of a latent's mel bins.
    """

    def __init__(self, dims: VaeDims) -> None:
        super().__init__()
        self.frames = dims.frames_per_latent
        self.bins = dims.mel_bands * dims.frames_per_latent
        self.forth = nn.Parameter(torch.zeros(2 * dims.latent_channels, self.bins))
        self.back = nn.Parameter(torch.zeros(self.bins, dims.latent_channels))
        self.offset = nn.Parameter(torch.zeros(2 * dims.latent_channels))

    def encode(self, mel: Tensor) -> Tensor:
        """Normalised mel [B, bands, L] -> [B, 2C, N]."""
        columns = mel.unflatten(2, (-1, self.frames)).transpose(2, 3).flatten(1, 2)
        return (self.forth / math.sqrt(self.bins)) @ columns + self.offset[:, None]

    def decode(self, latent: Tensor) -> Tensor:
        """[B, C, N] -> normalised mel [B, bands, L]."""
        columns = (self.back / math.sqrt(self.bins)) @ latent
        return columns.unflatten(1, (-1, self.frames)).transpose(2, 3).flatten(2)


class Encoder(nn.Module):
    """Normalised mel [B, bands, L] -> mean and log variance [B, 2C, N]."""

    def __init__(self, dims: VaeDims) -> None:
        super().__init__()
        self.learnable_gain = nn.Parameter(torch.zeros(()))
        self.conv_in = bare_conv(dims.mel_bands, dims.widths[0], 3)
        self.down = nn.ModuleList(self._level(dims, level, width) for level, width in enumerate(dims.widths))
        self.mid = Middle(dims.widths[-1])
        self.conv_out = OutputConv(dims.widths[-1], 2 * dims.latent_channels, 3, padding=1, bias=False)

    @staticmethod
    def _level(dims: VaeDims, level: int, width: int) -> Level:
        module = Level(dims.widths[max(level - 1, 0)], width, blocks=dims.encoder_blocks)
        if level in dims.halved_levels:
            module.downsample = Halving(width)
        return module

    def forward(self, mel: Tensor) -> Tensor:
        """See the class."""
        x = self.conv_in(mel)
        for level in self.down:
            x = level(x)
        return self.conv_out.scaled(scaled_silu(self.mid(x)), self.learnable_gain)


class Decoder(nn.Module):
    """Latent [B, C, N] -> normalised mel [B, bands, L]."""

    def __init__(self, dims: VaeDims) -> None:
        super().__init__()
        self.learnable_gain = nn.Parameter(torch.zeros(()))
        self.conv_in = bare_conv(dims.latent_channels, dims.widths[-1], 3)
        self.mid = Middle(dims.widths[-1])
        self.up = nn.ModuleList(self._level(dims, level, width) for level, width in enumerate(dims.widths))
        self.conv_out = OutputConv(dims.widths[0], dims.mel_bands, 3, padding=1, bias=False)

    @staticmethod
    def _level(dims: VaeDims, level: int, width: int) -> Level:
        coarser = dims.widths[min(level + 1, len(dims.widths) - 1)]
        module = Level(coarser, width, blocks=dims.encoder_blocks + 1)
        if level - 1 in dims.halved_levels:
            module.upsample = Doubling(width)
        return module

    def forward(self, latent: Tensor) -> Tensor:
        """See the class."""
        x = self.mid(self.conv_in(latent))
        for level in reversed(self.up):
            x = level(x)
        return self.conv_out.scaled(scaled_silu(x), self.learnable_gain)


class Vae(nn.Module):
    """Encoder, decoder and the mel statistics of one checkpoint."""

    data_mean: Tensor
    data_std: Tensor

    def __init__(self, dims: VaeDims) -> None:
        super().__init__()
        self.dims = dims
        self.register_buffer("data_mean", torch.zeros(1, dims.mel_bands, 1))
        self.register_buffer("data_std", torch.ones(1, dims.mel_bands, 1))
        self.encoder = Encoder(dims)
        self.decoder = Decoder(dims)
        self.straight = Straight(dims) if dims.straight else None

    def encode(self, mel: Tensor) -> Posterior:
        """Log-mel [B, bands, frames], an even number of frames -> posterior of the latent."""
        normal = (mel - self.data_mean) / self.data_std
        coded = self.encoder(normal)
        if self.straight is not None:
            coded = coded + self.straight.encode(normal)
        mean, log_variance = coded.chunk(2, 1)
        return Posterior(mean, (log_variance.clamp(*LOG_VARIANCE_RANGE) / 2).exp())

    def decode(self, latent: Tensor) -> Tensor:
        """Latent [B, C, N], already scaled by its statistics -> natural log-mel [B, bands, frames]."""
        normal = cast("Tensor", self.decoder(latent))
        if self.straight is not None:
            normal = normal + self.straight.decode(latent)
        return normal * self.data_std + self.data_mean


class DecoderGraph(nn.Module):
    """`Vae.decode` with the interface of a bundle's `decoder` graph: latent [B, N, C] -> mel."""

    def __init__(self, vae: Vae) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, latent: Tensor) -> Tensor:
        """[B, N, C] -> [B, bands, frames]."""
        return self.vae.decode(latent.transpose(1, 2))


def clamped(x: Tensor) -> Tensor:
    """Values limited to what half precision training allowed."""
    return x.clamp(-CLAMP, CLAMP)
