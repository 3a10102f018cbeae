"""A progress bar with the time left, on a terminal only."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, TextIO


class ProgressBar:
    """A bar over work of `total` units on `stream`; does nothing where nobody watches.

    Attributes:
        shown: whether the bar is really drawn.
    """

    def __init__(self, *, total: float, stream: TextIO) -> None:
        self.shown = stream.isatty()
        self._bar = _bar(total, stream) if self.shown else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def move(self, done: float, *, what: str) -> None:
        """Show that `done` units of the total are done and `what` is under way."""
        if self._bar is None:
            return
        self._bar.set_description_str(what, refresh=False)
        self._bar.update(max(0.0, done - self._bar.n))
        self._bar.refresh()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar is not None:
            self._bar.write(text, file=self._bar.fp)


def _bar(total: float, stream: TextIO) -> Any:
    from tqdm import tqdm  # noqa: PLC0415 (only a terminal needs it)

    shape = "{desc} {percentage:3.0f}% {bar} {elapsed}, {remaining} left"
    return tqdm(total=total, file=stream, leave=False, bar_format=shape, dynamic_ncols=True, mininterval=0.2)
