"""`make bench` and `make bench-quick`: every stage by both, then what takes cost, memory, the page.

    python -m benchmarks.against_torch [--quick] [--stages ROLE ...] [--page]

Stages run in processes of their own, one after the other. What was measured stays in
`docs/performance/measured.json`, the newest of each stage; the page is made of that, so that a run which was
cut short, or of some stages only, brings those up to date.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.against_torch.graphs import GRAPHS, ROOT, graph_path
from benchmarks.against_torch.page import write_page

LEDGER = ROOT / "docs" / "performance" / "measured.json"
PAGE = ROOT / "docs" / "performance.md"
SIDES = ("ours", "reference")


@dataclass(frozen=True, slots=True)
class Turn:
    """How a stage is run: sync frames of the window, rows of an encoder, counted runs."""

    role: str
    frames: int = 125
    units: int = 1
    turns: int = 5

    @property
    def key(self) -> str:
        """Its name in the ledger."""
        return f"{self.role}, {self.frames} frames, {self.units} rows"


QUICK = (
    Turn("flow"),
    Turn("decoder"),
    Turn("conditions"),
    Turn("text_encoder", turns=3),
    Turn("image_encoder", turns=3),
    Turn("sync_encoder", turns=3),
)
FULL = (
    *QUICK[:4],
    Turn("vocoder"),
    Turn("image_encoder", units=1),
    Turn("image_encoder", units=4, turns=3),
    Turn("sync_encoder", units=1),
    Turn("sync_encoder", units=2, turns=3),
    *(Turn("flow", frames=frames) for frames in (25, 50, 75, 100)),
    *(Turn("vocoder", frames=frames, turns=3) for frames in (25, 75)),
)


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few rows of each stage, about 5 minutes")
    parser.add_argument("--stages", nargs="+", choices=sorted(GRAPHS), help="only these")
    parser.add_argument("--memory", action="store_true", help="only the peaks of memory")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    turns = [turn for turn in (QUICK if options.quick else FULL) if turn.role in (options.stages or GRAPHS)]
    if not options.page and not options.memory:
        for turn in turns:
            _note(turn.key, _stage(turn, threads=options.threads))
    if options.memory or not (options.page or options.quick or options.stages):
        for side in SIDES:
            _note(f"memory, {side}", _memory(side, threads=options.threads))
    write_page(PAGE, json.loads(LEDGER.read_text("utf-8")))
    return 0


def _stage(turn: Turn, *, threads: int) -> dict[str, Any]:
    graph_path(turn.role)
    arguments = {
        "--frames": turn.frames,
        "--units": turn.units,
        "--turns": turn.turns,
        "--threads": threads,
    }
    return _asked("stages", turn.role, arguments)


def _memory(side: str, *, threads: int) -> dict[str, Any]:
    return _asked("memory", side, {"--threads": threads})


def _asked(module: str, what: str, arguments: Mapping[str, int]) -> dict[str, Any]:
    """What a process that measures prints."""
    words = [str(word) for pair in arguments.items() for word in pair]
    print(f"{module}: {what} {' '.join(words)}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"benchmarks.against_torch.{module}", what, *words]
    ran = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _note(key: str, found: dict[str, Any]) -> None:
    """Keep what was found; an older one of the same key goes."""
    known = json.loads(LEDGER.read_text("utf-8")) if LEDGER.is_file() else {}
    LEDGER.parent.mkdir(parents=True, exist_ok=True)
    LEDGER.write_text(json.dumps(known | {key: found}, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
