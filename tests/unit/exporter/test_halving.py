"""Weights kept in half precision: smaller files, float32 arithmetic, a clear refusal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from exporter import halving, lowering, verify
from exporter.__main__ import main
from exporter.errors import ExportError
from exporter.export import GPU_ROLES, HALF_ROLES, lowered
from exporter.graphs import example_inputs, graphs_of
from exporter.networks import RandomWeights
from exporter.sizes import GOLDEN
from models_onnx.bundle import ROLES, Bundle


def _model(weight: np.ndarray) -> ir.Model:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", weight.shape[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", weight.shape[1]])],
        [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(np.full(1, 0.1, np.float32), "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return ir.from_proto(model)


def _run(model: ir.Model, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        ir.to_proto(model).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"x": x})[0])


def test_large_weights_are_rounded_and_small_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    weight = rng.standard_normal((16, 8)).astype(np.float32)
    model = _model(weight)
    halving.keep_in_half(model, role="flow")
    stored = {value.name: value.const_value.dtype for value in model.graph.initializers.values()}
    assert sorted(str(kind) for kind in stored.values()) == ["FLOAT", "FLOAT16"]
    x = rng.standard_normal((3, 16)).astype(np.float32)
    expected = x @ weight.astype(np.float16).astype(np.float32) + np.float32(0.1)
    assert np.allclose(_run(model, x), expected, rtol=1e-6, atol=1e-6)


def test_a_weight_beyond_half_precision_is_refused() -> None:
    with pytest.raises(ExportError, match=r"flow graph has a weight of 1e\+05, too large"):
        halving.keep_in_half(_model(np.full((16, 8), 1e5, np.float32)), role="flow")


def test_an_infinite_constant_stays_infinite() -> None:
    model = _model(np.full((16, 8), -np.inf, np.float32))
    halving.keep_in_half(model, role="text_encoder")
    assert (_run(model, np.ones((1, 16), np.float32)) == -np.inf).all()


IN_HALF = ("text_encoder", "flow")
"""Of the graphs that are made for CUDA, those made here: with a causal mask, and with everything else."""


def test_decoder_and_vocoder_stay_in_float32_on_cuda() -> None:
    assert set(ROLES) - set(HALF_ROLES) == {"decoder", "vocoder"}
    assert set(GPU_ROLES) == set(ROLES)


def test_the_vocoder_for_cuda_keeps_its_convolutions_and_its_precision() -> None:
    """What makes convolutions quick on a CPU is left out; nothing is in half precision."""
    (graph,) = (graph for graph in graphs_of(GOLDEN) if graph.role == "vocoder")
    module = graph.wrap(RandomWeights().network(graph.network, GOLDEN))
    model = lowered(graph, module, GOLDEN, form=lowering.Form.GPU)
    kinds = Counter(node.op_type for node in model.graph)
    convolutions = sum(isinstance(part, torch.nn.Conv1d) for part in module.modules())
    assert kinds["Conv"] >= convolutions > 0
    assert {str(value.const_value.dtype) for value in model.graph.initializers.values()} <= {"FLOAT", "INT64"}


def test_a_causal_encoder_in_the_form_for_cuda(tmp_path: Path) -> None:
    (graph,) = (graph for graph in graphs_of(GOLDEN) if graph.role == "text_encoder")
    module = graph.wrap(RandomWeights().network(graph.network, GOLDEN))
    inputs = example_inputs(graph, GOLDEN, GOLDEN.lengths(48, batch=2))
    model = lowering.lower(module, graph.spec, inputs, compact=False, form=lowering.Form.GPU)
    lowering.save(model, tmp_path / "text.onnx")
    kinds = Counter(node.op_type for node in model.graph)
    assert (kinds["MultiHeadAttention"], kinds["Softmax"]) == (GOLDEN.clip.text_layers, 0)
    known = verify.references(graph, module, GOLDEN, ((48, 2),))
    (row,) = verify.differences(tmp_path / "text.onnx", graph.spec, known, role="text_encoder")
    assert 1e-6 < row.relative < halving.TOLERANCE


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The golden bundle in half precision, with graphs for CUDA."""
    folder = tmp_path_factory.mktemp("bundles") / "half"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exporter.export.HALF_ROLES", IN_HALF)
        patch.setattr("exporter.export.GPU_ROLES", IN_HALF)
        assert main(["golden", "--precision", "fp16", "--provider", "cuda", "-o", str(folder)]) == 0
    return Bundle.open(folder)


@pytest.mark.slow
def test_a_bundle_in_half_precision_is_smaller_and_near(half: Bundle) -> None:
    whole = Bundle.open(Path(__file__).parents[2] / "golden" / "bundle")
    assert half.manifest.precision == "fp16"
    sizes = {role: [_bytes(bundle, role) for bundle in (half, whole)] for role in ("flow", "vocoder")}
    assert sizes["flow"][0] < sizes["flow"][1]
    assert sizes["vocoder"][0] == sizes["vocoder"][1]
    assert 1e-5 < half.manifest.parity["flow"] < halving.TOLERANCE
    assert half.manifest.parity["vocoder"] < 1e-5
    stored = onnx.load(half.path_of("flow")).graph
    assert all(output.type.tensor_type.elem_type == TensorProto.FLOAT for output in stored.output)


def _bytes(bundle: Bundle, role: str) -> int:
    return bundle.manifest.files[bundle.manifest.graphs[role].file].bytes


@pytest.mark.slow
def test_graphs_for_cuda_compute_in_half_precision(half: Bundle) -> None:
    manifest = half.manifest
    assert tuple(manifest.gpu_graphs) == IN_HALF
    for role, file in manifest.gpu_graphs.items():
        assert 1e-6 < manifest.parity[f"{role}.gpu"] < halving.TOLERANCE, role
        graph = onnx.load(half.path_of(file)).graph
        assert [tensor.name for tensor in graph.input] == [spec.name for spec in manifest.graphs[role].inputs]
    flow = onnx.load(half.path_of(manifest.gpu_graphs["flow"])).graph
    kinds = Counter(node.op_type for node in flow.node)
    assert kinds["Softmax"] == 0
    assert kinds["MultiHeadAttention"] == kinds_of_plain(half)["Softmax"] > 0
    weights = {tensor.name: tensor.data_type for tensor in flow.initializer}
    heavy = [node.input[1] for node in flow.node if node.op_type in {"MatMul", "Gemm", "Conv"}]
    assert {weights.get(name, TensorProto.FLOAT16) for name in heavy} == {TensorProto.FLOAT16}


@pytest.mark.slow
def test_norms_and_sums_of_the_residual_stay_in_float32(half: Bundle) -> None:
    flow = onnx.load(half.path_of(half.manifest.gpu_graphs["flow"])).graph
    wide = {output for node in flow.node if node.op_type == "Cast" for output in node.output}
    half_made = {
        output for node in flow.node if node.op_type in {"MatMul", "Gemm", "Conv"} for output in node.output
    }
    for node in flow.node:
        if node.op_type in {"LayerNormalization", "ReduceMean", "Sqrt", "Pow"}:
            assert not half_made & set(node.input), node.op_type
    assert wide


def kinds_of_plain(bundle: Bundle) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(bundle.path_of("flow")).graph.node)
