"""The whole engine on ONNX graphs against the networks in torch: same pictures, words and noise."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from exporter.graphs import graphs_of
from exporter.models import flow as networks
from exporter.networks import RandomWeights
from exporter.sizes import GOLDEN
from models_onnx.bundle import Bundle
from plugin.engine.engine import Engine
from plugin.engine.flow import noise_rows
from plugin.engine.lengths import window_lengths
from plugin.engine.preprocess import (
    collect_masks,
    collect_pictures,
    segment_batches,
    slot_times,
    sync_clip,
    to_unit,
)
from plugin.engine.text import Tokenizer

BUNDLE = Path(__file__).parents[1] / "golden" / "bundle"
TOLERANCE = 1e-4


class Footage:
    """Noise, with a bright square as its matte."""

    fingerprint = ""
    damaged = False

    def frames(self, times, *, late=()):
        for time in times:
            rng = np.random.default_rng(round(float(time) * 1000))
            yield rng.integers(0, 256, (27, 48, 3), dtype=np.uint8)

    def masks(self, times):
        for time in times:
            mask = np.zeros((27, 48), np.uint8)
            mask[8:18, 10 + round(10 * float(time)) :][:, :12] = 255
            yield mask


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only lose by being split over threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.open(Bundle.open(BUNDLE), provider="cpu", threads=1)


@pytest.fixture(scope="module")
def modules() -> dict[str, nn.Module]:
    """Every graph's module in torch, by role, with the golden bundle's weights."""
    weights, built = RandomWeights(), {}
    for graph in graphs_of(GOLDEN):
        if graph.network not in built:
            built[graph.network] = weights.network(graph.network, GOLDEN)
    return {graph.role: graph.wrap(built[graph.network]).eval() for graph in graphs_of(GOLDEN)}


@torch.no_grad()
def _torch_sound(engine: Engine, modules: dict[str, nn.Module], frames: int, x0: np.ndarray) -> np.ndarray:
    spec, lengths = engine.manifest.picture, window_lengths(frames, engine.manifest)
    start = Fraction(0)
    slots = slot_times(start, rate=spec.clip_rate, count=lengths.clip_frames)
    pictures, small = collect_pictures(
        Footage(), start=start, clip_slots=slots, sync_frames=frames, spec=spec
    )
    clip = sync_clip(small, collect_masks(Footage(), start=start, sync_frames=frames, spec=spec), spec=spec)
    (batch,) = segment_batches(clip, spec=spec, size=1000)
    segments = (batch.frames, batch.mask, batch.detail_frames, batch.detail_mask)
    sync = modules["sync_encoder"](*map(torch.from_numpy, segments))
    images = modules["image_encoder"](torch.from_numpy(to_unit(pictures)))
    tokenizer = Tokenizer.load(engine.bundle)
    text, negative = (modules["text_encoder"](torch.from_numpy(tokenizer.ids(p))) for p in ("violin", "drum"))
    index = networks.upsample_index(lengths.sync_features, lengths.latents)
    flow = modules["flow"].network
    null = flow.null_conditions()
    wanted = flow.conditions(images[None], sync.reshape(1, -1, sync.shape[-1]), text, index)
    other = flow.conditions(
        null.clip.expand(1, lengths.clip_frames, -1),
        null.sync.expand(1, lengths.sync_features, -1),
        negative,
        index,
    )
    *_, x = networks.euler_steps(
        flow, torch.from_numpy(x0), wanted, unconditional=other, steps=6, guidance=3.0
    )
    return modules["vocoder"](modules["decoder"](flow.denormalise(x)))[0, 0].numpy()


def _engine_sound(engine: Engine, frames: int, x0: np.ndarray) -> np.ndarray:
    features = engine.features(Footage(), start=Fraction(0), frames=frames)
    conditions = engine.conditions(
        features, frames=frames, prompt="violin", negative_prompt="drum", guidance=3.0
    )
    x = engine.sample(conditions, x0, steps=6, guidance=3.0)
    return np.concatenate(list(engine.vocode([engine.decode(x)])))


@pytest.mark.parametrize("frames", [16, 25, 64])
def test_the_engine_sounds_like_torch(engine: Engine, modules: dict[str, nn.Module], frames: int) -> None:
    latents = window_lengths(frames, engine.manifest).latents
    x0 = noise_rows(11, channels=engine.manifest.latent.channels)(latents)[None]
    torchs = _torch_sound(engine, modules, frames, x0)
    ours = _engine_sound(engine, frames, x0)
    assert ours.shape == torchs.shape == (latents * engine.manifest.latent.hop,)
    assert torchs.std() > 0.05
    assert np.abs(ours - torchs).max() <= TOLERANCE
