"""The vocoder BigVGAN v2: log-mel to waveform (spec section 7).

Anti-aliased activations run in polyphase form: the two phases of the doubled signal are computed
from the original rate and never interleaved, so there is no zero stuffing and no cropping. The
result is that of the definition (a test holds them together to 1e-12 in float64).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FILTER_TAPS = 12
PHASE_TAPS = FILTER_TAPS // 2
REACH = 3
"""Samples of the original rate that a phase reaches to either side."""
CUTOFF = 0.25
HALF_WIDTH = 0.3
BETA_FLOOR = 1e-9
OUTER_KERNEL = 7

WEIGHT_NORM_SPELLINGS = (
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ("weight_g", "weight_v"),
)


@dataclass(frozen=True, slots=True)
class VocoderDims:
    """All sizes of a vocoder.

    Attributes:
        mel_bands: channels of the log-mel.
        channels: after the first convolution; every stage halves them.
        rates, rate_kernels: upsampling factor of every stage and its kernel, kernel - rate even.
        block_kernels: kernels of the parallel AMP blocks of a stage.
        dilations: of the steps of an AMP block.
    """

    mel_bands: int
    channels: int
    rates: tuple[int, ...]
    rate_kernels: tuple[int, ...]
    block_kernels: tuple[int, ...]
    dilations: tuple[int, ...]

    @property
    def hop(self) -> int:
        """Audio samples of one mel frame."""
        return math.prod(self.rates)

    @property
    def halo(self) -> int:
        """Mel frames on either side that a frame's samples depend on, exactly.

        A chunk decoded with this much context on both sides has the whole's values in its middle.
        """
        first, last = needed_frames(self, 0, self.hop - 1)
        return max(-first, last)


BIGVGAN_44K = VocoderDims(
    mel_bands=128,
    channels=1536,
    rates=(8, 4, 2, 2, 2, 2),
    rate_kernels=(16, 8, 4, 4, 4, 4),
    block_kernels=(3, 7, 11),
    dilations=(1, 3, 5),
)
TINY_VOCODER = VocoderDims(
    mel_bands=128,
    channels=192,
    rates=(8, 8, 4, 2),
    rate_kernels=(16, 16, 8, 4),
    block_kernels=(3,),
    dilations=(1, 3, 9),
)
GOLDEN_VOCODER = VocoderDims(
    mel_bands=8,
    channels=8,
    rates=(4, 2),
    rate_kernels=(8, 4),
    block_kernels=(3, 5),
    dilations=(1, 3),
)


def needed_frames(dims: VocoderDims, first: int, last: int) -> tuple[int, int]:
    """Mel frames (first, last) that the samples first..last depend on, away from the ends.

    Walks the network backwards. Every reach is exact: no tap is zero.
    """
    first, last = _widened(first, last, OUTER_KERNEL // 2 + ACTIVATION_REACH)
    block = max(_block_reach(kernel, dims.dilations) for kernel in dims.block_kernels)
    for rate, kernel in reversed(tuple(zip(dims.rates, dims.rate_kernels, strict=True))):
        first, last = _widened(first, last, block)
        padding = (kernel - rate) // 2
        first, last = -((kernel - 1 - first - padding) // rate), (last + padding) // rate
    return _widened(first, last, OUTER_KERNEL // 2)


ACTIVATION_REACH = 5
"""Samples an anti-aliased activation reaches to either side: 3 up, then 2 or 3 phases down."""


def _widened(first: int, last: int, reach: int) -> tuple[int, int]:
    return first - reach, last + reach


def _block_reach(kernel: int, dilations: tuple[int, ...]) -> int:
    """Samples an AMP block reaches to either side: two activations and two convolutions a step."""
    return sum(2 * ACTIVATION_REACH + (kernel // 2) * (dilation + 1) for dilation in dilations)


def anti_aliasing_filter() -> Tensor:
    """The Kaiser-windowed sinc [12] of every activation, float32, sum 1."""
    attenuation = 2.285 * (PHASE_TAPS - 1) * math.pi * 4 * HALF_WIDTH + 7.95
    beta = 0.1102 * (attenuation - 8.7)
    window = torch.kaiser_window(FILTER_TAPS, periodic=False, beta=beta, dtype=torch.float64)
    times = torch.arange(FILTER_TAPS, dtype=torch.float64) - (FILTER_TAPS - 1) / 2
    taps = 2 * CUTOFF * window * torch.sinc(2 * CUTOFF * times)
    return (taps / taps.sum()).to(torch.float32)


class Filter(nn.Module):
    """Holder of one anti-aliasing filter under the checkpoint's key."""

    filter: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filter", anti_aliasing_filter().view(1, 1, -1))


class Downsampling(nn.Module):
    """Holder of the lowpass of the way down."""

    def __init__(self) -> None:
        super().__init__()
        self.lowpass = Filter()


class SnakeParameters(nn.Module):
    """Per channel, logarithmic: frequency alpha and inverse magnitude beta."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self._settled: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """`x + sin(e^alpha x)^2 / (e^beta + 1e-9)` for [B, C, 1, L]."""
        frequency, magnitude = self._settled or self._curve()
        wave = torch.sin(x * frequency)
        return x + wave * wave * magnitude

    def settle(self) -> None:
        """See `settled`."""
        self._settled = self._curve()

    def _curve(self) -> tuple[Tensor, Tensor]:
        """Frequency and magnitude of the wave, [C, 1, 1] each."""
        return self.alpha.exp()[:, None, None], 1 / (self.beta.exp()[:, None, None] + BETA_FLOOR)


class AntiAliasedSnake(nn.Module):
    """SnakeBeta between doubling and halving the rate, in polyphase form: [B, C, L] -> [B, C, L].

    One depthwise two-dimensional convolution per phase is the fastest exact form on the CPU, in
    onnxruntime and in torch: 8.3 ns per value and activation (one thread, 192 x 4096 values)
    against 11 for [B * C, 1, L] with two output channels, 11 grouped, 14 as banded matrix products
    and 19 as shifted sums; more than half of it is the sine.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.act = SnakeParameters(channels)
        self.upsample = Filter()
        self.downsample = Downsampling()
        self._settled: tuple[Tensor, ...] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Sharp at both ends: the signal and the doubled signal continue with their edge values."""
        known = self._settled
        padded = F.pad(x, (REACH, REACH), mode="replicate").unsqueeze(2)
        up_kernels = known[:2] if known else _up_kernels(self.upsample.filter)
        even, odd = (cast("Tensor", self.act(_depthwise(padded, kernel))) for kernel in up_kernels)
        before, after = even[..., :1].expand(-1, -1, -1, REACH), odd[..., -1:].expand(-1, -1, -1, REACH)
        even_kernel, odd_kernel = known[2:] if known else _down_kernels(self.downsample.lowpass.filter)
        down = _depthwise(torch.cat([before, even, after], -1), even_kernel)
        return (down + _depthwise(torch.cat([before, odd, after], -1), odd_kernel)).squeeze(2)

    def settle(self) -> None:
        """See `settled`."""
        up, down = _up_kernels(self.upsample.filter), _down_kernels(self.downsample.lowpass.filter)
        self._settled = tuple(kernel.clone() for kernel in (*up, *down))
        self.act.settle()


def _depthwise(x: Tensor, kernel: Tensor) -> Tensor:
    """The same kernel [7] over every channel of [B, C, 1, L + 6] -> [B, C, 1, L]."""
    channels = x.shape[1]
    return F.conv2d(x, kernel.expand(channels, 1, 1, -1), groups=channels)


def _up_kernels(taps: Tensor) -> tuple[Tensor, Tensor]:
    """Filter [1, 1, 12] -> kernels [7] over x[m-3..m+3] of samples 2m and 2m + 1 of the doubled signal."""
    flipped = 2 * taps.flatten().flip(0)
    return F.pad(flipped[0::2], (0, 1)), F.pad(flipped[1::2], (1, 0))


def _down_kernels(taps: Tensor) -> tuple[Tensor, Tensor]:
    """Filter [1, 1, 12] -> kernels [7] over both phases m-3..m+3 that sum to the halved sample m."""
    flat = taps.flatten()
    return F.pad(flat[1::2], (1, 0)), F.pad(flat[0::2], (0, 1))


class AmpBlock(nn.Module):
    """Residual steps of activation, dilated convolution, activation, convolution."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel // 2))
            for dilation in dilations
        )
        self.convs2 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, padding=kernel // 2) for _ in dilations
        )
        self.activations = nn.ModuleList(AntiAliasedSnake(channels) for _ in range(2 * len(dilations)))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, L] -> [B, C, L]."""
        steps = zip(self.activations[0::2], self.convs1, self.activations[1::2], self.convs2, strict=True)
        for before, dilated, between, plain in steps:
            x = x + plain(between(dilated(before(x))))
        return x


class Vocoder(nn.Module):
    """BigVGAN v2 without weight norm; see `fold_weight_norm` for checkpoints that have it."""

    def __init__(self, dims: VocoderDims) -> None:
        super().__init__()
        self.dims = dims
        widths = [dims.channels // 2**stage for stage in range(len(dims.rates) + 1)]
        padding = OUTER_KERNEL // 2
        self.conv_pre = nn.Conv1d(dims.mel_bands, dims.channels, OUTER_KERNEL, padding=padding)
        self.ups = nn.ModuleList(
            nn.ModuleList(
                [nn.ConvTranspose1d(wide, narrow, kernel, stride=rate, padding=(kernel - rate) // 2)]
            )
            for wide, narrow, rate, kernel in zip(
                widths, widths[1:], dims.rates, dims.rate_kernels, strict=False
            )
        )
        self.resblocks = nn.ModuleList(
            AmpBlock(width, kernel, dims.dilations) for width in widths[1:] for kernel in dims.block_kernels
        )
        self.activation_post = AntiAliasedSnake(widths[-1])
        self.conv_post = nn.Conv1d(widths[-1], 1, OUTER_KERNEL, padding=padding, bias=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Natural log-mel [B, bands, frames] -> waveform [B, 1, frames * hop], clamped to -1..1."""
        x = self.conv_pre(mel)
        parallel = len(self.dims.block_kernels)
        for stage, upsampling in enumerate(self.ups):
            x = cast("nn.ModuleList", upsampling)[0](x)
            first, *others = self.resblocks[parallel * stage : parallel * (stage + 1)]
            total = first(x)
            for block in others:
                total = total + block(x)
            x = total / parallel
        return cast("Tensor", self.conv_post(self.activation_post(x))).clamp(-1, 1)


@torch.no_grad()
def settled(vocoder: nn.Module) -> nn.Module:
    """The same vocoder; what its activations make of their weights, which must not change now, is kept.

    There is less to trace, and to fold afterwards: a third less time in all.
    """
    for module in vocoder.modules():
        if isinstance(module, AntiAliasedSnake):
            module.settle()
    return vocoder


def fold_weight_norm(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint in either weight-norm spelling, or in none -> plain weights, `g * v / ||v||` in float32.

    The norm runs over all dimensions but the first, which is the *input* channel of a transposed
    convolution.

    Raises:
        KeyError: a magnitude without its direction, or the reverse.
    """
    folded = {key: tensor for key, tensor in tensors.items() if _weight_norm_layer(key) is None}
    for magnitude, direction in WEIGHT_NORM_SPELLINGS:
        layers = {layer for key in tensors if (layer := _layer_of(key, (magnitude, direction)))}
        for layer in layers:
            v = tensors[f"{layer}.{direction}"].float()
            length = torch.linalg.vector_norm(v, dim=tuple(range(1, v.ndim)), keepdim=True)
            folded[f"{layer}.weight"] = tensors[f"{layer}.{magnitude}"].float() * v / length
    return folded


def _weight_norm_layer(key: str) -> str | None:
    return next((layer for names in WEIGHT_NORM_SPELLINGS if (layer := _layer_of(key, names))), None)


def _layer_of(key: str, names: tuple[str, str]) -> str | None:
    """The layer's name when the key ends with one of the names."""
    return next((key.removesuffix(f".{name}") for name in names if key.endswith(f".{name}")), None)
