"""The product's own environment: made with venv, filled by pip, of what the product's extras name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from faults import InstallError
from machine import Machine
from places import Places
from product import Product
from programs import Programs

_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "__PYVENV_LAUNCHER__")
_ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_LOG", "PIP_SRC", "PIP_PYTHON")
_NO_ROOM = re.compile(
    r"No space left on device|Disk quota exceeded|not enough space on the disk", re.IGNORECASE
)
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|getaddrinfo failed|"
    r"Network is unreachable|Connection refused|ConnectTimeout|Read timed out|ReadTimeout|ProxyError|"
    r"SSLError|CERTIFICATE_VERIFY_FAILED|Connection reset|Connection aborted|IncompleteRead"
)
_NOT_FOUND = re.compile(
    r"No matching distribution found for ([^\s(]+)|no matching distribution for ([^\s(]+)"
)
_WRONG_HASH = re.compile(r"DO NOT MATCH THE HASHES|do not match the hashes")


@dataclass(frozen=True, slots=True)
class Pip:
    """pip inside one environment.

    Attributes:
        python: of the environment.
        staging: our folder for what is needed meanwhile: fetched wheels, pip's log.
        wheels: where all packages come from; None means the network, as the user's pip is set up.
        shown: "yes" where progress bars have a terminal.
    """

    machine: Machine
    programs: Programs
    python: Path
    staging: Path
    wheels: Path | None
    shown: str

    @property
    def log(self) -> Path:
        """All that pip said."""
        return self.staging / "pip.log"

    def run(self, *words: str) -> None:
        """One command of pip.

        Raises:
            InstallError: it failed, told by its likeliest cause.
        """
        quiet = ("--disable-pip-version-check", "--no-input", "--log", str(self.log))
        command = [str(self.python), "-I", "-m", "pip", words[0], *quiet, *self._source(), *words[1:]]
        ran = self.programs.run(
            command, environment=self._environment(), folder=self.staging, shown=self.shown
        )
        if ran.code != 0:
            raise self._failure(ran.output)

    def _source(self) -> Sequence[str]:
        if self.wheels is None:
            return ()
        return ("--no-index", "--find-links", str(self.wheels))

    def _environment(self) -> dict[str, str]:
        """The user's, but for what would send packages elsewhere; big files stay on our disk."""
        variables = own_environment(self.machine.environment) | _quiet_rustup(self.machine, self.staging)
        offline = self.wheels is not None
        kept = {key: value for key, value in variables.items() if not (offline and key.startswith("PIP_"))}
        temporary = self.staging / "tmp"
        temporary.mkdir(exist_ok=True)
        if offline:
            kept["PIP_CONFIG_FILE"] = os.devnull
        kept["PIP_CACHE_DIR"] = str(self.staging / "fetched")
        return kept | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))

    def _failure(self, output: str) -> InstallError:
        try:
            log = self.log.read_text("utf-8", "replace")
        except OSError:
            log = ""
        text = output + log
        if self.wheels is not None and _NOT_FOUND.search(text) and not _NO_ROOM.search(text):
            return _lacking(text)
        return _failure(text, log=self.log)


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables for a Python of ours: without those by which another Python or pip reaches in."""
    return {key: value for key, value in environment.items() if key not in {*_FOREIGN, *_ELSEWHERE}}


def _quiet_rustup(machine: Machine, staging: Path) -> dict[str, str]:
    """Pip asks `rustc` for its version, and rustup answers by making its folder in a home that has none."""
    return {} if (machine.home / ".rustup").exists() else {"RUSTUP_HOME": str(staging / "rustup")}


def make_environment(machine: Machine, programs: Programs, *, tree: Path, staging: Path) -> None:
    """An environment with pip and nothing else.

    Raises:
        InstallError: venv failed.
    """
    words = [str(machine.python.executable), "-I", "-m", "venv", str(tree)]
    variables = own_environment(machine.environment) | _quiet_rustup(machine, staging)
    ran = programs.run(words, environment=variables)
    if ran.code == 0:
        return
    if _NO_ROOM.search(ran.output):
        raise _disk_full(tree)
    if "ensurepip" in ran.output:
        Machine.check(_without_venv(machine))
    last = ran.output.strip().splitlines()[-1:] or ["it said nothing"]
    raise InstallError(
        f"No environment could be made in {tree} with {machine.python.executable}: {last[0]}.",
        remedy="Install another Python (3.11 to 3.14) and run the installer with it.",
    )


def requirement(product_wheel: Path, extras: Sequence[str]) -> str:
    """What pip is asked for; an address survives blanks and letters of any alphabet in the path."""
    return f"sagafoley[{','.join(extras)}] @ {product_wheel.resolve().as_uri()}"


def wheel_of(product: Product, pip: Pip) -> Path:
    """The product as a wheel: itself when it is one, else built from a copy of the tree.

    Raises:
        InstallError: it cannot be built.
    """
    if product.is_wheel:
        return product.path
    source, built = pip.staging / "source", pip.staging / "built"
    product.copy_tree(source)
    pip.run("wheel", "--no-deps", "--wheel-dir", str(built), str(source))
    wheels = sorted(built.glob("sagafoley-*.whl"))
    if not wheels:
        raise InstallError("pip built no wheel.", remedy=f"Look into {pip.log} and send it to the makers.")
    return wheels[-1]


def check_one_runtime(places: Places, tree: Path) -> None:
    """Nothing, when exactly one build of onnxruntime is in the environment.

    Raises:
        InstallError: there are two (they overwrite each other's files), or none.
    """
    folders = (tree / "Lib", tree / "lib")
    found = {path.name.split("-")[0] for each in folders for path in each.rglob("onnxruntime*.dist-info")}
    if len(found) != 1:
        names = " and ".join(sorted(found)) or "none"
        raise InstallError(
            f"The environment in {places.environments} should hold one onnxruntime and holds {names}.",
            remedy="Run the installer again; if it stays so, send this line to the makers.",
        )


def _without_venv(machine: Machine) -> Machine:
    return replace(machine, python=replace(machine.python, makes_environments=False))


def _disk_full(path: Path) -> InstallError:
    remedy = "Free some space or choose another disk with --prefix, then run again; it goes on where it was."
    return InstallError(f"The disk is full: {path}.", remedy=remedy)


def _lacking(text: str) -> InstallError:
    return InstallError(
        f"The offline folder lacks a package that fits this machine: {_not_found(text)}.",
        remedy="Fill it with --collect FOLDER on a machine with the same system and Python version.",
    )


def _not_found(text: str) -> str:
    found = _NOT_FOUND.search(text)
    return (found[1] or found[2]) if found else ""


def _failure(text: str, *, log: Path) -> InstallError:
    """The failure by its likeliest cause; a full disk and a dead network hide behind other words."""
    if _NO_ROOM.search(text):
        return _disk_full(log.parent)
    if _NO_NETWORK.search(text):
        return InstallError(
            "The packages could not be fetched: the network or a proxy does not answer.",
            remedy="Connect and run again (whole files are not fetched twice), or use --offline FOLDER.",
        )
    if _WRONG_HASH.search(text):
        return InstallError(
            "A fetched package is not what the index promised (its hash is wrong).",
            remedy="Run the installer again; if it stays so, ask who runs your proxy or mirror.",
        )
    if _not_found(text):
        return InstallError(
            f"There is no package {_not_found(text)} for this system and Python.",
            remedy="Run the installer with another Python (3.11 to 3.14), on a system of the guide's list.",
        )
    return InstallError("pip failed.", remedy=f"Look at the last lines of {log}.")
