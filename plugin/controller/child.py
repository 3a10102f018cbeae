"""The desk's end of a process that works for it: started, spoken to, listened to, ended."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from plugin.controller.wire import Message, decoded, encoded
from plugin.errors import EngineError, OutOfMemory, SagafoleyError

_LAST_WORDS = 40
"""Lines of its standard error that are kept for the makers."""

_PATIENCE = 2.0
"""Seconds that an idle process may take to end by itself."""


@dataclass(slots=True)
class RenderChild:
    """One such process; make it with `start`, end it with `close`.

    Attributes:
        process: the process, leader of a group of its own.
    """

    process: subprocess.Popen[bytes]
    _told: queue.SimpleQueue[Message] = field(default_factory=queue.SimpleQueue)
    _words: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_WORDS))
    _readers: tuple[threading.Thread, ...] = ()

    @classmethod
    def start(cls, module: str = "plugin.controller.render_child", *, name: str = "render") -> RenderChild:
        """A process that waits for orders.

        Args:
            module: what it runs.
            name: for people ("render", "mask").

        Raises:
            EngineError: the system does not let a process be started.
        """
        command = [sys.executable, "-P", "-m", module]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, **_own_group())
        except OSError as error:
            raise EngineError(
                f"The {name} process could not be started: {error.strerror or error}.",
                remedy="Close other programs, then try again.",
                detail=" ".join(command),
            ) from error
        child = cls(process)
        child._listen()
        return child

    def _listen(self) -> None:
        work = ((self._hear, self.process.stdout), (self._note, self.process.stderr))
        self._readers = tuple(
            threading.Thread(target=listen, args=(stream,), name="render child", daemon=True)
            for listen, stream in work
        )
        for reader in self._readers:
            reader.start()

    def _hear(self, stream: BinaryIO) -> None:
        for line in stream:
            message = decoded(line)
            if message is not None:
                self._told.put(message)

    def _note(self, stream: BinaryIO) -> None:
        for line in stream:
            self._words.append(line.decode("utf-8", "replace").rstrip())

    def send(self, message: Message) -> None:
        """Sends a message; one that is dead does not hear it, and says so by `exit_status`."""
        pipe = self.process.stdin
        with suppress(OSError, ValueError):
            if pipe is not None:
                pipe.write(encoded(message))
                pipe.flush()

    def messages(self) -> list[Message]:
        """What it told since the last call."""
        told = []
        while True:
            try:
                told.append(self._told.get_nowait())
            except queue.Empty:
                return told

    @property
    def exit_status(self) -> int | None:
        """How it ended, negative for a signal, once everything it told can be read; None while it lives."""
        status = self.process.poll()
        if status is None or self._readers[0].is_alive():
            return None
        return status

    def last_words(self) -> str:
        """The end of its standard error."""
        return "\n".join(self._words)

    def kill(self) -> None:
        """Ends it and whatever it started, at once."""
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()

    def close(self) -> None:
        """Ends it: hanging up is its sign to go; one that does not go is killed."""
        with suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
        for reader, stream in zip(self._readers, (self.process.stdout, self.process.stderr), strict=True):
            reader.join(_PATIENCE)
            if stream is not None and not reader.is_alive():
                stream.close()


def _own_group() -> dict[str, Any]:
    """Options of `Popen` for a process group of its own: Ctrl-C in a terminal is the desk's alone."""
    if os.name == "posix":
        return {"start_new_session": True}
    names = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW", "BELOW_NORMAL_PRIORITY_CLASS")
    return {"creationflags": sum(getattr(subprocess, name) for name in names)}


def death_of(status: int, *, doing: str, last_words: str) -> SagafoleyError:
    """The end of a render process that should have lived, in words.

    Args:
        status: its exit status, negative for a signal.
        doing: what it was doing ("cue 003 ('violin')").
        last_words: of its standard error.
    """
    if status == -getattr(signal, "SIGKILL", 9):
        return OutOfMemory(
            f"The system ended the render process while it rendered {doing}, most likely for lack of memory.",
            remedy="Close other programs or lower memory_mb in the settings, then try again.",
            detail=last_words,
        )
    how = f"exit status {status}"
    if status < 0:
        with suppress(ValueError):
            how = signal.Signals(-status).name
    return EngineError(
        f"The render process crashed ({how}) while it rendered {doing}; everything else is as it was.",
        remedy="Try again; if it crashes again, choose the provider 'cpu' in the settings.",
        detail=last_words,
    )
