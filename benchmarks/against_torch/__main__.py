"""`make bench` and `make bench-quick`: every stage by both sides, then memory, takes, the page.

    python -m benchmarks.against_torch [--quick] [--only stages memory takes lengths] [--missing] [--page]

The quick one leaves the figures of the long one alone: its page is `out/bench/performance.md`.

Graphs are exported first, two at a time. Every measurement is a process of its own, and what it found is
in `docs/performance/measured.json` as soon as it is known, the newest of each; the page is made of that. A
run that was cut short loses one measurement, and `--missing` goes on where it was cut.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.against_torch.bundle import full_bundle
from benchmarks.against_torch.graphs import GRAPHS, ROOT, graph_path, make_graphs
from benchmarks.against_torch.page import write_page
from benchmarks.against_torch.size import WINDOW

SIDES = ("ours", "reference")
PARTS = ("stages", "memory", "takes", "lengths")
ROUNDS = 3
"""Of whole takes, a process of each side in turn. A take of the reference lasts a quarter of an hour."""
SHORT = (1, 2, 3, 4)
"""Seconds of cues beside 5 whose takes last less than 20 minutes; longer ones are composed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How a stage is run: sync frames of the window, rows of an encoder, counted runs."""

    role: str
    frames: int = WINDOW
    units: int = 1
    turns: int = 5

    @property
    def key(self) -> str:
        """Its name in the ledger."""
        return f"{self.role}, {self.frames} frames, {self.units} rows"


QUICK = (
    Turn("flow"),
    Turn("decoder"),
    Turn("image_encoder", turns=1),
    Turn("sync_encoder", turns=1),
)
FULL = (
    Turn("flow"),
    Turn("decoder"),
    Turn("conditions"),
    Turn("text_encoder"),
    Turn("vocoder"),
    Turn("image_encoder"),
    Turn("sync_encoder"),
    *(Turn("flow", frames=WINDOW * fifth // 5) for fifth in (1, 2, 3, 4)),
    *(Turn("flow", frames=WINDOW * count) for count in (2, 6, 12)),
    *(Turn("vocoder", frames=WINDOW * fifth // 5) for fifth in (1, 3)),
    *(Turn("decoder", frames=WINDOW * fifth // 5) for fifth in (1, 3)),
    Turn("image_encoder", units=4, turns=3),
    Turn("sync_encoder", units=2, turns=3),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the page."""
    options = _options(arguments)
    out: Path = options.out or (ROOT / "out" / "bench" if options.quick else ROOT / "docs")
    ledger = out / "performance" / "measured.json"
    turns = [turn for turn in (QUICK if options.quick else FULL) if turn.role in (options.stages or GRAPHS)]
    parts = ("stages",) if options.quick or options.stages else options.only
    if not options.page:
        _measure(ledger, turns if "stages" in parts else [], parts, options)
    write_page(out / "performance.md", read_ledger(ledger))
    print(out / "performance.md")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="solver, decoder, one picture and one segment")
    parser.add_argument("--stages", nargs="+", choices=sorted(GRAPHS), help="only these")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="only these parts")
    parser.add_argument("--missing", action="store_true", help="no stage that these graphs were measured in")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--out", type=Path, help="where the page and its figures go (default: docs, or out/bench)"
    )
    return parser.parse_args(arguments)


def _measure(ledger: Path, turns: Sequence[Turn], parts: Sequence[str], options: argparse.Namespace) -> None:
    roles = GRAPHS if set(parts) - {"stages"} else {turn.role: GRAPHS[turn.role] for turn in turns}
    began = time.perf_counter()
    make_graphs(tuple(roles))
    threads = ("--threads", str(options.threads))
    for turn in turns:
        graph, known = graph_path(turn.role).parent.name, read_ledger(ledger).get(turn.key, {})
        if options.missing and known.get("graph") == graph:
            continue
        asked = ("--frames", str(turn.frames), "--units", str(turn.units), "--turns", str(turn.turns))
        for found in _told("stages", turn.role, *asked, *threads):
            _note(ledger, turn.key, found | {"graph": graph})
    for side in SIDES if "memory" in parts else ():
        for found in _told("memory", side, *threads):
            _note(ledger, f"memory, {side}", found)
    if "takes" in parts:
        _take_turns(ledger, {"ours": ("takes", str(full_bundle())), "reference": ("reference",)}, threads)
    for seconds in SHORT if "lengths" in parts else ():
        asked = ("--seconds", str(seconds), "--turns", "1", *threads)
        for row in _told("takes", str(full_bundle()), "--lengths", *asked):
            _note(ledger, f"{seconds} s, ours, {row['asked']}", [row])
        for row in _told("reference", *asked):
            _note(ledger, f"{seconds} s, reference, {row['asked']}", [row])
    print(f"measured in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def _take_turns(ledger: Path, programs: Mapping[str, tuple[str, ...]], threads: tuple[str, ...]) -> None:
    """Keep every take of both sides as it comes, those of the same kind together."""
    of_this_run: dict[str, list[dict[str, Any]]] = {}
    for side, program in list(programs.items()) * ROUNDS:
        for row in _told(*program, "--turns", "1", *threads):
            taken = of_this_run.setdefault(f"take, {side}, {row['asked']}", [])
            taken.append(row)
            _note(ledger, f"take, {side}, {row['asked']}", taken)


def _told(*words: str) -> Iterator[dict[str, Any]]:
    """What a process that measures prints, line by line as it comes."""
    print(" ".join(words), file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"benchmarks.against_torch.{words[0]}", *words[1:]]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            yield json.loads(line)
    if process.returncode:
        raise SystemExit(f"{words[0]} ended with {process.returncode}; what was measured before it is kept")


def read_ledger(ledger: Path) -> dict[str, Any]:
    """What was measured so far, by key."""
    known: dict[str, Any] = json.loads(ledger.read_text("utf-8")) if ledger.is_file() else {}
    return known


def _note(ledger: Path, key: str, found: object) -> None:
    """Keep what was found; an older one of the same key goes."""
    ledger.parent.mkdir(parents=True, exist_ok=True)
    part = ledger.with_suffix(".part")
    part.write_text(json.dumps(read_ledger(ledger) | {key: found}, indent=1, sort_keys=True) + "\n", "utf-8")
    part.replace(ledger)


if __name__ == "__main__":
    raise SystemExit(main())
