"""What starts the product: small scripts and a menu entry, as each system wants them.

They start our Python apart from any other: DaVinci Resolve sets PYTHONHOME and PYTHONPATH for its own.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from machine import Machine
from places import Places
from placing import Wanted

MODULE = "plugin.cli"
_GONE = "Sagafoley's Python is gone; run its installer again."
_UTF_8 = "chcp 65001 >nul"
_COMMENT = "The sound of one chosen object in a shot"


def launcher_files(machine: Machine, places: Places, environment: Path) -> Iterator[Wanted]:
    """The launcher of the command line, what removes, and the entry of the desktop's menu."""
    make = _windows if machine.system == "Windows" else _unix
    yield from make(machine, places, environment)
    if machine.system == "Linux":
        yield Wanted(places.menu_entry, desktop_entry(places).encode("utf-8", "surrogateescape"))


def _unix(machine: Machine, places: Places, environment: Path) -> Iterator[Wanted]:
    python = places.python_of(environment)
    yield _script(places.launcher, _unix_launcher(python, f"-m {MODULE}"))
    remover = shlex.quote(str(places.installer / "install.py"))
    arguments = f"{remover} --uninstall --prefix {shlex.quote(str(places.root))}"
    yield _script(places.remover, _unix_launcher(machine.python.executable, arguments, isolated=""))
    forward = f"#!/bin/sh\nexec {shlex.quote(str(places.launcher))} "
    if places.command is not None:
        yield _script(places.command, f'{forward}"$@"\n')
    if machine.system == "Darwin":
        yield _script(places.menu_entry, f"{forward}panel\n")


def _unix_launcher(python: Path, arguments: str, *, isolated: str = " -I") -> str:
    quoted = shlex.quote(str(python))
    return (
        "#!/bin/sh\n"
        "# Made by Sagafoley's installer, which removes it again.\n"
        "unset PYTHONHOME PYTHONPATH PYTHONSTARTUP __PYVENV_LAUNCHER__\n"
        "export PYTHONNOUSERSITE=1 ORT_DISABLE_TELEMETRY=1\n"
        f'if [ ! -x {quoted} ]; then echo "{_GONE}" >&2; exit 2; fi\n'
        f'exec {quoted}{isolated} {arguments} "$@"\n'
    )


def _script(path: Path, text: str) -> Wanted:
    return Wanted(path, text.encode("utf-8", "surrogateescape"), executable="yes")


def _windows(machine: Machine, places: Places, environment: Path) -> Iterator[Wanted]:
    python = places.python_of(environment)
    silent = python.with_name("pythonw.exe")
    beside = f'"%~dp0..\\app\\{environment.name}\\Scripts\\python.exe"'
    gone = f"if not exist {beside} (echo {_GONE} 1>&2 & exit /b 2)"
    # Found from where it lies itself: plain letters, so the caller's code page may stay as it is.
    yield _batch(places.launcher, gone, f"{beside} -I -m {MODULE} %*", "exit /b %errorlevel%")
    yield _batch(places.menu_entry, _UTF_8, f'start "" {_batch_word(silent)} -I -m {MODULE} panel')
    words = (machine.python.executable, places.installer / "install.py")
    remove = " ".join(map(_batch_word, words)) + f" --uninstall --prefix {_batch_word(places.root)} %*"
    # One line: it is read whole before the file is removed by what it starts.
    yield _batch(places.remover, _UTF_8, f"{remove} & pause & exit")


def _batch(path: Path, *commands: str) -> Wanted:
    """A batch file."""
    lines = (
        "@echo off",
        "setlocal",
        "set PYTHONHOME=",
        "set PYTHONPATH=",
        "set PYTHONNOUSERSITE=1",
        "set ORT_DISABLE_TELEMETRY=1",
        *commands,
    )
    return Wanted(path, ("\r\n".join(lines) + "\r\n").encode("utf-8", "surrogateescape"))


def _batch_word(path: Path) -> str:
    """A path inside a batch file: quotes keep blanks and `&` together, `%` is doubled."""
    return '"' + str(path).replace("%", "%%") + '"'


def desktop_entry(places: Places) -> str:
    """The entry of the applications menu (Desktop Entry Specification 1.5)."""
    icon = places.icon or ""
    return (
        "[Desktop Entry]\n"
        "Type=Application\n"
        "Version=1.5\n"
        "Name=Sagafoley\n"
        f"Comment={_COMMENT}\n"
        f"Exec={_exec_word(str(places.launcher))} panel\n"
        f"Icon={_entry_text(str(icon))}\n"
        "Terminal=false\n"
        "Categories=AudioVideo;Audio;AudioVideoEditing;\n"
        "StartupNotify=true\n"
    )


def _exec_word(word: str) -> str:
    """A word of `Exec`: quoted as the specification wants it, then escaped as any text there."""
    for special in ("\\", '"', "`", "$"):
        word = word.replace(special, f"\\{special}")
    return _entry_text('"' + word.replace("%", "%%") + '"')


def _entry_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def menu_note(machine: Machine, places: Places, environment: Path, version: str) -> bytes:
    """What Resolve's menu script is told: where the product is and how its panel is started.

    The form is that of `resolve_bridge.inside.menu_file`. The first word must be a file; on Windows it is a
    Python without a console, since a batch file would show one.
    """
    python = places.python_of(environment)
    words = [str(places.launcher)]
    if machine.system == "Windows":
        words = [str(python.with_name("pythonw.exe")), "-I", "-m", MODULE]
    inside = places.packages_of(environment, machine.python.series) / "resolve_bridge" / "inside"
    launcher = [*words, "panel", "--host", "resolve"]
    document = {"schema": 1, "inside": str(inside), "launcher": launcher, "version": version}
    return (json.dumps(document, indent=1, ensure_ascii=True) + "\n").encode("ascii")
