"""What a GPU machine has to prove: every node on CUDA, results like torch's, and the speed of each stage.

    python -m benchmarks.gpu --size small_44k_sa --provider cuda --out out/gpu

Needs the `export` extra; weights are drawn from the tensors' names, since speed and placement do not
depend on them. One network at a time is built, lowered and measured, so that a call that is cut short
has still written the rows before it (`rows.jsonl`). `--provider cpu` tries the script itself.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime is imported

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnxruntime as ort
import torch

from exporter import lowering
from exporter.export import HALF_ROLES
from exporter.graphs import Graph, example_inputs, graphs_of
from exporter.networks import RandomWeights
from exporter.sizes import SIZES, Sizes
from exporter.verify import pass_lengths, relative_l2

CUDA = "CUDAExecutionProvider"
TRACE_BATCH = 2
FIVE_SECONDS = 125


@dataclass(frozen=True, slots=True)
class Row:
    """One graph on one provider.

    Attributes:
        nodes: number of nodes by the provider they run on.
        strict: the graph also loads with the fall-back to the CPU switched off.
        relative: L2 difference to torch on the CPU in float32.
        onnx_ms: median of one run of ONNX Runtime with the inputs of a 5 s window.
        torch_ms: medians of torch on the same device by how it ran, alternating with ONNX Runtime: "fp32",
            on CUDA also "bf16" (autocast) and "bf16 compiled".
    """

    graph: str
    nodes: dict[str, int]
    strict: bool
    relative: float
    onnx_ms: float
    torch_ms: dict[str, float]


def measure_graph(graph: Graph, sizes: Sizes, *, provider: str, runs: int) -> Row:
    """Lower one graph, look where its nodes run, compare and time it."""
    module = graph.wrap(RandomWeights().network(graph.network, sizes))
    tracing = example_inputs(graph, sizes, pass_lengths(graph, sizes, frames=FIVE_SECONDS, batch=TRACE_BATCH))
    inputs = example_inputs(graph, sizes, pass_lengths(graph, sizes, frames=FIVE_SECONDS, batch=1))
    with torch.no_grad():
        wanted = _first(module(*inputs)).numpy()
    halved = provider == CUDA and graph.role in HALF_ROLES
    form = lowering.Form.GPU if halved else lowering.Form.PLAIN
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / graph.spec.file
        lowering.save(lowering.lower(module, graph.spec, tracing, compact=False, form=form), path)
        session = _session(path, provider, strict=False)
        strict = provider != CUDA or _loads_strictly(path)
    feeds = {spec.name: tensor.numpy() for spec, tensor in zip(graph.spec.inputs, inputs, strict=True)}
    found = session.run([graph.spec.outputs[0].name], feeds)[0]
    rivals = {"onnx": lambda: session.run(None, feeds)} | _torch_runs(module, inputs, provider)
    medians = _alternate(rivals, runs=runs)
    onnx_ms = medians.pop("onnx")
    return Row(graph.role, _placement(session), strict, relative_l2(found, wanted), onnx_ms, medians)


def _first(outputs: Any) -> torch.Tensor:
    return outputs[0] if isinstance(outputs, tuple) else outputs


def _session(path: Path, provider: str, *, strict: bool) -> Any:
    if provider == CUDA:
        ort.preload_dlls()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if strict:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    arguments: list[Any] = [provider]
    if provider == CUDA:
        search = {"cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"}
        arguments = [(CUDA, search | {"use_tf32": "0"})]
    if not strict and provider == CUDA:
        arguments.append("CPUExecutionProvider")
    return ort.InferenceSession(str(path), options, providers=arguments)


def _loads_strictly(path: Path) -> bool:
    try:
        return CUDA in _session(path, CUDA, strict=True).get_providers()
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
        print(f"  strict: {error}", file=sys.stderr)
        return False


def _placement(session: Any) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        counts[part.ep_name] += len(part.get_nodes())
    return dict(counts)


def _torch_runs(
    module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], provider: str
) -> dict[str, Callable[[], Any]]:
    """The ways torch runs it, by name."""
    if provider != CUDA:
        return {"fp32": _torch_run(module, inputs, autocast=None)}
    module = module.to("cuda")
    moved = tuple(tensor.to("cuda") for tensor in inputs)
    return {
        "fp32": _torch_run(module, moved, autocast=None),
        "bf16": _torch_run(module, moved, autocast="cuda"),
        "bf16 compiled": _torch_run(torch.compile(module), moved, autocast="cuda"),
    }


def _torch_run(
    module: Callable[..., Any], inputs: tuple[torch.Tensor, ...], *, autocast: str | None
) -> Callable[[], Any]:
    def run() -> None:
        context = torch.autocast(autocast, torch.bfloat16) if autocast else contextlib.nullcontext()
        with torch.no_grad(), context:
            module(*inputs)
        if inputs[0].is_cuda:
            torch.cuda.synchronize()

    return run


def _alternate(rivals: dict[str, Callable[[], Any]], *, runs: int) -> dict[str, float]:
    """Medians in milliseconds of each, run in turn, after two uncounted runs of each."""
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(runs + 2):
        for name, run in rivals.items():
            start = time.perf_counter()
            run()
            if turn >= 2:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def table(rows: list[Row]) -> str:
    """The rows in Markdown, for docs/gpu.md."""
    lines = [
        "| graph | nodes by provider | no CPU needed | rel. L2 | ONNX Runtime ms | torch ms |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        nodes = ", ".join(f"{name.removesuffix('ExecutionProvider')} {n}" for name, n in row.nodes.items())
        strict = "yes" if row.strict else "**no**"
        torch_ms = ", ".join(f"{name} {ms:.1f}" for name, ms in row.torch_ms.items())
        lines.append(
            f"| {row.graph} | {nodes} | {strict} | {row.relative:.1e} | {row.onnx_ms:.1f} | {torch_ms} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure the graphs and print the table; 1 when a graph is not wholly on CUDA."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=sorted(SIZES), default="small_44k_sa")
    parser.add_argument("--provider", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--graphs", nargs="+", help="only these roles")
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path("out/gpu"))
    options = parser.parse_args()
    provider = CUDA if options.provider == "cuda" else "CPUExecutionProvider"
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    with (options.out / "rows.jsonl").open("a", encoding="utf-8") as file:
        for graph in graphs_of(SIZES[options.size]):
            if options.graphs and graph.role not in options.graphs:
                continue
            rows.append(measure_graph(graph, SIZES[options.size], provider=provider, runs=options.runs))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
            print(json.dumps({"size": options.size, **asdict(rows[-1])}), file=file, flush=True)
    print(table(rows))
    return 0 if all(row.strict for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
