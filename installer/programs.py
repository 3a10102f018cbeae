"""Other programs, run so that a test can stand in for them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

NOT_STARTED = 127


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended; `output` is what it printed, "" where that went to the terminal."""

    code: int
    output: str


class Programs(Protocol):
    """What runs programs."""

    def run(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        timeout: float | None = None,
        shown: str = "no",
    ) -> Ran:
        """Run one to its end.

        Args:
            words: the program and its arguments.
            environment: all its variables.
            folder: where it runs.
            timeout: seconds, after which it is stopped.
            shown: "yes" lets it print to the terminal, with its progress bars; "no" keeps what it prints.
        """


class RealPrograms:
    """Programs of this machine."""

    def run(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        timeout: float | None = None,
        shown: str = "no",
    ) -> Ran:
        """See `Programs`; a program that is not there ends with 127, one that takes too long with 124."""
        captured = None if shown == "yes" else subprocess.PIPE
        try:
            ended = subprocess.run(
                list(words),
                env=dict(environment),
                cwd=folder,
                timeout=timeout,
                stdin=subprocess.DEVNULL,
                stdout=captured,
                stderr=None if captured is None else subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Ran(124, f"{words[0]} did not end within {timeout:.0f} seconds")
        except OSError as error:
            return Ran(NOT_STARTED, f"{words[0]}: {error.strerror or error}")
        return Ran(ended.returncode, ended.stdout or "")
