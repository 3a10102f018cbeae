"""Where bundles are found: folders named by SAGAFOLEY_BUNDLES, the user's data folder, the package itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from models_onnx.bundle import MANIFEST_NAME, Bundle, InvalidBundle
from models_onnx.finder_manifest import FinderBundle, is_finder_bundle
from models_onnx.mask_manifest import MaskBundle, is_mask_bundle

EMBEDDED = "embedded"
"""Id of the bundle that ships with the code."""

ENVIRONMENT = "SAGAFOLEY_BUNDLES"
"""Folders, separated like PATH; each is a bundle or holds bundles."""

PACKAGED = Path(__file__).parent / "bundles"


@dataclass(frozen=True, slots=True)
class Found:
    """A folder with a manifest: the opened bundle, or why it could not be opened."""

    path: Path
    bundle: Bundle | None
    problem: InvalidBundle | None


@dataclass(frozen=True, slots=True)
class FoundMasks:
    """A folder with the manifest of a mask bundle: the opened bundle, or why it could not be opened."""

    path: Path
    bundle: MaskBundle | None
    problem: InvalidBundle | None


@dataclass(frozen=True, slots=True)
class FoundFinder:
    """A folder with the manifest of a finder bundle: the opened bundle, or why it could not be opened."""

    path: Path
    bundle: FinderBundle | None
    problem: InvalidBundle | None


@dataclass(frozen=True, slots=True)
class Store:
    """Folders to look in; a bundle of an earlier one hides those of the same id in later ones.

    Attributes:
        folders: each is a bundle or holds bundles; those that do not exist are passed over.
    """

    folders: tuple[Path, ...]

    @classmethod
    def default(cls, user_folder: Path | None = None, environment: Mapping[str, str] = os.environ) -> Store:
        """The folders of SAGAFOLEY_BUNDLES, then `user_folder`, then the package's own."""
        named = (Path(name) for name in environment.get(ENVIRONMENT, "").split(os.pathsep) if name)
        user = () if user_folder is None else (user_folder,)
        return cls(folders=(*named, *user, PACKAGED))

    def list(self) -> tuple[Found, ...]:
        """Every bundle that makes sound, damaged ones included, in order of search; hidden ones left out."""
        found: list[Found] = []
        seen: set[str] = set()
        for path in self._candidates():
            if is_mask_bundle(path) or is_finder_bundle(path):
                continue
            item = _look_at(path)
            if item.bundle is None:
                found.append(item)
            elif item.bundle.manifest.id not in seen:
                found.append(item)
                seen.add(item.bundle.manifest.id)
        return tuple(found)

    def find(self, name: str) -> Bundle:
        """The bundle of this id, or in the folder of this path.

        Args:
            name: an id ("embedded"), or a path: whatever holds a separator or is a folder with a manifest.

        Raises:
            InvalidBundle: "missing" with the known ids, or what is wrong with the folder of that name.
        """
        if _is_path(name):
            return Bundle.open(name)
        found = self.list()
        for item in found:
            if item.problem is not None and item.path.name == name:
                raise item.problem
            if item.bundle is not None and item.bundle.manifest.id == name:
                return item.bundle
        known = ", ".join(sorted(item.bundle.manifest.id for item in found if item.bundle is not None))
        message = f"there is no bundle {name!r}; found: {known or 'none'}"
        raise InvalidBundle(message, reason="missing", path=Path(name))

    def list_masks(self) -> tuple[FoundMasks, ...]:
        """Every bundle that makes masks, as `list`."""
        found: dict[str, FoundMasks] = {}
        for path in filter(is_mask_bundle, self._candidates()):
            item = _look_at_masks(path)
            found.setdefault(str(path) if item.bundle is None else item.bundle.manifest.id, item)
        return tuple(found.values())

    def find_masks(self, name: str) -> MaskBundle:
        """The mask bundle of this id, or in the folder of this path.

        Raises:
            InvalidBundle: as `find`.
        """
        if _is_path(name):
            return MaskBundle.open(name)
        found = self.list_masks()
        for item in found:
            if item.problem is not None and item.path.name == name:
                raise item.problem
            if item.bundle is not None and item.bundle.manifest.id == name:
                return item.bundle
        known = ", ".join(sorted(item.bundle.manifest.id for item in found if item.bundle is not None))
        message = f"there is no mask bundle {name!r}; found: {known or 'none'}"
        raise InvalidBundle(message, reason="missing", path=Path(name))

    def list_finders(self) -> tuple[FoundFinder, ...]:
        """Every bundle that finds objects by words, as `list`."""
        found: dict[str, FoundFinder] = {}
        for path in filter(is_finder_bundle, self._candidates()):
            item = _look_at_finder(path)
            found.setdefault(str(path) if item.bundle is None else item.bundle.manifest.id, item)
        return tuple(found.values())

    def _candidates(self) -> Iterator[Path]:
        for folder in self.folders:
            if _is_bundle(folder):
                yield folder
            else:
                yield from (path for path in _entries(folder) if _is_bundle(path))


def _entries(folder: Path) -> tuple[Path, ...]:
    try:
        return tuple(sorted(folder.iterdir()))
    except (OSError, ValueError):
        return ()


def _look_at(path: Path) -> Found:
    try:
        return Found(path=path, bundle=Bundle.open(path), problem=None)
    except InvalidBundle as error:
        return Found(path=path, bundle=None, problem=error)


def _look_at_masks(path: Path) -> FoundMasks:
    try:
        return FoundMasks(path=path, bundle=MaskBundle.open(path), problem=None)
    except InvalidBundle as error:
        return FoundMasks(path=path, bundle=None, problem=error)


def _look_at_finder(path: Path) -> FoundFinder:
    try:
        return FoundFinder(path=path, bundle=FinderBundle.open(path), problem=None)
    except InvalidBundle as error:
        return FoundFinder(path=path, bundle=None, problem=error)


def _is_path(name: str) -> bool:
    if "/" in name or os.sep in name:
        return True
    return _is_bundle(Path(name))


def _is_bundle(folder: Path) -> bool:
    """Whether the folder has a manifest; one that may not be entered, or cannot be, has none."""
    try:
        return (folder / MANIFEST_NAME).is_file()
    except (OSError, ValueError):
        return False
