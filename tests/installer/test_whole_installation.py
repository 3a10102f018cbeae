"""The real installation, packages from pip's own index, killed twice on the way. `make test-slow`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from product import PACKAGES

from tests.installer.test_real_environment import generate
from tests.media_factory import make_movie

ROOT = Path(__file__).parents[2]


def copy_tree(target: Path) -> Path:
    """The source tree as a user has it."""
    for name in (*PACKAGES, "installer"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.part"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target)
    return target


def environment(home: Path) -> dict[str, str]:
    return {**{key: value for key, value in os.environ.items() if key != "PYTHONPATH"}, "HOME": str(home)}


def install(tree: Path, home: Path, *words: str) -> str:
    command = [sys.executable, tree / "installer/install.py", *words]
    ran = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def kill_when(tree: Path, home: Path, word: str) -> None:
    """Start an installation and kill it, with all that it started, once it says `word`."""
    command = [sys.executable, "-u", tree / "installer/install.py", "--gpu", "no"]
    with subprocess.Popen(
        command, env=environment(home), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as started:
        assert started.stdout is not None
        assert any(word in line for line in started.stdout)
        os.killpg(started.pid, signal.SIGKILL)


def listing(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


@pytest.mark.slow
def test_killed_finished_run_updated_and_removed(tmp_path: Path) -> None:
    home = tmp_path / "hö me"
    home.mkdir()
    tree = copy_tree(tmp_path / "the source")
    kill_when(tree, home, "Building Sagafoley")
    kill_when(tree, home, "Installing Sagafoley")
    assert "is installed and works" in install(tree, home, "--gpu", "no")
    version = tree / "plugin/__init__.py"
    version.write_text(version.read_text("utf-8").replace('__version__ = "', '__version__ = "9.'), "utf-8")
    assert "Sagafoley 9." in install(tree, home)
    assert "nothing was changed" in install(tree, home)
    shutil.rmtree(tree)
    movie = tmp_path / "clip.mp4"
    make_movie(movie, frames=25)
    assert generate(home / ".local/bin/sagafoley", movie, tmp_path / "elsewhere", home).is_file()
    remover = home / ".local/share/sagafoley/bin/sagafoley-uninstall"
    ran = subprocess.run([remover], env=environment(home), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "Sagafoley was removed.\n"), ran.stderr
    assert listing(home) == []


@pytest.mark.slow
def test_from_a_folder_of_wheels_without_any_index(tmp_path: Path) -> None:
    home = tmp_path / "of mine"
    home.mkdir()
    tree = copy_tree(tmp_path / "tree")
    wheels = tmp_path / "whe els"
    install(tree, home, "--collect", str(wheels), "--gpu", "no", "--no-panel")
    assert listing(home) == []
    shutil.rmtree(tree / "plugin")
    said = install(tree, home, "--offline", str(wheels), "--gpu", "no", "--no-panel")
    assert "is installed and works" in said
    install(tree, home, "--uninstall")
    assert listing(home) == []
