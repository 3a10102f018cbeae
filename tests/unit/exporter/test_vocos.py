"""The vocoder at the mel's rate: exact transforms, Griffin-Lim to begin with, a graph like torch."""

import dataclasses

import numpy as np
import onnxruntime
import pytest
import torch

from exporter import lowering
from exporter.graphs import graphs_of
from exporter.models.mel import log_mel
from exporter.models.vocos import GOLDEN_VOCOS, TINY_VOCOS, Fourier, Overlap, Vocos
from exporter.sizes import GOLDEN, TINY
from exporter.training.sounding import loud_error

GOLDEN_TOO = dataclasses.replace(GOLDEN, vocoder=GOLDEN_VOCOS)


@pytest.mark.parametrize("fft", [32, 512, 2048])
def test_transform_is_fouriers(fft):
    fourier = Fourier(fft)
    frames = torch.randn(3, fft, dtype=torch.float64, generator=torch.Generator().manual_seed(fft)).float()
    spectra = fourier.transform(frames)
    real, imaginary = (part.flatten(1) for part in spectra.chunk(2, -1))
    wanted = torch.fft.rfft(frames.double())[:, fourier.order()]
    assert torch.allclose(torch.complex(real, imaginary).cdouble(), wanted, atol=2e-4)
    full = torch.fft.rfft(frames.double())
    full[:, -1] = 0
    assert torch.allclose(fourier.invert(spectra).double(), torch.fft.irfft(full), atol=1e-5)


def test_overlapping_frames_add_up_to_the_signal():
    overlap = Overlap(64)
    signal = torch.randn(2, 16 * 16, generator=torch.Generator().manual_seed(0))
    frames = overlap.cut(signal)
    assert frames.shape == (2, 13, 64)
    again = overlap.add(frames)
    assert torch.allclose(again[:, 16:-16], signal[:, 16:-16], atol=1e-5)


def _tones():
    t = torch.arange(110 * 512) / 44100
    after = (t - 0.2).clamp(min=0)
    partials = ((523.3, 0.1, 0.9), (1255.1, 0.05, 0.5), (2039.2, 0.04, 0.4), (4311.0, 0.03, 0.3))
    wave = sum(a * torch.sin(2 * torch.pi * f * t) * torch.exp(-after / d) for f, a, d in partials)
    return (wave * (t > 0.2))[None]


@pytest.mark.parametrize(("refinements", "most"), [(12, 3.0), (32, 2.2)])
def test_an_untrained_network_inverts_tonal_mels(refinements, most):
    vocoder = Vocos(dataclasses.replace(TINY_VOCOS, refinements=refinements)).eval()
    mel = log_mel(_tones())
    with torch.no_grad():
        audio = vocoder(mel)
    assert audio.shape == (1, 1, mel.shape[2] * 512)
    assert loud_error(log_mel(audio[:, 0]), mel) < most


def test_silence_stays_silent():
    with torch.no_grad():
        audio = Vocos(TINY_VOCOS).eval()(torch.full((1, 128, 12), float(np.log(1e-5))))
    assert audio.abs().max() < 1e-3


def test_the_halo_is_exact():
    vocoder = Vocos(GOLDEN_VOCOS).eval()
    torch.nn.init.normal_(vocoder.trunk.magnitude.weight, std=0.3)
    halo, hop = GOLDEN_VOCOS.halo, GOLDEN_VOCOS.hop
    mel = torch.randn(1, 8, 6 * halo, generator=torch.Generator().manual_seed(3)) - 4
    changed = mel.clone()
    place = 3 * halo
    changed[..., place] += 1
    with torch.no_grad():
        difference = (vocoder(mel) - vocoder(changed)).abs()[0, 0].unflatten(0, (-1, hop)).amax(1)
    touched = torch.nonzero(difference > 0).flatten()
    assert place - halo <= touched.min() <= place
    assert place <= touched.max() <= place + halo


def test_size():
    count = sum(parameter.numel() for parameter in Vocos(TINY_VOCOS).parameters())
    assert count < 1_500_000
    assert TINY.vocoder == TINY_VOCOS


def test_the_graph_is_torchs(tmp_path):
    graph = next(one for one in graphs_of(GOLDEN_TOO) if one.role == "vocoder")
    vocoder = Vocos(GOLDEN_VOCOS).eval()
    torch.nn.init.normal_(vocoder.trunk.magnitude.weight, std=0.1)
    mel = torch.randn(2, 8, 20, generator=torch.Generator().manual_seed(5)) - 4
    path = tmp_path / "vocoder.onnx"
    lowering.save(lowering.lower(vocoder, graph.spec, (mel,), compact=True), path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for frames in (5, 31):
        silent_start = torch.cat([torch.full((1, 8, 3), -11.5), torch.randn(1, 8, frames) - 4], -1)
        (found,) = session.run(None, {"mel": silent_start.numpy()})
        with torch.no_grad():
            wanted = vocoder(silent_start).numpy()
        assert found.shape == wanted.shape == (1, 1, (frames + 3) * 8)
        assert np.linalg.norm(found - wanted) < 1e-4 * np.linalg.norm(wanted)
