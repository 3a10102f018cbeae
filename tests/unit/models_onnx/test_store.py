"""Finding bundles by id and by path."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from models_onnx.bundle import Bundle, InvalidBundle
from models_onnx.store import PACKAGED, Store


def _copy(source: Path, target: Path, *, name: str) -> Path:
    shutil.copytree(source, target)
    text = (target / "manifest.json").read_text("utf-8")
    (target / "manifest.json").write_text(text.replace('"id": "sample"', f'"id": "{name}"'), "utf-8")
    return target


def test_folders_in_order_of_search(tmp_path: Path) -> None:
    environment = {"SAGAFOLEY_BUNDLES": f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}"}
    store = Store.default(tmp_path / "user", environment)
    assert store.folders == (tmp_path / "a", tmp_path / "b", tmp_path / "user", PACKAGED)
    assert Store.default(environment={}).folders == (PACKAGED,)


def test_find_by_id_and_by_path(folder: Path, tmp_path: Path) -> None:
    _copy(folder, tmp_path / "many" / "one", name="one")
    store = Store(folders=(tmp_path / "nowhere", tmp_path / "many", folder))
    assert [item.path.name for item in store.list()] == ["one", "sample"]
    assert store.find("one").folder == tmp_path / "many" / "one"
    assert store.find("sample") == Bundle.open(folder)
    assert store.find(str(folder)) == Bundle.open(folder)


def test_the_earlier_folder_hides_the_later(folder: Path, tmp_path: Path) -> None:
    mine = _copy(folder, tmp_path / "mine" / "x", name="sample")
    store = Store(folders=(tmp_path / "mine", folder))
    assert [item.path for item in store.list()] == [mine]
    assert store.find("sample").folder == mine


def test_unknown_ids_list_the_known(folder: Path) -> None:
    with pytest.raises(InvalidBundle, match="'large'; found: sample") as caught:
        Store(folders=(folder,)).find("large")
    assert caught.value.reason == "missing"
    with pytest.raises(InvalidBundle, match="found: none"):
        Store(folders=()).find("y" * 5000)


def test_a_damaged_bundle_is_listed_and_named(folder: Path) -> None:
    (folder / "null.npz").unlink()
    store = Store(folders=(folder.parent,))
    (item,) = store.list()
    assert item.bundle is None
    assert item.problem is not None
    with pytest.raises(InvalidBundle, match=r"null\.npz is missing"):
        store.find("sample")


def _closed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Makes the system answer for `folder` as it does to a user who may not enter it (root always may)."""
    for name in ("stat", "lstat"):
        real = getattr(os, name)

        def ask(path: object, *arguments: object, _real: Any = real, **options: object) -> Any:
            if isinstance(path, Path) and folder in path.parents:
                raise PermissionError(13, os.strerror(13), str(path))
            return _real(path, *arguments, **options)

        monkeypatch.setattr(os, name, ask)


def test_a_folder_that_may_not_be_entered_hides_nothing_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = _copy(folder, tmp_path / "closed", name="closed")
    store = Store(folders=(Path("/dev/zero"), Path("a\0b"), closed, folder))
    _closed(monkeypatch, closed)
    assert [item.path for item in store.list()] == [folder]
    with pytest.raises(InvalidBundle, match=r"manifest\.json cannot be read \(Permission denied\)"):
        store.find(str(closed))
