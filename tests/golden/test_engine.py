"""The whole engine on the golden bundle against stored sound.

`expected_engine.npz` was written by this file run as a program (`python tests/golden/test_engine.py`);
write it again only when the golden bundle or the rules of planning and joining change on purpose.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models_onnx.bundle import Bundle
from plugin.engine.engine import Engine
from plugin.render.planning import plan_windows
from plugin.render.rendering import Brief, synthesise

HERE = Path(__file__).parent
EXPECTED = HERE / "expected_engine.npz"
STRIDE = 101
"""Every 101st sample is stored: it falls on all phases of a frame and of a vocoder hop."""

CASES = {
    "borrowed": (9_600, Brief("violin", "", steps=4, guidance=3.0, seed=1)),
    "one": (96_001, Brief("a drum roll", "speech", steps=4, guidance=3.0, seed=2)),
    "plain": (48_048, Brief("", "", steps=4, guidance=1.0, seed=3)),
    "joined": (432_000, Brief("bell", "", steps=4, guidance=3.0, seed=4)),
}
"""Shorter than the shortest pass (0.2 s), one window (2 s), no guidance (1.001 s), five windows (9 s)."""


class Footage:
    """A disc on a ring, over a ground that darkens; its matte has a soft edge."""

    fingerprint = ""
    damaged = False

    def frames(self, times, *, late=()):
        for time in times:
            disc = _disc(time)[..., None]
            ground = np.array([150, 110, 70]) * (1 - 0.05 * time)
            yield np.clip(disc * np.array([240, 60, 90]) + (1 - disc) * ground, 0, 255).astype(np.uint8)

    def masks(self, times):
        for time in times:
            yield np.rint(_disc(time) * 255).astype(np.uint8)


def _disc(time: float) -> np.ndarray:
    rows, columns = np.mgrid[0:54, 0:96]
    distance = np.hypot(rows - 27 - 12 * np.sin(3 * time), columns - 48 - 25 * np.cos(3 * time))
    return np.clip(9 - distance, 0, 1)


def _open() -> Engine:
    return Engine.open(Bundle.open(HERE / "bundle"), provider="cpu", threads=1)


class NamedFootage(Footage):
    """The same, of which a window need not see again what the one before saw."""

    fingerprint = "disc"


def _sound(engine: Engine, case: str, footage: Footage | None = None) -> np.ndarray:
    samples, brief = CASES[case]
    return np.concatenate(list(synthesise(engine, footage or Footage(), brief, samples=samples)))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return _open()


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(EXPECTED) as stored:
        return {name: stored[name] for name in stored.files}


@pytest.mark.parametrize("case", CASES)
def test_the_engine_gives_the_stored_sound(engine, expected, case: str) -> None:
    sound = _sound(engine, case)
    assert len(sound) == CASES[case][0]
    assert sound.dtype == np.float32
    assert sound.std() > 0.05
    assert np.abs(sound[::STRIDE] - expected[case]).max() <= 1e-4


def test_the_cases_differ_in_their_windows(engine) -> None:
    plans = {case: plan_windows(CASES[case][0], engine.manifest) for case in CASES}
    assert plans["borrowed"].lead > 0
    assert [len(plans[case].windows) for case in CASES] == [1, 1, 1, 5]


def test_a_render_is_repeated_to_the_byte(engine) -> None:
    assert _sound(engine, "joined").tobytes() == _sound(_open(), "joined").tobytes()


def test_pictures_that_windows_share_change_no_byte(engine) -> None:
    alone, shared = _open(), _open()
    sound = _sound(alone, "joined")
    assert _sound(shared, "joined", NamedFootage()).tobytes() == sound.tobytes()
    assert shared.calls["image_encoder"] < alone.calls["image_encoder"]


if __name__ == "__main__":
    np.savez_compressed(EXPECTED, **{case: _sound(_open(), case)[::STRIDE] for case in CASES})
