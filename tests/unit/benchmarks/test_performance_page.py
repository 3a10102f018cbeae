"""docs/performance.md: figures from the ledger, takes composed of stages, the part by hand kept."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from benchmarks.against_torch import costs
from benchmarks.against_torch.page import TITLES, write_page

ROLES = tuple(TITLES)
ENDING = 2 + 2 * 25 + 2
"""Runs of every take: conditions, solver, decoder, vocoder; each costs 1 s here."""
WHOLE = 2 + 40 + 14 + ENDING


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
    assert _row(page, "first take")[1:] == [
        f"{WHOLE}", "composed", f"{2 * WHOLE}", "composed", "**2.00**"
    ]  # fmt: skip
    assert _row(page, "second take")[1] == f"{ENDING}"
    assert _row(page, "second object")[1] == f"{14 + ENDING}"
    assert _row(page, "10 objects")[1] == f"{1.1 + 4 + 14 + ENDING:.0f}"


def test_what_was_measured_stands_before_what_is_composed(tmp_path: Path) -> None:
    gib = {"Rss": 3.0, "Pss": 2.0, "Anonymous": 1.5}
    rows = [{"cpu": cpu, "gib": gib} for cpu in (30.0, 10.0, 20.0)]
    ledger = {str(index): _entry(role) for index, role in enumerate(ROLES)}
    ledger["take, ours, second take (new seed)"] = rows
    write_page(tmp_path / "page.md", ledger)
    page = (tmp_path / "page.md").read_text("utf-8")
    assert _row(page, "second take")[1:5] == ["20", "measured, median of 3", f"{2 * WHOLE}", "composed"]
    assert _row(page, "ours, second take")[1:] == ["3.00", "2.00", "1.50"]


def test_a_part_of_the_window_counts_as_the_part_it_is(tmp_path: Path) -> None:
    rest = [_entry(role) for role in ROLES if role != "vocoder"]
    page = _page(tmp_path, *rest, _entry("vocoder", frames=25, ours=1.0))
    assert _row(page, "second take")[1] == f"{2 + 2 * 25 + 1 + 5}"


def test_a_take_lacks_what_was_not_measured(tmp_path: Path) -> None:
    page = _page(tmp_path, *(_entry(role) for role in ROLES if role != "sync_encoder"))
    assert _row(page, "first take")[1:3] == ["", "lacks sync_encoder"]


def test_cost_between_measured_lengths_is_between_them() -> None:
    known = costs.Costs.of([_entry("flow", frames=n, ours=s) for n, s in ((25, 1.0), (75, 2.0))], "ours")
    assert [known.at("flow", frames) for frames in (5, 25, 50, 75, 150)] == [0.2, 1.0, 1.5, 2.0, 4.0]


def test_a_minute_is_windows_here_and_one_pass_there() -> None:
    minute = Fraction(60)
    ours = {role: count for role, count, _ in costs.asked("first take", minute) if role in costs.ENCODERS}
    theirs = {role: count for role, count, _ in costs.reference(minute)}
    assert ours == {"text_encoder": 2, "image_encoder": 489, "sync_encoder": 15 * 14}
    assert (theirs["image_encoder"], theirs["sync_encoder"], theirs["flow"]) == (480, 186, 50)
    frames = [frames for role, _, frames in costs.asked("first take", minute) if role == "flow"]
    assert frames == [125] * 15


def test_the_page_draws_cost_against_length(tmp_path: Path) -> None:
    page = _page(tmp_path, *(_entry(role) for role in ROLES))
    assert "![Cost against length](page/lengths.png)" in page
    assert _row(page, "60 |")[3] == f"{_composed_minute():.2f}"
    assert (tmp_path / "page" / "lengths.png").stat().st_size > 0


def test_a_length_that_was_measured_stands_before_what_is_composed(tmp_path: Path) -> None:
    ledger: dict[str, Any] = {str(index): _entry(role) for index, role in enumerate(ROLES)}
    measured = {"ours, first take": 10.0, "ours, second take (new seed)": 4.0, "reference, first take": 30.0}
    ledger |= {f"2 s, {what}": [{"cpu": cpu}] for what, cpu in measured.items()}
    write_page(tmp_path / "page.md", ledger)
    page = (tmp_path / "page.md").read_text("utf-8")
    assert _row(page, "2 |")[1:] == ["10", "30", "3.00", "5", "4", "2.0", "measured, once"]
    assert _row(page, "3 |")[-1] == "composed"


def _composed_minute() -> float:
    """Twice as slow a stage, 480 pictures and 186 segments in one pass, against ours."""
    known = costs.Costs.of([_entry(role) for role in ROLES], "ours")
    ours, theirs = (known.total(units(Fraction(60))) for units in (_first, costs.reference))
    assert ours is not None
    assert theirs is not None
    return 2 * theirs / ours


def _first(seconds: Fraction) -> costs.Units:
    return costs.asked("first take", seconds)


@pytest.mark.parametrize(("ours", "told"), [(3.0, "50 %"), (6.0, "100 %")])
def test_memory_is_told_as_a_share(ours: float, told: str, tmp_path: Path) -> None:
    assert told in _page(tmp_path, _entry("flow"), ours=ours, reference=6.0)


def test_memory_of_a_first_take_is_told_apart_from_the_most_of_any(tmp_path: Path) -> None:
    rows = {"ours, first take": 3.0, "ours, second object in the shot": 4.5, "reference, first take": 6.0}
    takes = {
        f"take, {what}": [
            {"cpu": 9.0, "date": "2026-01-01", "gib": dict.fromkeys(("Rss", "Pss", "Anonymous"), gib)}
        ]
        for what, gib in rows.items()
    }
    write_page(tmp_path / "page.md", {"0": _entry("flow")} | takes)
    page = (tmp_path / "page.md").read_text("utf-8")
    assert (
        "needs 50 % of the reference's memory (aim: at most 60 %), the most that any of ours needed is 75 %."
        in page
    )


def test_what_a_person_wrote_stays(tmp_path: Path) -> None:
    page = _page(tmp_path, _entry("flow"))
    (tmp_path / "page.md").write_text(page + "\nBy hand.\n", "utf-8")
    assert _page(tmp_path, _entry("flow", ours=0.5)).endswith("\nBy hand.\n")
