"""Parity fixtures: one table of measured differences, printed at the end of the run."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import torch

from tests.parity.golden_files import Array, GoldenFile
from tests.parity.tolerances import TOLERANCES


@dataclass(frozen=True, slots=True)
class Row:
    """One measured line of the table.

    Attributes:
        stage: as in `TOLERANCES`.
        implementation: "torch" or "onnx".
        output: which golden array.
        relative_l2: measured difference.
        tolerance: allowed difference.
        seconds: since the test began, filling of weights included.
        peak_gb: highest resident memory of the process so far, GiB.
    """

    stage: str
    implementation: str
    output: str
    relative_l2: float
    tolerance: float
    seconds: float
    peak_gb: float


ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()

Check = Callable[[GoldenFile, str, "torch.Tensor | Array"], None]


@pytest.fixture
def parity(request: pytest.FixtureRequest) -> Callable[..., Check]:
    """Give `parity(stage)`, a check of results against golden arrays that also fills the table."""
    began = time.monotonic()
    rows = request.config.stash.setdefault(ROWS, [])

    def for_stage(stage: str, *, implementation: str = "torch") -> Check:
        tolerance = TOLERANCES[stage, implementation]

        def check(golden: GoldenFile, name: str, result: torch.Tensor | Array) -> None:
            difference = golden.difference(name, result)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            seconds = time.monotonic() - began
            rows.append(Row(stage, implementation, name, difference.relative_l2, tolerance, seconds, peak))
            assert difference.relative_l2 <= tolerance, f"{stage}, {name}: {difference}"
            assert difference.stats <= tolerance, f"{stage}, {name}: {difference}"

        return check

    return for_stage


@pytest.fixture(autouse=True)
def _inference_only() -> Iterator[None]:
    with torch.inference_mode():
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of parity when there is one."""
    rows = config.stash.get(ROWS, [])
    if not rows:
        return
    terminalreporter.section("parity with the golden vectors (relative L2)")
    terminalreporter.write_line(
        f"{'stage':<20}{'by':<7}{'output':<24}{'measured':>10}{'allowed':>10}{'seconds':>9}{'peak GiB':>10}"
    )
    for row in rows:
        terminalreporter.write_line(
            f"{row.stage:<20}{row.implementation:<7}{row.output:<24}{row.relative_l2:>10.1e}"
            f"{row.tolerance:>10.0e}{row.seconds:>9.1f}{row.peak_gb:>10.1f}"
        )
