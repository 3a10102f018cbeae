"""The product to install: a source tree, or a wheel made of one."""

from __future__ import annotations

import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faults import InstallError

PACKAGES = ("plugin", "resolve_bridge", "exporter", "models_onnx")
_FILES = ("pyproject.toml", "README.md", "LICENSE")
_WHEEL = re.compile(r"sagafoley-([^-]+)-.*\.whl")
_VERSION = re.compile(r"""^__version__\s*=\s*["']([^"']+)["']""", re.MULTILINE)
_LEFT_OUT = {"__pycache__", ".part", ".pyc"}


@dataclass(frozen=True, slots=True)
class Product:
    """What will be installed.

    Attributes:
        path: the tree, or the wheel.
        version: as it says itself.
        digest: sha256 of all that matters of it.
    """

    path: Path
    version: str
    digest: str

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel, and needs no building."""
        return self.path.suffix == ".whl"

    def read(self, name: str) -> bytes | None:
        """The bytes of one of its files; None where there is no such file."""
        try:
            if self.is_wheel:
                with zipfile.ZipFile(self.path) as wheel:
                    return wheel.read(name)
            return (self.path / name).read_bytes()
        except (KeyError, FileNotFoundError):
            return None

    def copy_tree(self, folder: Path) -> None:
        """A copy of what a build needs; so nothing is ever written into the source tree."""
        for path in _tree_files(self.path):
            target = folder / path.relative_to(self.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def product_of(wheel: Path | None, wheels: Path | None, tree: Path) -> Product:
    """What to install: the wheel that is named, one among the offline wheels, or the tree.

    Raises:
        InstallError: there is none of them, or it is damaged.
    """
    if wheel is not None:
        return _of_wheel(wheel)
    if wheels is not None:
        found = sorted(path for path in wheels.glob("sagafoley-*.whl") if _WHEEL.fullmatch(path.name))
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            remedy = "Remove all but one, or name one with --wheel."
            raise InstallError(f"{wheels} holds several Sagafoley wheels: {names}.", remedy=remedy)
        if found:
            return _of_wheel(found[0])
    if is_tree(tree):
        return _of_tree(tree)
    raise InstallError(
        f"There is no Sagafoley source in {tree}.",
        remedy="Run the installer of the source that you want, or name a wheel with --wheel FILE.",
    )


def is_tree(folder: Path) -> bool:
    """Whether the folder is Sagafoley's source tree."""
    return (folder / "pyproject.toml").is_file() and (folder / "plugin" / "__init__.py").is_file()


def _of_tree(tree: Path) -> Product:
    whole = hashlib.sha256()
    for path in _tree_files(tree):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(tree).as_posix()} {content}\n".encode())
    return Product(tree, _version((tree / "plugin" / "__init__.py").read_text("utf-8")), whole.hexdigest())


def _of_wheel(wheel: Path) -> Product:
    remedy = "Name a file such as sagafoley-1.0-py3-none-any.whl."
    named = _WHEEL.fullmatch(wheel.name)
    if named is None or not wheel.is_file():
        raise InstallError(f"{wheel} is not a Sagafoley wheel.", remedy=remedy)
    try:
        with zipfile.ZipFile(wheel) as opened, wheel.open("rb") as file:
            if opened.testzip() is not None:
                raise zipfile.BadZipFile("a file in it is damaged")  # noqa: TRY301 (told below)
            return Product(wheel, named[1], hashlib.file_digest(file, "sha256").hexdigest())
    except (OSError, zipfile.BadZipFile) as error:
        raise InstallError(f"{wheel} cannot be read: {error}.", remedy="Fetch or build it again.") from error


def _version(text: str) -> str:
    found = _VERSION.search(text)
    return found[1] if found else "0"


def _tree_files(tree: Path) -> Iterator[Path]:
    yield from (tree / name for name in _FILES if (tree / name).is_file())
    for package in PACKAGES:
        for path in sorted((tree / package).rglob("*")):
            hidden = any(part.startswith(".") or part in _LEFT_OUT for part in path.relative_to(tree).parts)
            if path.is_file() and not hidden and path.suffix not in _LEFT_OUT:
                yield path
