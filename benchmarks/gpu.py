"""Everything a GPU has to prove, in two calls of under ten minutes; docs/gpu.md says how to get there.

    python -m benchmarks.gpu graphs --out OUT    # where nodes run, parity, speed of every graph and of torch
    python -m benchmarks.gpu takes --out OUT     # whole takes, memory, repeatability, and torch's takes

Each part is a process of its own with its own limit of time, so one that fails, hangs or is killed does not
take the others with it. After every part `OUT/results.json` and `OUT/results.md` hold all that is known so
far, of both calls; `OUT/log.txt` what the parts said. Weights are drawn from the tensors' names: speed and
placement do not depend on them. Graphs that were made are kept in `--work` and used again.

`--provider cpu --size golden --bundle tests/golden/bundle` tries it on any machine, in a minute or two.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from benchmarks.gpu_page import page

ROOT = Path(__file__).parents[1]
WORK = Path("/tmp/sagafoley-gpu")  # noqa: S108 - kept between the two calls on purpose
LEAST = 5.0
"""Seconds below which a part is not begun."""

GRAPHS = ("flow", "vocoder", "sync_encoder", "image_encoder", "decoder", "conditions", "text_encoder")
"""In the order of what is least known about them."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process.

    Attributes:
        name: and what it works on ("graph flow").
        module: of `benchmarks`.
        arguments: of its own.
        limit: seconds it may take, however many are left.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    limit: float = 120.0


CALLS: dict[str, tuple[Part, ...]] = {
    "graphs": (
        Part("machine", "gpu_machine", limit=60),
        *(Part(f"graph {role}", "gpu_graphs", (role,), limit=200) for role in GRAPHS),
    ),
    "takes": (
        Part("machine", "gpu_machine", limit=60),
        Part("forms", "gpu_bundle", ("all",), limit=300),
        Part("bundle", "gpu_bundle", ("whole",), limit=60),
        Part("takes", "gpu_takes", ("usual",), limit=90),
        Part("takes, torch", "gpu_torch", ("eager",), limit=120),
        Part("takes, CUDA graphs", "gpu_takes", ("graphs",), limit=60),
        Part("takes, state on the host", "gpu_takes", ("host",), limit=60),
        Part("takes, any length", "gpu_takes", ("free",), limit=60),
        Part("takes, torch compiled", "gpu_torch", ("compiled",), limit=240),
    ),
}


def run_call(call: str, options: argparse.Namespace) -> int:
    """Run the parts of a call one after the other; how many failed."""
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    options.work.mkdir(parents=True, exist_ok=True)
    end, failed = time.monotonic() + options.limit, 0
    with (out / "log.txt").open("a", encoding="utf-8") as log:
        for part in CALLS[call]:
            if not _is_wanted(part, options):
                continue
            fault = _run_part(part, options, log=log, left=end - time.monotonic())
            if fault:
                failed += 1
                _note(out, part=part.name, fault=fault)
            write_results(out)
            print(f"{part.name}: {fault or 'done'}", flush=True)
    return failed


def _is_wanted(part: Part, options: argparse.Namespace) -> bool:
    if options.bundle is not None and part.module == "gpu_bundle":
        return False
    return not options.only or any(part.name.startswith(name) for name in options.only)


def write_results(out: Path) -> None:
    """`results.json` and `results.md` of all that was measured so far."""
    rows = tuple(read_rows(out))
    (out / "results.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    (out / "results.md").write_text(page(rows), "utf-8")


def read_rows(out: Path) -> Iterator[dict[str, Any]]:
    """Rows written so far; one that was cut short by a kill is passed over."""
    path = out / "rows.jsonl"
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _run_part(part: Part, options: argparse.Namespace, *, log: TextIO, left: float) -> str:
    """Why a part failed, "" when it did not."""
    limit = min(part.limit * options.patience, left)
    if limit < LEAST:
        return "not begun: no time was left"
    command = [sys.executable, "-m", f"benchmarks.{part.module}", *part.arguments]
    command += ["--size", options.size, "--provider", options.provider, "--runs", str(options.runs)]
    command += ["--out", str(options.out.resolve()), "--work", str(options.work.resolve())]
    command += ["--bundle", str(options.bundle.resolve())] if options.bundle else []
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", "PYTHONUNBUFFERED": "1"}
    print(f"\n== {part.name}", file=log, flush=True)
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return f"ended after {limit:.0f} s; what it had measured is kept"
    return "" if ran.returncode == 0 else f"failed ({ran.returncode}); see log.txt"


def _note(out: Path, **row: Any) -> None:
    with (out / "rows.jsonl").open("a", encoding="utf-8") as stream:
        print(json.dumps({"kind": "fault", **row}), file=stream, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run one call; 1 when a part failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("call", choices=sorted(CALLS))
    parser.add_argument("--out", type=Path, default=Path("out/gpu"), help="where results are written")
    parser.add_argument("--work", type=Path, default=WORK, help="where graphs are made and kept")
    parser.add_argument("--size", default="small_44k_sa")
    parser.add_argument("--provider", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--runs", type=int, default=11, help="of which medians are taken")
    parser.add_argument("--limit", type=float, default=570, help="seconds of the whole call")
    parser.add_argument("--patience", type=float, default=1.0, help="factor on the limit of every part")
    parser.add_argument("--bundle", type=Path, help="takes: measure this bundle; none is made then")
    parser.add_argument("--only", nargs="+", help="parts whose names begin so")
    options = parser.parse_args(arguments)
    return 1 if run_call(options.call, options) else 0


if __name__ == "__main__":
    raise SystemExit(main())
