"""The real thing but for the network: venv, pip, the product's wheel, its doctor and its renders.

Packages that the wheel needs are lent by the environment of the tests, so nothing is fetched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import wave
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from machine import Machine
from product import PACKAGES
from programs import Ran, RealPrograms

from resolve_bridge.inside.menu_file import read_menu_file
from tests.installer.fake_machine import Desk
from tests.media_factory import make_movie

ROOT = Path(__file__).parents[2]
METADATA = "Metadata-Version: 2.1\nName: sagafoley\nVersion: {}\nProvides-Extra: cpu\nProvides-Extra: panel\n"


class LentPackages(RealPrograms):
    """pip installs our wheel alone; everything else comes from the tests' own environment."""

    def run(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        timeout: float | None = None,
        shown: str = "no",
    ) -> Ran:
        words = list(words)
        if "install" in words:
            words += ["--no-deps", "--no-compile"]
        ran = super().run(words, environment=environment, folder=folder, timeout=timeout, shown=shown)
        if "install" in words:
            assert ran.code == 0, ran.output
            (site,) = Path(words[0]).parents[1].glob("lib/python*/site-packages")
            (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
            lent = Path(str(metadata.distribution("onnxruntime").locate_file("")))
            for described in lent.glob("onnxruntime-*.dist-info"):
                shutil.copytree(described, site / described.name)
        return ran


def build_wheel(folder: Path, version: str) -> Path:
    """A wheel of this tree, written by hand: building one fetches setuptools."""
    path = folder / f"sagafoley-{version}-py3-none-any.whl"
    info = f"sagafoley-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for package in PACKAGES:
            for file in sorted((ROOT / package).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    wheel.write(file, file.relative_to(ROOT).as_posix())
        wheel.writestr(f"{info}/METADATA", METADATA.format(version))
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def generate(launcher: Path, movie: Path, folder: Path, home: Path) -> Path:
    """One second of sound by the installed product, from a folder of its own; the stem."""
    folder.mkdir()
    ran = subprocess.run(
        [launcher, "generate", movie, "--duration", "1", "--steps", "1", "-o", folder / "stems", "--json"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(folder),
            "PYTHONHOME": "/nowhere",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return Path(json.loads(ran.stdout)["stems"][0]["path"])


def test_install_run_update_run_and_remove(tmp_path: Path) -> None:
    desk = Desk.make(tmp_path)
    desk.programs = LentPackages()  # type: ignore[assignment]
    this = Machine.this()
    desk.machine = replace(
        this, home=desk.home, environment={"PATH": os.environ["PATH"], "HOME": str(desk.home)}
    )
    movie = tmp_path / "clip.mp4"
    make_movie(movie, frames=25)
    for version in ("1.0", "1.1"):
        wheel = build_wheel(tmp_path, version)
        said = desk.run("--wheel", str(wheel), "--gpu", "no")
        assert f"Sagafoley {version} is installed and works." in said
    stem = generate(desk.home / ".local/bin/sagafoley", movie, tmp_path / "elsewhere", desk.home)
    with wave.open(str(stem)) as sound:
        assert sound.getnframes() == 48_000
    told = read_menu_file(str(desk.root / "resolve_menu.json"))
    assert (Path(told["inside"]) / "menu_session.py").is_file()
    (environment,) = desk.environments()
    python = desk.root / "app" / environment / "bin/python"
    where = [python, "-I", "-c", "import plugin, models_onnx; print(plugin.__file__, models_onnx.__file__)"]
    assert str(ROOT) not in subprocess.run(where, capture_output=True, text=True, check=True).stdout
    assert (desk.home / ".cache/sagafoley").is_dir(), "the product did run in this home"
    desk.run("--uninstall")
    assert desk.listing() == {}


def test_this_python_is_the_one_that_is_used() -> None:
    assert Machine.this().python.version == ".".join(map(str, sys.version_info[:3]))
