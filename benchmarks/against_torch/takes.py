"""Whole takes of 5 s, from pictures to sound: ours with the product's engine, torch's in the reference's way.

    python -m benchmarks.against_torch.takes ours|reference --threads 2 --turns 3

Prints a line of JSON after each take: what was asked, processor seconds, seconds by the wall, peaks of memory.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime is imported

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.against_torch.footage import DrawnShot
from benchmarks.against_torch.footprint import peaks
from models_onnx.bundle import Bundle
from plugin.engine.cache import FeatureCache
from plugin.engine.engine import Engine
from plugin.render.rendering import Brief, synthesise

SECONDS = 5
SHOT = DrawnShot("shot, object 0", "shot")
BRIEF = Brief("violin", "speech", steps=25, guidance=7.0, seed=1)


def ours(bundle: Path, *, threads: int, turns: int) -> Iterator[dict[str, Any]]:
    """Rows of our takes: a first one, then what editors ask for next, `turns` of each."""
    with tempfile.TemporaryDirectory() as folder:
        cache = FeatureCache(Path(folder))
        engine = Engine.open(Bundle.open(bundle), provider="cpu", threads=threads, cache=cache)

        def take(asked: str, footage: DrawnShot, brief: Brief) -> dict[str, Any]:
            loaded = sum(engine.loads.values())
            row = _timed(asked, lambda: sum(map(len, synthesise(engine, footage, brief, samples=SECONDS * 48000))))
            return row | {"loads": sum(engine.loads.values()) - loaded}

        yield take("first take", SHOT, BRIEF)
        for turn in range(turns):
            yield take("second take (new seed)", SHOT, replace(BRIEF, seed=2 + turn))
            yield take("second prompt", SHOT, replace(BRIEF, prompt=f"bell {turn}"))
        yield take("second object in the shot", replace(SHOT, fingerprint="shot, object 1", phase=3.0), BRIEF)
        yield take("second take (new seed), again loaded", SHOT, replace(BRIEF, seed=99))


def reference(*, threads: int, turns: int) -> Iterator[dict[str, Any]]:
    """Rows of torch's takes, all networks in memory; whatever is asked, it does all of it."""
    from benchmarks.against_torch.reference import Reference  # torch is not for the other side's process

    networks = Reference.load(threads=threads)
    for _ in range(turns):
        yield _timed("first take", networks.take)


def _timed(asked: str, work: Callable[[], object]) -> dict[str, Any]:
    with peaks() as found:
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    return {"asked": asked, **spent, "gib": found, "date": time.strftime("%Y-%m-%d", time.gmtime())}


def main() -> int:
    """Run one side."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("side", choices=("ours", "reference"))
    parser.add_argument("--bundle", type=Path, help="of ours")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    rows = (
        ours(options.bundle, threads=options.threads, turns=options.turns)
        if options.side == "ours"
        else reference(threads=options.threads, turns=options.turns)
    )
    for row in rows:
        print(json.dumps(row | {"threads": options.threads}), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
