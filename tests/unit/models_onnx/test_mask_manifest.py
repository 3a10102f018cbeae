"""Bundles that make masks: their manifest, and that none is taken for one that makes sound."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from models_onnx.bundle import Bundle, describe_files
from models_onnx.manifest import InvalidBundle, Licence
from models_onnx.mask_manifest import MaskBundle, is_mask_bundle, write_mask_manifest
from models_onnx.store import Store
from tests.unit.models_onnx.conftest import make_bundle
from tests.unit.models_onnx.graph_bytes import tiny_graph
from tests.unit.models_onnx.mask_bundles import make_mask_bundle


def _edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    bundle = MaskBundle.open(make_mask_bundle(tmp_path / "b"))
    folder = make_mask_bundle(tmp_path / "c", name="other")
    write_mask_manifest(folder, bundle.manifest)
    again = MaskBundle.open(folder)
    assert again.manifest == bundle.manifest
    assert again.digest == bundle.digest
    bundle.verify()


def test_a_changed_graph_is_found(tmp_path: Path) -> None:
    bundle = MaskBundle.open(make_mask_bundle(tmp_path / "b"))
    (bundle.folder / "heads.onnx").write_bytes(tiny_graph("Heads"))
    with pytest.raises(InvalidBundle, match=r"heads\.onnx is damaged"):
        bundle.checked_path("heads")


def test_a_graph_takes_weights_from_its_own_file_only(tmp_path: Path) -> None:
    folder = make_mask_bundle(tmp_path / "b")
    manifest = MaskBundle.open(folder).manifest
    (folder / "weights.bin").write_bytes(b"weights")
    (folder / "heads.onnx").write_bytes(tiny_graph("heads", location="weights.bin"))
    write_mask_manifest(folder, replace(manifest, files=describe_files(folder)))
    bundle = MaskBundle.open(folder)
    for check in (lambda: bundle.checked_path("heads"), bundle.verify):
        with pytest.raises(InvalidBundle, match=r"heads\.onnx takes weights from 'weights\.bin'"):
            check()


def test_a_missing_file_is_found_on_opening(tmp_path: Path) -> None:
    folder = make_mask_bundle(tmp_path / "b")
    (folder / "LICENSE").unlink()
    with pytest.raises(InvalidBundle, match="LICENSE is missing"):
        MaskBundle.open(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "sam9"}, "kind 'sam9' is unknown"),
        ({"precision": "fp8"}, "neither fp32 nor fp16"),
        ({"onnxruntime_min": "newest"}, "'newest' is not a version"),
        ({"onnxruntime_below": "2.x"}, "'2.x' is not a version"),
        ({"licence_file": "TERMS"}, "'TERMS' is used but not listed"),
        ({"gpu_graphs": {"flow": "x"}}, "graphs are"),
        ({"surprise": 1}, "has the unknown surprise"),
        ({"constants": None}, "wrong type"),
        ({"picture": {"size": 100, "resize": "squash-area", "mean": [0] * 3, "std": [1] * 3}}, "multiple of"),
        ({"picture": {"size": 64, "resize": "crop", "mean": [0] * 3, "std": [1] * 3}}, "picture.resize"),
        ({"picture": {"size": 64, "resize": "squash-area", "mean": [0] * 3, "std": [0] * 3}}, "above 0"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    folder = make_mask_bundle(tmp_path / "b")
    _edit(folder, **changes)
    with pytest.raises(InvalidBundle, match=words) as caught:
        MaskBundle.open(folder)
    assert caught.value.reason == "corrupt"


def test_sizes_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    manifest = MaskBundle.open(make_mask_bundle(tmp_path / "b")).manifest
    for wrong in (
        {"grid": 5},
        {"memory_width": 7},
        {"previous": 0},
        {"pointers": 1},
    ):
        with pytest.raises(ValueError, match=r"memory\."):
            write_mask_manifest(tmp_path / "b", replace(manifest, memory=replace(manifest.memory, **wrong)))


def test_a_newer_schema_is_told_as_such(tmp_path: Path) -> None:
    folder = make_mask_bundle(tmp_path / "b")
    _edit(folder, schema=2, whatever=1)
    with pytest.raises(InvalidBundle) as caught:
        MaskBundle.open(folder)
    assert caught.value.reason == "newer"


def test_neither_kind_is_taken_for_the_other(tmp_path: Path) -> None:
    sound, masks = make_bundle(tmp_path / "sound"), make_mask_bundle(tmp_path / "masks")
    assert not is_mask_bundle(sound)
    assert is_mask_bundle(masks)
    with pytest.raises(InvalidBundle, match="makes masks, not sound") as caught:
        Bundle.open(masks)
    assert caught.value.reason == "other"
    with pytest.raises(InvalidBundle, match="for sound, not masks") as caught:
        MaskBundle.open(sound)
    assert caught.value.reason == "other"


def test_the_store_keeps_them_apart(tmp_path: Path) -> None:
    make_bundle(tmp_path / "sound", name="sound")
    make_mask_bundle(tmp_path / "masks", name="sam2-tiny")
    store = Store((tmp_path,))
    assert [found.path.name for found in store.list()] == ["sound"]
    assert [found.path.name for found in store.list_masks()] == ["masks"]
    assert store.find_masks("sam2-tiny").manifest.id == "sam2-tiny"
    assert store.find("sound").manifest.id == "sound"
    with pytest.raises(InvalidBundle, match="no bundle 'sam2-tiny'"):
        store.find("sam2-tiny")
    with pytest.raises(InvalidBundle, match="no mask bundle 'sound'; found: sam2-tiny"):
        store.find_masks("sound")


def test_a_damaged_mask_bundle_is_listed_with_its_problem(tmp_path: Path) -> None:
    folder = make_mask_bundle(tmp_path / "masks")
    (folder / "image.onnx").unlink()
    store = Store((tmp_path,))
    assert store.list() == ()
    (found,) = store.list_masks()
    assert found.bundle is None
    assert "image.onnx is missing" in str(found.problem)
    with pytest.raises(InvalidBundle, match=r"image\.onnx is missing"):
        store.find_masks("masks")


def test_an_earlier_folder_hides_a_later_one(tmp_path: Path) -> None:
    make_mask_bundle(tmp_path / "first" / "m", title="first")
    make_mask_bundle(tmp_path / "second" / "m", title="second")
    (found,) = Store((tmp_path / "first", tmp_path / "second")).list_masks()
    assert found.bundle is not None
    assert found.bundle.manifest.title == "first"


def test_the_licence_is_part_of_the_manifest(tmp_path: Path) -> None:
    manifest = MaskBundle.open(make_mask_bundle(tmp_path / "b")).manifest
    assert manifest.licence == Licence("Apache-2.0", commercial_use=True, attribution="nobody", text="Free.")
    assert manifest.licence_file in manifest.files
