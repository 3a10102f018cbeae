"""Convolutions with fewer multiplications give what the plain ones give, at every length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch
from torch import nn

from exporter import lowering, verify
from exporter.short_convolutions import Scheme, shorten_convolutions
from models_onnx.bundle import GraphSpec, TensorSpec

ROUNDING = 1.5e-6
FLOATS = ir.TensorType(ir.DataType.FLOAT)
LENGTHS = ((2, 61), (1, 3), (1, 60), (3, 8))


def _spec(conv: nn.Conv1d) -> GraphSpec:
    shapes = (
        (name, ("batch", size, "length"))
        for name, size in (("x", conv.in_channels), ("y", conv.out_channels))
    )
    x, y = (TensorSpec(name=name, dtype="float32", shape=shape) for name, shape in shapes)
    return GraphSpec(file="a.onnx", inputs=(x,), outputs=(y,))


def _model(*convs: nn.Conv1d) -> ir.Model:
    """The convolutions of one signal, added up."""
    x = ir.Value(name="x", shape=ir.Shape(["batch", convs[0].in_channels, "length"]), type=FLOATS)
    nodes, weights = [], []
    for index, conv in enumerate(convs):
        named = {f"weight_{index}": conv.weight} | ({} if conv.bias is None else {f"bias_{index}": conv.bias})
        own = [
            ir.Value(name=name, const_value=ir.tensor(value.detach().numpy()))
            for name, value in named.items()
        ]
        nodes.append(ir.node("Conv", [x, *own], _attributes(conv)))
        weights += own
    total = nodes[0].outputs[0] if len(convs) == 1 else _sum(nodes)
    total.name, total.type = "y", FLOATS
    total.shape = ir.Shape(["batch", convs[0].out_channels, "length"])
    graph = ir.Graph([x], [total], nodes=nodes, initializers=weights, opset_imports={"": 18})
    return ir.Model(graph, ir_version=9)


def _sum(nodes: list[ir.Node]) -> ir.Value:
    nodes.append(ir.node("Sum", [node.outputs[0] for node in nodes]))
    return nodes[-1].outputs[0]


def _attributes(conv: nn.Conv1d) -> dict[str, object]:
    pads = [int(size) for size in conv.padding] * 2
    same = {"strides": list(conv.stride), "dilations": list(conv.dilation), "group": conv.groups}
    return {"pads": pads, **same}


def _difference(conv: nn.Conv1d, folder: Path, *, long: bool) -> tuple[int, float]:
    """How many convolutions were replaced, and the worst relative difference over `LENGTHS`."""
    spec, model = _spec(conv), _model(conv)
    count = shorten_convolutions(model, long=long)
    lowering.save(model, folder / spec.file)
    worst = 0.0
    for batch, length in LENGTHS:
        x = torch.randn(batch, conv.in_channels, length)
        (found,) = verify.outputs_of(folder / spec.file, spec, (x.numpy(),), role="a")
        with torch.no_grad():
            wanted = conv.double()(x.double()).numpy()
        conv.float()
        assert found.shape == wanted.shape
        worst = max(worst, verify.relative_l2(found, wanted))
    return count, worst


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv1d(384, 400, 3, padding=1, bias=False),
        nn.Conv1d(384, 384, 3, padding=5, dilation=5),
        nn.Conv1d(192, 200, 7, padding=9, dilation=3),
        nn.Conv1d(200, 192, 11, padding=5, bias=False),
    ],
    ids=str,
)
def test_replaced_convolutions_agree_with_plain_ones(conv: nn.Conv1d, long: bool, tmp_path: Path) -> None:
    torch.manual_seed(1)
    nn.init.normal_(conv.weight)
    count, worst = _difference(conv, tmp_path, long=long)
    assert count == 1
    assert worst < ROUNDING


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv1d(64, 64, 3, padding=1),
        nn.Conv1d(384, 384, 3, padding=0),
        nn.Conv1d(384, 384, 1),
        nn.Conv1d(384, 384, 4, padding=2),
        nn.Conv1d(384, 384, 3, padding=1, stride=2),
        nn.Conv1d(384, 384, 3, padding=1, groups=384),
    ],
    ids=["narrow", "shrinking", "pointwise", "even", "strided", "grouped"],
)
def test_others_are_left_alone(conv: nn.Conv1d) -> None:
    model = _model(conv)
    assert shorten_convolutions(model, long=False) == 0
    assert [node.op_type for node in model.graph] == ["Conv"]


def test_kernels_of_one_signal_share_its_tiles() -> None:
    model = _model(*(nn.Conv1d(384, 384, 3, padding=1) for _ in range(2)))
    assert shorten_convolutions(model, long=True) == 2
    assert sum(node.op_type == "Gather" for node in model.graph) == 1


@pytest.mark.parametrize(("taps", "outputs"), [(3, 4), (4, 5)])
def test_the_scheme_is_a_correlation(taps: int, outputs: int) -> None:
    generator = np.random.default_rng(1)
    signal, kernel = generator.standard_normal(taps + outputs - 1), generator.standard_normal(taps)
    scheme = Scheme.of(taps)
    found = scheme.back @ ((scheme.kernel @ kernel) * (scheme.forth @ signal))
    assert np.allclose(found, np.correlate(signal, kernel), atol=1e-6)
