"""Bundles of any kind that need another ONNX Runtime, or are in a newer form of ONNX, are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models_onnx.bundle import Bundle
from models_onnx.manifest import InvalidBundle
from models_onnx.mask_manifest import MaskBundle
from models_onnx.versions import NEWEST_OPSET, parse_version, refuse_newer
from tests.unit.models_onnx.mask_bundles import make_mask_bundle


@pytest.mark.parametrize(
    ("text", "numbers"), [("1.31.1", (1, 31, 1)), ("1.20", (1, 20)), ("2.0.0rc1", (2, 0))]
)
def test_versions(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_version(text) == numbers


def _refusal(bundle: Bundle | MaskBundle, *, runtime: str) -> str:
    with pytest.raises(InvalidBundle) as caught:
        refuse_newer(bundle, runtime=runtime)
    assert (caught.value.reason, caught.value.path) == ("newer", bundle.folder)
    return str(caught.value)


def test_every_kind_of_bundle_is_held_to_opset_and_runtime(folder: Path, tmp_path: Path) -> None:
    sound, masks = Bundle.open(folder), MaskBundle.open(make_mask_bundle(tmp_path / "masks"))
    for bundle in (sound, masks):
        refuse_newer(bundle, runtime="1.20.0")
        assert "needs ONNX Runtime 1.20 or newer" in _refusal(bundle, runtime="1.19.2")
        newer = replace(bundle, manifest=replace(bundle.manifest, opset=NEWEST_OPSET + 1))
        told = _refusal(newer, runtime="1.20.0")
        assert f"are of ONNX opset {NEWEST_OPSET + 1}; this version runs opsets up to {NEWEST_OPSET}" in told
    refuse_newer(sound, runtime="2.0.0")
    assert "1.20 or newer and older than 2; 2.0.0 is installed" in _refusal(masks, runtime="2.0.0")
