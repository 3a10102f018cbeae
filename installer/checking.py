"""Whether what was installed works: the doctor, and a two-second render, both by the product itself."""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environment import own_environment
from faults import InstallError
from machine import Machine
from programs import Programs, Ran

_HERE = Path(__file__).parent
_SAMPLES = 2 * 48_000
_TIMEOUT = 600.0
_FOLDERS = {"config folder", "cache folder"}
"""Where nothing may be written in a home that is read-only; a render goes without."""
_QT = "from PySide6 import QtCore, QtGui, QtWidgets"


@dataclass(frozen=True, slots=True)
class Trial:
    """The product in its environment, tried from a folder where no source tree is.

    Attributes:
        start: words that start the command line.
        folder: ours, may be filled.
    """

    machine: Machine
    programs: Programs
    start: Sequence[str]
    folder: Path

    def doctor(self) -> tuple[str, ...]:
        """What the doctor finds worth a note.

        Raises:
            InstallError: something is missing for a render.
        """
        ran = self._run(*self.start, "doctor", "--json")
        findings = _document(ran, "findings")
        bad = [item for item in findings if item["state"] == "bad" and item["subject"] not in _FOLDERS]
        if bad or not findings:
            found = "; ".join(f"{item['subject']}: {item['found']}" for item in bad)
            raise InstallError(
                f"The doctor is not content: {found or ran.output[-300:]}.",
                remedy=" ".join(item["remedy"] for item in bad) or "Send this line to the makers.",
            )
        notes = (item for item in findings if item["state"] != "ok")
        return tuple(f"{item['subject']}: {item['found']} -> {item['remedy']}" for item in notes)

    def render(self, python: Path) -> None:
        """Two seconds of sound, exactly.

        Raises:
            InstallError: there is no such file afterwards.
        """
        clip = self.folder / "flash.mp4"
        ran = self._run(str(python), "-I", str(_HERE / "two_second_clip.py"), str(clip))
        if ran.code != 0:
            raise _not_rendered(ran)
        words = ("generate", str(clip), "--steps", "2", "--provider", "cpu", "-o", str(self.folder / "stems"))
        ran = self._run(*self.start, *words, "--json")
        stems = _document(ran, "stems") if ran.code == 0 else []
        if len(stems) != 1 or _samples(Path(stems[0]["path"])) != _SAMPLES:
            raise _not_rendered(ran)

    def answers(self) -> None:
        """Nothing, when the launcher starts the product.

        Raises:
            InstallError: it does not.
        """
        ran = self._run(*self.start, "--version")
        if ran.code != 0:
            remedy = "Run the installer again; if it stays so, send this line to the makers."
            raise InstallError(f"The launcher does not start: {ran.output.strip()[-300:]}.", remedy=remedy)

    def panel(self, python: Path) -> str:
        """Why the panel's window cannot open here; "" when it can."""
        ran = self._run(str(python), "-I", "-c", _QT)
        return "" if ran.code == 0 else (ran.output.strip().splitlines() or ["it said nothing"])[-1]

    def _run(self, *words: str) -> Ran:
        environment = own_environment(self.machine.environment)
        environment["XDG_CACHE_HOME"] = str(self.folder / "cache")
        return self.programs.run(words, environment=environment, folder=self.folder, timeout=_TIMEOUT)


def _document(ran: Ran, key: str) -> list[dict[str, Any]]:
    """A list out of the JSON document that was printed, among any notes; empty where there is none."""
    start = re.search(r"^\{", ran.output, re.MULTILINE)
    if start is None:
        return []
    try:
        document, _ = json.JSONDecoder().raw_decode(ran.output, start.start())
    except ValueError:
        return []
    listed = document.get(key, [])
    return listed if isinstance(listed, list) else []


def _samples(path: Path) -> int:
    try:
        with wave.open(str(path)) as sound:
            return int(sound.getnframes())
    except (OSError, EOFError, wave.Error):
        return -1


def _not_rendered(ran: Ran) -> InstallError:
    said = ran.output.strip()[-300:] or "it said nothing"
    remedy = "Run the installer again; if it stays so, send this line to the makers."
    return InstallError(f"The two-second test render failed: {said}.", remedy=remedy)
