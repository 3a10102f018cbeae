"""The machine that is installed on: system, processor, Python, and what the environment says."""

from __future__ import annotations

import importlib.util
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faults import InstallError

_INTEL = {"x86_64", "amd64", "x64"}
_ARM = {"arm64", "aarch64"}


@dataclass(frozen=True, slots=True)
class Python:
    """The Python that the environment is made with.

    Attributes:
        executable: not one of a virtual environment, which may go away.
        version: as "3.11.7".
        bits: 32 or 64.
        free_threaded: a build without the global lock, for which half of the packages have no wheel.
        makes_environments: whether `venv` and `ensurepip` are there (Debian packs them apart).
    """

    executable: Path
    version: str
    bits: int = 64
    free_threaded: bool = False
    makes_environments: bool = True

    @classmethod
    def running(cls) -> Python:
        """The Python that runs this."""
        executable: str = getattr(sys, "_base_executable", "") or sys.executable
        parts = (importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
        return cls(
            executable=Path(executable),
            version=platform.python_version(),
            bits=8 * struct.calcsize("P"),
            free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
            makes_environments=all(part is not None for part in parts),
        )

    @property
    def series(self) -> str:
        """Major and minor version: "3.11"."""
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides where things go and which packages fit.

    Attributes:
        system: "Linux", "Darwin" or "Windows".
        processor: "x86_64" or "arm64", else as the system calls it.
        environment: the variables.
        home: the user's folder.
        user_id: the number of the user, None where there is none.
        system_root: in front of the driver's files (`/proc/driver/nvidia`).
    """

    system: str
    processor: str
    environment: Mapping[str, str]
    home: Path
    python: Python
    user_id: int | None = None
    system_root: Path = Path("/")

    @classmethod
    def this(cls) -> Machine:
        """The machine that runs this.

        Raises:
            InstallError: the user has no home folder.
        """
        try:
            home = Path.home()
        except RuntimeError:
            raise InstallError(
                "This user has no home folder.", remedy="Set HOME to a folder that you may write to."
            ) from None
        return cls(
            system=platform.system(),
            processor=processor_name(platform.machine()),
            environment=dict(os.environ),
            home=home,
            python=Python.running(),
            user_id=os.getuid() if hasattr(os, "getuid") else None,
        )

    def check(self) -> None:
        """Nothing, when Sagafoley can be installed here.

        Raises:
            InstallError: the system or Python does not fit, or this runs under sudo.
        """
        if self.system not in {"Linux", "Darwin", "Windows"}:
            raise InstallError(
                f"{self.system} is not supported.", remedy="Use Linux, macOS or Windows, 64 bit."
            )
        if self.user_id == 0 and self.environment.get("SUDO_USER"):
            raise InstallError(
                "This runs under sudo; files in your home would belong to root.",
                remedy="Run it as yourself, without sudo: nothing here needs root.",
            )
        self._check_python()

    def _check_python(self) -> None:
        python, remedy = self.python, "Install Python 3.12, 64 bit, from python.org and run again with it."
        if python.bits != 64:
            raise InstallError(f"{python.executable} is a {python.bits} bit Python.", remedy=remedy)
        if python.free_threaded:
            raise InstallError(f"{python.executable} is a free-threaded Python.", remedy=remedy)
        if self.system == "Windows" and "WindowsApps" in str(python.executable):
            message = f"{python.executable} is the Python of the Microsoft Store, whose files Windows hides."
            raise InstallError(message, remedy=remedy)
        if not python.makes_environments:
            message = f"{python.executable} cannot make environments: venv or ensurepip is missing."
            raise InstallError(message, remedy=self._venv_remedy())

    def _venv_remedy(self) -> str:
        if self.system != "Linux":
            return "Install Python again from python.org, with pip."
        name = f"python{self.python.series}"
        return f"Run: sudo apt install {name}-venv (other systems: the package with venv of {name})."


def processor_name(name: str) -> str:
    """One spelling for each kind of processor."""
    lower = name.lower()
    if lower in _INTEL:
        return "x86_64"
    return "arm64" if lower in _ARM else lower
