"""A bundle of drawn weights for measuring: the exporter's own steps without its comparisons with torch.

Each graph is made once, in both forms with shared weights, and kept; `whole` adds what makes a bundle of
them. The tokenizer knows bytes only, which is enough to have 77 ids.
"""

from __future__ import annotations

from benchmarks.gpu_ledger import Ledger, parse

# isort: split
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import onnx_ir as ir
from torch import nn

from exporter import export, halving, lowering, verify
from exporter.graphs import Graph, example_inputs, graphs_of
from exporter.labels import random_label
from exporter.lowering import Form
from exporter.models.flow import FlowNetwork
from exporter.networks import RandomWeights
from exporter.shared_weights import WeightFile
from exporter.sizes import SIZES
from exporter.tokenizer import build_tokenizer, text_ids
from models_onnx.bundle import EXTERNAL_DATA, Bundle, TextSpec, write_manifest

_MADE = ".made"
_BYTES_ONLY = 514


FP32 = "fp32"
"""The plain form with its weights whole."""
FP32_HALVED = "fp32, fp16 weights"
"""The plain form of a bundle of precision fp16."""
FP16 = "fp16"
"""The form for CUDA."""


def forms_with(ledger: Ledger, role: str) -> tuple[dict[str, Path], Graph, nn.Module]:
    """The files of a graph by form, made where they are not there yet; the graph, and its module."""
    sizes = SIZES[ledger.size]
    graph = next(each for each in graphs_of(sizes) if each.role == role)
    network = RandomWeights().network(graph.network, sizes)
    folder = ledger.made
    if not (folder / f"{role}{_MADE}").exists():
        _make(ledger, graph, network)
    found = {
        FP32: _whole(ledger, role),
        FP32_HALVED: folder / graph.spec.file,
        FP16: folder / export.gpu_file(role),
    }
    module = graph.wrap(network).eval()
    return {name: path for name, path in found.items() if path.exists()}, graph, module


def _make(ledger: Ledger, graph: Graph, network: nn.Module) -> None:
    """Both forms of a graph, put in place when they are whole."""
    ledger.made.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ledger.work) as name:
        growing = _growing(ledger, Path(name))
        if isinstance(network, FlowNetwork):
            export._add_flow_values(growing, network)  # noqa: SLF001 - see the module
        _write(ledger, growing, graph, graph.wrap(network))
        for path in Path(name).iterdir():
            shutil.move(path, ledger.made / path.name)
    (ledger.made / f"{graph.role}{_MADE}").touch()
    gc.collect()


def _write(ledger: Ledger, growing: export._Growing, graph: Graph, module: nn.Module) -> None:
    """As the exporter does for a bundle of precision fp16, and the plain form with whole weights besides.

    What makes convolutions quick on a CPU is left out of the plain forms. Each form is lowered once.
    """
    role, sizes, folder = graph.role, growing.sizes, growing.folder
    whole = _whole(ledger, role)
    whole.parent.mkdir(parents=True, exist_ok=True)
    shared = WeightFile(folder / f"{graph.spec.file}{EXTERNAL_DATA}")
    lengths = verify.pass_lengths(graph, sizes, frames=3 * sizes.synchformer.segment_frames, batch=2)
    inputs = example_inputs(graph, sizes, lengths)
    plain = lowering.lower(module, graph.spec, inputs, compact=sizes.compact)
    lowering.save(plain, whole)
    if role not in halving.KEPT_WHOLE:
        halving.keep_in_half(plain, role=role)
    shared.take(plain)
    lowering.save(plain, folder / graph.spec.file)
    del plain
    gc.collect()
    if role in export.HALF_ROLES:
        gpu = lowering.lower(module, graph.spec, inputs, compact=sizes.compact, form=Form.GPU)
    else:
        gpu = ir.load(whole)
    shared.take(gpu)
    lowering.save(gpu, folder / export.gpu_file(role))


def _whole(ledger: Ledger, role: str) -> Path:
    return ledger.work / f"whole-{ledger.size}" / f"{role}.onnx"


def _growing(ledger: Ledger, folder: Path) -> export._Growing:
    return export._Growing(folder, SIZES[ledger.size], precision="fp16", gpu=True, say=print)  # noqa: SLF001


def finish(ledger: Ledger) -> Bundle:
    """The whole bundle, its manifest written.

    Raises:
        RuntimeError: a graph is not there.
    """
    sizes, folder = SIZES[ledger.size], ledger.made
    missing = [g.role for g in graphs_of(sizes) if not (folder / f"{g.role}{_MADE}").exists()]
    if missing:
        raise RuntimeError(f"not made: {', '.join(missing)}")
    growing = _growing(ledger, folder)
    export._add_flow_values(growing, RandomWeights().network("flow", sizes))  # type: ignore[arg-type]  # noqa: SLF001
    (folder / export.TOKENIZER_FILE).write_text(build_tokenizer((), vocabulary=_BYTES_ONLY).to_str(), "utf-8")
    for marker in folder.glob(f"*{_MADE}"):
        shutil.move(marker, ledger.work / marker.name)
    label = random_label(sizes, id="measured", title="")
    manifest = export._manifest(growing, RandomWeights(), label)  # noqa: SLF001
    ids = text_ids(vocabulary=_BYTES_ONLY, length=sizes.clip.text_length)
    text = TextSpec(tokenizer=export.TOKENIZER_FILE, **asdict(ids))
    write_manifest(folder, replace(manifest, text=text))
    for graph in graphs_of(sizes):
        shutil.move(ledger.work / f"{graph.role}{_MADE}", folder / f"{graph.role}{_MADE}")
    return Bundle.open(folder)


def make_all(ledger: Ledger) -> int:
    """Make every graph that is not there yet, several at a time where there are cores; how many failed."""
    roles = [graph.role for graph in graphs_of(SIZES[ledger.size])]
    with ThreadPoolExecutor(max(1, min(4, (os.cpu_count() or 1) // 4))) as pool:
        return sum(code != 0 for code in pool.map(lambda role: _make_apart(ledger, role), roles))


def _make_apart(ledger: Ledger, role: str) -> int:
    """One graph in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.gpu_bundle", role, "--size", ledger.size]
    command += ["--out", str(ledger.path.parent), "--work", str(ledger.work)]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    """Make one graph, all, or the bundle of them."""
    roles = tuple(graph.role for graph in graphs_of(SIZES["golden"]))
    what, ledger = parse(__doc__, (*roles, "all", "whole"))
    if what == "all":
        return make_all(ledger)
    if what == "whole":
        bundle = finish(ledger)
        held = sum(file.bytes for file in bundle.manifest.files.values())
        ledger.add("bundle", megabytes=round(held / 1e6, 1), digest=bundle.digest)
    else:
        forms_with(ledger, what)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
