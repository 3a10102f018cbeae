"""Weights kept in half precision: smaller files, float32 arithmetic, a clear refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from exporter import halving
from exporter.__main__ import main
from exporter.errors import ExportError
from models_onnx.bundle import Bundle


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


def test_a_bundle_in_half_precision_is_smaller_and_near(tmp_path: Path) -> None:
    assert main(["golden", "--precision", "fp16", "-o", str(tmp_path / "half")]) == 0
    half, whole = Bundle.open(tmp_path / "half"), Bundle.open(Path(__file__).parents[2] / "golden" / "bundle")
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
