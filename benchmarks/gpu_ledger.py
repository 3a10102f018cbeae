"""What every part of `benchmarks.gpu` has: its command line, its rows on disk as they come, fair clocks."""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime is imported

import argparse
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WARM = 3
"""Uncounted runs before the counted ones: planning, and the recording of a CUDA graph."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows of results, each on disk as soon as it is known.

    Attributes:
        path: a line of JSON per row.
        size, provider: of everything measured.
        runs: of which medians are taken.
        work: where graphs lie.
        measured: a finished bundle to measure instead of the one that is made; None for that one.
    """

    path: Path
    size: str
    provider: str
    runs: int
    work: Path
    measured: Path | None = None

    def add(self, kind: str, **fields: Any) -> None:
        """Write a row."""
        row = {"kind": kind, "size": self.size, "provider": self.provider, **fields}
        print(row, flush=True)
        with self.path.open("a", encoding="utf-8") as stream:
            print(json.dumps(row), file=stream, flush=True)

    def attempt(self, what: str, work: Callable[[], None]) -> None:
        """Do it; where it fails, a row says so and the rest goes on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a measurement may fail in any way, the others must not
            self.add("fault", part=what, fault=f"{type(error).__name__}: {str(error)[:300]}")

    @property
    def bundle(self) -> Path:
        """The folder of the bundle that takes are made with."""
        return self.measured or self.made

    @property
    def made(self) -> Path:
        """The folder of the bundle that is made for measuring."""
        return self.work / f"bundle-{self.size}"


def parse(description: str | None, choices: tuple[str, ...]) -> tuple[str, Ledger]:
    """What a part is to work on, and its ledger."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("what", choices=choices, nargs="?" if len(choices) == 1 else None, default=choices[0])
    parser.add_argument("--size", default="small_44k_sa")
    parser.add_argument("--provider", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path("out/gpu"))
    parser.add_argument("--work", type=Path, default=Path("out/gpu/work"))
    parser.add_argument("--bundle", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "rows.jsonl"
    ledger = Ledger(path, options.size, options.provider, options.runs, options.work, options.bundle)
    return options.what, ledger


def alternate(rivals: Mapping[str, Callable[[], Any]], *, runs: int) -> dict[str, float]:
    """Medians in milliseconds of each rival, run in turn, after `WARM` uncounted runs of each."""
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(runs + WARM):
        for name, run in rivals.items():
            start = time.perf_counter()
            run()
            if turn >= WARM:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def gpu_memory() -> float | None:
    """MiB in use on the first GPU, as its driver says; None without one. Nothing else should run there."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, check=True, timeout=20).stdout
        return float(said.split()[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
