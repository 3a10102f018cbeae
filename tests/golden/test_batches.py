"""How much goes through a graph at once, and what was cached, changes no take by more than rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models_onnx.bundle import Bundle
from plugin.engine.cache import FeatureCache
from plugin.engine.conditions import Batching
from plugin.engine.engine import Engine
from plugin.render.rendering import Brief, synthesise

BUNDLE = Path(__file__).parent / "bundle"
MOST = 1e-4
SAMPLES = 96_000
BRIEF = Brief("a drum roll", "speech", steps=4, guidance=3.0, seed=2)


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
