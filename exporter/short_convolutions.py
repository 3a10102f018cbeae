"""Convolutions over time with fewer multiplications: Toom and Cook's scheme, as in Winograd's networks.

`m` outputs of a kernel of `r` taps need `m * r` multiplications per pair of channels when computed one by
one, and `m + r - 1` when input and kernel are first changed to values of polynomials at as many points.
The changes are sums over a few neighbours; what remains are plain matrix products. On a CPU these are
where nearly all the time goes, so a kernel of three taps takes half of it. Long kernels are cut into
pieces of four taps whose changed inputs are the same but for a shift.

The result differs from the direct one by rounding only: relative L2 of 4e-7 for three taps and 5e-7 for
four, where the direct sum has 1.5e-7 (random values, 64 channels, float32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

Matrix = npt.NDArray[np.float32]

_TILES = {3: 4, 4: 5}
"""By taps r of a piece: m, the outputs computed together."""

_POINTS = {3: (0.0, 1.0, -1.0, 0.5, -2.0), 4: (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0)}
"""By taps r: where the polynomials are evaluated, besides infinity; those with the least rounding."""

_LEAST_WIDTH = {3: 384, 4: 192}
"""By taps of a piece: channels in and out from which the products outweigh the changes."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """The three matrices of a tile: `y = back @ ((kernel @ g) * (forth @ d))`.

    Attributes:
        forth: `[n, n]`, of n inputs.
        kernel: `[n, r]`, of r taps, in float64.
        back: `[m, n]`.
    """

    forth: Matrix
    kernel: npt.NDArray[np.float64]
    back: Matrix

    @classmethod
    def of(cls, taps: int) -> Scheme:
        """The scheme of Toom and Cook, turned round, for 3 or 4 taps."""
        points, tile = _POINTS[taps], _TILES[taps]
        forth = np.linalg.inv(_values(points, tile + taps - 1)).T
        # Powers of two change no rounding; they keep both factors of a product near the same size.
        sizes = 2.0 ** np.round(np.log2(np.linalg.norm(forth, axis=1, keepdims=True)))
        return cls(
            (forth / sizes).astype(np.float32),
            _values(points, taps) * sizes,
            np.ascontiguousarray(_values(points, tile).T, np.float32),
        )


def _values(points: Sequence[float], terms: int) -> npt.NDArray[np.float64]:
    """Powers of every point, and the last power alone for the point at infinity."""
    powers = np.power.outer(np.array(points), np.arange(terms))
    return np.vstack([powers, np.eye(terms)[-1:]])


@dataclass(frozen=True, slots=True)
class _Convolution:
    """What is to be replaced.

    Attributes:
        node: the Conv.
        weight: `[K, C, length]`.
        dilation: samples between taps.
        taps: of one piece.
    """

    node: ir.Node
    weight: Matrix
    dilation: int
    taps: int

    @property
    def pieces(self) -> int:
        """Into how many the kernel is cut; the last may end with zeros."""
        return -(-self.weight.shape[2] // self.taps)

    @property
    def tile(self) -> int:
        """Outputs computed together."""
        return _TILES[self.taps]

    @property
    def source(self) -> ir.Value:
        """The signal `[B, C, L]`."""
        value = self.node.inputs[0]
        if value is None:
            raise RuntimeError("a convolution of nothing")
        return value


def shorten_convolutions(model: ir.Model, *, long: bool) -> int:
    """Replace the wide same-length convolutions over time of a float32 graph; how many there were.

    Args:
        model: changed in place.
        long: signals are far longer than wide. Otherwise weights outweigh them, and every point gets a
            product of its own, whose weights onnxruntime arranges once for all.
    """
    found = [one for node in tuple(model.graph) if (one := _convolution(node)) is not None]
    tiles: dict[tuple[Any, ...], ir.Value] = {}
    for one in found:
        _Replacement(model.graph, one, tiles).replace(long=long)
    for name, value in tuple(model.graph.initializers.items()):
        if not value.uses() and not value.is_graph_output():
            del model.graph.initializers[name]
    return len(found)


def _convolution(node: ir.Node) -> _Convolution | None:
    """The convolution of a node; None when it is none of those that gain."""
    if node.op_type != "Conv" or node.inputs[1] is None or node.inputs[1].const_value is None:
        return None
    shape = node.inputs[1].const_value.shape.numpy()
    if len(shape) != 3 or node.inputs[1].const_value.dtype != ir.DataType.FLOAT:
        return None
    length, dilation = shape[2], _integers(node, "dilations", [1])[0]
    taps = 3 if length == 3 else 4
    same = length % 2 == 1 and _integers(node, "pads", [0, 0]) == [dilation * (length // 2)] * 2
    plain = _integers(node, "strides", [1]) == [1] and _group(node) == 1
    if not same or not plain or length < 3 or min(shape[:2]) < _LEAST_WIDTH[taps]:
        return None
    return _Convolution(node, node.inputs[1].const_value.numpy(), dilation, taps)


def _integers(node: ir.Node, name: str, usual: list[int]) -> list[int]:
    attribute = node.attributes.get(name)
    return usual if attribute is None else list(attribute.as_ints())


def _group(node: ir.Node) -> int:
    attribute = node.attributes.get("group")
    return 1 if attribute is None else int(attribute.as_int())


class _Replacement:
    """The nodes that do a convolution's work, put before it.

    Channels come last inside, so that whatever moves along time moves whole rows.
    """

    def __init__(self, graph: ir.Graph, wanted: _Convolution, tiles: dict[tuple[Any, ...], ir.Value]) -> None:
        self._graph = graph
        self._wanted = wanted
        self._tiles = tiles
        self._scheme = Scheme.of(wanted.taps)

    def replace(self, *, long: bool) -> None:
        """Put the new nodes in and the Conv out."""
        node = self._wanted.node
        tiles = self._shared()
        products = self._batched(tiles) if long else self._one_by_one(tiles)
        result = self._op("Transpose", self._gathered(products), perm=[0, 2, 1])
        old = node.outputs[0]
        result.name, result.shape, result.type = old.name, old.shape, old.type
        ir.convenience.replace_all_uses_with(old, result, replace_graph_outputs=True)
        self._graph.remove(node, safe=True)

    def _shared(self) -> ir.Value:
        """The changed tiles of a signal, made once for all kernels of this form that meet it."""
        one = self._wanted
        key = (one.source, one.dilation, one.weight.shape[2])
        if key not in self._tiles:
            self._tiles[key] = self._changed()
        return self._tiles[key]

    def _changed(self) -> ir.Value:
        """Tiles of the signal as values at the points: `[B, n, T * dilation, pieces * C]`.

        Beside every tile stand the next ones, which the later pieces of the kernel meet.
        """
        one = self._wanted
        count = self._tile_count()
        padded = self._op("Pad", self._op("Transpose", one.source, perm=[0, 2, 1]), self._pads(count))
        tiles = self._op("Gather", padded, self._places(count), axis=1)
        flat = self._op("Reshape", tiles, self._ints(0, len(self._scheme.forth), -1))
        changed = self._op("MatMul", self._constant(self._scheme.forth, f"forth_{one.taps}"), flat)
        return self._op(
            "Reshape", changed, self._ints(0, len(self._scheme.forth), -1, one.pieces * one.weight.shape[1])
        )

    def _tile_count(self) -> ir.Value:
        """T, of tiles along the signal."""
        span = self._wanted.dilation * self._wanted.tile
        return self._op("Div", self._op("Add", self._length(), self._ints(span - 1)), self._ints(span))

    def _pads(self, count: ir.Value) -> ir.Value:
        """Zeros before and after the signal, so that all tiles are whole."""
        one = self._wanted
        before = one.dilation * (one.weight.shape[2] // 2)
        beyond = one.dilation * (one.taps * one.pieces - 1)
        whole = self._op("Mul", count, self._ints(one.dilation * one.tile))
        after = self._op("Sub", self._op("Add", whole, self._ints(beyond - before)), self._length())
        return self._op("Concat", self._ints(0, before, 0, 0), after, self._ints(0), axis=0)

    def _places(self, count: ir.Value) -> ir.Value:
        """Where the tiles' rows are in the padded signal, `[n, T, dilation, pieces]`."""
        one = self._wanted
        inputs = np.arange(len(self._scheme.forth)).reshape(-1, 1, 1, 1) * one.dilation
        phases = np.arange(one.dilation).reshape(1, 1, -1, 1)
        shifts = np.arange(one.pieces).reshape(1, 1, 1, -1) * one.taps * one.dilation
        zero, step = (self._constant(np.array(value), f"scalar_{value}") for value in (0, 1))
        tiles = self._op("Range", zero, self._op("Squeeze", count), step)
        starts = self._op("Mul", tiles, self._ints(one.tile * one.dilation))
        within = self._constant(inputs + phases + shifts, f"within_{one.taps}_{one.dilation}_{one.pieces}")
        return self._op("Add", self._op("Reshape", starts, self._ints(1, -1, 1, 1)), within)

    def _batched(self, tiles: ir.Value) -> ir.Value:
        """The products of all points as one: `[B, n, T * dilation, K]`."""
        return self._op("MatMul", tiles, self._constant(self._changed_kernel()))

    def _one_by_one(self, tiles: ir.Value) -> ir.Value:
        """A product per point: `[B, n, T * dilation, K]`."""
        weights = self._changed_kernel()
        count = len(weights)
        split = ir.node("Split", [tiles], {"axis": 1, "num_outputs": count}, num_outputs=count)
        self._graph.insert_before(self._wanted.node, split)
        products = [
            self._op("MatMul", part, self._constant(weight))
            for part, weight in zip(split.outputs, weights, strict=True)
        ]
        return self._op("Concat", *products, axis=1)

    def _changed_kernel(self) -> Matrix:
        """The kernel's values at the points, `[n, pieces * C, K]`; pieces below one another."""
        one = self._wanted
        width, channels, length = one.weight.shape
        whole = np.zeros((width, channels, one.pieces * one.taps))
        whole[..., :length] = one.weight
        cut = whole.reshape(width, channels, one.pieces, one.taps)
        turned = np.ascontiguousarray(cut.transpose(3, 2, 1, 0).reshape(one.taps, -1))
        changed = self._scheme.kernel @ turned
        return changed.astype(np.float32).reshape(len(changed), -1, width)

    def _gathered(self, products: ir.Value) -> ir.Value:
        """The outputs in order, `[B, L, K]`, with their bias."""
        one = self._wanted
        width = one.weight.shape[0]
        flat = self._op("Reshape", products, self._ints(0, len(self._scheme.forth), -1))
        phases = self._op("MatMul", self._constant(self._scheme.back, f"back_{one.taps}"), flat)
        apart = self._op("Reshape", phases, self._ints(0, one.tile, -1, one.dilation * width))
        turned = self._op("Transpose", apart, perm=[0, 2, 1, 3])
        rows = self._op("Reshape", turned, self._op("Concat", self._batch(), self._ints(-1, width), axis=0))
        cut = self._op("Slice", rows, self._ints(0), self._length(), self._ints(1))
        bias = one.node.inputs[2] if len(one.node.inputs) > 2 else None
        return cut if bias is None else self._op("Add", cut, bias)

    def _batch(self) -> ir.Value:
        return self._op("Shape", self._wanted.source, start=0, end=1)

    def _length(self) -> ir.Value:
        return self._op("Shape", self._wanted.source, start=2, end=3)

    def _ints(self, *values: int) -> ir.Value:
        return self._constant(np.array(values, np.int64), "ints_" + "_".join(map(str, values)))

    def _constant(self, array: npt.NDArray[Any], name: str | None = None) -> ir.Value:
        """An initializer; one of the same name is taken again."""
        known = self._graph.initializers
        wanted = f"short_{len(known)}" if name is None else f"short_{name}"
        if wanted not in known:
            value = ir.Value(name=wanted, const_value=ir.tensor(array, name=wanted))
            value.shape, value.type = (
                ir.Shape(array.shape),
                ir.TensorType(ir.DataType.from_numpy(array.dtype)),
            )
            self._graph.register_initializer(value)
        return known[wanted]

    def _op(self, operator: str, *inputs: ir.Value, **attributes: Any) -> ir.Value:
        node = ir.node(operator, list(inputs), attributes)
        self._graph.insert_before(self._wanted.node, node)
        return node.outputs[0]
