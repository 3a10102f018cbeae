"""Models of the other kinds through the whole of the same export: larger ones, and those without masks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks.against_torch.footage import DrawnShot
from exporter.__main__ import OTHER_NAMES, main
from exporter.sizes import GOLDEN, SIZES, Sizes
from models_onnx.bundle import Bundle
from plugin.engine.engine import Engine
from plugin.render.rendering import Brief, synthesise

SAMPLES = 48_000
BRIEF = Brief("violin", "speech", steps=2, guidance=4.5, seed=1)
LARGER = dataclasses.replace(
    GOLDEN.flow, joint_blocks=GOLDEN.flow.joint_blocks + 1, fused_blocks=GOLDEN.flow.fused_blocks + 1
)


def _like(name: str) -> Sizes:
    """The golden sizes in what makes the published set of that name another than the first."""
    published = SIZES[OTHER_NAMES[name]]
    flow = LARGER if name.endswith("medium") else GOLDEN.flow
    return dataclasses.replace(
        GOLDEN, name=published.name, masked=published.masked, guidance=published.guidance, flow=flow
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["saganet-medium", "mmaudio-medium"])
def test_every_published_size_is_exported_by_the_same_code_and_sounds(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = _like(name)
    monkeypatch.setitem(SIZES, OTHER_NAMES[name], sizes)
    asked = [name, "--random-weights", "--provider", "coreml-safe", "-o", str(tmp_path / "bundle")]
    assert main(asked) == 0
    bundle = Bundle.open(tmp_path / "bundle")
    assert bundle.manifest.architecture == OTHER_NAMES[name]
    seen = [tensor.name for tensor in bundle.manifest.graphs["sync_encoder"].inputs]
    assert (seen == ["frames"]) is not sizes.masked
    engine = Engine.open(bundle, provider="cpu", threads=1)
    assert engine.looks_at_mattes is sizes.masked
    heard = np.concatenate(list(synthesise(engine, DrawnShot("one", "shot"), BRIEF, samples=SAMPLES)))
    assert heard.shape == (SAMPLES,)
    assert np.abs(heard).max() > 1e-3
