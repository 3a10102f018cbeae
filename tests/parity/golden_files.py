"""Golden vectors: stored outputs of the reference network, and how far a result is from them.

An array is stored whole under its name, or as `<name>/sample` = flat[::stride] with
`<name>/stride`; `<name>/stats` (mean, population standard deviation, L2 norm) and `<name>/shape`
go with it. `trace/names` and `trace/values` hold one row per internal module: mean, standard
deviation, L2 norm and the first eight values of its output.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Array = NDArray[Any]

FOLDER = Path(__file__).parent / "golden"
STATE_DICTS = Path(__file__).parent / "state_dicts"


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a result is from its golden array.

    Attributes:
        relative_l2: ||result - golden|| / ||golden|| over the stored values.
        largest: largest absolute difference over the stored values.
        stats: largest difference of mean, standard deviation and L2 norm, relative to the golden
            root mean square (first two) and the golden norm; 0 where no statistics are stored.
    """

    relative_l2: float
    largest: float
    stats: float


@dataclass(frozen=True, slots=True)
class GoldenFile:
    """One `.npz` of golden vectors."""

    arrays: dict[str, Array]

    @classmethod
    def load(cls, name: str) -> GoldenFile:
        """Read `golden/<name>.npz`."""
        with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
            return cls(dict(stored))

    def whole(self, name: str) -> Array:
        """An array that is stored whole. KeyError when it is only sampled."""
        return self.arrays[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of the full array, also of a sampled one."""
        if f"{name}/shape" in self.arrays:
            return tuple(int(side) for side in self.arrays[f"{name}/shape"])
        return self.arrays[name].shape

    def difference(self, name: str, result: torch.Tensor | Array) -> Difference:
        """Compare a full result with what is stored of it. AssertionError when the shape differs."""
        full = _to_float64(result)
        assert full.shape == self.shape(name), f"{name}: {full.shape}, golden {self.shape(name)}"
        golden, ours = self._stored_values(name, full)
        gap = ours - golden
        norm = float(np.linalg.norm(golden))
        return Difference(
            relative_l2=float(np.linalg.norm(gap)) / norm if norm else float(np.linalg.norm(gap)),
            largest=float(np.abs(gap).max()),
            stats=self._stats_difference(name, full),
        )

    def check(self, name: str, result: torch.Tensor | Array, *, tolerance: float) -> Difference:
        """Assert that relative L2 and statistics are within `tolerance`; returns the difference."""
        difference = self.difference(name, result)
        assert difference.relative_l2 <= tolerance, f"{name}: {difference}"
        assert difference.stats <= tolerance, f"{name}: {difference}"
        return difference

    def _stored_values(self, name: str, full: Array) -> tuple[Array, Array]:
        if name in self.arrays:
            return self.arrays[name].astype(np.float64).reshape(-1), full.reshape(-1)
        stride = int(self.arrays[f"{name}/stride"])
        return self.arrays[f"{name}/sample"].astype(np.float64), full.reshape(-1)[::stride]

    def _stats_difference(self, name: str, full: Array) -> float:
        if f"{name}/stats" not in self.arrays:
            return 0.0
        mean, deviation, norm = (float(value) for value in self.arrays[f"{name}/stats"])
        rms = norm / math.sqrt(full.size)
        return max(
            abs(float(full.mean()) - mean) / rms,
            abs(float(full.std()) - deviation) / rms,
            abs(float(np.linalg.norm(full)) - norm) / norm,
        )

    def trace(self) -> dict[str, Array]:
        """Rows of the stored trace by module name (`#2` marks a module's second call), in call order."""
        return dict(
            zip((str(name) for name in self.arrays["trace/names"]), self.arrays["trace/values"], strict=True)
        )

    def divergences(self, recorded: Mapping[str, Array]) -> dict[str, float]:
        """Difference of every module that is in both traces, in the order of the golden one.

        A difference is that of the L2 norm or of the first eight values, whichever is larger, each
        relative to the golden one.
        """
        return {
            name: _row_difference(row, recorded[name])
            for name, row in self.trace().items()
            if name in recorded
        }

    def first_divergence(self, recorded: Mapping[str, Array], *, tolerance: float) -> str:
        """The first module of the trace that is missing or differs by more than `tolerance`; "" if none."""
        differences = self.divergences(recorded)
        for name in self.trace():
            difference = differences.get(name, math.inf)
            if not difference <= tolerance:
                return f"{name} ({difference:.1e})"
        return ""


@dataclass(slots=True)
class Recorder:
    """Collects trace rows while a network runs; see `recording`."""

    rows: dict[str, Array] = field(default_factory=dict)
    _calls: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, output: torch.Tensor) -> None:
        """Append the row of one module call; a repeated name becomes `name#2`, `name#3`, ..."""
        count = self._calls[name] = self._calls.get(name, 0) + 1
        flat = _to_float64(output).reshape(-1)
        row = [flat.mean(), flat.std(), np.linalg.norm(flat), *flat[:8]]
        self.rows[name if count == 1 else f"{name}#{count}"] = np.array(row)


@contextmanager
def recording(module: nn.Module, *, only: Iterable[str]) -> Iterator[Recorder]:
    """Record the outputs of the submodules named in `only` (`#n` suffixes ignored) during the block."""
    wanted = {name.partition("#")[0] for name in only}
    recorder = Recorder()
    hooks = [
        child.register_forward_hook(lambda _module, _args, output, name=name: recorder.add(name, output))
        for name, child in module.named_modules()
        if name in wanted
    ]
    try:
        yield recorder
    finally:
        for hook in hooks:
            hook.remove()


def stored_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of `state_dicts/<name>.tsv`, in the reference's order."""
    lines = (STATE_DICTS / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {
        row[0]: tuple(int(side) for side in row[1].strip("[]").split(",") if side.strip()) for row in rows
    }


def _to_float64(values: torch.Tensor | Array) -> Array:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def _row_difference(golden: Array, ours: Array) -> float:
    norm = abs(ours[2] - golden[2]) / golden[2]
    head = np.linalg.norm(ours[3:] - golden[3:]) / np.linalg.norm(golden[3:])
    return float(max(norm, head))
