"""The whole path of a bundle on a provider: first take, second take, another prompt, another object; memory.

    python -m benchmarks.gpu_path BUNDLE --provider cuda --out out/gpu

The footage is drawn, so that no decoder is measured. Every row is a median of `--runs`, each on an engine
whose graphs are loaded and warm, with an empty cache where the row is of a first take.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime is imported

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models_onnx.bundle import Bundle
from plugin.engine.cache import FeatureCache
from plugin.engine.engine import Engine
from plugin.render.rendering import Brief, synthesise
from plugin.timebase import STEM_RATE

SIDE = 480


@dataclass(frozen=True, slots=True)
class DrawnFootage:
    """A square that goes round over noise; `phase` tells objects apart."""

    fingerprint: str
    phase: float = 0.0
    damaged: bool = False

    def frames(self, times: Sequence[float], *, late: Sequence[float] = ()) -> Iterator[Any]:  # noqa: ARG002
        """See `plugin.engine.footage.Footage`."""
        ground = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        for moment in times:
            picture = ground.copy()
            rows, columns = self._place(moment)
            picture[rows, columns] = 220
            yield picture

    def masks(self, times: Sequence[float]) -> Iterator[Any]:
        """The square."""
        for moment in times:
            mask = np.zeros((SIDE, SIDE), np.uint8)
            rows, columns = self._place(moment)
            mask[rows, columns] = 255
            yield mask

    def _place(self, moment: float) -> tuple[slice, slice]:
        angle = 2 * np.pi * moment + self.phase
        row, column = (round(SIDE / 2 + SIDE / 4 * f(angle)) for f in (np.sin, np.cos))
        return slice(row - 40, row + 40), slice(column - 40, column + 40)


def take_ms(engine: Engine, footage: DrawnFootage, brief: Brief, *, seconds: float) -> float:
    """Milliseconds of one take."""
    start = time.perf_counter()
    samples = round(seconds * STEM_RATE)
    made = sum(len(piece) for piece in synthesise(engine, footage, brief, samples=samples))
    if made != samples:
        raise RuntimeError(f"{made} samples instead of {samples}")
    return 1000 * (time.perf_counter() - start)


def measure(bundle: Bundle, *, provider: str, seconds: float, runs: int) -> dict[str, float]:
    """Medians in milliseconds by what was asked, and MiB of GPU memory in use at the end."""
    sampling = bundle.manifest.sampling
    brief = Brief("violin", "", sampling.steps, sampling.guidance, 1, None)
    folder = Path(tempfile.mkdtemp(prefix="features-"))
    try:
        engine = Engine.open(bundle, provider=provider, cache=FeatureCache(folder))
        shot = DrawnFootage("shot")
        rows: dict[str, list[float]] = {"load and first take, cold": []}
        rows["load and first take, cold"].append(take_ms(engine, shot, brief, seconds=seconds))
        for run in range(runs):
            asked = {
                "first take": (replace(shot, fingerprint=f"first {run}"), brief),
                "second take": (shot, replace(brief, seed=100 + run)),
                "second prompt": (shot, replace(brief, prompt=f"trumpet {run}")),
                "second object": (DrawnFootage(f"object {run}", phase=1.0 + run), brief),
            }
            for name, (footage, wish) in asked.items():
                rows.setdefault(name, []).append(take_ms(engine, footage, wish, seconds=seconds))
        memory = gpu_memory()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {name: statistics.median(times) for name, times in rows.items()} | memory


def gpu_memory() -> dict[str, float]:
    """MiB that this process holds on the GPU, as the driver says; empty without one."""
    query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    rows = [line.split(",") for line in said.splitlines() if "," in line]
    own = [float(used) for pid, used in rows if pid.strip() == str(os.getpid())]
    return {"GPU memory, MiB": sum(own) if own else sum(float(used) for _, used in rows)}


def main() -> int:
    """Print a table in Markdown, and add the figures to `path.jsonl`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--provider", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("out/gpu"))
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    figures = measure(bundle, provider=options.provider, seconds=options.seconds, runs=options.runs)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "path.jsonl").open("a", encoding="utf-8") as file:
        print(json.dumps({"bundle": bundle.manifest.id, "seconds": options.seconds, **figures}), file=file)
    print(f"| {bundle.manifest.id}, {options.seconds:g} s, {options.provider} | |\n|---|---|")
    for name, value in figures.items():
        print(f"| {name} | {value:.0f}{'' if 'MiB' in name else ' ms'} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
