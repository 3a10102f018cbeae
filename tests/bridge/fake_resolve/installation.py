"""The fake editor as other programs find it on a disk, and its script menu."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .profiles import Profile

CLIENT = Path(__file__).parent / "client"


@dataclass(slots=True)
class Installation:
    """Resolve's folders.

    Attributes:
        root: `/opt/resolve` of this fake.
        profile: what is installed.
        running: scripts of the menu that were started.
    """

    root: Path
    profile: Profile
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def create(cls, root: Path, profile: Profile) -> Installation:
        """Write the folders: developer modules, library, script folders."""
        made = cls(root, profile)
        for folder in (made.modules, made.library.parent, made.scripts / "Utility"):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(CLIENT / "DaVinciResolveScript.py", made.modules)
        shutil.copy(CLIENT / "fusionscript.py", made.library)
        return made

    @property
    def api(self) -> Path:
        """RESOLVE_SCRIPT_API."""
        return self.root / "Developer" / "Scripting"

    @property
    def modules(self) -> Path:
        return self.api / "Modules"

    @property
    def library(self) -> Path:
        """RESOLVE_SCRIPT_LIB."""
        return self.root / "libs" / "Fusion" / "fusionscript.so"

    @property
    def address(self) -> Path:
        """There while the editor runs."""
        return self.library.with_name("fusionscript.address")

    @property
    def scripts(self) -> Path:
        """The folder of menu scripts for all users."""
        return self.root / "Fusion" / "Scripts"

    def env(self) -> dict[str, str]:
        """What a user sets to script from outside."""
        return {
            "RESOLVE_SCRIPT_API": str(self.api),
            "RESOLVE_SCRIPT_LIB": str(self.library),
            "PYTHONPATH": str(self.modules),
        }

    def menu(self, *folders: Path) -> list[Path]:
        """Scripts that the menu lists, of the given script folders and the one for all users."""
        endings = {".lua", ".py"} if self.profile.python_menu else {".lua"}
        found = [path for folder in (*folders, self.scripts) for path in folder.glob("Utility/*")]
        return sorted(path for path in found if path.suffix in endings and path.is_file())

    def run_menu_script(self, script: Path, *, python: str = sys.executable) -> subprocess.Popen[bytes]:
        """Start a Python script as the menu does; its output can be read from `stdout`.

        Raises:
            AssertionError: the menu of this edition has no Python scripts.
        """
        assert self.profile.python_menu, f"{self.profile.name} does not list Python scripts"
        assert script.suffix == ".py", script
        command = [python, "-I", "-S", str(CLIENT / "run_menu_script.py"), str(self.library), str(script)]
        hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
        env = {name: value for name, value in os.environ.items() if name not in hidden}
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.root,
            env=env,
        )
        self.running.append(child)
        return child

    def close(self) -> None:
        """The program's end takes its scripts with it."""
        self.address.unlink(missing_ok=True)
        for child in self.running:
            if child.poll() is None:
                child.kill()
            child.wait(30)
            if child.stdout is not None:
                child.stdout.close()
