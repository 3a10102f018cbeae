"""One file of weights for all forms of a graph: what two of them have in common lies there once.

The form for CUDA computes with weights rounded to half precision. A bundle of precision fp16 keeps the plain
form's weights rounded just so, and both name the same bytes. One of precision fp32 keeps them whole, and
the form for CUDA names those, with a cast behind each, which ONNX Runtime computes once, on loading.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

LEAST = 1024
"""Bytes of a tensor below which it stays inside its graph."""

LARGE = 1 << 16
"""Bytes from which a whole tensor is taken rounded where that is what the file has: tables, not norms."""

_PAGE = 4096
_KINDS: dict[Any, ir.DataType] = {np.float32: ir.DataType.FLOAT, np.float16: ir.DataType.FLOAT16}
_OTHER: dict[Any, ir.DataType] = {np.float32: ir.DataType.FLOAT16, np.float16: ir.DataType.FLOAT}


class _Place(NamedTuple):
    offset: int
    length: int


@dataclass(slots=True)
class WeightFile:
    """A growing file of weights.

    Attributes:
        path: beside the graphs that name it.
    """

    path: Path
    _size: int = 0
    _places: dict[bytes, _Place] = field(default_factory=dict)
    _others: dict[bytes, _Place] = field(default_factory=dict)  # by the digest in the other precision

    def take(self, model: ir.Model) -> None:
        """Put a graph's weights into the file and let the graph name their places; none is written twice.

        Args:
            model: changed in place; to be saved in the file's folder.
        """
        for value in tuple(model.graph.initializers.values()):
            tensor = value.const_value
            if tensor is not None and tensor.dtype in _KINDS.values() and tensor.nbytes >= LEAST:
                self._move(model.graph, value, np.ascontiguousarray(tensor.numpy()))

    def _move(self, graph: ir.Graph, value: ir.Value, array: NDArray[Any]) -> None:
        kind, other = _KINDS[array.dtype.type], _OTHER[array.dtype.type]
        digest = _digest(array)
        if digest not in self._places:
            rounded = _digest(_half(array))
            if kind == ir.DataType.FLOAT16 and digest in self._others:
                _cast(graph, value, self._tensor(self._others[digest], value, array.shape, other), to=kind)
                return
            if kind == ir.DataType.FLOAT and array.nbytes >= LARGE and rounded in self._places:
                _cast(graph, value, self._tensor(self._places[rounded], value, array.shape, other), to=kind)
                return
            self._places[digest] = self._append(array)
            if kind == ir.DataType.FLOAT:
                self._others.setdefault(rounded, self._places[digest])
        value.const_value = self._tensor(self._places[digest], value, array.shape, kind)

    def _append(self, array: NDArray[Any]) -> _Place:
        """Write an array where a page begins, so that it can be mapped into memory."""
        gap = -self._size % _PAGE
        with self.path.open("ab") as stream:
            stream.write(bytes(gap))
            stream.write(array.data)
        place = _Place(self._size + gap, array.nbytes)
        self._size = place.offset + place.length
        return place

    def _tensor(
        self, place: _Place, value: ir.Value, shape: tuple[int, ...], kind: ir.DataType
    ) -> ir.ExternalTensor:
        return ir.ExternalTensor(
            self.path.name,
            place.offset,
            place.length,
            kind,
            shape=ir.Shape(shape),
            name=value.name or "",
            base_dir=self.path.parent,
        )


def _digest(array: NDArray[Any]) -> bytes:
    return hashlib.sha256(array.dtype.str.encode() + array.tobytes()).digest()


def _half(array: NDArray[Any]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        return array.astype(np.float16)


def _cast(graph: ir.Graph, value: ir.Value, tensor: ir.ExternalTensor, *, to: ir.DataType) -> None:
    """An initializer of the other precision, and a cast, in the place of an initializer."""
    name = value.name or ""
    stored = ir.Value(name=f"{name}_stored", const_value=tensor)
    stored.shape, stored.type = tensor.shape, ir.TensorType(tensor.dtype)
    tensor.name = f"{name}_stored"
    node = ir.node("Cast", [stored], {"to": to})
    ir.convenience.replace_all_uses_with(value, node.outputs[0])
    del graph.initializers[name]
    node.outputs[0].name = name
    graph.register_initializer(stored)
    graph.insert_before(graph[0], node)
