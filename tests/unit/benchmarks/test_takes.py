"""The takes that `make bench` makes, with the golden bundle: which kinds, and what each had to load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.against_torch import __main__ as bench
from benchmarks.against_torch import takes

GOLDEN = Path(__file__).parents[2] / "golden" / "bundle"
AGAIN, PROMPT = "second take (new seed)", "second prompt"


@pytest.mark.parametrize(
    ("seen", "first", "last"),
    [(True, f"{AGAIN}, nothing loaded", []), (False, "first take", ["second object in the shot"])],
)
def test_every_kind_of_take_is_told(
    *, seen: bool, first: str, last: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takes, "BRIEF", replace(takes.BRIEF, steps=1))
    rows = list(takes.ours(GOLDEN, threads=1, turns=2, seen=seen, seconds=1))
    assert [row["asked"] for row in rows] == [first, *[AGAIN, PROMPT] * 2, *last]
    assert all(row["cpu"] > 0 and row["gib"]["Rss"] > 0 for row in rows)
    loads = [row["loads"] for row in rows]
    assert loads == [5 if seen else 7, *[0] * (len(rows) - 1)]


def test_of_a_length_a_first_take_and_new_seeds_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takes, "BRIEF", replace(takes.BRIEF, steps=1))
    rows = list(takes.ours(GOLDEN, threads=1, turns=2, seen=False, seconds=1, lengths=True))
    assert [row["asked"] for row in rows] == ["first take", AGAIN, AGAIN]


def test_both_sides_take_turns_and_every_round_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def told(side: str, *_: str) -> list[dict[str, object]]:
        asked.append(side)
        return [{"asked": "first take", "cpu": len(asked)}]

    monkeypatch.setattr(bench, "_told", told)
    ledger = tmp_path / "measured.json"
    bench._take_turns(ledger, {"ours": ("takes", "BUNDLE"), "reference": ("reference",)}, ())
    assert asked == ["takes", "reference"] * bench.ROUNDS
    kept = bench.read_ledger(ledger)
    assert [row["cpu"] for row in kept["take, ours, first take"]] == [1, 3, 5]
    assert [row["cpu"] for row in kept["take, reference, first take"]] == [2, 4, 6]
