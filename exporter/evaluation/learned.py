"""The field's learned metrics, for those who have their tools and weights installed; never guessed.

FAD, KL, IS, IB-score and DeSync all need networks of other people, which this project neither ships
nor downloads. `av-benchmark` measures them when it is there; where it is not, the report says so.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TOOL = "av_bench"
MEASURED = ("FAD", "KL", "IS", "IB-score", "DeSync")


@dataclass(frozen=True, slots=True)
class Learned:
    """Figures by name, or why there are none."""

    values: Mapping[str, float]
    reason: str = ""


class LearnedMetrics(Protocol):
    """Measures a folder of sounds against a folder of true ones."""

    def measure(self, made: Path, true: Path) -> Learned:
        """Files of the same name belong together; values stay empty where the tool or a weight is missing."""


@dataclass(frozen=True, slots=True)
class AvBenchmark:
    """`av-benchmark`, in a process of its own: it wants a GPU and its own versions of things.

    Attributes:
        command: how it is called; both folders and a file for its JSON follow.
    """

    command: tuple[str, ...] = (sys.executable, "-m", f"{TOOL}.evaluate")

    def measure(self, made: Path, true: Path) -> Learned:
        """See `LearnedMetrics`."""
        if importlib.util.find_spec(TOOL) is None:
            return Learned({}, f"{TOOL} is not installed")
        return run_tool(self.command, made, true)


def run_tool(command: tuple[str, ...], made: Path, true: Path) -> Learned:
    """What a tool wrote; its complaint where it failed."""
    result = made / "learned.json"
    done = subprocess.run(
        [*command, "--gt_audio", str(true), "--pred_audio", str(made), "--output", str(result)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not result.is_file():
        return Learned({}, (done.stderr.strip().splitlines() or ["it failed without a word"])[-1])
    values = json.loads(result.read_text("utf-8"))
    return Learned({str(key): float(value) for key, value in values.items()})
