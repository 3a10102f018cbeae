"""The peak of memory of our first take: graphs in order, the engine's batches and its limit, no torch.

Called by `benchmarks.against_torch.memory` with JSON: `graphs` (role to path, in order), `lengths` (of
every graph's free dimensions), `limit` (bytes of loaded graphs), `threads`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.against_torch.footprint import peaks
from plugin.engine.memory import give_back_freed
from plugin.engine.providers import load_runtime, session_options
from plugin.engine.sessions import ENCODERS, LEAVING

_TYPES = {"tensor(float)": (np.float32, 0.1), "tensor(int64)": (np.int64, 0)}


def main() -> int:
    """Run the graphs; print how much is held after each, and at the end the peaks in GiB."""
    asked = json.loads(sys.argv[1])
    with peaks() as found:
        _run(asked)
    print(
        json.dumps(
            {"peak_gib": found["Rss"], "pss_gib": found["Pss"], "anonymous_gib": found["Anonymous"]}
            | {"torch": "torch" in sys.modules}
        )
    )
    return 0


def _run(asked: dict[str, Any]) -> None:
    held: dict[str, tuple[Any, int]] = {}
    for role, path in asked["graphs"].items():
        size = sum(file.stat().st_size for file in Path(path).parent.iterdir())
        for other in sorted(held, key=LEAVING.index):  # as `plugin.engine.sessions` does
            if other in ENCODERS or sum(taken for _, taken in held.values()) + size > asked["limit"]:
                del held[other]
                give_back_freed()
        session = load_runtime().InferenceSession(
            path, session_options(threads=asked["threads"]), providers=["CPUExecutionProvider"]
        )
        held[role] = (session, size)
        loaded = _now()
        session.run(None, _feeds(session, asked["lengths"][role]))
        print(f"{role}: {loaded:.2f} GiB loaded, {_now():.2f} GiB after", file=sys.stderr, flush=True)
        del session


def _feeds(session: Any, lengths: dict[str, int]) -> dict[str, Any]:
    feeds = {}
    for value in session.get_inputs():
        dtype, filling = _TYPES[value.type]
        shape = [lengths[size] if isinstance(size, str) else size for size in value.shape]
        feeds[value.name] = np.full(shape, filling, dtype)
    return feeds


def _now() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


if __name__ == "__main__":
    raise SystemExit(main())
