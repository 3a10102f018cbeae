"""`make` sets everything up by itself, also after it was interrupted or its folder was copied."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAKE_PYTHON = """#!/bin/sh
# What a Python does here: `-c` answers, `-m venv --clear FOLDER` makes an environment of this very program.
[ "$1" = -c ] && exit 0
[ "$1 $2 $3" = "-m venv --clear" ] || { echo "unexpected: $*" >&2; exit 9; }
echo made >> made.log
rm -rf "$4"; mkdir -p "$4/bin"
cp "$0" "$4/bin/python"
echo "VIRTUAL_ENV='$(pwd -P)/$4'" > "$4/bin/activate"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a folder"
    shutil.copytree(ROOT / ".ci", made / ".ci")
    shutil.copy(ROOT / "Makefile", made)
    python = made / "fake-python"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    return made


def make(folder: Path, *words: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    ran = subprocess.run(
        ["make", "PYTHON=./fake-python", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def environments_made(folder: Path) -> int:
    log = folder / "made.log"
    return len(log.read_text().splitlines()) if log.is_file() else 0


def test_help_is_what_make_alone_says_and_it_makes_nothing(folder: Path) -> None:
    for word in ("demo", "test", "lint", "help"):
        assert f"make {word}" in make(folder)
    assert environments_made(folder) == 0


def test_an_environment_is_made_once(folder: Path) -> None:
    make(folder, "environment")
    make(folder, "environment")
    assert environments_made(folder) == 1


def test_half_an_environment_is_made_again(folder: Path) -> None:
    """Ctrl-C while pip goes in leaves a python without pip."""
    half = folder / ".venv" / "bin" / "python"
    half.parent.mkdir(parents=True)
    half.write_text("#!/bin/sh\nexit 1\n")
    half.chmod(0o755)
    make(folder, "environment")
    make(folder, "environment")
    assert environments_made(folder) == 1


def test_a_copied_folder_makes_its_own(folder: Path) -> None:
    make(folder, "environment")
    copied = folder.with_name("copied")
    shutil.copytree(folder, copied)
    make(copied, "environment")
    assert environments_made(copied) == 2
    first, second = (
        make(each, "--eval", "stamp: ; @echo $(RUNTIME)", "stamp").splitlines()[-1]
        for each in (folder, copied)
    )
    assert first != second
