"""What an image tower with weights of 8 bits would give: its speed, and the cosine to the float32 features.

    python -m benchmarks.against_torch.int8 --turns 3

Every product of a block with its weights becomes one of integers: weights rounded per output channel,
activations per call. Drawn weights have no outliers, which trained vision transformers do have, so that a
good cosine here proves the speed and not the quality.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime is imported

import argparse
import gc
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import torch

from benchmarks.against_torch.graphs import CACHE, GRAPHS, graph_path
from benchmarks.against_torch.size import MEASURED
from exporter.graphs import example_inputs
from plugin.engine.providers import load_runtime, session_options

LEAST = 1 << 20
"""Values of a weight from which it is worth it."""

QUANTISED = CACHE / "image_encoder-int8" / "image_encoder.onnx"


def quantise(model: ir.Model) -> int:
    """Turn the large products of a float32 graph into those of integers; how many."""
    wide = [node for node in model.graph if _is_large(node)]
    changed: dict[ir.Value, tuple[ir.Value, ...]] = {}
    for node in wide:
        source, weight = node.inputs
        if source is None or weight is None or weight.const_value is None:
            raise RuntimeError("a product of nothing")
        if source not in changed:
            made = ir.node("DynamicQuantizeLinear", [source], num_outputs=3)
            model.graph.insert_before(node, made)
            changed[source] = tuple(made.outputs)
        _replace(model.graph, node, changed[source])
    for name, value in tuple(model.graph.initializers.items()):
        if not value.uses():
            del model.graph.initializers[name]
    model.graph.opset_imports["com.microsoft"] = 1
    return len(wide)


def _is_large(node: ir.Node) -> bool:
    weight = node.inputs[1] if node.op_type == "MatMul" else None
    return weight is not None and weight.const_value is not None and weight.const_value.size >= LEAST


def _replace(graph: ir.Graph, node: ir.Node, source: tuple[ir.Value, ...]) -> None:
    """Put a product of integers in a product's place; `source` is the signal, its step and its zero."""
    weight, old = node.inputs[1], node.outputs[0]
    if weight is None or weight.const_value is None:
        raise RuntimeError("a product with nothing")
    rounded, scale = _rounded(weight.const_value.numpy())
    parts = {"int8": rounded, "scale": scale, "zero": np.zeros(rounded.shape[1], np.int8)}
    matrix, step, zero = (_constant(graph, f"{weight.name}_{key}", array) for key, array in parts.items())
    product = ir.node(
        "MatMulIntegerToFloat",
        [source[0], matrix, source[1], step, source[2], zero],
        domain="com.microsoft",
    )
    graph.insert_before(node, product)
    ir.convenience.replace_all_uses_with(old, product.outputs[0])
    graph.remove(node, safe=True)


def _rounded(weight: Any) -> tuple[Any, Any]:
    """Weights `[K, N]` in 8 bits and the step of every column."""
    scale = np.maximum(np.abs(weight).max(0), 1e-12) / 127
    return np.round(weight / scale).astype(np.int8), scale.astype(np.float32)


def _constant(graph: ir.Graph, name: str, array: Any) -> ir.Value:
    value = ir.Value(name=name, const_value=ir.tensor(array, name=name))
    graph.register_initializer(value)
    return value


def _make() -> int:
    """The quantised tower, beside the float32 one."""
    model = ir.load(graph_path("image_encoder"))
    count = quantise(model)
    QUANTISED.parent.mkdir(parents=True, exist_ok=True)
    ir.save(model, QUANTISED, external_data=f"{QUANTISED.name}.data")
    return count


def _run(path: Path, images: Any, *, turns: int) -> tuple[Any, float]:
    session = load_runtime().InferenceSession(
        str(path), session_options(threads=1), providers=["CPUExecutionProvider"]
    )
    seconds = []
    for _ in range(turns):
        start = time.process_time()
        features = session.run(None, {"images": images})[0]
        seconds.append(time.process_time() - start)
    return features, statistics.median(seconds)


def main() -> int:
    """Print cosine and speed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    count = _make()
    gc.collect()
    graph = GRAPHS["image_encoder"]
    lengths = MEASURED.lengths(MEASURED.train_frames, batch=1) | {"batch": options.pictures}
    images = example_inputs(graph, MEASURED, lengths)[0].numpy()
    whole, seconds = _run(graph_path("image_encoder"), images, turns=options.turns)
    gc.collect()
    rounded, faster = _run(QUANTISED, images, turns=options.turns)
    cosine = (whole * rounded).sum(1) / np.linalg.norm(whole, axis=1) / np.linalg.norm(rounded, axis=1)
    found = {
        "products": count,
        "cosine": float(cosine.min()),
        "cpu_fp32": seconds,
        "cpu_int8": faster,
        "pictures": options.pictures,
        "bytes": sum(file.stat().st_size for file in QUANTISED.parent.iterdir()),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
