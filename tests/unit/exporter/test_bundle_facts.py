"""A manifest says what an export of its architecture writes, and nothing that cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from exporter.__main__ import main
from exporter.bundle_facts import sound_facts
from exporter.sizes import SIZES
from models_onnx.bundle import Bundle

ROOT = Path(__file__).parents[3]
GOLDEN_BUNDLE = ROOT / "tests" / "golden" / "bundle"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN_BUNDLE, tmp_path / "bundle"))


def _set(folder: Path, field: str, value: Any) -> None:
    """Change one field of the manifest, such as "latent.std.0"."""
    path = folder / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    part, names = document, field.split(".")
    for name in names[:-1]:
        part = part[int(name) if isinstance(part, list) else name]
    part[int(names[-1]) if isinstance(part, list) else names[-1]] = value
    path.write_text(json.dumps(document), "utf-8")


def _refused(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["verify", str(folder), *options]) == 2
    shown = capsys.readouterr()
    assert "whole" not in shown.out
    assert "unexpectedly" not in shown.err
    return shown.err


@pytest.mark.parametrize(
    ("field", "value", "row"),
    [
        ("sample_rate", 44100, "| sample_rate | 1600 | 44100 |"),
        ("picture.clip_rate", 9, "| picture.clip_rate | 8 | 9 |"),
        ("picture.clip_size", 8192, "| picture.clip_size | 18 | 8192 |"),
        ("picture.sync_rate", 24, "| picture.sync_rate | 25 | 24 |"),
        ("picture.sync_size", 32, "| picture.sync_size | 16 | 32 |"),
        ("picture.segment_frames", 15, "| picture.segment_frames | 16 | 15 |"),
        ("picture.segment_step", 3, "| picture.segment_step | 8 | 3 |"),
        ("picture.segment_features", 4, "| picture.segment_features | 8 | 4 |"),
        ("picture.resize", "center_crop", "| picture.resize | squash | center_crop |"),
        ("picture.crop_min", 1, "| picture.crop_min | 4 | 1 |"),
        ("picture.box_threshold", 0.25, "| picture.box_threshold | 0.5 | 0.25 |"),
        ("text.length", 50, "| text.length | 8 | 50 |"),
        ("text.start_id", 2**30, "| text.start_id | 518 | 1073741824 |"),
        ("text.end_id", 0, "| text.end_id | 519 | 0 |"),
        ("text.pad_id", 519, "| text.pad_id | 0 | 519 |"),
        ("latent.hop", 7, "| latent.hop | 16 | 7 |"),
        ("vocoder.mel_bands", 9, "| vocoder.mel_bands | 8 | 9 |"),
        ("vocoder.mel_hop", 99, "| vocoder.mel_hop | 8 | 99 |"),
        ("vocoder.halo", 0, "| vocoder.halo | 17 | 0 |"),
        ("window.min_frames", 17, "| window.min_frames | 16 | 17 |"),
        ("window.train_frames", 65, "| window.train_frames | 64 | 65 |"),
        ("window.multiple_frames", 7, "| window.multiple_frames | 1 | 7 |"),
    ],
)
def test_what_the_architecture_decides_must_be_equal(
    folder: Path, capsys: pytest.CaptureFixture[str], field: str, value: Any, row: str
) -> None:
    _set(folder, field, value)
    told = _refused(folder, capsys)
    assert f"manifest.json is not what an export of golden writes: {field}. Export the bundle again." in told
    assert f"| field | expected | found |\n|---|---|---|\n{row}\n" in told


@pytest.mark.parametrize(
    ("field", "value", "row"),
    [
        ("latent.std.0", 1e-300, "| latent.std[0] | 1e-06 to 10000 | 1e-300 |"),
        ("latent.mean.2", -1e5, "| latent.mean[2] | -10000 to 10000 | -100000.0 |"),
        ("sampling.guidance", 1000, "| sampling.guidance | 0 to 50 | 1000.0 |"),
        ("sampling.steps", 16384, "| sampling.steps | 1 to 1000 | 16384 |"),
        (
            "sources",
            [{"file": "flow.pth", "sha256": "?"}],
            "| sources[0].sha256 | 64 hexadecimal digits | '?' |",
        ),
        ("title", " ", "| title | a name | nothing |"),
        ("licence.name", "", "| licence.name | a name | nothing |"),
        ("eight_bit", {"image_encoder": 0.0}, "| eight_bit.image_encoder | 0.999 to 1 | 0.0 |"),
        ("eight_bit", {"image_encoder": 0.9989}, "| eight_bit.image_encoder | 0.999 to 1 | 0.9989 |"),
        ("eight_bit", {"image_encoder": 1.5}, "| eight_bit.image_encoder | 0.999 to 1 | 1.5 |"),
    ],
)
def test_what_is_trained_or_measured_must_be_possible(
    folder: Path, capsys: pytest.CaptureFixture[str], field: str, value: Any, row: str
) -> None:
    _set(folder, field, value)
    assert row in _refused(folder, capsys)


def test_weights_at_hand_make_no_difference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _set(folder, "vocoder.mel_hop", 99)
    assert "| vocoder.mel_hop | 8 | 99 |" in _refused(folder, capsys, "--random-weights")


def test_many_fields_are_counted_in_the_sentence_and_listed_in_the_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _set(folder, "architecture", "tiny")
    told = _refused(folder, capsys)
    assert "writes: sample_rate, latent.channels, latent.hop, picture.clip_rate and " in told
    assert "| text.end_id | 1023 | 519 |" in told


def test_an_architecture_that_nobody_knows_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _set(folder, "architecture", "huge")
    told = _refused(folder, capsys)
    assert (
        "The bundle golden has the architecture huge, which is unknown here. Update Sagafoley; it knows"
        in told
    )


@pytest.mark.parametrize("path", ["models_onnx/bundles/embedded", "tests/golden/bundle"])
def test_our_own_bundles_say_nothing_else(path: str) -> None:
    manifest = Bundle.open(ROOT / path).manifest
    assert manifest.architecture in SIZES
    assert sound_facts(manifest) == ()


def test_what_was_trained_may_differ(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for field, value in (
        ("sampling.steps", 50),
        ("sampling.guidance", 0.0),
        ("latent.std.1", 0.001),
        ("latent.mean.1", -12.0),
        ("title", "Another"),
        ("eight_bit", {"image_encoder": 0.999}),
    ):
        _set(folder, field, value)
    assert main(["verify", str(folder)]) == 0
    assert "whole" in capsys.readouterr().out
