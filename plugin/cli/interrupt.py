"""Ctrl-C on the command line: the first one stops after the running step, the second at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

GO_ON = "Cancelled. Run the same line again to go on; finished takes are kept."
STOPPING = "Stopping after this step. Press Ctrl-C again to stop at once."

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While entered, SIGINT and SIGTERM set a flag that long work looks at between steps.

    Call the object to ask whether to stop. A second signal ends the process at once, as if there had
    been no handler; what is whole on disk stays, and the next run goes on from there.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        """Whether the user asked to stop."""
        return self._asked

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._asked = True
        try:
            self._tell(STOPPING)
        except RuntimeError:  # the signal came while the same stream was being written to
            os.write(2, f"{STOPPING}\n".encode())
