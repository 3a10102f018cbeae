"""One stage of a take by both, in turn: its graph in ONNX Runtime, its network in PyTorch eager.

    python -m benchmarks.against_torch.stages ROLE --units 2 --turns 5

Prints one line of JSON. Processor seconds count: on a machine that does other things too, seconds by the
wall tell of those. The encoders see pictures, segments and prompts one by one, so a few tell what many cost.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime is imported

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.against_torch.graphs import GRAPHS, graph_path
from benchmarks.against_torch.size import MEASURED
from benchmarks.published import as_published
from exporter.graphs import Graph, example_inputs
from exporter.networks import RandomWeights
from exporter.verify import relative_l2
from plugin.engine.providers import load_runtime, session_options

UNITS: Mapping[str, str] = {"image_encoder": "batch", "text_encoder": "batch", "sync_encoder": "segments"}
"""Of stages whose rows do not see each other, the dimension that counts them."""

UNCOUNTED = 1
"""Turns before those that count: memory is taken, code is read."""
LONG = 5.0
"""Processor seconds of a run beside which that is nothing, so that its first one counts."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one run after the other: processor seconds and seconds by the wall."""

    cpu: tuple[float, ...]
    wall: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The median of the processor seconds."""
        return statistics.median(self.cpu)


@dataclass(frozen=True, slots=True)
class Measured:
    """A stage by both.

    Attributes:
        role: of the graph.
        frames: sync frames of the window (25 a second).
        units: pictures, segments or prompts in a run; 1 elsewhere.
        threads: of both.
        ours, torch: runs.
        load_cpu, load_wall: seconds of loading the graph, once.
        relative: L2 difference of the results.
        date: UTC.
    """

    role: str
    frames: int
    units: int
    threads: int
    ours: Timing
    torch: Timing
    load_cpu: float
    load_wall: float
    relative: float
    date: str


def measure(role: str, *, frames: int, units: int, turns: int, threads: int) -> Measured:
    """Run a stage by turns.

    Args:
        role: of the graph.
        frames: sync frames of the window.
        units: of a stage in `UNITS`.
        turns: counted runs of each.
        threads: of each.
    """
    graph, path = GRAPHS[role], graph_path(role)
    torch.set_num_threads(threads)
    lengths = MEASURED.lengths(frames, batch=1)
    if role in UNITS:
        lengths[UNITS[role]] = units
    inputs = example_inputs(graph, MEASURED, lengths)
    began = time.perf_counter(), time.process_time()
    session = load_runtime().InferenceSession(
        str(path), session_options(threads=threads), providers=["CPUExecutionProvider"]
    )
    load = time.perf_counter() - began[0], time.process_time() - began[1]
    feeds = {spec.name: tensor.numpy() for spec, tensor in zip(graph.spec.inputs, inputs, strict=True)}
    module = reference_module(graph, RandomWeights().network(graph.network, MEASURED))
    rivals: dict[str, Callable[[], Any]] = {
        "ours": lambda: session.run(None, feeds)[0],
        "torch": lambda: first_output(module(*inputs)).numpy(),
    }
    timings, results = _alternate(rivals, turns=turns)
    return Measured(
        role=role,
        frames=frames,
        units=units,
        threads=threads,
        **timings,
        load_cpu=load[1],
        load_wall=load[0],
        relative=relative_l2(results["ours"], results["torch"]),
        date=time.strftime("%Y-%m-%d", time.gmtime()),
    )


def reference_module(graph: Graph, network: nn.Module) -> nn.Module:
    """The network as the reference runs it, with what a graph leaves out.

    The whole of the image tower; and a vocoder's activations by their definition, at every call.
    """
    if graph.role == "vocoder":
        return as_published(network)
    return network if graph.role == "image_encoder" else graph.wrap(network)


def first_output(outputs: Any) -> Tensor:
    """What a module gave, or the first of several."""
    first: Tensor = outputs[0] if isinstance(outputs, tuple) else outputs
    return first


def _alternate(
    rivals: Mapping[str, Callable[[], Any]], *, turns: int
) -> tuple[dict[str, Timing], dict[str, Any]]:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
    results: dict[str, Any] = {}
    with torch.inference_mode():
        while len(times["torch"]) < turns + _uncounted(times):
            for name, run in rivals.items():
                cpu, wall = time.process_time(), time.perf_counter()
                results[name] = run()
                times[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    counted = {name: zip(*taken[_uncounted(times) :], strict=True) for name, taken in times.items()}
    return {name: Timing(*map(tuple, columns)) for name, columns in counted.items()}, results


def _uncounted(times: Mapping[str, Sequence[tuple[float, float]]]) -> int:
    return 0 if all(taken and taken[0][0] > LONG for taken in times.values()) else UNCOUNTED


def main() -> int:
    """Measure one stage and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("role", choices=sorted(GRAPHS))
    parser.add_argument("--frames", type=int, default=MEASURED.train_frames)
    parser.add_argument("--units", type=int, default=1)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    found = measure(
        options.role,
        frames=options.frames,
        units=options.units,
        turns=options.turns,
        threads=options.threads,
    )
    print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
