"""Our whole takes, from pictures to sound, with the product's engine. For torch's see `reference`.

    python -m benchmarks.against_torch.takes BUNDLE --threads 2 --turns 3
    python -m benchmarks.against_torch.takes BUNDLE --seconds 2 --lengths

Prints a line of JSON after each take: see `footprint.timed`.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime is imported

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.against_torch.footage import DrawnShot
from benchmarks.against_torch.footprint import timed
from models_onnx.bundle import Bundle
from plugin.engine.cache import FeatureCache
from plugin.engine.conditions import WindowFeatures
from plugin.engine.engine import Engine
from plugin.engine.footage import Footage
from plugin.engine.lengths import window_lengths
from plugin.render.rendering import Brief, synthesise

SHOT = DrawnShot("shot, object 0", "shot")
BRIEF = Brief("violin", "speech", steps=25, guidance=7.0, seed=1)


class KnowingEngine(Engine):
    """An engine that has seen all pictures before: what it saw is drawn."""

    def features(self, footage: Footage, *, frames: int, **_: object) -> WindowFeatures:
        """Features of the right shapes, like those of a cache."""
        random, spec = np.random.default_rng(len(footage.fingerprint)), self.manifest.graphs["conditions"]
        widths = [int(tensor.shape[-1]) for tensor in spec.inputs[:2]]
        lengths = window_lengths(frames, self.manifest)
        counts = (lengths.clip_frames, lengths.sync_features)
        clip, sync = (
            random.standard_normal((1, count, width)).astype(np.float32) / np.sqrt(np.float32(width))
            for count, width in zip(counts, widths, strict=True)
        )
        return WindowFeatures(clip, sync, empty=False)


def ours(
    bundle: Path, *, threads: int, turns: int, seen: bool, seconds: int = 5, lengths: bool = False
) -> Iterator[dict[str, Any]]:
    """Rows of our takes: a first one, then what editors ask for next, `turns` of each.

    Args:
        bundle: its folder.
        threads: of every graph.
        turns: of each kind but the first take and the second object.
        seen: leave out what needs pictures, and begin with a take whose pictures were seen before.
        seconds: of the cue.
        lengths: only what is told of every length: a first take and new seeds.
    """
    kind = KnowingEngine if seen else Engine
    with tempfile.TemporaryDirectory() as folder:
        cache = FeatureCache(Path(folder))
        engine = kind.open(Bundle.open(bundle), provider="cpu", threads=threads, cache=cache)

        def take(asked: str, footage: DrawnShot, brief: Brief) -> dict[str, Any]:
            loaded = sum(engine.loads.values())
            row = timed(asked, lambda: _length(synthesise(engine, footage, brief, samples=seconds * 48_000)))
            return row | {"loads": sum(engine.loads.values()) - loaded}

        yield take("second take (new seed), nothing loaded" if seen else "first take", SHOT, BRIEF)
        for turn in range(turns):
            yield take("second take (new seed)", SHOT, replace(BRIEF, seed=2 + turn))
            if not lengths:
                yield take("second prompt", SHOT, replace(BRIEF, prompt=f"bell {turn}"))
        if seen or lengths:
            return
        yield take("second object in the shot", replace(SHOT, fingerprint="shot, object 1", phase=3.0), BRIEF)


def _length(pieces: Iterable[NDArray[np.float32]]) -> int:
    return sum(len(piece) for piece in pieces)


def main() -> int:
    """Make our takes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seen", action="store_true", help="leave out what needs pictures (two minutes)")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--lengths", action="store_true", help="a first take and new seeds, nothing else")
    options = parser.parse_args()
    for row in ours(
        options.bundle,
        threads=options.threads,
        turns=options.turns,
        seen=options.seen,
        seconds=options.seconds,
        lengths=options.lengths,
    ):
        print(json.dumps(row | {"threads": options.threads}), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
