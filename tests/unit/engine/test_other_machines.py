"""A bundle made on one machine is refused on another, in a sentence, or gives the same there."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from models_onnx.bundle import MANIFEST_NAME, Bundle
from models_onnx.versions import NEWEST_OPSET
from plugin.engine.bundle_errors import bundle_errors, refuse_unknown
from plugin.engine.cache import FeatureCache
from plugin.engine.engine import Engine
from plugin.errors import BundleCorrupt, BundleTooNew


def test_a_newer_schema_is_refused(bundle) -> None:
    path = bundle.folder / MANIFEST_NAME
    path.write_text(path.read_text("utf-8").replace('"schema": 1', '"schema": 2'), "utf-8")
    with (
        pytest.raises(BundleTooNew, match="schema 2; this version knows schemas up to 1") as caught,
        bundle_errors(),
    ):
        Bundle.open(bundle.folder)
    assert caught.value.remedy == "Update Sagafoley."


def test_a_newer_opset_is_refused_before_anything_is_loaded(toy, tmp_path) -> None:
    made = toy.make_toy_bundle(tmp_path / "newer", opset=NEWEST_OPSET + 1)
    with pytest.raises(BundleTooNew, match=f"opset {NEWEST_OPSET + 1}; this version runs opsets up to"):
        Engine.open(made, provider="cpu")


@pytest.mark.parametrize(
    ("installed", "needed", "refused"),
    [
        ("1.19.2", "1.20", True),
        ("1.20.0", "1.20", False),
        ("1.31.1", "1.20", False),
        ("1.31.1", "1.31.2", True),
        ("2.0.0", "1.20", False),
        ("1.9.0", "1.20", True),
    ],
)
def test_an_older_onnx_runtime_is_refused(toy, tmp_path, installed: str, needed: str, refused: bool) -> None:
    made = toy.make_toy_bundle(tmp_path / "made", onnxruntime_min=needed)
    if not refused:
        refuse_unknown(made, runtime=installed)
        return
    with pytest.raises(
        BundleTooNew, match=rf"needs ONNX Runtime {needed} or newer; {installed} is installed"
    ):
        refuse_unknown(made, runtime=installed)


@pytest.mark.parametrize("text", ["", "newest", "1", "1.x", "v1.20"])
def test_a_version_that_is_none_is_no_manifest(bundle, text: str) -> None:
    path = bundle.folder / MANIFEST_NAME
    path.write_text(
        path.read_text("utf-8").replace('"onnxruntime_min": "1.20"', f'"onnxruntime_min": "{text}"'), "utf-8"
    )
    with pytest.raises(BundleCorrupt, match="onnxruntime_min"), bundle_errors():
        Bundle.open(bundle.folder)


def _take(engine: Engine, footage) -> bytes:
    features = engine.features(footage, start=Fraction(0), frames=50)
    conditions = engine.conditions(features, frames=50, prompt="violin", negative_prompt="", guidance=3.0)
    x = engine.sample(conditions, np.ones((1, 87, 4), np.float32), steps=3, guidance=3.0)
    return np.concatenate(list(engine.vocode([engine.decode(x)]))).tobytes()


def test_a_copy_of_a_bundle_gives_the_same_bytes(bundle, toy, tmp_path) -> None:
    """And so do another engine, a cache that is filled, one that is not, and none."""
    import shutil

    copy = Bundle.open(shutil.copytree(bundle.folder, tmp_path / "elsewhere"))
    assert copy.digest == bundle.digest
    cache = FeatureCache(tmp_path / "features")
    takes = {
        _take(Engine.open(made, provider="cpu", threads=1, cache=held), toy.ToyFootage())
        for made in (bundle, copy)
        for held in (cache, cache, None)
    }
    assert len(takes) == 1
