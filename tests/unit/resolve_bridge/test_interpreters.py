"""Which Python speaks to Resolve from outside, and in which order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from resolve_bridge.interpreters import interpreters
from resolve_bridge.locations import Locations


@pytest.fixture
def pythons(tmp_path: Path) -> dict[str, Path]:
    names = ("own", "resolves", "python3.10", "python3.12", "python3.13")
    for name in names:
        (tmp_path / name).touch()
    return {name: tmp_path / name for name in names}


def _order(pythons: dict[str, Path], version: tuple[int, int], **environ: str) -> list[str]:
    locations = replace(
        Locations.of_machine("linux", {}), pythons=(pythons["resolves"], Path("/nowhere/python"))
    )
    own = (str(pythons["own"]), version)

    def find(name: str) -> str | None:
        return str(pythons[name]) if name in pythons else None

    return [path.name for path in interpreters(locations, environ=environ, own=own, find=find)]


@pytest.mark.parametrize("version", [(3, 10), (3, 11), (3, 12)])
def test_a_safe_one_of_ours_comes_first(pythons: dict[str, Path], version: tuple[int, int]) -> None:
    assert _order(pythons, version) == ["own", "resolves", "python3.12", "python3.10"]


@pytest.mark.parametrize("version", [(3, 13), (3, 14)])
def test_a_newer_one_of_ours_comes_last(pythons: dict[str, Path], version: tuple[int, int]) -> None:
    """Up to Resolve 21.0 it may be turned away, or crash."""
    assert _order(pythons, version) == ["resolves", "python3.12", "python3.10", "own"]


def test_what_is_not_there_is_left_out(pythons: dict[str, Path]) -> None:
    pythons["resolves"].unlink()
    pythons["python3.12"].unlink()
    assert _order(pythons, (3, 13)) == ["python3.10", "own"]


def test_the_users_choice_is_the_only_one(pythons: dict[str, Path]) -> None:
    assert _order(pythons, (3, 11), SAGAFOLEY_RESOLVE_PYTHON="/my/python ") == ["python"]
