"""Waveform to natural log-mel, the input of the VAE encoder (spec section 6, mel front end)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

MAGNITUDE_EPS = 1e-9
FLOOR = 1e-5
HERTZ_PER_MEL = 200 / 3
LOG_START_HERTZ = 1000.0
LOG_START_MEL = LOG_START_HERTZ / HERTZ_PER_MEL
LOG_STEP = math.log(6.4) / 27
"""Slaney's scale: linear below 1 kHz, above it 27 mel for every factor 6.4."""


@dataclass(frozen=True, slots=True)
class MelDims:
    """A mel spectrogram's layout.

    Attributes:
        sample_rate: Hz.
        fft: samples of a window (Hann, periodic) and of its transform.
        hop: samples between frames.
        bands: mel bands from `low` to `high` Hz.
    """

    sample_rate: int
    fft: int
    hop: int
    bands: int
    low: float
    high: float


MEL_44K = MelDims(sample_rate=44100, fft=2048, hop=512, bands=128, low=0.0, high=22050.0)


def hertz_to_mel(hertz: float) -> float:
    """Slaney's mel scale."""
    if hertz < LOG_START_HERTZ:
        return hertz / HERTZ_PER_MEL
    return LOG_START_MEL + math.log(hertz / LOG_START_HERTZ) / LOG_STEP


def mel_to_hertz(mel: float) -> float:
    """Inverse of `hertz_to_mel`."""
    if mel < LOG_START_MEL:
        return mel * HERTZ_PER_MEL
    return LOG_START_HERTZ * math.exp((mel - LOG_START_MEL) * LOG_STEP)


def mel_basis(dims: MelDims) -> Tensor:
    """Triangular filters of unit area (Slaney), float64 [bands, fft / 2 + 1]."""
    low, high = hertz_to_mel(dims.low), hertz_to_mel(dims.high)
    step = (high - low) / (dims.bands + 1)
    corners = torch.tensor(
        [mel_to_hertz(low + index * step) for index in range(dims.bands + 2)], dtype=torch.float64
    )
    bins = torch.linspace(0, dims.sample_rate / 2, dims.fft // 2 + 1, dtype=torch.float64)
    left, centre, right = (corners[index : index + dims.bands, None] for index in range(3))
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0) * (2 / (right - left))


def magnitudes(wave: Tensor, dims: MelDims) -> Tensor:
    """Waveform [B, samples] -> STFT magnitudes [B, fft / 2 + 1, samples / hop]."""
    margin = (dims.fft - dims.hop) // 2
    padded = F.pad(wave.clamp(-1, 1).unsqueeze(1), (margin, margin), mode="reflect").squeeze(1)
    window = torch.hann_window(dims.fft, dtype=wave.dtype, device=wave.device)
    spectrum = torch.stft(
        padded, dims.fft, dims.hop, window=window, center=False, return_complex=True, onesided=True
    )
    return (spectrum.real.pow(2) + spectrum.imag.pow(2) + MAGNITUDE_EPS).sqrt()


def log_mel(wave: Tensor, dims: MelDims = MEL_44K) -> Tensor:
    """Waveform [B, samples], -1..1, longer than (fft - hop) / 2 -> log-mel [B, bands, samples / hop]."""
    basis = mel_basis(dims).to(wave)
    return (basis @ magnitudes(wave, dims)).clamp(min=FLOOR).log()
