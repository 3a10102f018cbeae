from __future__ import annotations

import numpy as np
import pytest

from models_onnx.bundle import MANIFEST_NAME
from plugin.engine.bundles import open_bundle
from plugin.engine.providers import Provider
from plugin.engine.sessions import Sessions, check_finite
from plugin.errors import (
    BundleCorrupt,
    BundleMissing,
    BundleTooNew,
    EngineError,
    ProviderUnavailable,
    UnexpectedOutput,
)


@pytest.fixture
def sessions(bundle):
    return Sessions.open(bundle, provider="cpu", threads=1)


def _tokens() -> dict[str, np.ndarray]:
    return {"tokens": np.zeros((1, 6), np.int64)}


def test_a_graph_is_loaded_at_its_first_use_only(sessions) -> None:
    assert sessions.loaded == frozenset()
    sessions.run("text_encoder", _tokens())
    sessions.run("text_encoder", _tokens())
    assert sessions.loaded == {"text_encoder"}
    assert (sessions.loads["text_encoder"], sessions.calls["text_encoder"]) == (1, 2)


def test_a_dropped_graph_is_loaded_again_when_needed(sessions) -> None:
    sessions.run("text_encoder", _tokens())
    sessions.drop("text_encoder", "flow")
    assert sessions.loaded == frozenset()
    sessions.run("text_encoder", _tokens())
    sessions.drop()
    assert sessions.loaded == frozenset()
    assert sessions.loads["text_encoder"] == 2


def test_a_changed_graph_is_not_loaded(sessions, bundle) -> None:
    path = bundle.path_of("text_encoder")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BundleCorrupt, match="text_encoder"):
        sessions.run("text_encoder", _tokens())
    assert sessions.loads["text_encoder"] == 0


def test_wrong_input_is_an_engine_error_that_names_the_graph(sessions) -> None:
    with pytest.raises(EngineError, match="run the text_encoder graph"):
        sessions.run("text_encoder", {"tokens": np.zeros((1, 7), np.int64)})


def test_a_file_that_is_no_graph_is_an_engine_error(sessions, monkeypatch, tmp_path) -> None:
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(b"not a graph")
    monkeypatch.setattr(type(sessions.bundle), "checked_path", lambda *_: rubbish)
    with pytest.raises(EngineError, match="load the flow graph"):
        sessions.run("flow", {})


def test_not_a_number_names_the_stage(sessions) -> None:
    images = np.full((1, 3, 8, 8), np.nan, np.float32)
    with pytest.raises(UnexpectedOutput, match="image_encoder"):
        sessions.run("image_encoder", {"images": images})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_every_kind_of_no_number_counts(bad: float) -> None:
    with pytest.raises(UnexpectedOutput, match="2 values"):
        check_finite(np.array([0.0, bad, bad]), stage="flow")


def test_a_session_that_fell_back_is_refused(bundle) -> None:
    sessions = Sessions(bundle, provider=Provider.CUDA, threads=1)
    with pytest.raises((ProviderUnavailable, EngineError)):
        sessions.run("text_encoder", _tokens())


def test_a_bundle_for_a_newer_runtime_is_told(toy, tmp_path) -> None:
    bundle = toy.make_toy_bundle(tmp_path / "new", onnxruntime_min="99.0")
    with pytest.raises(BundleTooNew, match=r"99\.0"):
        Sessions.open(bundle, provider="cpu")


def test_bundle_faults_are_told_in_our_words(bundle, tmp_path) -> None:
    with pytest.raises(BundleMissing):
        open_bundle(tmp_path / "nowhere")
    (bundle.folder / "flow.onnx").unlink()
    with pytest.raises(BundleCorrupt, match=r"flow\.onnx"):
        open_bundle(bundle.folder)


def test_a_newer_schema_is_told(bundle) -> None:
    manifest = bundle.folder / MANIFEST_NAME
    manifest.write_text(manifest.read_text("utf-8").replace('"schema": 1', '"schema": 99'), "utf-8")
    with pytest.raises(BundleTooNew):
        open_bundle(bundle.folder)
