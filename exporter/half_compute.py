"""A graph that computes in half precision where that is safe: for GPUs.

The rule is that of mixed-precision training: matrix products, convolutions and attention in float16;
norms, powers, reductions, softmax and waves in float32; sums and products in the wider type of what
comes in, so that the residual stream stays float32 throughout. Inputs and outputs of the graph keep
their types.
"""

from __future__ import annotations

import onnx_ir as ir

from exporter.halving import rounded

HEAVY = frozenset({"MatMul", "Gemm", "Conv", "MultiHeadAttention"})
"""Computed in float16 whatever comes in: nearly all the arithmetic, with sums kept in float32 inside."""

FOLLOWING = frozenset(
    {
        *("Transpose", "Reshape", "Concat", "Slice", "Split", "Squeeze", "Unsqueeze", "Expand"),
        *("Gather", "GatherND", "Identity", "Add", "Sub", "Mul", "Div", "Sigmoid", "Tanh", "Erf", "Selu"),
    }
)
"""In float16 where everything that comes in is; a constant takes the type of the rest."""

_FLOATS = (ir.DataType.FLOAT, ir.DataType.FLOAT16, None)
_WHOLE, _HALF = ir.DataType.FLOAT, ir.DataType.FLOAT16


def compute_in_half(model: ir.Model, *, role: str) -> None:
    """Turn the heavy arithmetic of a float32 graph into float16.

    Args:
        model: changed in place; its values still carry their types, as after `torch.onnx.export`.
        role: of the graph, for the message.

    Raises:
        ExportError: a constant is too large for half precision.
    """
    casts = _Casts(model.graph, role)
    for node in tuple(model.graph):
        _settle(node, casts)
    for index, output in enumerate(tuple(model.graph.outputs)):
        if output.dtype == _HALF:
            model.graph.outputs[index] = casts.at_the_border(output)
    _drop_unused(model.graph)


class _Casts:
    """Each value in the other type, made once, before its first use."""

    def __init__(self, graph: ir.Graph, role: str) -> None:
        self._graph = graph
        self._role = role
        self._made: dict[tuple[ir.Value, ir.DataType], ir.Value] = {}

    def of(self, value: ir.Value, wanted: ir.DataType, user: ir.Node) -> ir.Value:
        """The value in the wanted type."""
        if (value.dtype or _WHOLE) == wanted:
            return value
        key = (value, wanted)
        if key not in self._made:
            self._made[key] = (
                self._constant(value) if value.is_initializer() else self._cast(value, wanted, user)
            )
        return self._made[key]

    def at_the_border(self, output: ir.Value) -> ir.Value:
        """A float32 output of the same name."""
        name = output.name
        output.name = f"{name}_half"
        node = ir.node("Cast", [output], {"to": _WHOLE})
        whole = node.outputs[0]
        whole.name, whole.shape, whole.type = name, output.shape, ir.TensorType(_WHOLE)
        self._graph.append(node)
        return whole

    def _constant(self, value: ir.Value) -> ir.Value:
        if value.const_value is None:
            raise RuntimeError(f"the initializer {value.name} has no content")
        name = f"{value.name}_half"
        array = rounded(value.const_value.numpy(), role=self._role, name=value.name or "")
        half = ir.Value(name=name, const_value=ir.tensor(array, name=name))
        half.shape, half.type = ir.Shape(array.shape), ir.TensorType(_HALF)
        self._graph.register_initializer(half)
        return half

    def _cast(self, value: ir.Value, wanted: ir.DataType, user: ir.Node) -> ir.Value:
        node = ir.node("Cast", [value], {"to": wanted})
        cast = node.outputs[0]
        cast.name, cast.shape = f"{value.name}_as_{wanted.name.lower()}", value.shape
        cast.type = ir.TensorType(wanted)
        self._graph.insert_before(user, node)
        return cast


def _settle(node: ir.Node, casts: _Casts) -> None:
    """Give a node inputs of one type, and its outputs the type that follows."""
    floats = [
        (index, value)
        for index, value in enumerate(node.inputs)
        if value is not None and value.dtype in _FLOATS
    ]
    if not floats or node.op_type in {"Cast", "Shape"}:
        return
    wanted = _type_of(node, [value for _, value in floats])
    for index, value in floats:
        node.replace_input_with(index, casts.of(value, wanted, node))
    for output in node.outputs:
        if output.dtype in _FLOATS:
            output.type = ir.TensorType(wanted)


def _type_of(node: ir.Node, floats: list[ir.Value]) -> ir.DataType:
    if node.op_type in HEAVY:
        return _HALF
    computed = [value for value in floats if not value.is_initializer()]
    follows = node.op_type in FOLLOWING and computed
    return _HALF if follows and all(value.dtype == _HALF for value in computed) else _WHOLE


def _drop_unused(graph: ir.Graph) -> None:
    """Take out the float32 weights of which only the rounded copies are used."""
    for name, value in tuple(graph.initializers.items()):
        if not value.uses() and not value.is_graph_output():
            del graph.initializers[name]
