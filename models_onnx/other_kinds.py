"""What bundles of other kinds than sound have in common: manifests with a licence file and graphs by role."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from models_onnx.bundle import write_manifest_bytes
from models_onnx.manifest import FileSpec, GraphSpec
from models_onnx.manifest_json import file_problems, format_document, interface_problems, is_bundle_id

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6}){0,3}")


class _OtherManifest(Protocol):
    """The fields that every such manifest has."""

    @property
    def id(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def onnxruntime_min(self) -> str: ...
    @property
    def onnxruntime_below(self) -> str: ...
    @property
    def licence_file(self) -> str: ...
    @property
    def graphs(self) -> Mapping[str, GraphSpec]: ...
    @property
    def gpu_graphs(self) -> Mapping[str, str]: ...
    @property
    def files(self) -> Mapping[str, FileSpec]: ...


def common_problems(manifest: _OtherManifest, roles: Sequence[str], *, used: Sequence[str]) -> Iterator[str]:
    """What is wrong with name, precision, versions, graphs and files.

    Args:
        manifest: all of whose fields have the right types.
        roles: of its graphs; it must have all of them.
        used: its files but graphs and licence.
    """
    if not is_bundle_id(manifest.id):
        yield f"id {manifest.id!r} is not a short lower-case name"
    if manifest.precision not in {"fp32", "fp16"}:
        yield f"precision {manifest.precision!r} is neither fp32 nor fp16"
    for version in (manifest.onnxruntime_min, manifest.onnxruntime_below):
        if version and _VERSION.fullmatch(version) is None:
            yield f"onnxruntime_min or onnxruntime_below {version!r} is not a version such as 1.20 or 2"
    if set(manifest.graphs) != set(roles) or not manifest.gpu_graphs.keys() <= set(roles):
        yield f"graphs are {', '.join(sorted(manifest.graphs))}; they must be {', '.join(sorted(roles))}"
    yield from interface_problems(manifest.graphs)
    named = [*used, manifest.licence_file, *(graph.file for graph in manifest.graphs.values())]
    yield from file_problems(manifest.files, [*named, *manifest.gpu_graphs.values()])


def write_checked(folder: Path, manifest: DataclassInstance, *, parse: Callable[..., object]) -> Path:
    """Write `manifest.json` into `folder`, whole or not at all; its path.

    Args:
        folder: of the bundle.
        manifest: a dataclass.
        parse: its reader, which must accept what is written.

    Raises:
        ValueError: it does not.
        OSError: the folder cannot be written.
    """
    return write_manifest_bytes(folder, format_document(dataclasses.asdict(manifest), parse=parse))
