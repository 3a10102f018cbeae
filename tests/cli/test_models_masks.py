"""`sagafoley models` and mask bundles: listed, verified, found, and never rendered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.cli import main
from tests.unit.models_onnx.graph_bytes import tiny_graph
from tests.unit.models_onnx.mask_bundles import make_mask_bundle


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_mask_bundle(tmp_path / "bundles" / "masks", name="sam2_tiny")
    monkeypatch.setenv("SAGAFOLEY_BUNDLES", str(folder.parent))
    return folder


def test_mask_bundles_are_listed_beside_the_others(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    printed = capsys.readouterr().out
    assert "embedded" in printed
    assert "sam2_tiny" in printed
    assert "Apache-2.0" in printed


def test_one_can_be_verified_by_name(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", "sam2_tiny"]) == 0
    assert "verified" in capsys.readouterr().out
    (bundle / "heads.onnx").write_bytes(tiny_graph("HEADS"))
    assert main(["models", "verify", "sam2_tiny"]) == 1
    assert "heads.onnx is damaged" in capsys.readouterr().err


def test_its_folder_can_be_asked_for(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "path", "sam2_tiny"]) == 0
    assert str(bundle) in capsys.readouterr().out.replace("\n", "")


def test_nothing_is_rendered_with_one(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", str(bundle)]) == 2
    printed = capsys.readouterr().err
    assert "makes masks, not sound" in printed
    assert "Name another bundle" in printed
