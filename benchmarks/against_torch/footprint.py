"""What work costs in one process: processor seconds, seconds by the wall, peaks of memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROLLUP = Path("/proc/self/smaps_rollup")
_STATUS = Path("/proc/self/status")
_EVERY = 0.5
"""Seconds between two looks; what lasts shorter is seen by the kernel's own peak alone."""

KINDS = ("Pss", "Anonymous")
"""Shared pages divided among those who share them; pages that no file holds."""


def timed(asked: str, work: Callable[[], object]) -> dict[str, Any]:
    """A row: what was asked, `cpu` and `wall` seconds, `gib` (see `peaks`), the date."""
    with peaks() as found:
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    return {"asked": asked, **spent, "gib": found, "date": time.strftime("%Y-%m-%d", time.gmtime())}


@contextmanager
def peaks() -> Iterator[dict[str, float]]:
    """GiB, complete when the block ends: `Rss` as the kernel saw it, `Pss` and `Anonymous` as sampled.

    Weights that are mapped from a file count in `Rss` and `Pss` while they are in memory, but the system may
    take their pages back at any time; `Anonymous` is what it cannot.
    """
    found = dict.fromkeys(KINDS, 0.0)
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(found, done), daemon=True)
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the kernel's peak begins here
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()
        found["Rss"] = _line(_STATUS, "VmHWM")


def _watch(found: dict[str, float], done: threading.Event) -> None:
    while True:
        for kind in KINDS:
            found[kind] = max(found[kind], _line(_ROLLUP, kind))
        if done.wait(_EVERY):
            return


def _line(path: Path, name: str) -> float:
    """GiB that a line of one of the kernel's files tells."""
    for line in path.read_text("ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 2**20
    return 0.0
