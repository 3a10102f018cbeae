"""Stores what torch makes of the golden networks: `python -m tests.golden.record` from the root.

The stored arrays hold the networks, the export and the committed bundle to one another; run this
only after a deliberate change of a network, together with `make golden`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from exporter.graphs import example_inputs, graphs_of
from exporter.networks import RandomWeights
from exporter.sizes import GOLDEN

TARGET = Path(__file__).parent / "graphs.npz"
FRAMES = 24


def record() -> dict[str, np.ndarray]:
    """Inputs and outputs of every golden graph for a pass of 24 frames, as `<role>/<name>`."""
    arrays: dict[str, np.ndarray] = {}
    lengths = GOLDEN.lengths(FRAMES, batch=1)
    for graph in graphs_of(GOLDEN):
        module = graph.wrap(RandomWeights().network(graph.network, GOLDEN))
        inputs = tuple(_coarse(value) for value in example_inputs(graph, GOLDEN, lengths))
        with torch.inference_mode():
            outputs = module(*inputs)
        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        for tensor, value in zip((*graph.spec.inputs, *graph.spec.outputs), (*inputs, *listed), strict=True):
            arrays[f"{graph.role}/{tensor.name}"] = value.numpy()
    return arrays


def _coarse(value: torch.Tensor) -> torch.Tensor:
    """Steps of 1/16: input that packs well and is the same in every precision."""
    return torch.round(value * 16) / 16 if value.is_floating_point() else value


if __name__ == "__main__":
    np.savez_compressed(TARGET, **record())
