"""What an export may take the place of: bundles of every kind, damaged ones too, and nobody's own files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from exporter.__main__ import main
from exporter.errors import ExportError
from exporter.replacing import WRITTEN, refuse_foreign
from models_onnx.finder_manifest import FINDER_KIND
from models_onnx.mask_manifest import KIND

GOLDEN_BUNDLE = Path(__file__).parents[2] / "golden" / "bundle"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN_BUNDLE, tmp_path / "bundle"))


def _told(output: Path) -> str:
    with pytest.raises(ExportError) as refused:
        refuse_foreign(output)
    return str(refused.value)


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def _change(folder: Path, **fields: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | fields), "utf-8")


@pytest.mark.parametrize("size", ["golden", "sam2-golden", "owlv2-golden"])
def test_a_web_page_with_a_manifest_is_no_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: str
) -> None:
    page = tmp_path / "webapp"
    (page / "src").mkdir(parents=True)
    (page / "src" / "main.js").write_text("mine")
    (page / "manifest.json").write_text('{"name": "page", "id": "page", "icons": []}')
    before = _names(tmp_path)
    assert main([size, "-o", str(page)]) == 2
    shown = capsys.readouterr()
    assert (
        shown.err == f"{page} exists and is no bundle: its manifest.json is not of one. Name a new folder.\n"
    )
    assert shown.out == ""
    assert _names(tmp_path) == before


def test_eight_bits_take_the_place_of_a_bundle_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "manifest.json").write_text('{"name": "page"}')
    assert main(["int8-images", str(GOLDEN_BUNDLE), "-o", str(tmp_path / "page")]) == 2
    assert "is no bundle: its manifest.json is not of one." in capsys.readouterr().err


def test_nothing_an_empty_folder_and_a_bundle_are_replaced(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "looked_at").mkdir()
    (tmp_path / "looked_at" / ".DS_Store").write_bytes(b"")
    for name in ("new", "empty", "looked_at", "bundle"):
        refuse_foreign(tmp_path / name)
    (bundle / ".DS_Store").write_bytes(b"")
    (bundle / ".manifest-0ab_9xyz.part").write_bytes(b"{")
    refuse_foreign(bundle)


def test_what_is_somebody_s_own_is_named(bundle: Path) -> None:
    (bundle / "notes.txt").write_text("mine")
    assert _told(bundle) == f"{bundle} holds more than a bundle: notes.txt. Name a new folder."
    (bundle / "takes" / "one").mkdir(parents=True)
    (bundle / "mine.onnx").write_bytes(b"")
    (bundle / "zz.wav").write_bytes(b"")
    assert "more than a bundle: mine.onnx, notes.txt, zz.wav and 1 more." in _told(bundle)


def test_folders_that_no_file_of_the_bundle_is_in_are_somebody_s_own(bundle: Path) -> None:
    (bundle / "licences").mkdir()
    assert "more than a bundle: licences/." in _told(bundle)
    (bundle / "licences" / "mit.txt").write_text("MIT")
    _change(bundle, files={"licences/mit.txt": {"bytes": 3, "sha256": "0" * 64}})
    refuse_foreign(bundle)
    (bundle / "licences" / "mine.txt").write_text("mine")
    assert "more than a bundle: licences/mine.txt." in _told(bundle)


@pytest.mark.parametrize(
    "damage",
    [
        {"schema": 99, "something": "newer"},
        {"kind": KIND},
        {"kind": FINDER_KIND},
        {"sample_rate": -1},
        {"files": []},
        {"id": 7},
    ],
)
def test_a_damaged_or_newer_bundle_can_be_exported_again(bundle: Path, damage: dict[str, Any]) -> None:
    _change(bundle, **damage)
    (bundle / "flow.onnx").write_bytes(b"damaged")
    refuse_foreign(bundle)


@pytest.mark.parametrize("content", [b"", b'{"schema": 1, "id": "gol', b"\xff\x00\xff", b"[" * 100_000])
def test_a_manifest_that_cannot_be_read_is_a_bundle_s_beside_graphs(bundle: Path, content: bytes) -> None:
    (bundle / "manifest.json").write_bytes(content)
    refuse_foreign(bundle)
    (bundle / "notes.txt").write_text("mine")
    assert "more than a bundle: notes.txt." in _told(bundle)
    for graph in bundle.glob("*.onnx"):
        graph.unlink()
    (bundle / "notes.txt").unlink()
    assert "its manifest.json is not of one" in _told(bundle)


def test_a_manifest_names_no_files_that_are_not_described(bundle: Path) -> None:
    (bundle / "notes.txt").write_text("mine")
    _change(bundle, files={"notes.txt": "notes", "../bundle": {"sha256": ""}})
    assert "more than a bundle: notes.txt." in _told(bundle)


def test_the_names_of_all_exports_are_known() -> None:
    from exporter import apache, export, sam2_export

    named = {export.CARD_FILE, export.NULL_FILE, export.PARITY_FILE, export.TOKENIZER_FILE}
    named |= {apache.CARD_FILE, apache.LICENCE_FILE, sam2_export.CONSTANTS_FILE}
    assert named < WRITTEN
    assert {export.gpu_file("flow"), "flow.onnx.data", "memory_attention.gpu.onnx", "detector.onnx"} < WRITTEN


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    told = (
        f"{link} is a link to {tmp_path / 'gone'}, which is not there. Remove the link, or name a new folder."
    )
    assert _told(link) == told


@pytest.mark.parametrize("name", ["n" * 300, "n" * 250, "\N{VIOLIN}" * 61])
def test_a_name_that_is_too_long_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["golden", "-o", str(tmp_path / name)]) == 2
    told = capsys.readouterr().err
    assert f"{len(os.fsencode(name))} bytes; a bundle's folder has at most 240. Name a shorter one." in told
    assert list(tmp_path.glob("*n*")) == []


def test_a_path_that_is_too_long_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["golden", "-o", str(tmp_path / ("n" * 300) / "bundle")]) == 2
    assert "cannot be looked at (File name too long). Name a folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".", "..", "/", "mine/.."])
def test_a_place_without_a_name_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "is no name that a bundle could get. Name a new folder." in _told(Path(name))


def test_where_a_disk_begins_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.ismount", lambda path: path == tmp_path / "disk")
    (tmp_path / "disk").mkdir()
    assert "is where a disk begins" in _told(tmp_path / "disk")
    refuse_foreign(tmp_path / "disk" / "bundle")
