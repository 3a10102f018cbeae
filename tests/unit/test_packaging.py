"""What an installed wheel holds: all that the code reads, nothing that belongs to the source tree only."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]


def packages() -> set[str]:
    """Dotted names, found as setuptools finds them: unbroken chains of `__init__.py`, chosen by pattern."""
    patterns = SETUPTOOLS["packages"]["find"]["include"]
    folders = [path.parent.relative_to(ROOT) for path in ROOT.glob("*/**/__init__.py")]
    whole = [
        folder
        for folder in folders
        if all((ROOT / part / "__init__.py").is_file() for part in (folder, *folder.parents[:-1]))
    ]
    names = {".".join(folder.parts) for folder in whole}
    return {name for name in names if any(fnmatch(name, pattern) for pattern in patterns)}


def test_only_the_products_own_packages_are_installed() -> None:
    assert {name.partition(".")[0] for name in packages()} == {
        "plugin",
        "resolve_bridge",
        "exporter",
        "models_onnx",
    }


def test_every_file_beside_the_code_is_installed_too() -> None:
    """Data files belong to the wheel by pattern; a new kind of file needs a new pattern."""
    for package in sorted({name.partition(".")[0] for name in packages()}):
        patterns = SETUPTOOLS["package-data"].get(package, [])
        covered = {path for pattern in patterns for path in (ROOT / package).glob(pattern)}
        data = [
            path
            for path in (ROOT / package).rglob("*")
            if path.is_file() and path.suffix not in {".py", ".pyc"} and not path.name.startswith(".")
        ]
        assert [str(path) for path in data if path not in covered] == []


def test_every_folder_of_code_is_a_package() -> None:
    """A folder without `__init__.py` is found from the source tree and missing from the wheel."""
    found = packages()
    for package in sorted({name.partition(".")[0] for name in packages()}):
        for path in (ROOT / package).rglob("*.py"):
            assert ".".join(path.parent.relative_to(ROOT).parts) in found, path
