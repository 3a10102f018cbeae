"""A machine on which the fake Resolve is installed, as `resolve_bridge.connecting` looks at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from resolve_bridge.connecting import Machine
from resolve_bridge.inside.own_files import data_folder, menu_file, server_file
from resolve_bridge.locations import Locations
from tests.bridge.fake_resolve import Installation

INSIDE = Path(__file__).parents[2] / "resolve_bridge" / "inside"
SCRIPT = INSIDE / "Sagafoley.py"
_T = TypeVar("_T")
PYTHON = {"SAGAFOLEY_RESOLVE_PYTHON": sys.executable}


def machine_with(
    installation: Installation,
    *,
    running: bool | None = True,
    environ: Mapping[str, str] = PYTHON,
    own_python: bool = False,
) -> Machine:
    """This machine, with the fake in place of what may be installed; it never waits."""
    home = Locations.of_machine(environ={"HOME": str(Path.home())})
    locations = replace(
        home,
        api=(installation.api,),
        library=(installation.library,),
        program=(),
        pythons=(Path(sys.executable),) if own_python else (),
        scripts_of_all=(installation.scripts,),
    )
    return Machine(locations, environ, lambda: running, Path(server_file()), pause=lambda _: None)


def install_menu_script(installation: Installation, launcher: list[str]) -> Path:
    """What the installer does; the script's path."""
    note = {"schema": 1, "inside": str(INSIDE), "launcher": launcher, "version": "test"}
    Path(data_folder()).mkdir(parents=True, exist_ok=True)
    Path(menu_file()).write_text(json.dumps(note), "utf-8")
    script = installation.scripts / "Utility" / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    return script


def oldest_python() -> str:
    """The oldest Python from 3.6 on that works here, as Resolve may have it; else this one."""
    found = (shutil.which(f"python3.{minor}") for minor in range(6, 11))
    return next((path for path in found if path and _works(path)), sys.executable)


def _works(python: str) -> bool:
    done = subprocess.run([python, "-I", "-S", "-c", ""], capture_output=True, check=False)
    return done.returncode == 0


def panel_until(sign: Path) -> list[str]:
    """A launcher whose program stays until a file appears; it tells its number and environment beside it."""
    program = (
        "import json, os, pathlib, sys, time\n"
        "sign = pathlib.Path(sys.argv[1])\n"
        "told = sign.with_name(f'{sign.name}.{os.getpid()}')\n"
        "told.write_text(json.dumps(dict(os.environ)))\n"
        "while not sign.exists():\n"
        "    time.sleep(0.05)\n"
    )
    return [sys.executable, "-c", program, str(sign)]


def panels_of(sign: Path) -> list[int]:
    """Numbers of the panels that were started with that sign."""
    return sorted(int(path.suffix[1:]) for path in sign.parent.glob(f"{sign.name}.*"))


def wait_for(condition: Callable[[], _T], seconds: float = 60.0) -> _T:
    """The condition's first true value."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"it never came to {condition}")


def is_alive(process: int) -> bool:
    """Whether a process is there and not only a name left for its parent."""
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
