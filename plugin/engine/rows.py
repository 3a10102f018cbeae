"""Inputs whose rows do not see each other: split, padded and put together again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models_onnx.manifest import GraphSpec

Array = npt.NDArray[Any]
Outputs = dict[str, Any]

ROWS = frozenset({"batch", "segments"})
"""Free dimensions that count independent rows."""


def row_count(spec: GraphSpec, feeds: Mapping[str, Array]) -> int:
    """How many independent rows the inputs hold; 1 where the graph has none."""
    counts = [len(feeds[name]) for name in _with_rows(spec) if name in feeds]
    return max(counts, default=1)


def run_in_parts(
    run: Callable[[Mapping[str, Array]], Outputs], spec: GraphSpec, feeds: Mapping[str, Array], *, most: int
) -> Outputs:
    """The outputs of `run`, called with at most `most` rows at a time.

    Args:
        run: inputs to outputs by name.
        spec: tells which inputs have rows.
        feeds: inputs by name.
        most: at least 1.
    """
    count, split = row_count(spec, feeds), set(_with_rows(spec))
    parts = []
    for first in range(0, count, most):
        part = {
            name: value[first : first + most] if name in split else value for name, value in feeds.items()
        }
        parts.append(run(part))
    if len(parts) == 1:
        return parts[0]
    joined = {tensor.name for tensor in spec.outputs if _has_rows(tensor.shape)}
    return {
        name: np.concatenate([part[name] for part in parts]) if name in joined else value
        for name, value in parts[0].items()
    }


def even_size(count: int, *, most: int) -> int:
    """How many of `count` rows to take at a time so that the last part lacks as few as possible."""
    return -(-count // -(-count // most)) if count else most


def padded(rows: Array, size: int) -> Array:
    """The rows, the last one repeated up to `size` of them."""
    missing = size - len(rows)
    return rows if missing <= 0 else np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])


def _with_rows(spec: GraphSpec) -> tuple[str, ...]:
    return tuple(tensor.name for tensor in spec.inputs if _has_rows(tensor.shape))


def _has_rows(shape: Sequence[int | str]) -> bool:
    return bool(shape) and shape[0] in ROWS
