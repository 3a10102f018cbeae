"""A mask bundle of small made-up files; the graphs do nothing, and nothing here runs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from models_onnx.bundle import describe_files
from models_onnx.manifest import GraphSpec, Licence, Source, TensorSpec
from models_onnx.mask_manifest import (
    KIND,
    MASK_ROLES,
    MASK_SCHEMA,
    RESIZE,
    MaskManifest,
    MaskPictureSpec,
    MemorySpec,
    write_mask_manifest,
)
from tests.unit.models_onnx.graph_bytes import tiny_graph


def make_mask_bundle(folder: Path, *, name: str = "sam2-sample", **changes: Any) -> Path:
    """A whole mask bundle in `folder`."""
    folder.mkdir(parents=True)
    for role in MASK_ROLES:
        (folder / f"{role}.onnx").write_bytes(tiny_graph(role))
    (folder / "constants.npz").write_bytes(b"constants")
    (folder / "LICENSE").write_bytes(b"Apache")
    write_mask_manifest(folder, replace(_manifest(folder, name), **changes))
    return folder


def _graph(role: str) -> GraphSpec:
    return GraphSpec(
        file=f"{role}.onnx",
        inputs=(TensorSpec(name="x", dtype="float32", shape=("points", 4)),),
        outputs=(TensorSpec(name="y", dtype="float32", shape=("points", 4)),),
    )


def _manifest(folder: Path, name: str) -> MaskManifest:
    return MaskManifest(
        schema=MASK_SCHEMA,
        kind=KIND,
        id=name,
        title="Made for a test",
        version="1",
        architecture="none",
        precision="fp32",
        opset=18,
        onnxruntime_min="1.20",
        onnxruntime_below="2",
        licence=Licence(name="Apache-2.0", commercial_use=True, attribution="nobody", text="Free."),
        licence_file="LICENSE",
        sources=(Source(file="weights.pt", sha256="0" * 64),),
        picture=MaskPictureSpec(size=64, resize=RESIZE, mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2)),
        memory=MemorySpec(width=32, memory_width=8, grid=4, low_size=16, previous=6, pointers=16),
        constants="constants.npz",
        graphs={role: _graph(role) for role in MASK_ROLES},
        files=describe_files(folder),
        parity=dict.fromkeys(MASK_ROLES, 1e-6),
        gpu_graphs={},
    )
