"""A vocoder at the mel's own rate: a spectrum per frame, made consistent, then added up.

Three steps. A least-squares spread turns mel bands into magnitudes; a small convolutional trunk (in
the manner of Vocos, Siuzdak 2023) corrects them and proposes phases; rounds of fast Griffin-Lim
(Perraudin 2013) make neighbouring frames agree. With the trunk's first weights, whose corrections are
zero, the whole is plain Griffin-Lim: training starts from a decoder that works.

Fourier transforms are two small matrix products each (Cooley-Tukey, fft = n1 * n2), framing and
overlap-add are slices and sums, so the graph needs nothing beyond opset 18's plain operators and runs
on every provider. Bins lie in the order of that factorisation inside; the Nyquist bin is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from exporter.models.mel import MelDims, mel_basis

EPS = 1e-8
"""Floor of divisors. As a floor, not added: export takes the sum with so small a number for the number."""
SMALLEST_POWER = 1e-18
LARGEST_CORRECTION = 6.0
"""Nepers."""
ROUNDS_TOLERANCE = 1e-3
"""Relative L2 by which two exact implementations may differ: every round enlarges rounding in bins whose
phase hardly matters, most of all on noise that no signal has as its spectrum (measured: 1e-4)."""
MOMENTUM = 0.99
SMALLEST_ENVELOPE = 1e-2
OUTER_KERNEL = 7


@dataclass(frozen=True, slots=True)
class VocosDims:
    """All sizes of the vocoder.

    Attributes:
        mel_bands, sample_rate, hop: of the log-mel; its window is `fft = 4 * hop` samples.
        width, hidden, blocks: of the trunk; every block has a convolution over `OUTER_KERNEL` frames.
        spreads: rounds of the least-squares spread from bands to bins.
        refinements: rounds of Griffin-Lim.
    """

    mel_bands: int
    sample_rate: int
    hop: int
    width: int
    hidden: int
    blocks: int
    spreads: int
    refinements: int

    @property
    def fft(self) -> int:
        """Samples of a window and of its transform."""
        return 4 * self.hop

    @property
    def bins(self) -> int:
        """Frequencies of a spectrum, Nyquist left out."""
        return self.fft // 2

    @property
    def mel(self) -> MelDims:
        """The layout of the log-mel."""
        rate = self.sample_rate
        return MelDims(rate, fft=self.fft, hop=self.hop, bands=self.mel_bands, low=0.0, high=rate / 2)

    @property
    def halo(self) -> int:
        """Mel frames on either side that a frame's samples depend on, exactly.

        Every refinement reaches three frames, the trunk half a kernel per convolution, the sum of
        overlapping windows two frames.
        """
        return 3 * self.refinements + (OUTER_KERNEL // 2) * (1 + self.blocks) + 2


TINY_VOCOS = VocosDims(
    mel_bands=128,
    sample_rate=44100,
    hop=512,
    width=64,
    hidden=192,
    blocks=2,
    spreads=8,
    refinements=12,
)
GOLDEN_VOCOS = VocosDims(
    mel_bands=8, sample_rate=1600, hop=8, width=8, hidden=12, blocks=1, spreads=2, refinements=2
)


class Fourier(nn.Module):
    """The transform of real frames [..., fft] and its inverse, as matrix products.

    Sample n = n2_size * a + b, bin k = c + n1_size * d: a transform over a, a twiddle, a transform over
    b. Spectra are [..., n1, n2]: for every c the real parts of all d, then the imaginary ones.
    """

    first: Tensor
    second: Tensor
    inverse_first: Tensor
    inverse_second: Tensor
    twiddle_cos: Tensor
    twiddle_sin: Tensor

    def __init__(self, fft: int) -> None:
        super().__init__()
        power = fft.bit_length() - 1
        self.n1, self.n2 = 2 ** (power // 2), 2 ** (power - power // 2)
        n1, n2 = self.n1, self.n2
        angle1 = 2 * math.pi / n1 * torch.outer(*(torch.arange(n1, dtype=torch.float64),) * 2)
        angle2 = 2 * math.pi / n2 * torch.outer(*(torch.arange(n2, dtype=torch.float64),) * 2)[:, : n2 // 2]
        turn = 2 * math.pi / fft * torch.outer(*(torch.arange(n, dtype=torch.float64) for n in (n1, n2)))
        cos1, sin1, cos2, sin2 = angle1.cos(), angle1.sin(), angle2.cos(), angle2.sin()
        weight = torch.full((n1, n2 // 2), 2 / fft, dtype=torch.float64)
        weight[0, 0] = 1 / fft
        tables = {
            "first": torch.cat([cos1, -sin1]),
            "second": torch.cat([torch.cat([cos2, -sin2], 1), torch.cat([sin2, cos2], 1)]),
            "inverse_second": torch.cat([torch.cat([cos2, sin2]).T, torch.cat([-sin2, cos2]).T]),
            "inverse_first": torch.cat([cos1, -sin1], 1),
            "twiddle_cos": turn.cos(),
            "twiddle_sin": turn.sin(),
            "weight": torch.cat([weight, weight], 1),
        }
        for name, table in tables.items():
            self.register_buffer(name, table.float(), persistent=False)

    def transform(self, frames: Tensor) -> Tensor:
        """[..., fft] -> spectra [..., n1, n2]."""
        inner = self.first @ frames.unflatten(-1, (self.n1, self.n2))
        real, imaginary = inner.chunk(2, -2)
        turned = torch.cat(
            [
                real * self.twiddle_cos + imaginary * self.twiddle_sin,
                imaginary * self.twiddle_cos - real * self.twiddle_sin,
            ],
            -1,
        )
        return turned @ self.second

    def invert(self, spectra: Tensor) -> Tensor:
        """Spectra [..., n1, n2] -> real frames [..., fft]."""
        inner = (spectra * self.get_buffer("weight")) @ self.inverse_second
        real, imaginary = inner.chunk(2, -1)
        turned = torch.cat(
            [
                real * self.twiddle_cos - imaginary * self.twiddle_sin,
                imaginary * self.twiddle_cos + real * self.twiddle_sin,
            ],
            -2,
        )
        return (self.inverse_first @ turned).flatten(-2)

    def order(self) -> Tensor:
        """Frequency index of every place [n1 * n2 / 2] of a spectrum's real half."""
        return (torch.arange(self.n1)[:, None] + self.n1 * torch.arange(self.n2 // 2)[None]).flatten()


class Overlap(nn.Module):
    """Windowed frames of a signal and back: [B, frames, fft] and [B, (frames + 3) * hop]."""

    window: Tensor

    def __init__(self, fft: int) -> None:
        super().__init__()
        self.hop = fft // 4
        self.register_buffer("window", torch.hann_window(fft), persistent=False)

    def cut(self, signal: Tensor) -> Tensor:
        """Windowed frames of a signal."""
        parts = signal.unflatten(1, (-1, self.hop))
        count = parts.shape[1] - 3
        return torch.cat([parts[:, shift : shift + count] for shift in range(4)], -1) * self.window

    def add(self, frames: Tensor) -> Tensor:
        """The signal whose frames are nearest to these in the mean square."""
        envelope = self._sum(torch.ones_like(frames[:1]) * self.window.square())
        return self._sum(frames * self.window) / envelope.clamp(min=SMALLEST_ENVELOPE)

    def _sum(self, frames: Tensor) -> Tensor:
        quarters = frames.unflatten(2, (4, self.hop)).unbind(2)
        padded = [F.pad(one, (0, 0, shift, 3 - shift)) for shift, one in enumerate(quarters)]
        return (padded[0] + padded[1] + padded[2] + padded[3]).flatten(1)


class Spread(nn.Module):
    """Magnitudes of all bins that explain the mel bands: non-negative least squares, some rounds of it."""

    basis: Tensor
    of_bands: Tensor
    of_bins: Tensor

    def __init__(self, dims: VocosDims, order: Tensor) -> None:
        super().__init__()
        self.rounds = dims.spreads
        basis = mel_basis(dims.mel)[:, :-1][:, order].float()
        self.register_buffer("basis", basis, persistent=False)
        self.register_buffer("of_bands", basis.sum(1).clamp(min=EPS), persistent=False)
        self.register_buffer("of_bins", basis.sum(0).clamp(min=EPS), persistent=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Natural log-mel [B, frames, bands] -> magnitudes [B, frames, bins]."""
        bands = mel.exp()
        magnitude = (bands / self.of_bands) @ self.basis / self.of_bins
        wanted = bands @ self.basis
        for _ in range(self.rounds):
            explained = (magnitude @ self.basis.T) @ self.basis
            magnitude = magnitude * wanted / explained.clamp(min=EPS)
        return magnitude


class TrunkBlock(nn.Module):
    """ConvNeXt over time: depthwise convolution, norm, two linear layers, a scale that starts small."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.over_time = nn.Conv1d(width, width, OUTER_KERNEL, padding=OUTER_KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.wide = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        """[B, frames, width] to the same."""
        mixed = self.over_time(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * cast("Tensor", self.narrow(F.gelu(self.wide(self.norm(mixed)))))


class Trunk(nn.Module):
    """Log-mel to corrections of the magnitudes and to phases."""

    def __init__(self, dims: VocosDims) -> None:
        super().__init__()
        self.enter = nn.Conv1d(dims.mel_bands, dims.width, OUTER_KERNEL, padding=OUTER_KERNEL // 2)
        self.norm = nn.LayerNorm(dims.width)
        self.blocks = nn.ModuleList(TrunkBlock(dims.width, dims.hidden) for _ in range(dims.blocks))
        self.leave = nn.LayerNorm(dims.width)
        self.magnitude = nn.Linear(dims.width, dims.bins)
        self.phase = nn.Linear(dims.width, 2 * dims.bins)
        nn.init.zeros_(self.magnitude.weight)
        nn.init.zeros_(self.magnitude.bias)
        nn.init.normal_(self.phase.weight, std=1e-3)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[B, frames, bands] -> correction in nepers, cosine and sine (not normalised), each [.., bins]."""
        # Silence is -11.5: brought to the range that layers expect.
        x = self.norm(self.enter((mel + 5).transpose(1, 2) / 3).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        x = self.leave(x)
        cosine, sine = self.phase(x).chunk(2, -1)
        correction = LARGEST_CORRECTION * torch.tanh(self.magnitude(x) / LARGEST_CORRECTION)
        return correction, cosine, sine


class Vocos(nn.Module):
    """See the module. Keys: `trunk.*`; all tables are computed."""

    def __init__(self, dims: VocosDims) -> None:
        super().__init__()
        self.dims = dims
        self.fourier = Fourier(dims.fft)
        self.overlap = Overlap(dims.fft)
        order = self.fourier.order()
        self.spread = Spread(dims, order)
        self.trunk = Trunk(dims)
        # A pulse in the middle of the window: the phase of bin k is k * pi.
        self.trunk.phase.bias.data = torch.cat([1.0 - 2.0 * (order % 2), torch.zeros(dims.bins)])

    def spectrum(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Log-mel [B, bands, frames] -> magnitude [B, frames, bins] and unit spectra [B, frames, n1, n2].

        Bins are in the transform's own order (`Fourier.order`).
        """
        turned = mel.transpose(1, 2)
        correction, cosine, sine = self.trunk(turned)
        magnitude = self.spread(turned) * correction.exp()
        length = (cosine.square() + sine.square()).clamp(min=EPS).sqrt()
        return magnitude, torch.cat([self._grid(cosine / length), self._grid(sine / length)], -1)

    def forward(self, mel: Tensor) -> Tensor:
        """Natural log-mel [B, bands, frames] -> waveform [B, 1, frames * hop], clamped to -1..1."""
        magnitude, unit = self.spectrum(mel)
        grid = self._grid(magnitude)
        wanted = torch.cat([grid, grid], -1)
        spectra = self.refine(wanted, wanted * unit)
        return self.sound(spectra).clamp(-1, 1).unsqueeze(1)

    def refine(self, wanted: Tensor, spectra: Tensor) -> Tensor:
        """Rounds of fast Griffin-Lim: spectra that belong to a signal, with the wanted magnitudes."""
        before = spectra
        for _ in range(self.dims.refinements):
            signal = self.overlap.add(self.fourier.invert(spectra))
            projected = self.fourier.transform(self.overlap.cut(signal))
            ahead = projected + MOMENTUM * (projected - before)
            real, imaginary = ahead.chunk(2, -1)
            length = (real.square() + imaginary.square()).clamp(min=SMALLEST_POWER).sqrt()
            spectra = wanted * torch.cat([real / length, imaginary / length], -1)
            before = projected
        return spectra

    def sound(self, spectra: Tensor) -> Tensor:
        """Spectra [B, frames, n1, n2] -> waveform [B, frames * hop]: the mel's padding is cut off."""
        signal = self.overlap.add(self.fourier.invert(spectra))
        margin = (self.dims.fft - self.dims.hop) // 2
        return signal[:, margin : signal.shape[1] - margin]

    def _grid(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (self.fourier.n1, -1))
