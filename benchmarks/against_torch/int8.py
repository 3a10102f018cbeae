"""What an image tower with weights of 8 bits would give: its speed, and the cosine to the float32 features.

    python -m benchmarks.against_torch.int8 --turns 3

How it is made: `exporter.int8_images`. Drawn weights have no outliers, which trained vision transformers do
have, so that a good cosine here proves the speed and not the quality.
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
from exporter.int8_images import quantise
from plugin.engine.providers import load_runtime, session_options

QUANTISED = CACHE / "image_encoder-int8" / "image_encoder.onnx"


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
