"""An image tower of 8 bits: made where it is as good and quicker, else refused and nothing written."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from exporter import int8_images
from exporter.__main__ import main
from exporter.bundle_parity import measure, refuse_far
from exporter.errors import ExportError
from exporter.int8_images import drawn_pictures, make_int8_images
from models_onnx.bundle import Bundle, write_manifest
from plugin.render.provenance import EngineFacts

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle"
SMALL_WEIGHTS = 64
"""The golden tower's weights are far below what is worth rounding in earnest."""


@pytest.fixture
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tower so small is neither quicker nor as exact; what is made of it is the same."""
    monkeypatch.setattr(int8_images, "LEAST_GAIN", 0.0)
    monkeypatch.setattr(int8_images, "LEAST_COSINE", 0.99)
    monkeypatch.setattr(int8_images, "TOLERANCE", 0.15)


def _made(target: Path, said: list[str] | None = None) -> Bundle:
    say = [].append if said is None else said.append
    return make_int8_images(Bundle.open(GOLDEN), target, say=say, large=SMALL_WEIGHTS)


def _features(bundle: Bundle) -> np.ndarray:
    path = bundle.checked_path(bundle.manifest.graphs["image_encoder"].file)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": drawn_pictures(bundle.manifest.picture.clip_size)})[0]


@pytest.mark.usefixtures("easy")
def test_the_features_stay_and_the_bundle_tells_itself_apart(tmp_path: Path) -> None:
    said: list[str] = []
    bundle, whole = _made(tmp_path / "made", said), Bundle.open(GOLDEN)
    bundle.verify()
    found, wanted = _features(bundle), _features(whole)
    cosine = (found * wanted).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)
    assert 0.99 < cosine.min() < 1
    assert bundle.manifest.eight_bit["image_encoder"] <= cosine.max()
    assert "cosine 0.99" in said[0]
    facts = [EngineFacts.of_bundle(each, provider="cpu") for each in (bundle, whole)]
    assert facts[0].bundle_digest != facts[1].bundle_digest
    assert facts[0].bundle_id == "golden-int8"
    assert "8 bits" in (bundle.folder / "MODEL_CARD.md").read_text("utf-8")
    assert "8 bits" not in (GOLDEN / "MODEL_CARD.md").read_text("utf-8")


@pytest.mark.usefixtures("easy")
def test_it_is_verified_with_a_tolerance_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = _made(tmp_path / "made")
    rows = measure(bundle, None, say=lambda _: None)
    refuse_far(rows, bundle.manifest)
    monkeypatch.setattr(int8_images, "TOLERANCE", 1e-5)
    with pytest.raises(ExportError, match="image_encoder"):
        refuse_far(rows, bundle.manifest)


@pytest.mark.parametrize(("name", "least"), [("LEAST_COSINE", 0.9999999), ("LEAST_GAIN", 1e9)])
@pytest.mark.usefixtures("easy")
def test_what_is_not_worth_it_is_refused(
    name: str, least: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8_images, name, least)
    with pytest.raises(ExportError, match=r"not worth it .* cosine 0\.99"):
        _made(tmp_path / "new" / "made")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_tower_without_large_products_is_refused(tmp_path: Path, capsys) -> None:
    assert main(["int8-images", str(GOLDEN), "-o", str(tmp_path / "made")]) == 2
    assert "has no products that are worth rounding. Keep the bundle" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


@pytest.mark.usefixtures("easy")
def test_a_bundle_of_another_kind_is_refused(tmp_path: Path) -> None:
    made = _made(tmp_path / "made")
    with pytest.raises(ExportError, match="golden-int8 cannot get"):
        make_int8_images(made, tmp_path / "again", say=lambda _: None)
    halved = dataclasses.replace(made.manifest, precision="fp16", eight_bit={})
    write_manifest(made.folder, halved)
    with pytest.raises(ExportError, match="not in float32"):
        make_int8_images(Bundle.open(made.folder), tmp_path / "again", say=lambda _: None)
