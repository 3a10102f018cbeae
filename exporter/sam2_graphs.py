"""SAM 2.1's sizes by name, and its four graphs: interfaces, example inputs, modules (spec section 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from exporter import fill
from exporter.models.sam2 import HeadsGraph, ImageGraph, MemoryAttentionGraph, MemoryEncoderGraph, Sam2
from exporter.models.sam2_sizes import (
    GOLDEN_SAM2,
    MASK_TOKENS,
    SAM21_BASE_PLUS,
    SAM21_SMALL,
    SAM21_TINY,
    Sam2Dims,
)
from models_onnx.bundle import GraphSpec, TensorSpec
from models_onnx.mask_manifest import MASK_ROLES

POINTERS = 16
"""Most frames whose object pointers are read."""

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)

Shape = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Sam2Size:
    """One published size.

    Attributes:
        id: what the command line and the bundle call it.
        checkpoint: name of its file, without the ending; also the bundle's architecture.
        dims: of its networks.
    """

    id: str
    checkpoint: str
    dims: Sam2Dims

    def at(self, image_size: int) -> Sam2Size:
        """The same weights for pictures of another size."""
        return replace(self, dims=replace(self.dims, image_size=image_size))


SAM2_SIZES: Mapping[str, Sam2Size] = {
    size.id: size
    for size in (
        Sam2Size("sam2-tiny", "sam2.1_hiera_tiny", SAM21_TINY),
        Sam2Size("sam2-small", "sam2.1_hiera_small", SAM21_SMALL),
        Sam2Size("sam2-base-plus", "sam2.1_hiera_base_plus", SAM21_BASE_PLUS),
        Sam2Size("sam2-golden", "sam2_golden", GOLDEN_SAM2),
    )
}


@dataclass(frozen=True, slots=True)
class Lengths:
    """A number for every free dimension: memories M, pointers P, points n."""

    memories: int
    pointers: int
    points: int


EXPORTED = Lengths(3, 5, 2)
"""Unlike each other and unlike 1: the exporter must not take one for another."""
COMPARED = (Lengths(1, 1, 1), Lengths(2, 3, 4))


@dataclass(frozen=True, slots=True)
class Sam2Graph:
    """One graph: its role, interface, and the module behind it."""

    role: str
    spec: GraphSpec
    wrap: Callable[[Sam2], nn.Module]


def graphs_of(dims: Sam2Dims) -> tuple[Sam2Graph, ...]:
    """All four, in the order of `MASK_ROLES`."""
    width, memory, grid, low = dims.model_width, dims.memory_width, dims.grid, dims.low_size
    f2: Shape = (1, width, grid, grid)
    fine: dict[str, Shape] = {"s0": (1, width // 8, low, low), "s1": (1, width // 4, low // 2, low // 2)}
    picture: Shape = (1, 3, dims.image_size, dims.image_size)
    remembered: dict[str, Shape] = {
        "mem": ("memories", memory, grid, grid),
        "tidx": ("memories",),
        "ptr": ("pointers", width),
        "tsine": ("pointers", width),
    }
    prompts: dict[str, Shape] = {
        "points": (1, "points", 2),
        "labels": (1, "points"),
        "mask": (1, 1, low, low),
        "has_mask": (1,),
    }
    decoded: dict[str, Shape] = {
        "masks": (1, MASK_TOKENS, low, low),
        "iou": (1, MASK_TOKENS),
        "pointers": (1, MASK_TOKENS, width),
        "score": (1, 1),
    }
    whole: Shape = (1, 1, dims.image_size, dims.image_size)
    interfaces: Mapping[str, tuple[Mapping[str, Shape], Mapping[str, Shape], Callable[[Sam2], nn.Module]]] = {
        "image": ({"image": picture}, {**fine, "f2": f2}, ImageGraph),
        "memory_attention": ({"f2": f2, **remembered}, {"conditioned": f2}, MemoryAttentionGraph),
        "heads": ({"f2": f2, **fine, **prompts}, decoded, HeadsGraph),
        "memory_encoder": (
            {"f2": f2, "mask": whole, "present": (1,)},
            {"memory": (1, memory, grid, grid)},
            MemoryEncoderGraph,
        ),
    }
    return tuple(
        Sam2Graph(role, _spec(role, *interfaces[role][:2]), interfaces[role][2]) for role in MASK_ROLES
    )


def example_inputs(graph: Sam2Graph, dims: Sam2Dims, lengths: Lengths) -> tuple[Tensor, ...]:
    """Inputs with realistic values, the same on every call."""
    sizes = {"memories": lengths.memories, "pointers": lengths.pointers, "points": lengths.points}
    return tuple(
        _example(
            tensor.name, tuple(sizes[n] if isinstance(n, str) else n for n in tensor.shape), dims, graph.role
        )
        for tensor in graph.spec.inputs
    )


def _spec(role: str, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> GraphSpec:
    return GraphSpec(
        file=f"{role}.onnx",
        inputs=tuple(
            TensorSpec(name=name, dtype="int64" if name in {"tidx", "labels"} else "float32", shape=shape)
            for name, shape in inputs.items()
        ),
        outputs=tuple(TensorSpec(name=name, dtype="float32", shape=shape) for name, shape in outputs.items()),
    )


def _example(name: str, shape: tuple[int, ...], dims: Sam2Dims, role: str) -> Tensor:
    if name == "tidx":
        return (torch.arange(shape[0]) + dims.memories - 1) % dims.memories
    if name == "labels":
        return ((torch.arange(shape[1]) + 1) % (MASK_TOKENS + 1) - 1)[None].flip(1)
    if name in {"has_mask", "present"}:
        return torch.full(shape, float(name == "has_mask"))
    if name == "points":
        return fill.network_input(name, shape, kind="image01") * dims.image_size
    drawn = fill.network_input(f"{role}/{name}", shape, kind="normal")
    return (drawn * 4).clamp(-10, 10) if name == "mask" else drawn
