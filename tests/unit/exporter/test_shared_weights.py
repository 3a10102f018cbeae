"""Weights that two forms of a graph share lie in one file, once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from exporter import halving, lowering
from exporter.shared_weights import LARGE, WeightFile

SIDE = 160
"""A square of float32 this wide has more than `LARGE` bytes."""


def _model(weight: np.ndarray, *, half: bool = False) -> ir.Model:
    """x @ w + b; in half precision as the form for CUDA has it."""
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    nodes = [helper.make_node("MatMul", ["x16" if half else "x", "w"], ["h16" if half else "h"])]
    if half:
        nodes.insert(0, helper.make_node("Cast", ["x"], ["x16"], to=kind))
        nodes.append(helper.make_node("Cast", ["h16"], ["h"], to=TensorProto.FLOAT))
    nodes.append(helper.make_node("Add", ["h", "b"], ["y"]))
    bias = np.linspace(-1, 1, weight.shape[1], dtype=np.float32)
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", weight.shape[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", weight.shape[1]])],
        [
            numpy_helper.from_array(weight.astype(np.float16 if half else np.float32), "w"),
            numpy_helper.from_array(bias, "b"),
        ],
    )
    return ir.from_proto(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10))


@pytest.fixture
def weight() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((SIDE, SIDE)).astype(np.float32)


def _run(path: Path, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def _saved(folder: Path, *models: ir.Model) -> list[Path]:
    shared, paths = WeightFile(folder / "flow.onnx.data"), []
    for number, model in enumerate(models):
        shared.take(model)
        paths.append(folder / f"{number}.onnx")
        lowering.save(model, paths[-1])
    return paths


def _external(path: Path) -> list[str]:
    graph = onnx.load(path, load_external_data=False).graph
    return sorted(t.name for t in graph.initializer if t.data_location == TensorProto.EXTERNAL)


def test_a_whole_bundle_holds_float32_once_and_cuda_casts_it(tmp_path: Path, weight: np.ndarray) -> None:
    plain, gpu = _saved(tmp_path, _model(weight), _model(weight, half=True))
    assert (tmp_path / "flow.onnx.data").stat().st_size == weight.nbytes
    assert (_external(plain), _external(gpu)) == (["w"], ["w_stored"])
    assert max(path.stat().st_size for path in (plain, gpu)) < 3000
    x = np.random.default_rng(2).standard_normal((2, SIDE)).astype(np.float32)
    alone = tmp_path / "alone.onnx"
    lowering.save(_model(weight, half=True), alone)
    assert np.array_equal(_run(gpu, x), _run(alone, x))
    assert np.allclose(_run(plain, x), x @ weight + np.linspace(-1, 1, SIDE, dtype=np.float32), atol=1e-4)


def test_a_halved_bundle_holds_float16_once(tmp_path: Path, weight: np.ndarray) -> None:
    halved = _model(weight)
    halving.keep_in_half(halved, role="flow")
    plain, gpu = _saved(tmp_path, halved, _model(weight, half=True))
    assert (tmp_path / "flow.onnx.data").stat().st_size == weight.nbytes // 2
    assert (_external(plain), _external(gpu)) == (["w_half"], ["w"])
    x = np.random.default_rng(2).standard_normal((2, SIDE)).astype(np.float32)
    assert np.allclose(_run(plain, x), _run(gpu, x), atol=0.1)


@pytest.mark.parametrize("large", [True, False])
def test_a_table_is_taken_as_it_lies_there_and_a_norm_is_not(tmp_path: Path, large: bool) -> None:
    width = SIDE if large else 20
    weight = np.random.default_rng(1).standard_normal((width, width)).astype(np.float32)
    assert (weight.nbytes >= LARGE) is large
    halved = _model(weight)
    halving.keep_in_half(halved, role="flow")
    _, gpu = _saved(tmp_path, halved, _model(weight))
    assert _external(gpu) == (["w_stored"] if large else ["w"])
    x = np.eye(width, dtype=np.float32)[:3]
    wanted = (weight.astype(np.float16) if large else weight)[:3].astype(np.float32)
    assert np.allclose(_run(gpu, x), wanted + np.linspace(-1, 1, width, dtype=np.float32), atol=1e-6)


def test_other_weights_get_their_own_place_and_begin_on_a_page(tmp_path: Path, weight: np.ndarray) -> None:
    small = weight[:30, :30].copy()
    one, two = _saved(tmp_path, _model(small), _model(small + 1))
    entries = [
        {entry.key: entry.value for entry in tensor.external_data}
        for path in (one, two)
        for tensor in onnx.load(path, load_external_data=False).graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL
    ]
    assert [int(entry["offset"]) for entry in entries] == [0, 4096]
    assert {entry["location"] for entry in entries} == {"flow.onnx.data"}


def test_saving_a_large_graph_leaves_the_shared_file_as_it_is(
    tmp_path: Path, weight: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written again for the first form, it would have other places than the second form names."""
    monkeypatch.setattr(lowering, "LARGEST_WHOLE", 0)
    plain, gpu = _model(weight), _model(weight + 1, half=True)
    bias = np.linspace(0, 1, 200, dtype=np.float32)  # stays inside, and would be written first
    plain.graph.register_initializer(ir.Value(name="a", const_value=ir.tensor(bias, name="a")))
    one, two = _saved(tmp_path, plain, gpu)
    assert sorted(path.name for path in tmp_path.glob("*.data")) == ["flow.onnx.data"]
    stored = (tmp_path / "flow.onnx.data").read_bytes()
    assert stored[: weight.nbytes] == weight.tobytes()
    assert stored.endswith((weight + 1).astype(np.float16).tobytes())
    x = np.eye(SIDE, dtype=np.float32)[:3]
    added = np.linspace(-1, 1, SIDE, dtype=np.float32)
    assert np.allclose(_run(one, x), weight[:3] + added, atol=1e-5)
    assert np.allclose(_run(two, x), weight[:3] + 1 + added, atol=1e-2)


def test_without_large_weights_there_is_no_file(tmp_path: Path) -> None:
    _saved(tmp_path, _model(np.eye(4, dtype=np.float32)))
    assert [path.name for path in tmp_path.glob("*.onnx*")] == ["0.onnx"]
