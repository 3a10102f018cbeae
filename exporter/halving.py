"""Weights kept in half precision: half the bytes on disk, the same arithmetic in float32.

Every large float32 weight of a graph becomes float16 with a cast behind it. ONNX Runtime computes the
casts once, when it loads the graph, so runs are as fast as before and differ only by the rounding of
the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from exporter.errors import ExportError

LEAST = 64
"""Weights of fewer values stay as they are: they save nothing."""

TOLERANCE = 5e-3
"""Largest relative L2 difference to torch in float32; rounding every weight costs about 1e-3."""

KEPT_WHOLE = frozenset({"vocoder"})
"""Graphs whose constants are mostly formulas (filters, Fourier and mel matrices)."""


def keep_in_half(model: ir.Model, *, role: str) -> None:
    """Turn the model's large float32 weights into float16 ones, cast back where they are used.

    Args:
        model: changed in place.
        role: of the graph, for the message.

    Raises:
        ExportError: a weight is too large for half precision.
    """
    graph = model.graph
    for value in tuple(graph.initializers.values()):
        tensor = value.const_value
        if tensor is not None and tensor.dtype == ir.DataType.FLOAT and tensor.size >= LEAST:
            _halve(graph, value, rounded(tensor.numpy(), role=role, name=value.name or ""))


def rounded(weight: NDArray[Any], *, role: str, name: str) -> NDArray[np.float16]:
    """A float32 weight in half precision.

    Args:
        weight: infinite constants stay infinite.
        role: of its graph, for the message.
        name: of the weight.

    Raises:
        ExportError: it is too large.
    """
    with np.errstate(over="ignore"):
        rounded = weight.astype(np.float16)
    overflown = np.isfinite(weight) & ~np.isfinite(rounded)  # a causal mask is infinite by itself
    if overflown.any():
        largest = np.abs(weight[overflown]).max()
        raise ExportError(
            f"The {role} graph has a weight of {largest:.3g}, too large for half precision.",
            remedy="Export with --precision fp32.",
            detail=name,
        )
    return rounded


def _halve(graph: ir.Graph, value: ir.Value, rounded: NDArray[np.float16]) -> None:
    """Put a float16 initializer and a cast in the place of a float32 one."""
    name = value.name or ""
    half = ir.Value(name=f"{name}_half", const_value=ir.tensor(rounded, name=f"{name}_half"))
    half.shape, half.type = ir.Shape(rounded.shape), ir.TensorType(ir.DataType.FLOAT16)
    cast = ir.node("Cast", [half], {"to": ir.DataType.FLOAT})
    whole = cast.outputs[0]
    ir.convenience.replace_all_uses_with(value, whole)
    del graph.initializers[name]
    whole.name = name
    graph.register_initializer(half)
    graph.insert_before(graph[0], cast)
