"""`verify` of a finished bundle refuses what the runtime refuses, and claims that cannot be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from exporter.__main__ import main
from exporter.bundle_parity import Row, refuse_far
from exporter.errors import ExportError
from models_onnx.bundle import ROLES, Bundle, describe_files
from models_onnx.versions import NEWEST_OPSET

GOLDEN_BUNDLE = Path(__file__).parents[2] / "golden" / "bundle"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN_BUNDLE, tmp_path / "bundle"))


def _edit(folder: Path, change: Callable[[dict[str, Any]], object] = lambda m: None) -> None:
    """Change the manifest, which knows every file's hash afterwards."""
    path = folder / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    document["files"] = {name: asdict(file) for name, file in describe_files(folder).items()}
    change(document)
    path.write_text(json.dumps(document), "utf-8")


def _refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["verify", str(folder)]) == 2
    shown = capsys.readouterr()
    assert "whole" not in shown.out
    assert "unexpectedly" not in shown.err
    return shown.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(parity={}), f"manifest.json has no parity for {', '.join(ROLES)}."),
        (lambda m: m["parity"].pop("flow"), "manifest.json has no parity for flow."),
        (
            lambda m: m["parity"].update(flow=-1.0),
            "manifest.json has parity that is no distance (flow: -1.0).",
        ),
        (lambda m: m.update(opset=99), f"opset 99; this version runs opsets up to {NEWEST_OPSET}. Update"),
        (lambda m: m.update(onnxruntime_min="9.0"), "needs ONNX Runtime 9.0 or newer;"),
        (lambda m: m.update(opset=17), ".onnx is of ONNX opset 18; the manifest says 17. Export"),
        (
            lambda m: (m.update(eight_bit=dict.fromkeys(ROLES, 1.0)), m["parity"].update(flow=0.04)),
            "flow (at export) by 4.0e-02",
        ),
    ],
)
def test_a_claim_that_cannot_be_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], object], words: str
) -> None:
    _edit(folder, change)
    assert words in _refused(folder, capsys)


def test_eight_bits_are_allowed_for_in_the_image_tower_only(folder: Path) -> None:
    _edit(folder, lambda m: m.update(eight_bit=dict.fromkeys(ROLES, 1.0)))
    manifest = Bundle.open(folder).manifest
    refuse_far([Row("image_encoder", 0.04, None, None)], manifest)
    for role in set(ROLES) - {"image_encoder"}:
        with pytest.raises(ExportError, match=role):
            refuse_far([Row(role, 0.04, None, None)], manifest)


def test_a_tokenizer_that_is_none_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tokenizer.json").write_text("{}")
    _edit(folder)
    assert "tokenizer.json is no tokenizer. Export the bundle again." in _refused(folder, capsys)


def test_a_tokenizer_with_ids_that_no_text_tower_knows_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "tokenizer.json"
    document = json.loads(path.read_text("utf-8"))
    words = document["model"]["vocab"]
    document["model"]["vocab"] = {word: number + 100_000 for word, number in words.items()}
    path.write_text(json.dumps(document), "utf-8")
    _edit(folder)
    told = _refused(folder, capsys)
    assert "tokenizer.json gives ids up to 100519; the text tower knows 0 to 519. Export" in told


def test_a_tensor_of_another_type_than_the_graph_s_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _edit(folder, lambda m: m["graphs"]["decoder"]["inputs"][0].update(dtype="float16"))
    told = _refused(folder, capsys)
    assert "The graph decoder" in told
    assert "tensor(float16)" in told


def _null(folder: Path) -> dict[str, Any]:
    with np.load(folder / "null_conditions.npz") as stored:
        return dict(stored)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a | {"clip": np.array([object()], dtype=object)}, "does not hold the arrays it should"),
        (lambda a: {"clip": a["clip"], "sync": a["sync"]}, "does not hold the arrays it should"),
        (lambda a: a | {"sync": a["sync"][:-1]}, "has sync of the shape"),
        (lambda a: a | {"text": a["text"] * np.nan}, "has values in text that are no numbers"),
    ],
)
def test_null_features_that_the_runtime_does_not_read_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    np.savez(folder / "null_conditions.npz", allow_pickle=True, **change(_null(folder)))
    _edit(folder)
    told = _refused(folder, capsys)
    assert "null_conditions.npz" in told
    assert words in told


def test_null_features_that_are_no_archive_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "null_conditions.npz").write_bytes(b"PK\x03\x04 and nothing more")
    _edit(folder)
    assert "null_conditions.npz does not hold the arrays it should" in _refused(folder, capsys)


def test_a_graph_that_gives_no_numbers_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = onnx.load(str(folder / "decoder.onnx"))
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.raw_data:
            tensor.raw_data = np.full(len(tensor.raw_data) // 4, np.nan, "<f4").tobytes()
    (folder / "decoder.onnx").write_bytes(model.SerializeToString())
    _edit(folder)
    told = _refused(folder, capsys)
    assert (
        f"The graph decoder ({folder.resolve() / 'decoder.onnx'}) gives values that are no numbers." in told
    )


def test_a_whole_bundle_is_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _edit(folder)
    assert main(["verify", str(folder)]) == 0
    assert "whole" in capsys.readouterr().out
