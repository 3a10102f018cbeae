"""How much goes through a graph at once, and what was cached, changes no take by more than rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.embedded import SceneFootage
from exporter.evaluation.cases import Material
from exporter.synth.generating import generate
from exporter.synth.settings import SceneSettings
from models_onnx.bundle import Bundle
from models_onnx.store import EMBEDDED, PACKAGED
from plugin.engine.cache import FeatureCache
from plugin.engine.conditions import Batching
from plugin.engine.engine import Engine
from plugin.render.rendering import Brief, synthesise

BUNDLE = Path(__file__).parent / "bundle"
MOST = 1e-4
SAMPLES = 96_000
BRIEF = Brief("a drum roll", "speech", steps=4, guidance=3.0, seed=2)
DRUM = SceneSettings(
    seconds=2.0, classes=("drum",), objects=(1, 1), silent_object=0.0, idle=0.0, extent=(0.2, 0.3)
)
HEARD = -40.0
"""Decibels of full scale that a drum's loudest sample is above."""


class Footage:
    """A bright bar that wanders over noise."""

    fingerprint = "bar"
    damaged = False

    def frames(self, times, *, late=()):
        ground = np.random.default_rng(3).integers(0, 160, (48, 64, 3), dtype=np.uint8)
        for time in times:
            picture = ground.copy()
            picture[:, self._place(time)] = 230
            yield picture

    def masks(self, times):
        for time in times:
            mask = np.zeros((48, 64), np.uint8)
            mask[8:40, self._place(time)] = 255
            yield mask

    @staticmethod
    def _place(time: float) -> slice:
        left = int(20 + 12 * np.sin(3 * time))
        return slice(left, left + 14)


def _sound(batching: Batching | None, *, there: bool = False, cache: FeatureCache | None = None):
    engine = Engine.open(Bundle.open(BUNDLE), provider="cpu", threads=1, cache=cache)
    engine.batching = batching or engine.batching
    engine.keeps_state = there
    return np.concatenate(list(synthesise(engine, Footage(), BRIEF, samples=SAMPLES)))


@pytest.fixture(scope="module")
def usual() -> np.ndarray:
    return _sound(None)


def test_the_same_bytes_again_with_and_without_a_cache(usual, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "features")
    for held in (None, cache, cache):
        assert _sound(None, cache=held).tobytes() == usual.tobytes()


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("batching", [Batching(1, 1, guidance=False), Batching(8, 7, guidance=True)])
def test_another_batch_gives_the_same_take(usual, batching: Batching, there: bool) -> None:
    found = _sound(batching, there=there)
    assert len(found) == SAMPLES
    assert np.linalg.norm(found - usual) <= MOST * np.linalg.norm(usual)


def _drum(batching: Batching | None, *, guidance: float):
    """A drawn drum, by the bundle that ships: its decoder makes large differences of small ones."""
    scene = generate(31, DRUM)
    footage = SceneFootage(Material(scene.frames, scene.mask(0)))
    engine = Engine.open(Bundle.open(PACKAGED / EMBEDDED), provider="cpu", threads=1)
    engine.batching = batching or engine.batching
    brief = Brief("drum", None, steps=engine.manifest.sampling.steps, guidance=guidance, seed=2)
    return np.concatenate(list(synthesise(engine, footage, brief, samples=SAMPLES)))


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_another_batch_gives_the_same_take_of_the_bundle_that_ships(guidance: float) -> None:
    usual = _drum(None, guidance=guidance)
    assert 20 * np.log10(np.abs(usual).max()) > HEARD
    found = _drum(Batching(1, 3, guidance=guidance > 1), guidance=guidance)
    assert np.linalg.norm(found - usual) <= MOST * np.linalg.norm(usual)
