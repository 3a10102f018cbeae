"""What a stage tells while it runs: a bar in the terminal, a CSV file of every figure, curves at the end."""

from __future__ import annotations

import csv
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tqdm import tqdm

LOG = "log.csv"
CURVES = "curves.png"
_COLUMNS = ("step", "seconds", "name", "value")


class Record:
    """The log of one stage, and its bar.

    The log has one row per figure: step, seconds of this run, name, value. Names of validation figures
    start with `check/`. Rows after the step of the checkpoint that a run goes on from are dropped, so
    that a log never tells a step twice.
    """

    def __init__(self, folder: Path, *, name: str, steps: int, done: int) -> None:
        self.path = folder / LOG
        self.started = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        kept = [row for row in read_log(self.path) if row[0] <= done]
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            writer.writerows(kept)
        self.bar = tqdm(total=steps, initial=done, desc=name, unit="step", disable=not sys.stderr.isatty())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def advance(self, loss: float) -> None:
        """One more step was done."""
        self.bar.update()
        self.bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add figures to the log."""
        seconds = f"{time.monotonic() - self.started:.1f}"
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows((step, seconds, name, f"{v:.6g}") for name, v in figures.items())


def read_log(path: Path) -> list[tuple[int, float, str, float]]:
    """The rows of a log; none when there is no file. A line cut short by a kill is left out."""
    if not path.is_file():
        return []
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            try:
                step, seconds, name, value = row
                rows.append((int(step), float(seconds), name, float(value)))
            except ValueError:
                continue
    return rows


def draw_curves(folder: Path) -> Path | None:
    """`curves.png` beside the log, one panel per figure; None where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure  # type: ignore[import-not-found]  # noqa: PLC0415  optional
    except ImportError:
        return None
    series = _series(read_log(folder / LOG))
    rows = -(-len(series) // 3)
    figure = Figure(figsize=(12, 2.6 * max(rows, 1)), layout="constrained")
    for place, (name, points) in enumerate(sorted(series.items()), start=1):
        axes = figure.add_subplot(rows, 3, place)
        axes.plot(*zip(*points, strict=True), linewidth=1)
        axes.set_title(name, fontsize=9)
    path = folder / CURVES
    figure.savefig(path, dpi=110)
    return path


def _series(rows: Iterable[tuple[int, float, str, float]]) -> dict[str, list[tuple[int, float]]]:
    series: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for step, _, name, value in rows:
        series[name].append((step, value))
    return dict(series)
