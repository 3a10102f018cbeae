"""docs/performance.md: figures from the ledger, takes composed of stages, the part by hand kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.against_torch.page import SEGMENTS, STEPS, WHOLE, write_page

ROLES = tuple(WHOLE)


def _entry(role: str, *, frames: int = 125, units: int = 1, ours: float = 1.0, torch: float = 2.0) -> Any:
    sides = {"ours": {"cpu": [ours, 9 * ours, ours]}, "torch": {"cpu": [torch] * 3}}
    return {
        "role": role,
        "frames": frames,
        "units": units,
        "relative": 1e-6,
        "load_cpu": 1.0,
        "date": "2026-01-01",
    } | sides


def _page(tmp_path: Path, *entries: Any, **memory: float) -> str:
    ledger = {str(index): entry for index, entry in enumerate(entries)}
    peaks = {f"memory, {side}": {"peak_gib": peak} for side, peak in memory.items()}
    write_page(tmp_path / "page.md", ledger | peaks)
    return (tmp_path / "page.md").read_text("utf-8")


def _row(page: str, start: str) -> list[str]:
    (line,) = (line for line in page.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_stage_is_told_by_its_median_for_one_row(tmp_path: Path) -> None:
    page = _page(tmp_path, _entry("image_encoder", units=4, ours=8.0, torch=12.0))
    assert _row(page, "image tower")[1:5] == ["2", "3", "**1.50**", "1"]
    assert _row(page, "flow network")[1] == "not measured yet"
    assert (tmp_path / "page" / "stages.png").stat().st_size > 0


def test_takes_are_composed_of_stages(tmp_path: Path) -> None:
    page = _page(tmp_path, *(_entry(role) for role in ROLES))
    whole, ending = sum(WHOLE.values()), 2 + 2 * STEPS + 2
    assert _row(page, "first take")[1:] == [f"{whole}", f"{2 * whole}", "**2.00**"]
    assert _row(page, "second take")[1] == f"{ending}"
    assert _row(page, "second object")[1] == f"{SEGMENTS + ending}"


def test_a_part_of_the_window_counts_as_the_part_it_is(tmp_path: Path) -> None:
    rest = [_entry(role) for role in ROLES if role != "vocoder"]
    page = _page(tmp_path, *rest, _entry("vocoder", frames=25, ours=1.0))
    assert _row(page, "second take")[1] == f"{2 + 2 * STEPS + 1 + 5}"


def test_a_take_lacks_what_was_not_measured(tmp_path: Path) -> None:
    page = _page(tmp_path, *(_entry(role) for role in ROLES if role != "sync_encoder"))
    assert _row(page, "first take")[1:3] == ["", "lacks sync_encoder"]


@pytest.mark.parametrize(("ours", "told"), [(3.0, "50 %"), (6.0, "100 %")])
def test_memory_is_told_as_a_share(ours: float, told: str, tmp_path: Path) -> None:
    assert told in _page(tmp_path, _entry("flow"), ours=ours, reference=6.0)


def test_what_a_person_wrote_stays(tmp_path: Path) -> None:
    page = _page(tmp_path, _entry("flow"))
    (tmp_path / "page.md").write_text(page + "\nBy hand.\n", "utf-8")
    assert _page(tmp_path, _entry("flow", ours=0.5)).endswith("\nBy hand.\n")
