"""What stands between this machine and DaVinci Resolve, one row for each thing that can be looked at.

Nothing here hinders a render: stems can always travel by timeline files. So a row is fine, or a note.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from resolve_bridge.connecting import (
    Attempt,
    Connection,
    Machine,
    Transport,
    connect,
    first_there,
    has_own_python,
    menu_script,
)
from resolve_bridge.inside.menu_file import NotInstalled, read_menu_file
from resolve_bridge.interpreters import CHOSEN

_SHIPPED = Path(__file__).parent / "inside" / "Sagafoley.py"
_INSTALL = "Install Sagafoley again (python3 installer/install.py), then start Resolve again."
_MENU_PYTHON = "/usr/local/bin/python3"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was looked at.

    Attributes:
        subject: what.
        fine: whether it is as it should be.
        found: what was found.
        remedy: where to click or which file to mend, one imperative sentence; "" when nothing is to be done.
    """

    subject: str
    fine: bool
    found: str
    remedy: str = ""


def diagnose(machine: Machine | None = None) -> Iterator[Row]:
    """Rows in the order in which a person would look; connects to Resolve once, and lets go of it."""
    machine = machine or Machine.this()
    library = first_there(machine.locations.library)
    served = machine.server.exists()
    if library is None and not served:
        yield _absent(machine)
        return
    found = str(library) if library is not None else "in a folder of its own"
    yield Row("Resolve", fine=True, found=f"installed, {found}")
    yield from _menu(machine)
    yield from _menu_python(machine)
    connection = connect(machine)
    try:
        yield from _reached(machine, connection)
    finally:
        if connection.channel is not None:
            connection.channel.close()


def _absent(machine: Machine) -> Row:
    """Not installed, or the App Store's, which is as good as."""
    connection = connect(machine)
    external = connection.attempts[0]
    return Row("Resolve", fine=False, found=external.found, remedy=external.remedy)


def _menu(machine: Machine) -> Iterator[Row]:
    """The entry in Resolve's menu, and what it will start."""
    script = menu_script(machine.locations)
    if script is None:
        folder = machine.locations.menu_folders[0]
        yield Row("Resolve menu", fine=False, found=f"no Sagafoley.py in {folder}", remedy=_INSTALL)
        return
    if not _is_ours(script):
        yield Row("Resolve menu", fine=False, found=f"{script} is of another version", remedy=_INSTALL)
        return
    try:
        launcher = read_menu_file()["launcher"]
    except NotInstalled as fault:
        yield Row("Resolve menu", fine=False, found=f"{script}; but {fault}".rstrip("."), remedy=_INSTALL)
        return
    yield Row("Resolve menu", fine=True, found=f"{script} starts {launcher[0]}")


def _is_ours(script: Path) -> bool:
    """Whether the script is the one of this version."""
    try:
        return script.read_bytes() == _SHIPPED.read_bytes()
    except OSError:
        return False


def _menu_python(machine: Machine) -> Iterator[Row]:
    """On a Mac, Resolve before 21.1 lists Python scripts only when it finds a Python in one of two places."""
    if machine.platform != "darwin" or has_own_python(machine.locations):
        return
    found = python_of_the_menu(machine.environ)
    if found:
        yield Row("Resolve Python", fine=True, found=f"{found} for scripts of the menu")
        return
    yield Row(
        "Resolve Python",
        fine=False,
        found=f"neither {_MENU_PYTHON} nor PYTHON3HOME: Resolve before 21.1 then lists no Python scripts",
        remedy="Install Python 3 from python.org, which puts it there, then start Resolve again.",
    )


def python_of_the_menu(environ: Mapping[str, str]) -> str:
    """Where a Mac's Resolve finds its Python; "" for nowhere."""
    home = environ.get("PYTHON3HOME", "").strip() or _from_launchd("PYTHON3HOME")
    return home or (_MENU_PYTHON if os.access(_MENU_PYTHON, os.X_OK) else "")


def _from_launchd(name: str) -> str:
    """A variable of the programs that the Finder starts."""
    try:
        done = subprocess.run(
            ["/bin/launchctl", "getenv", name], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _reached(machine: Machine, connection: Connection) -> Iterator[Row]:
    greeting = connection.greeting
    if greeting is not None:
        edition = {True: "", False: ", free edition", None: ", edition unknown"}[greeting.studio]
        yield Row("Resolve edition", fine=True, found=greeting.name + edition)
    external, menu, files = connection.attempts
    yield _outside(connection)
    if menu_script(machine.locations) is not None or menu.works:
        remedy = "" if external.works else menu.remedy  # one way is enough
        yield Row(
            "Resolve script", fine=menu.works or external.works, found=_plain(menu.found), remedy=remedy
        )
    yield _in_use(connection, files)


def _outside(connection: Connection) -> Row:
    """External scripting: the preference, and the Python that was used for it."""
    attempt = connection.attempts[0]
    found = _plain(attempt.found)
    if CHOSEN in attempt.remedy:  # which Python failed, and how, is what the remedy is about
        found = f"{found}: {attempt.detail}"
    in_use = connection.transport is not Transport.FILES
    return Row("Resolve outside", attempt.works or in_use, found, "" if in_use else attempt.remedy)


def _in_use(connection: Connection, files: Attempt) -> Row:
    used = connection.transport
    if used is Transport.FILES:
        found = f"timeline files only; {files.found[0].lower()}{files.found[1:]}"
        return Row("Resolve way", fine=True, found=_plain(found))
    return Row("Resolve way", fine=True, found=f"{used} is in use")


def _plain(sentence: str) -> str:
    """Without its full stop, as the other findings are."""
    return sentence.removesuffix(".")
