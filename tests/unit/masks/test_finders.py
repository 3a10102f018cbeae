"""Which finder a machine has, and what is said where it has none that works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models_onnx.store import Store
from plugin.errors import BundleCorrupt, BundleError, BundleMissing, BundleTooNew
from plugin.masks.finders import opened_finder, usable_finder

COMMANDS = ("sagafoley models fetch owlv2-base", "sagafoley-export owlv2-base --checkpoints FOLDER -o BUNDLE")


def bundle_saying(folder: Path, **manifest: object) -> Store:
    place = folder / "owlv2_base"
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(json.dumps({"kind": "owlv2", "schema": 1, **manifest}))
    return Store((folder,))


def refused(store: Store, **said: str) -> BundleError:
    with pytest.raises(BundleError) as raised, opened_finder(store, "red drum", **said):  # type: ignore[arg-type]
        pass
    return raised.value


def test_none_is_said_with_the_commands(tmp_path: Path) -> None:
    error = refused(Store((tmp_path,)))
    assert isinstance(error, BundleMissing)
    assert "finds 'red drum' by words" in error.message
    assert all(command in error.remedy for command in COMMANDS)
    assert error.remedy.endswith("; or mark the object with --lasso or --box.")
    assert refused(Store(()), instead="draw a lasso").remedy.endswith("; or draw a lasso.")
    with pytest.raises(BundleMissing, match="objects by their words: that needs the model OWLv2"):
        usable_finder(Store(()))


def test_a_damaged_one_is_named_and_not_said_to_be_missing(tmp_path: Path) -> None:
    error = refused(bundle_saying(tmp_path))
    assert isinstance(error, BundleCorrupt)
    assert "owlv2_base" in error.detail
    assert all(command in error.remedy for command in COMMANDS)


def test_a_newer_one_wants_a_newer_program(tmp_path: Path) -> None:
    error = refused(bundle_saying(tmp_path, schema=99))
    assert isinstance(error, BundleTooNew)
    assert error.remedy == "Update Sagafoley."
