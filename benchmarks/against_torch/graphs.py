"""Full-size graphs with drawn weights, exported once and kept: exporting takes longer than measuring.

python -m benchmarks.against_torch.graphs [ROLE ...]
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.against_torch.size import MEASURED
from exporter import lowering
from exporter.export import SHORTENED, lowered
from exporter.graphs import Graph, graphs_of
from exporter.networks import RandomWeights

ROOT = Path(__file__).parents[2]
CACHE = Path.home() / ".cache" / "sagafoley" / "bench" / MEASURED.name
GRAPHS = {graph.role: graph for graph in graphs_of(MEASURED)}

_COMMON = ("fill.py", "lowering.py", "short_convolutions.py")
_OWN = {
    "clip_text": ("models/clip.py",),
    "clip_image": ("models/clip.py",),
    "synchformer": ("models/synchformer.py",),
    "flow": ("models/flow.py", "models/flow_blocks.py"),
    "vae": ("models/vae.py",),
    "vocoder": ("models/bigvgan.py",),
}
"""Files of the exporter that decide a network's graphs."""


def graph_path(role: str) -> Path:
    """The graph of a role; exported in a process of its own where today's code has not made it yet."""
    path = _place(GRAPHS[role])
    if not path.is_file():
        print(f"exporting {role} ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", __spec__.name, role], check=True, cwd=ROOT)
    return path


def make_graphs(roles: Sequence[str]) -> None:
    """Export what is not there yet, two at a time where there are cores; the largest begins.

    Raises:
        CalledProcessError: one could not be exported.
    """
    ordered = sorted(roles, key=lambda role: role != "image_encoder")
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        list(pool.map(graph_path, ordered))


def _place(graph: Graph) -> Path:
    sources = [ROOT / "exporter" / name for name in (*_COMMON, *_OWN[graph.network])]
    decisive = [source.read_bytes() for source in sources] + [str(SHORTENED.get(graph.role)).encode()]
    key = hashlib.sha256(b"".join(decisive)).hexdigest()[:12]
    return CACHE / f"{graph.role}-{key}" / graph.spec.file


def _make(graph: Graph) -> None:
    """Export one graph; older ones of the role go."""
    path = _place(graph)
    CACHE.mkdir(parents=True, exist_ok=True)
    clock = time.process_time()
    module = graph.wrap(RandomWeights().network(graph.network, MEASURED))
    model = lowered(graph, module, MEASURED)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".making-") as folder:
        lowering.save(model, Path(folder) / path.name)
        for old in CACHE.glob(f"{graph.role}-*"):
            shutil.rmtree(old)
        Path(folder).rename(path.parent)
        Path(folder).mkdir()
    print(f"{graph.role}: exported in {time.process_time() - clock:.0f} CPU seconds", flush=True)


if __name__ == "__main__":
    for wanted in sys.argv[1:] or GRAPHS:
        if not _place(GRAPHS[wanted]).is_file():
            _make(GRAPHS[wanted])
