"""The helper of external scripting as a process: lines of JSON to and fro, and a hard end when it stalls."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

SCRIPT = Path(__file__).parent / "inside" / "serve_pipes.py"
_LAST_WORDS = 20
_GOODBYE = 1.0
"""Seconds in which a helper may end by itself."""


class HelperGone(Exception):
    """The process has ended."""


class HelperStalled(Exception):
    """It said nothing in time."""


@dataclass(frozen=True, slots=True)
class HelperCommand:
    """How a helper is started.

    Attributes:
        python: the interpreter.
        api: RESOLVE_SCRIPT_API.
        library: RESOLVE_SCRIPT_LIB.
    """

    python: Path
    api: Path
    library: Path

    @property
    def words(self) -> list[str]:
        """The command line; `-I` keeps the user's PYTHONPATH and PYTHONHOME out."""
        return [str(self.python), "-I", str(SCRIPT), str(self.api / "Modules"), str(self.library)]

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment with the two names that Blackmagic's module looks at."""
        return {
            **variables,
            "RESOLVE_SCRIPT_API": str(self.api),
            "RESOLVE_SCRIPT_LIB": str(self.library),
            "PYTHONIOENCODING": "utf-8",
        }


class HelperProcess:
    """One helper; its pipes are read in threads so that no wait is without an end.

    Args:
        process: started with three pipes.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._stdin = cast("IO[bytes]", process.stdin)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._readers = (
            threading.Thread(target=self._read_answers, args=(process.stdout,), daemon=True),
            threading.Thread(target=self._read_words, args=(process.stderr,), daemon=True),
        )

    @classmethod
    def start(cls, command: HelperCommand) -> HelperProcess:
        """A running helper.

        Raises:
            OSError: the interpreter cannot be started.
        """
        windows = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
            subprocess, "CREATE_NEW_PROCESS_GROUP", 0
        )
        process = subprocess.Popen(
            command.words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=command.environment(os.environ),
            start_new_session=sys.platform != "win32",  # Ctrl-C is for us, not for a call under way
            creationflags=windows,
        )
        helper = cls(process)
        for reader in helper._readers:
            reader.start()
        return helper

    @property
    def number(self) -> int:
        """The process's."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """What it wrote for people, the end of it."""
        return " ".join(self._words)

    def say(self, message: Mapping[str, object]) -> None:
        """Send one line.

        Raises:
            HelperGone: nobody takes it.
        """
        try:
            self._stdin.write(json.dumps(message).encode("utf-8") + b"\n")
            self._stdin.flush()
        except (OSError, ValueError):
            raise HelperGone from None

    def hear(self, timeout: float) -> dict[str, object]:
        """The next line.

        Raises:
            HelperStalled: none in time.
            HelperGone: none any more, or one without meaning.
        """
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise HelperStalled from None
        try:
            message = json.loads(line) if line is not None else None
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise HelperGone
        return message

    def end(self, *, patience: float = _GOODBYE) -> None:
        """Ask it to end, make it end, and clear up; may be called again."""
        with suppress(OSError):
            self._stdin.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader, pipe in zip(self._readers, (self._process.stdout, self._process.stderr), strict=True):
            reader.join(_GOODBYE)
            if pipe is not None and not reader.is_alive():  # somebody else may hold the other end
                pipe.close()

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()
        self.end()

    def _read_answers(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            self._lines.put(line)
        self._lines.put(None)

    def _read_words(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            self._words.append(line.decode("utf-8", "replace").strip())
