"""A torch module as an ONNX graph: opset 18, free dimensions by name, nothing of this machine inside.

torch's own exporter makes the graph. Here it gets a plain rule for attention, whose weights-only
arithmetic is done once (the networks regroup their weights at every call), and names and notes that
tell of the source code are taken out.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxscript.optimizer
import torch
from onnx.defs import OpSchema
from onnx_ir.passes import common
from onnxscript import opset18 as op
from onnxscript.values import Op, Opset
from torch import Tensor, nn

from exporter.half_compute import compute_in_half
from models_onnx.bundle import GraphSpec

OPSET = 18
"""Later opsets have operators that onnxruntime's CUDA provider lacks kernels for."""

LARGEST_WHOLE = 1 << 28
"""Bytes of weights up to which a graph is one file; above, weights lie beside it.

There they are mapped where they need no rearranging, and not read twice: the published vocoder takes 0.2 GiB
while it is loaded where it took 1.0, the decoder 0.4 instead of 1.1. Protobuf ends at 2 GB.
"""

_NO_LIMIT = 1 << 62


class Form(StrEnum):
    """What a graph is made for.

    Attributes:
        PLAIN: any provider: standard operators, float32.
        GPU: CUDA: attention as one operator of ONNX Runtime, heavy arithmetic in float16.
    """

    PLAIN = "plain"
    GPU = "gpu"


def lower(
    module: nn.Module,
    spec: GraphSpec,
    inputs: Sequence[Tensor],
    *,
    compact: bool,
    form: Form = Form.PLAIN,
) -> ir.Model:
    """The graph of a module.

    Args:
        module: in evaluation mode, on the CPU; its outputs are those of `spec`, in order.
        spec: names and free dimensions.
        inputs: examples; every free dimension at least 2 long.
        compact: give everything inside the graph a short name without meaning.
        form: what it is made for.
    """
    rule = fused_attention if form is Form.GPU else attention
    with _quiet():
        program = torch.onnx.export(
            module,
            tuple(inputs),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=tuple(_dynamic(tensor.shape) for tensor in spec.inputs),
            input_names=[tensor.name for tensor in spec.inputs],
            output_names=[tensor.name for tensor in spec.outputs],
            custom_translation_table={torch.ops.aten.scaled_dot_product_attention.default: rule},
            optimize=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave nothing")
    model = program.model
    with _quiet():
        _fold(model)
    if form is Form.GPU:
        compute_in_half(model, role=spec.file.removesuffix(".onnx"))
    _strip(model, spec)
    if compact:
        _shorten_names(model)
    return model


def save(model: ir.Model, path: Path) -> None:
    """Write a graph; one of more than `LARGEST_WHOLE` bytes of weights gets them in `<path>.data`.

    A graph whose weights lie in a file already (`shared_weights`) only names them: others name them too.
    """
    held = (value.const_value for value in model.graph.initializers.values())
    tensors = [tensor for tensor in held if tensor is not None]
    is_shared = any(isinstance(tensor, ir.ExternalTensor) for tensor in tensors)
    if not is_shared and sum(tensor.nbytes for tensor in tensors) > LARGEST_WHOLE:
        ir.save(model, path, external_data=f"{path.name}.data")
    else:
        ir.save(model, path)


def attention(  # noqa: PLR0917  torch's own signature
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,  # noqa: FBT001, FBT002
    scale: float | None = None,
    enable_gqa: bool = False,  # noqa: FBT001, FBT002
) -> Any:
    """Scaled dot-product attention in four operators, for any rank: the networks here need no more.

    Raises:
        NotImplementedError: a mask, dropout or grouped queries.
    """
    factor = _factor(query, scale, unsupported=attn_mask is not None or dropout_p or enable_gqa)
    rank = len(key.shape)
    turned = op.Transpose(key, perm=[*range(rank - 2), rank - 1, rank - 2])
    scores = op.MatMul(op.Mul(query, _constant(np.float32(factor))), turned)
    if is_causal:
        length = query.shape[-2]
        scores = op.Add(scores, _constant(np.triu(np.full((length, length), -np.inf, np.float32), 1)))
    return op.MatMul(op.Softmax(scores, axis=-1), value)


def fused_attention(  # noqa: PLR0917  torch's own signature
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,  # noqa: FBT001, FBT002
    scale: float | None = None,
    enable_gqa: bool = False,  # noqa: FBT001, FBT002
) -> Any:
    """The same for [batch, heads, length, width] as ONNX Runtime's own operator, which CUDA has kernels for.

    On the CPU it is no faster than `attention` (0.62 to 0.95 of its speed at the sizes of this model),
    and other runtimes do not know it.

    Raises:
        NotImplementedError: a mask, dropout, grouped queries, or another rank.
    """
    odd = attn_mask is not None or dropout_p or enable_gqa or len(query.shape) != 4
    factor = _factor(query, scale, unsupported=odd)
    _, heads, _, width = query.shape
    flat = [_heads_joined(tensor, heads * width) for tensor in (query, key, value)]
    joined = _multi_head_attention()(*flat, num_heads=heads, scale=factor, unidirectional=int(is_causal))
    apart = op.Reshape(joined, _constant(np.array([0, 0, heads, width], np.int64)))
    return op.Transpose(apart, perm=[0, 2, 1, 3])


@cache
def _multi_head_attention() -> Op:
    """ONNX Runtime's operator, as far as it is used here; the onnx package does not know it."""
    schema = OpSchema(
        "MultiHeadAttention",
        "com.microsoft",
        1,
        inputs=[OpSchema.FormalParameter(name, "T") for name in ("query", "key", "value")],
        outputs=[OpSchema.FormalParameter("output", "T")],
        type_constraints=[("T", ["tensor(float)", "tensor(float16)"], "")],
        attributes=[
            OpSchema.Attribute("num_heads", OpSchema.AttrType.INT),
            OpSchema.Attribute("scale", OpSchema.AttrType.FLOAT),
            OpSchema.Attribute("unidirectional", OpSchema.AttrType.INT),
        ],
    )
    return Op(Opset("com.microsoft", 1), "MultiHeadAttention", schema)


def _factor(query: Any, scale: float | None, *, unsupported: bool | float) -> float:
    if unsupported:
        raise NotImplementedError("attention with a mask, dropout, grouped queries or another rank")
    return scale if scale is not None else 1 / math.sqrt(query.shape[-1])


def _heads_joined(tensor: Any, width: int) -> Any:
    """[batch, heads, length, d] to [batch, length, heads * d]."""
    turned = op.Transpose(tensor, perm=[0, 2, 1, 3])
    return op.Reshape(turned, _constant(np.array([0, 0, width], np.int64)))


def _constant(value: Any) -> Any:
    return op.Constant(value=ir.to_proto(ir.tensor(np.asarray(value))))


def _dynamic(shape: tuple[int | str, ...]) -> dict[int, Any]:
    return {axis: torch.export.Dim(size) for axis, size in enumerate(shape) if isinstance(size, str)}


def _fold(model: ir.Model) -> None:
    """Compute what depends on weights only, share equal parts, drop what nothing uses.

    Equal parts first: a network that runs twice must not get its folded weights twice.
    """
    common.CommonSubexpressionEliminationPass()(model)
    onnxscript.optimizer.optimize(model, input_size_limit=_NO_LIMIT, output_size_limit=_NO_LIMIT)
    for tidy in (
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.DeduplicateInitializersPass(size_limit=_NO_LIMIT),
        common.CommonSubexpressionEliminationPass(),
        common.RemoveUnusedNodesPass(),
    ):
        tidy(model)


def _strip(model: ir.Model, spec: GraphSpec) -> None:
    """Take out source lines, module names and shapes of what lies inside; state the interface."""
    common.ClearMetadataAndDocStringPass()(model)
    model.producer_name, model.producer_version, model.graph.name = "sagafoley", None, "graph"
    border = {*model.graph.inputs, *model.graph.outputs}
    for value in (*model.graph.inputs, *_values(model)):
        value.metadata_props.clear()
        if value not in border:
            value.shape, value.type = None, None
    for node in model.graph:
        node.name = ""
    for output, tensor in zip(model.graph.outputs, spec.outputs, strict=True):
        output.shape = ir.Shape(tensor.shape)


def _shorten_names(model: ir.Model) -> None:
    border = {*model.graph.inputs, *model.graph.outputs}
    for index, value in enumerate(value for value in _values(model) if value not in border):
        value.name = f"_{index:x}"


def _values(model: ir.Model) -> Iterator[ir.Value]:
    yield from tuple(model.graph.initializers.values())
    for node in model.graph:
        yield from node.outputs


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence: torch's exporter warns of its own deprecated parts and logs its steps."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
