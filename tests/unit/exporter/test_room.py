"""A disk that is certainly too full for a bundle is told before anything is made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from exporter.__main__ import main
from exporter.errors import ExportError
from exporter.networks import parameter_count
from exporter.room import least_bytes, refuse_full
from exporter.sizes import GOLDEN, SMALL, TINY, Sizes

ROOT = Path(__file__).parents[3]
GOLDEN_BUNDLE = ROOT / "tests" / "golden" / "bundle"


def _has_free(monkeypatch: pytest.MonkeyPatch, free: int) -> list[Path]:
    asked: list[Path] = []

    def usage(place: Path) -> SimpleNamespace:
        asked.append(place)
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return asked


@pytest.mark.parametrize(
    "arguments",
    [["golden"], ["sam2-golden"], ["owlv2-golden"], ["int8-images", str(GOLDEN_BUNDLE)]],
    ids=lambda arguments: arguments[0],
)
def test_a_full_disk_is_told_before_anything_is_made(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = _has_free(monkeypatch, 1000)
    assert main([*arguments, "-o", str(tmp_path / "new" / "bundle")]) == 2
    told = capsys.readouterr().err
    assert f"The disk of {tmp_path} has 0.0 MB free; the bundle takes " in told
    assert "or more. Make room there, or name a folder on another disk." in told
    assert asked == [tmp_path]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("precision", "least"), [("fp32", 4.9e9), ("fp16", 2.4e9)])
def test_the_published_size_needs_gigabytes(precision: str, least: float) -> None:
    assert least_bytes(parameter_count(SMALL), precision=precision) == pytest.approx(least, rel=0.05)


@pytest.mark.parametrize(
    ("folder", "sizes", "precision"),
    [("models_onnx/bundles/embedded", TINY, "fp16"), ("tests/golden/bundle", GOLDEN, "fp32")],
)
def test_no_bundle_is_smaller_than_what_is_asked_for(folder: str, sizes: Sizes, precision: str) -> None:
    manifest = json.loads((ROOT / folder / "manifest.json").read_text("utf-8"))
    found = sum(file["bytes"] for file in manifest["files"].values())
    assert manifest["precision"] == precision
    assert least_bytes(parameter_count(sizes), precision=precision) < found


def test_a_disk_that_does_not_tell_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    refuse_full(tmp_path, least=1 << 60)


def test_gigabytes_are_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _has_free(monkeypatch, 2_500_000_000)
    refuse_full(tmp_path, least=2_500_000_000)
    with pytest.raises(ExportError, match=r"has 2\.5 GB free; the bundle takes 4\.9 GB or more"):
        refuse_full(tmp_path, least=4_900_000_000)
