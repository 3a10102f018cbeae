"""The edge of a process that serves the desk: its line out, its manners beside the window."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from plugin.controller.wire import Message, encoded

_NICENESS = 5
"""The window goes first where there is not enough for both."""

_FIRST_TO_GO = "500"
"""Of 1000: what Linux ends first when memory runs out."""


@dataclass(slots=True)
class Line:
    """The way to the desk; usable from any thread."""

    out: BinaryIO
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, message: Message) -> None:
        """Sends one message; a desk that is gone ends the process."""
        try:
            with self._lock:
                self.out.write(encoded(message))
                self.out.flush()
        except OSError:
            os._exit(1)


def own_output() -> BinaryIO:
    """Standard output for messages alone: whatever libraries print goes to standard error."""
    kept = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(kept, "wb")


def step_back() -> None:
    """Lets the window go first, and the system end this process before others where memory runs out."""
    with suppress(OSError, AttributeError):
        os.nice(_NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, "ascii")
