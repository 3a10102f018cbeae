"""The committed golden bundle gives what torch gave when it was recorded; needs no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from models_onnx.bundle import ROLES, Bundle

HERE = Path(__file__).parent
BUNDLE = Bundle.open(HERE / "bundle")


def _session(role: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(BUNDLE.checked_path(role)), options, providers=["CPUExecutionProvider"]
    )


def test_the_bundle_is_whole_and_small() -> None:
    BUNDLE.verify()
    files = [path for path in BUNDLE.folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 200_000
    assert {path.name for path in files} == {*BUNDLE.manifest.files, "manifest.json"}


@pytest.mark.parametrize("role", ROLES)
def test_graph_against_the_recording(role: str) -> None:
    spec = BUNDLE.manifest.graphs[role]
    with np.load(HERE / "graphs.npz") as stored:
        inputs = {tensor.name: stored[f"{role}/{tensor.name}"] for tensor in spec.inputs}
        wanted = [stored[f"{role}/{tensor.name}"] for tensor in spec.outputs]
    for tensor, value in zip(spec.inputs, inputs.values(), strict=True):
        assert value.dtype == tensor.dtype
    found = _session(role).run([tensor.name for tensor in spec.outputs], inputs)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == np.float32
        assert np.linalg.norm(ours - theirs) <= 1e-5 * np.linalg.norm(theirs)


def test_manifest_parity_is_within_the_tolerance() -> None:
    assert set(BUNDLE.manifest.parity) == set(ROLES)
    assert all(value <= 1e-5 for value in BUNDLE.manifest.parity.values())


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_the_machine_that_exported_it_is_inside(role: str) -> None:
    content = BUNDLE.path_of(role).read_bytes()
    for word in (b"site-packages", b"exporter", b"pkg.torch", b"torch.", b"/home", b".py"):
        assert word not in content
