"""Ending a run of a graph in its middle: the run's own flag, set by a thread that watches for Cancel.

ONNX Runtime looks at the flag before every operator. Between runs Cancel is looked at by whoever runs them;
the thread is for runs that take long, an encoder's on a CPU above all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from plugin.engine.watch import UNWATCHED
from plugin.errors import Cancelled

PATIENCE = 0.25
"""Seconds after which a run counts as long, and between two looks at Cancel from then on."""


class Stopper:
    """The options of all runs, and the flag in them.

    Attributes:
        patience: see `PATIENCE`.
    """

    def __init__(self, make_options: Callable[[], Any], *, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._make_options = make_options
        self._made: dict[tuple[tuple[str, str], ...], Any] = {}
        self._since: float | None = None
        self._fired = False

    def options(self, entries: Mapping[str, str]) -> Any:
        """Run options with these entries, the same object every time."""
        key = tuple(sorted(entries.items()))
        if key not in self._made:
            options = self._make_options()
            for name, value in key:
                options.add_run_config_entry(name, value)
            options.terminate = self._fired
            self._made[key] = options
        return self._made[key]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around one run: what it raises because it was ended is `Cancelled`.

        Raises:
            Cancelled: the flag was set.
        """
        self._since = time.monotonic()
        try:
            yield
        except Exception:
            if self._fired:
                raise Cancelled from None
            raise
        finally:
            self._since = None

    @contextmanager
    def watched(self, cancel: Callable[[], bool]) -> Iterator[None]:
        """While entered, a long run is ended soon after `cancel` says so.

        Args:
            cancel: asked from another thread, and only while a run lasts longer than `patience`.
        """
        if cancel is UNWATCHED.cancel:
            yield
            return
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(cancel, over), name="cancel-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._set(fired=False)

    def _watch(self, cancel: Callable[[], bool], over: threading.Event) -> None:
        while not over.wait(self.patience):
            since = self._since
            if since is not None and time.monotonic() - since >= self.patience and cancel():
                self._set(fired=True)
                return

    def _set(self, *, fired: bool) -> None:
        self._fired = fired
        for options in tuple(self._made.values()):
            options.terminate = fired
