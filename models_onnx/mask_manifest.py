"""A mask bundle: SAM 2.1's four ONNX graphs, the constants its host needs, its licence, and a manifest.

`manifest.json` says `"kind": "sam2"`, which no bundle that makes sound does: neither is taken for the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models_onnx.bundle import GraphFolder, manifest_in
from models_onnx.finder_manifest import FINDER_KIND
from models_onnx.manifest import (
    MANIFEST_NAME,
    FileSpec,
    GraphSpec,
    InvalidBundle,
    Licence,
    Source,
)
from models_onnx.manifest_json import kind_of, read_manifest
from models_onnx.other_kinds import common_problems, write_checked

KIND = "sam2"
MASK_SCHEMA = 1
MASK_ROLES = ("image", "memory_attention", "heads", "memory_encoder")
"""What the graphs of a mask bundle are called; every one has all of them."""

RESIZE = "squash-area"
"""The only way of resizing that is known: the picture is squashed to a square, each pixel the mean of the
area it covers; where the picture is smaller than the square, bilinear."""


@dataclass(frozen=True, slots=True)
class MaskPictureSpec:
    """How a frame becomes network input (spec section 1).

    Attributes:
        size: side of the square picture S, pixels.
        resize: `RESIZE`.
        mean, std: of red, green and blue, of values in 0..1.
    """

    size: int
    resize: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MemorySpec:
    """Sizes of what the host remembers (spec sections 5 and 6).

    Attributes:
        width: channels of a map and of a pointer.
        memory_width: channels of a memory.
        grid: side of maps and memories, S / 16.
        low_size: side of the masks the heads give, S / 4.
        previous: earlier frames that are read.
        pointers: most frames whose pointers are read, and the longest distance their code knows.
    """

    width: int
    memory_width: int
    grid: int
    low_size: int
    previous: int
    pointers: int


@dataclass(frozen=True, slots=True)
class MaskManifest:
    """Everything the runtime knows about a mask bundle.

    Attributes:
        kind: `KIND`.
        id: short name ("sam2-tiny"); a prompts document carries it.
        architecture: name of the sizes ("sam2.1_hiera_tiny").
        precision: of the stored weights: "fp32" or "fp16".
        onnxruntime_min, onnxruntime_below: range of onnxruntime versions it was made for; "" for no end.
        licence_file: the licence's text, a file of the bundle.
        constants: `.npz` with float32 `no_mem_embed` [C], `no_obj_ptr` [C], `mask_downsample_weight` [4, 4]
            and `mask_downsample_bias` [1].
        graphs: by role: image, memory_attention, heads, memory_encoder.
        parity: relative L2 differences ONNX against torch measured at export, by graph.
        gpu_graphs: files of the same graphs for CUDA, by role.
    """

    schema: int
    kind: str
    id: str
    title: str
    version: str
    architecture: str
    precision: str
    opset: int
    onnxruntime_min: str
    onnxruntime_below: str
    licence: Licence
    licence_file: str
    sources: tuple[Source, ...]
    picture: MaskPictureSpec
    memory: MemorySpec
    constants: str
    graphs: dict[str, GraphSpec]
    files: dict[str, FileSpec]
    parity: dict[str, float]
    gpu_graphs: dict[str, str]


@dataclass(frozen=True, slots=True)
class MaskBundle(GraphFolder):
    """An opened bundle that makes masks."""

    manifest: MaskManifest

    @classmethod
    def open(cls, path: Path | str) -> MaskBundle:
        """The bundle in folder `path` (or with the manifest `path`), sizes checked, hashes not yet.

        Raises:
            InvalidBundle: see its `reason`.
        """
        folder, content = manifest_in(path)
        manifest = parse_mask_manifest(content, path=folder / MANIFEST_NAME)
        bundle = cls(folder=folder, manifest=manifest, digest=hashlib.sha256(content).hexdigest())
        bundle.check_sizes()
        return bundle


def is_mask_bundle(folder: Path) -> bool:
    """Whether the manifest in a folder says that it is one; the bundle may still be damaged."""
    try:
        return kind_of(manifest_in(folder)[1]) not in {"sound", FINDER_KIND, ""}
    except InvalidBundle:
        return False


def parse_mask_manifest(content: bytes, *, path: Path) -> MaskManifest:
    """The manifest in `content`, every field checked.

    Raises:
        InvalidBundle: "newer" for a schema above `MASK_SCHEMA`, "corrupt" for anything else.
    """
    return read_manifest(MaskManifest, content, path=path, newest=MASK_SCHEMA, problems=_problems)


def write_mask_manifest(folder: Path, manifest: MaskManifest) -> Path:
    """Write `manifest.json` into `folder`, whole or not at all; its path.

    Raises:
        ValueError: the manifest would not be accepted by `MaskBundle.open`.
        OSError: the folder cannot be written.
    """
    return write_checked(folder, manifest, parse=parse_mask_manifest)


def _problems(manifest: MaskManifest) -> Iterator[str]:
    if manifest.kind != KIND:
        yield f"kind {manifest.kind!r} is unknown; this version knows {KIND!r}"
    yield from common_problems(manifest, MASK_ROLES, used=(manifest.constants,))
    yield from _size_problems(manifest.picture, manifest.memory)


def _size_problems(picture: MaskPictureSpec, memory: MemorySpec) -> Iterator[str]:
    if not 32 <= picture.size <= 4096 or picture.size % 32:
        yield f"picture.size {picture.size} is no multiple of 32 in 32..4096"
    if picture.resize != RESIZE:
        yield f"picture.resize {picture.resize!r} is not {RESIZE!r}"
    if not len(picture.mean) == len(picture.std) == 3 or min(picture.std, default=0) <= 0:
        yield "picture.mean and picture.std need three values, std above 0"
    if memory.grid * 16 != picture.size or memory.low_size * 4 != picture.size:
        yield "memory.grid and memory.low_size do not belong to picture.size"
    if not 1 <= memory.memory_width <= memory.width <= 1 << 14 or memory.width % memory.memory_width:
        yield "memory.width is no multiple of memory.memory_width"
    if not 1 <= memory.previous <= 64 or not 2 <= memory.pointers <= 1024:
        yield "memory.previous must be in 1..64 and memory.pointers in 2..1024"
