"""Killed at any moment, the next run finishes, or removes without a trace."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.installer.fake_machine import Desk

CHANGING = ("mkdir", "rename", "replace", "unlink", "rmdir", "chmod", "open")
_WRITING = os.O_WRONLY | os.O_RDWR


class Killed(BaseException):
    """Passes every handler, as a kill does."""


@contextmanager
def killed_at(moment: int) -> Iterator[list[str]]:
    """Every change of the disk counts as one moment; at the given one (and ever after) nothing happens."""
    done: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def change(*args: Any, **kwargs: Any) -> Any:
            if name != "open" or args[1] & _WRITING:
                if len(done) >= moment:
                    raise Killed
                done.append(f"{name} {args[0]}")
            return real(*args, **kwargs)

        return change

    with pytest.MonkeyPatch.context() as patch:
        for name in CHANGING:
            patch.setattr(os, name, counted(name, getattr(os, name)))
        yield done


def attempt(desk: Desk, moment: int, *words: str) -> int:
    """Run until killed; how many changes were made."""
    with killed_at(moment) as done:
        try:
            desk.run(*words)
        except Killed:
            return moment
    return len(done)


def names(desk: Desk) -> set[str]:
    return set(desk.listing())


@pytest.fixture
def whole(tmp_path: Path) -> set[str]:
    desk = Desk.make(tmp_path / "never killed")
    desk.run()
    return names(desk)


def moments(total: int, *, first: int) -> range:
    """A spread of moments, each test another; all of them take minutes."""
    return range(first, total, 11)


def changes(tmp_path: Path, *words: str, updated: bool = False) -> int:
    desk = Desk.make(tmp_path / "counted")
    if words or updated:
        desk.run()
        desk.new_version()
    return attempt(desk, 10**9, *words)


def test_an_installation_is_finished_by_the_next_run(tmp_path: Path, whole: set[str]) -> None:
    total = changes(tmp_path)
    assert total > 80
    for moment in moments(total, first=0):
        desk = Desk.make(tmp_path / f"at {moment}")
        assert attempt(desk, moment) == moment
        desk.run()
        assert names(desk) == whole, moment
        assert desk.run().endswith("nothing was changed.\n"), moment
        desk.run("--uninstall")
        assert desk.listing() == {}, moment


def test_half_an_installation_is_removed_without_a_trace(tmp_path: Path) -> None:
    for moment in moments(changes(tmp_path), first=3):
        desk = Desk.make(tmp_path / f"at {moment}")
        attempt(desk, moment)
        desk.run("--uninstall")
        assert desk.listing() == {}, moment


def test_half_an_update_is_finished_and_something_works_at_each_moment(tmp_path: Path) -> None:
    for moment in moments(changes(tmp_path, updated=True), first=2):
        desk = Desk.make(tmp_path / f"at {moment}")
        desk.run()
        desk.new_version()
        attempt(desk, moment)
        launched = [line for line in (desk.root / "bin/sagafoley").read_text().splitlines() if "exec" in line]
        python = launched[-1].split("'")[1]
        assert Path(python).is_file(), f"killed at {moment}, the launcher starts nothing"
        desk.run()
        assert [name.split("-")[0] for name in desk.environments()] == ["1.3.0"], moment
        desk.run("--uninstall")
        assert desk.listing() == {}, moment


def test_half_a_removal_is_finished(tmp_path: Path) -> None:
    for moment in moments(changes(tmp_path, "--uninstall"), first=1):
        desk = Desk.make(tmp_path / f"at {moment}")
        desk.run()
        attempt(desk, moment, "--uninstall")
        desk.run("--uninstall")
        assert desk.listing() == {}, moment
