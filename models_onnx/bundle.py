"""A bundle: a folder of ONNX graphs, a tokenizer and null features, described by `manifest.json`.

`Bundle.open` checks the manifest, that every named file is a plain file inside the folder, and its size.
`Bundle.checked_path` also hashes the file, once; `Bundle.verify` hashes them all. Both also look into
graphs: one that would take weights from a file that is not its own is refused.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from models_onnx.graph_file import read_graph_file
from models_onnx.manifest import (
    MANIFEST_NAME,
    ROLES,
    SCHEMA,
    FileSpec,
    GraphSpec,
    InvalidBundle,
    LatentSpec,
    Licence,
    Manifest,
    PictureSpec,
    SamplingSpec,
    Source,
    TensorSpec,
    TextSpec,
    VocoderSpec,
    WindowSpec,
)
from models_onnx.manifest_json import format_manifest, is_plain_path, parse_manifest

__all__ = [
    "MANIFEST_NAME",
    "ROLES",
    "SCHEMA",
    "Bundle",
    "FileSpec",
    "GraphFolder",
    "GraphSpec",
    "InvalidBundle",
    "LatentSpec",
    "Licence",
    "Manifest",
    "PictureSpec",
    "SamplingSpec",
    "Source",
    "TensorSpec",
    "TextSpec",
    "VocoderSpec",
    "WindowSpec",
    "describe_files",
    "manifest_in",
    "sha256_of",
    "write_manifest",
    "write_manifest_bytes",
]

EXTERNAL_DATA = ".data"
"""Weights that lie beside a graph are in a file of its name plus this; its form for CUDA uses the same."""

RUNTIME_FORMAT = ".ort"
"""ONNX Runtime takes a file of such a name for its own format, into which nothing here can look."""

_Mark = tuple[int, int, int]


class AnyManifest(Protocol):
    """What the manifests of all kinds of bundles say."""

    @property
    def id(self) -> str:
        """Short name."""

    @property
    def opset(self) -> int:
        """ONNX opset of the graphs."""

    @property
    def onnxruntime_min(self) -> str:
        """Oldest ONNX Runtime it was made for."""

    @property
    def graphs(self) -> dict[str, GraphSpec]:
        """By role."""

    @property
    def gpu_graphs(self) -> dict[str, str]:
        """Files of the forms for CUDA, by role."""

    @property
    def files(self) -> dict[str, FileSpec]:
        """By relative posix path."""


@dataclass(frozen=True, slots=True)
class GraphFolder:
    """An opened bundle of any kind.

    Attributes:
        folder: absolute, symbolic links resolved.
        manifest: checked.
        digest: sha256 of the manifest's bytes, hex. It covers every file through the hashes in the manifest.
    """

    folder: Path
    manifest: AnyManifest
    digest: str
    _hashed: dict[str, _Mark] = field(default_factory=dict, compare=False, repr=False)
    _read: dict[str, _Mark] = field(default_factory=dict, compare=False, repr=False)

    def check_sizes(self) -> None:
        """Pass when every file is there, plain, and of the right size.

        Raises:
            InvalidBundle: "corrupt".
        """
        for name in self.manifest.files:
            self._stat(name)

    def path_of(self, name: str) -> Path:
        """The path of a graph, by role ("flow"), or of a file, by its name in the manifest.

        Raises:
            KeyError: the manifest has no such role or file.
        """
        return self.folder / self._file_of(name)

    def checked_path(self, name: str) -> Path:
        """`path_of(name)` after its bytes, and its external weights', were found to be the manifest's.

        A file is hashed, and a graph looked into, once; again only if its size or time of change differs.

        Raises:
            InvalidBundle: "corrupt": the file is gone, changed, or no plain file, or a graph that takes
                weights from a file that is none of `parts_of`, or that is of a newer opset than is said.
            KeyError: the manifest has no such role or file.
        """
        file = self._file_of(name)
        for part in self.parts_of(file):
            self._check_hash(part)
        if file in self._graph_files():
            self._check_graph(file)
        return self.folder / file

    def parts_of(self, file: str) -> tuple[str, ...]:
        """A graph's file and those with its weights: its own, and the one a form for CUDA shares."""
        manifest = self.manifest
        shared = [manifest.graphs[role].file for role, form in manifest.gpu_graphs.items() if form == file]
        beside = (name + EXTERNAL_DATA for name in (file, *shared))
        return (file, *(name for name in beside if name in manifest.files))

    def verify(self, progress: Callable[[str], None] | None = None) -> None:
        """Read and hash every file, and look into every graph, whether or not it was done before.

        Args:
            progress: called with a file's name before it is read.

        Raises:
            InvalidBundle: "corrupt", naming every file at fault.
        """
        self._hashed.clear()
        self._read.clear()
        graphs, faults = self._graph_files(), []
        for name in self.manifest.files:
            if progress is not None:
                progress(name)
            try:
                self._check_hash(name)
                if name in graphs:
                    self._check_graph(name)
            except InvalidBundle as error:
                faults.append(error)
        if faults:
            message = "; ".join(str(fault) for fault in faults)
            raise InvalidBundle(message, reason="corrupt", path=faults[0].path)

    def _file_of(self, name: str) -> str:
        graph = self.manifest.graphs.get(name)
        file = name if graph is None else graph.file
        if file not in self.manifest.files:
            raise KeyError(name)
        return file

    def _graph_files(self) -> frozenset[str]:
        manifest = self.manifest
        return frozenset((*(graph.file for graph in manifest.graphs.values()), *manifest.gpu_graphs.values()))

    def _check_graph(self, file: str) -> None:
        """Pass when a graph, which was hashed, is what the manifest says and stays with its own files."""
        mark, path = self._hashed[file], self.folder / file
        if self._read.get(file) == mark:
            return
        if file.lower().endswith(RUNTIME_FORMAT):
            raise InvalidBundle(f"{path} is not in the format of ONNX", reason="corrupt", path=path)
        found, own = read_graph_file(path), self.parts_of(file)
        for location in found.locations:
            if posixpath.join(posixpath.dirname(file), location) not in own:
                message = f"{path} takes weights from {location!r}, which is not its own file in the manifest"
                raise InvalidBundle(message, reason="corrupt", path=path)
        if found.opset > self.manifest.opset:
            message = f"{path} is of ONNX opset {found.opset}; the manifest says {self.manifest.opset}"
            raise InvalidBundle(message, reason="corrupt", path=path)
        self._read[file] = mark

    def _check_hash(self, name: str) -> None:
        mark = self._stat(name)
        if self._hashed.get(name) == mark:
            return
        path = self.folder / name
        if sha256_of(path) != self.manifest.files[name].sha256 or self._stat(name) != mark:
            raise InvalidBundle(f"{path} is damaged: its sha256 differs", reason="corrupt", path=path)
        self._hashed[name] = mark

    def _stat(self, name: str) -> _Mark:
        """Size, time of change and inode of a plain file of the right size.

        Raises:
            InvalidBundle: "corrupt".
        """
        path = self.folder / name
        found = _plain_file(self.folder, name)
        wanted = self.manifest.files[name].bytes
        if found.st_size != wanted:
            message = f"{path} is damaged: {found.st_size} bytes instead of {wanted}"
            raise InvalidBundle(message, reason="corrupt", path=path)
        return (found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True, slots=True)
class Bundle(GraphFolder):
    """An opened bundle that makes sound."""

    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str) -> Bundle:
        """The bundle in folder `path` (or with the manifest `path`), sizes checked, hashes not yet.

        Raises:
            InvalidBundle: see its `reason`.
        """
        folder, content = manifest_in(path)
        manifest = parse_manifest(content, path=folder / MANIFEST_NAME)
        bundle = cls(folder=folder, manifest=manifest, digest=hashlib.sha256(content).hexdigest())
        bundle.check_sizes()
        return bundle


def manifest_in(path: Path | str) -> tuple[Path, bytes]:
    """The resolved folder of a bundle and the bytes of its manifest.

    Args:
        path: the folder, or the manifest in it.

    Raises:
        InvalidBundle: "missing" or "corrupt".
    """
    folder = Path(path)
    if folder.name == MANIFEST_NAME:
        folder = folder.parent
    folder = _resolved(folder)
    return folder, _manifest_bytes(folder)


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write `manifest.json` into `folder`, whole or not at all; its path.

    Raises:
        ValueError: the manifest would not be accepted by `Bundle.open`.
        OSError: the folder cannot be written.
    """
    return write_manifest_bytes(folder, format_manifest(manifest))


def write_manifest_bytes(folder: Path, content: bytes) -> Path:
    """The same for bytes that were checked; an `OSError` passes through."""
    target = folder / MANIFEST_NAME
    handle, name = tempfile.mkstemp(dir=folder, prefix=".manifest-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def describe_files(folder: Path) -> dict[str, FileSpec]:
    """Size and hash of every file in `folder` but the manifest, in the order of their names.

    Raises:
        InvalidBundle: "corrupt": a link, a device, or a name that is not plain.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in _files_in(folder))
    result = {}
    for name in names:
        if name == MANIFEST_NAME:
            continue
        if not is_plain_path(name):
            raise InvalidBundle(f"{folder / name} has no plain name", reason="corrupt", path=folder / name)
        size = _plain_file(folder, name).st_size
        result[name] = FileSpec(bytes=size, sha256=sha256_of(folder / name))
    return result


def sha256_of(path: Path) -> str:
    """The sha256 of a file, hex.

    Raises:
        InvalidBundle: "corrupt": the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> InvalidBundle:
    message = f"{path} cannot be read ({error.strerror or error})"
    return InvalidBundle(message, reason="corrupt", path=path)


def _files_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path


def _resolved(folder: Path) -> Path:
    """The folder, links resolved.

    Raises:
        InvalidBundle: "missing": no such folder.
    """
    detail = ""
    try:
        resolved = folder.resolve()
        if resolved.is_dir():
            return resolved
    except (OSError, RuntimeError, ValueError) as error:
        detail = f" ({error})"
    message = f"there is no bundle folder {str(folder)!r}{detail}"
    raise InvalidBundle(message, reason="missing", path=folder)


def _manifest_bytes(folder: Path) -> bytes:
    path = folder / MANIFEST_NAME
    try:
        path.lstat()
        _plain_file(folder, MANIFEST_NAME)
        return path.read_bytes()
    except FileNotFoundError:
        message = f"{folder} is not a bundle: it has no manifest"
        raise InvalidBundle(message, reason="missing", path=folder) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _plain_file(folder: Path, name: str) -> os.stat_result:
    """The status of file `name`, when no step from `folder` to it is a link and it is a regular file.

    Raises:
        InvalidBundle: "corrupt".
    """
    path = folder
    parts = name.split("/")
    for index, part in enumerate(parts):
        path = path / part
        try:
            found = path.lstat()
        except FileNotFoundError:
            raise InvalidBundle(f"{path} is missing", reason="corrupt", path=path) from None
        except OSError as error:
            raise _unreadable(path, error) from None
        wanted = stat.S_ISREG if index == len(parts) - 1 else stat.S_ISDIR
        if not wanted(found.st_mode):
            raise InvalidBundle(f"{path} is not a plain file inside the bundle", reason="corrupt", path=path)
    return found
