"""The peak of memory of a first take, by one side, in a process of its own.

    python -m benchmarks.against_torch.memory ours|reference

Ours: see `memory_ours`. The reference: all networks loaded, then each run, with our batches (it encodes all
pictures at once, which takes more). Rows of an encoder beyond a batch take no more memory, so one batch of
each is run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import torch

from benchmarks.against_torch.footprint import peaks
from benchmarks.against_torch.graphs import GRAPHS, ROOT, graph_path
from benchmarks.against_torch.size import MEASURED
from benchmarks.against_torch.stages import reference_module
from exporter.graphs import example_inputs
from exporter.networks import BUILD
from plugin.engine.conditions import BATCHING
from plugin.engine.providers import Provider
from plugin.engine.sessions import BESIDE_THE_LARGEST

ORDER = ("image_encoder", "sync_encoder", "conditions", "text_encoder", "flow", "decoder", "vocoder")


def graph_lengths(role: str) -> dict[str, int]:
    """Free dimensions of a graph in a 5 s window, with the engine's batches."""
    batching = BATCHING[Provider.CPU]
    rows = {"image_encoder": {"batch": batching.images}, "sync_encoder": {"segments": batching.segments}}
    return MEASURED.lengths(MEASURED.train_frames, batch=1) | rows.get(role, {})


def run_ours(threads: int) -> dict[str, float]:
    """Peaks in GiB; in another process, since this one has torch in memory."""
    paths = {role: graph_path(role) for role in ORDER}
    sizes = [sum(file.stat().st_size for file in path.parent.iterdir()) for path in paths.values()]
    asked = {
        "graphs": {role: str(path) for role, path in paths.items()},
        "lengths": {role: graph_lengths(role) for role in ORDER},
        "limit": max(sizes) + BESIDE_THE_LARGEST,
        "threads": threads,
    }
    command = [sys.executable, "-m", "benchmarks.against_torch.memory_ours", json.dumps(asked)]
    ran = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def run_reference(threads: int) -> dict[str, float]:
    """Peaks in GiB; the weights are constant, since memory does not depend on them."""
    torch.set_num_threads(threads)
    with peaks() as found, torch.inference_mode():
        networks = {name: _filled(name) for name in BUILD}
        for role in ORDER:
            graph = GRAPHS[role]
            network = networks[graph.network]
            reference_module(graph, network)(*example_inputs(graph, MEASURED, graph_lengths(role)))
            print(f"{role}: run", file=sys.stderr, flush=True)
    return {"peak_gib": found["Rss"], "pss_gib": found["Pss"], "anonymous_gib": found["Anonymous"]}


@torch.no_grad()
def _filled(name: str) -> torch.nn.Module:
    with torch.device("meta"):
        module = BUILD[name](MEASURED)
    module = module.to_empty(device="cpu").eval()
    for tensor in module.state_dict().values():
        tensor.fill_(0.01)
    return module


def main() -> int:
    """Run one side and print its peak."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("side", choices=("ours", "reference"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    peaks_of_side = (run_ours if options.side == "ours" else run_reference)(options.threads)
    print(json.dumps(peaks_of_side | {"date": time.strftime("%Y-%m-%d", time.gmtime())}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
