"""One graph on a GPU: where its nodes run, how far it is from torch, how fast each way of running it is.

Sessions are opened by the product's own code, inputs and outputs lie on the device for ONNX Runtime as for
torch, and rivals run in turn. What is least certain comes last, so that a part that is ended has the rest.
"""

from __future__ import annotations

from benchmarks.gpu_ledger import Ledger, alternate, parse

# isort: split
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_bundle import FP16, FP32, forms_with
from benchmarks.gpu_torch import torch_ways
from exporter.graphs import Graph, example_inputs
from exporter.sizes import SIZES
from exporter.verify import relative_l2
from plugin.engine.conditions import BATCHING
from plugin.engine.cuda import CudaTuning
from plugin.engine.decode import CHUNK_FRAMES
from plugin.engine.loading import Form, Placement, open_session
from plugin.engine.providers import Provider, load_runtime, provider_arguments, session_options

ROLES = ("flow", "vocoder", "sync_encoder", "image_encoder", "decoder", "conditions", "text_encoder")
CONVOLUTIONAL = ("vocoder", "decoder", "flow")
Arrays = Mapping[str, np.ndarray]
VARIANTS: dict[str, CudaTuning] = {
    "exhaustive search": CudaTuning(search="EXHAUSTIVE"),
    "flat convolutions": CudaTuning(flat_conv=True),
    "channels last": CudaTuning(channels_last=True),
    "without TF32": CudaTuning(tf32=False),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement of a graph needs."""

    ledger: Ledger
    graph: Graph
    paths: Mapping[str, Path]
    provider: Provider

    @property
    def best(self) -> str:
        """The form that the product takes on a GPU."""
        return FP16 if FP16 in self.paths else FP32

    def open(
        self, form: str, *, tuning: CudaTuning | None = None, lengths: Mapping[str, int] | None = None
    ) -> tuple[Any, Placement]:
        """A session as the product opens it; with lengths given, for those alone."""
        fixed = tuple(sorted((lengths or {}).items()))
        how = tuning or CudaTuning()
        loaded = Form(str(self.paths[form]), self.provider, fixed, recorded=how.graphs)
        return open_session(self.paths[form], loaded, role=self.graph.role, threads=None, tuning=how)


class Bound:
    """A session with inputs and outputs in buffers of its device."""

    def __init__(self, session: Any, feeds: Arrays, *, device: str, entries: Mapping[str, str]) -> None:
        runtime = load_runtime()
        self.session, self.binding = session, session.io_binding()
        self.options = runtime.RunOptions()
        for name, value in entries.items():
            self.options.add_run_config_entry(name, value)
        self.held = [runtime.OrtValue.ortvalue_from_numpy(value, device, 0) for value in feeds.values()]
        for name, value in zip(feeds, self.held, strict=True):
            self.binding.bind_ortvalue_input(name, value)
        shapes = [value.shape for value in session.run(None, dict(feeds), self._unrecorded(runtime))]
        make = runtime.OrtValue.ortvalue_from_shape_and_type
        self.outputs = [make(shape, np.float32, device, 0) for shape in shapes]
        for tensor, value in zip(session.get_outputs(), self.outputs, strict=True):
            self.binding.bind_ortvalue_output(tensor.name, value)

    def __call__(self) -> None:
        """One run."""
        self.session.run_with_iobinding(self.binding, self.options)

    def first(self) -> np.ndarray:
        """What the first output holds."""
        return np.array(self.outputs[0].numpy())

    @staticmethod
    def _unrecorded(runtime: Any) -> Any:
        options = runtime.RunOptions()
        options.add_run_config_entry("gpu_graph_id", "-1")
        return options


def lengths_of(graph: Graph, size: str, provider: Provider) -> dict[str, int]:
    """Lengths of one call of the product for 5 s."""
    sizes, batching = SIZES[size], BATCHING[Provider.CUDA]
    lengths = sizes.lengths(sizes.train_frames, batch=1)
    if graph.role == "image_encoder":
        lengths["batch"] = min(batching.images, lengths["clip_frames"])
    elif graph.role == "flow":
        lengths["batch"] = 2
    elif graph.role == "vocoder":
        lengths["mel_frames"] = min(lengths["mel_frames"], CHUNK_FRAMES + 2 * sizes.vocoder.halo)
    lengths["segments"] = -(-lengths["segments"] // -(-lengths["segments"] // batching.segments))
    if provider is Provider.CPU and graph.role in {"image_encoder", "sync_encoder"}:
        lengths["batch"] = lengths["segments"] = 2
    return lengths


def place(bench: Bench) -> None:
    """Which nodes of each form run where, and whether a form loads with nothing on the CPU."""
    for form in bench.paths:
        _, placement = bench.open(form)
        counts: dict[str, int] = {}
        away: dict[str, int] = {}
        for (name, kind), count in placement.nodes.items():
            counts[name] = counts.get(name, 0) + count
            if name != bench.provider.ort_name:
                away[kind] = away.get(kind, 0) + count
        bench.ledger.add(
            "placement",
            graph=bench.graph.role,
            form=form,
            nodes=counts,
            away=away,
            strays=placement.strays(bench.provider),
            strict=_loads_strictly(bench, form),
        )


def _loads_strictly(bench: Bench, form: str) -> str:
    """Whether it loads with the fall-back to the CPU switched off: "yes", or why not."""
    options = session_options(threads=None, provider=bench.provider)
    if bench.provider is not Provider.CPU:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        path, arguments = str(bench.paths[form]), provider_arguments(bench.provider)
        session = load_runtime().InferenceSession(path, options, providers=arguments)
        return "yes" if bench.provider.ort_name in session.get_providers() else "fell back"
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises many unrelated types
        return str(error)[:200]


def compare(bench: Bench, module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    """Differences to torch in float32 on the CPU: each form here, and torch in bf16 here."""
    with torch.no_grad():
        wanted = _first(module(*inputs)).numpy()
    feeds = _feeds(bench.graph, inputs)
    for form in bench.paths:
        for tf32 in (True, False):
            session, _ = bench.open(form, tuning=CudaTuning(tf32=tf32))
            found = session.run(None, dict(feeds))[0]
            label = f"{form}{'' if tf32 else ', without TF32'}"
            relative = relative_l2(found, wanted)
            bench.ledger.add("parity", graph=bench.graph.role, form=label, relative=relative)
            again = session.run(None, dict(feeds))[0]
            bench.ledger.add("repeat", what=f"{bench.graph.role} {label}", same=bool((again == found).all()))
    for name, way in torch_ways(module, inputs, bench.provider, compiled=False).items():
        relative = relative_l2(_first(way()).float().cpu().numpy(), wanted)
        bench.ledger.add("parity", graph=bench.graph.role, form=f"torch {name}", relative=relative)


def race(bench: Bench, module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], rows: str) -> None:
    """Times of each way, all run in turn."""
    feeds, device = _feeds(bench.graph, inputs), bench.provider.value
    lengths = _fixed(bench.graph, inputs)
    rivals: dict[str, Callable[[], Any]] = {}
    for form in bench.paths:
        session, _ = bench.open(form)
        rivals[f"{form}, bound"] = Bound(session, feeds, device=device, entries={})
    session, _ = bench.open(bench.best)
    rivals[f"{bench.best}, arrays"] = lambda: session.run(None, dict(feeds))
    fixed, _ = bench.open(bench.best, lengths=lengths)
    rivals[f"{bench.best}, one length"] = Bound(fixed, feeds, device=device, entries={})
    rivals |= {
        f"torch {name}": way
        for name, way in torch_ways(module, inputs, bench.provider, compiled=False).items()
    }
    _time(bench, rivals, rows)


def race_variants(bench: Bench, inputs: tuple[torch.Tensor, ...], rows: str) -> None:
    """What else can be set about CUDA, against the usual."""
    if bench.provider is Provider.CPU or bench.graph.role not in CONVOLUTIONAL:
        return
    feeds = _feeds(bench.graph, inputs)
    for name, tuning in {"usual": CudaTuning(), **VARIANTS}.items():

        def one(name: str = name, tuning: CudaTuning = tuning) -> None:
            session, _ = bench.open(bench.best, tuning=tuning)
            bound = Bound(session, feeds, device=bench.provider.value, entries={})
            _time(bench, {f"{bench.best}, {name}": bound}, rows)

        bench.ledger.attempt(f"{bench.graph.role}, {name}", one)


def race_recorded(bench: Bench, inputs: tuple[torch.Tensor, ...], rows: str) -> None:
    """A CUDA graph, against the same session's ordinary runs."""
    feeds, lengths = _feeds(bench.graph, inputs), _fixed(bench.graph, inputs)
    session, _ = bench.open(bench.best, tuning=CudaTuning(graphs=True), lengths=lengths)
    device = bench.provider.value
    recorded = Bound(session, feeds, device=device, entries={"gpu_graph_id": "1"})
    usual = Bound(session, feeds, device=device, entries={"gpu_graph_id": "-1"})
    _time(bench, {f"{bench.best}, CUDA graph": recorded, f"{bench.best}, not recorded": usual}, rows)
    same = bool(np.array_equal(recorded.first(), usual.first()))
    bench.ledger.add("repeat", what=f"{bench.graph.role} as a CUDA graph", same=same)


def race_batches(bench: Bench, sizes_of_batch: tuple[int, ...]) -> None:
    """An encoder with more and fewer rows a call."""
    role = bench.graph.role
    name = {"image_encoder": "batch", "sync_encoder": "segments"}.get(role)
    if name is None:
        return
    sizes = SIZES[bench.ledger.size]
    for count in sizes_of_batch:
        lengths = lengths_of(bench.graph, bench.ledger.size, bench.provider) | {name: count}
        inputs = example_inputs(bench.graph, sizes, lengths)
        session, _ = bench.open(bench.best)
        bound = Bound(session, _feeds(bench.graph, inputs), device=bench.provider.value, entries={})
        _time(bench, {f"{bench.best}, {count} rows": bound}, f"{count} rows")


def race_compiled(bench: Bench, module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], rows: str) -> None:
    """torch.compile, against ONNX Runtime, in turn."""
    session, _ = bench.open(bench.best)
    ours = Bound(session, _feeds(bench.graph, inputs), device=bench.provider.value, entries={})
    ways = torch_ways(module, inputs, bench.provider, compiled=True)
    _time(
        bench,
        {f"{bench.best}, bound again": ours, **{f"torch {name}": way for name, way in ways.items()}},
        rows,
    )


def _time(bench: Bench, rivals: Mapping[str, Callable[[], Any]], rows: str) -> None:
    for way, milliseconds in alternate(rivals, runs=bench.ledger.runs).items():
        bench.ledger.add("time", graph=bench.graph.role, way=way, rows=rows, ms=round(milliseconds, 3))


def _feeds(graph: Graph, inputs: tuple[torch.Tensor, ...]) -> dict[str, np.ndarray]:
    return {spec.name: tensor.numpy() for spec, tensor in zip(graph.spec.inputs, inputs, strict=True)}


def _fixed(graph: Graph, inputs: tuple[torch.Tensor, ...]) -> dict[str, int]:
    """The free dimensions of the inputs, as they are."""
    pairs = [
        (size, found)
        for spec, tensor in zip(graph.spec.inputs, inputs, strict=True)
        for size, found in zip(spec.shape, tensor.shape, strict=True)
    ]
    return {size: int(found) for size, found in pairs if isinstance(size, str)}


def _first(outputs: Any) -> torch.Tensor:
    found: torch.Tensor = outputs[0] if isinstance(outputs, tuple) else outputs
    return found


def main() -> int:
    """Measure one graph."""
    role, ledger = parse(__doc__, ROLES)
    paths, graph, module = forms_with(ledger, role)
    provider = Provider(ledger.provider)
    bench = Bench(ledger, graph, paths, provider)
    sizes = SIZES[ledger.size]
    few = example_inputs(graph, sizes, sizes.lengths(sizes.train_frames, batch=1) | {"segments": 1})
    lengths = lengths_of(graph, ledger.size, provider)
    inputs = example_inputs(graph, sizes, lengths)
    rows = ", ".join(f"{name} {count}" for name, count in sorted(_fixed(graph, inputs).items()))
    ledger.attempt(f"{role}: placement", lambda: place(bench))
    ledger.attempt(f"{role}: parity", lambda: compare(bench, module, few))
    ledger.attempt(f"{role}: speed", lambda: race(bench, module, inputs, rows))
    ledger.attempt(f"{role}: CUDA graph", lambda: race_recorded(bench, inputs, rows))
    ledger.attempt(f"{role}: settings", lambda: race_variants(bench, inputs, rows))
    ledger.attempt(f"{role}: rows", lambda: race_batches(bench, (4, 20, 40) if role[0] == "i" else (2, 14)))
    ledger.attempt(f"{role}: compiled", lambda: race_compiled(bench, module, inputs, rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
