"""Whether DaVinci Resolve runs, as the operating system's list of processes has it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_SECONDS = 5.0
_NAMES = {"linux": "resolve", "darwin": "Resolve", "win32": "Resolve.exe"}

Run = Callable[[list[str]], str | None]


def is_resolve_running(platform: str = sys.platform, *, run: Run | None = None) -> bool | None:
    """Whether it does; None when the system does not tell."""
    if platform == "win32":
        return _listed(["tasklist", "/fo", "csv", "/nh", "/fi", "IMAGENAME eq Resolve.exe"], run or _output)
    if platform == "darwin":
        return _listed(["ps", "-axo", "comm="], run or _output)
    return _in_proc(Path("/proc"))


def _listed(command: list[str], run: Run) -> bool | None:
    listing = run(command)
    if listing is None:
        return None
    if command[0] == "tasklist":
        return "resolve.exe" in listing.lower()
    return any(line.strip().endswith("/MacOS/Resolve") for line in listing.splitlines())


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def _in_proc(folder: Path) -> bool | None:
    if not folder.is_dir():
        return None
    return any(name == _NAMES["linux"] for name in _program_names(folder))


def _program_names(folder: Path) -> Iterator[str]:
    for entry in folder.glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:  # ended in between, or somebody else's
            continue
        yield words[0].decode("utf-8", "replace").rpartition("/")[2]
