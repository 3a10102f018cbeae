"""Files that are whole or not there; what killed runs leave lies out of sight and is cleared away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from plugin.render.stemfolder import WORK_FOLDER as WORK_FOLDER_OF_STEMS
from plugin.wholefile import WORK_FOLDER, part_of, write_whole


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def test_both_rooms_mean_the_same_work_folder() -> None:
    assert WORK_FOLDER == WORK_FOLDER_OF_STEMS


def test_parts_lie_in_the_work_folder_where_there_is_one(folder: Path) -> None:
    assert part_of(folder / "film.otio").parent == folder
    (folder / WORK_FOLDER).mkdir()
    assert part_of(folder / "film.otio").parent == folder / WORK_FOLDER


def test_nothing_unfinished_is_ever_in_sight(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / WORK_FOLDER).mkdir()
    path = folder / "film.otio"
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(sorted(each.name for each in folder.iterdir())))
    write_whole(path, b"whole")
    assert seen == [[WORK_FOLDER], [WORK_FOLDER, "film.otio"]]
    assert path.read_bytes() == b"whole"
    assert list((folder / WORK_FOLDER).iterdir()) == []


def test_what_a_killed_run_left_is_cleared_away_an_hour_later(folder: Path) -> None:
    old, new = folder / "a[1].otio.1.part", folder / "a[1].otio.2.part"
    other, take = folder / "b.otio.1.part", folder / "a[1].otio.wav"
    for path in (old, new, other, take):
        path.touch()
    for path in (old, other, take):
        os.utime(path, (0, 0))
    write_whole(folder / "a[1].otio", b"x")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["a[1].otio", new.name, other.name, take.name]
    )


def test_what_a_dead_process_left_is_cleared_away_at_once(folder: Path) -> None:
    path = folder / "film.otio"
    ours = part_of(path)
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    left, living = (
        ours.with_name(ours.name.replace(f"-{os.getpid()}.", f"-{process}."))
        for process in (dead.pid, os.getppid())
    )
    elsewhere = folder / f"film.otio.00000000-{dead.pid}.part"
    for part in (left, living, elsewhere):
        part.touch()
    write_whole(path, b"x")
    assert sorted(each.name for each in folder.iterdir()) == sorted(
        ["film.otio", living.name, elsewhere.name]
    )
