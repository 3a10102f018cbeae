"""How long work is watched from outside: asked to stop, told how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plugin.errors import Cancelled

PICTURES = "pictures"
SAMPLING = "sampling"
SOUND = "sound"
STAGES = (PICTURES, SAMPLING, SOUND)
"""Stages of a cue, in the order they first report."""


def _never() -> bool:
    return False


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


@dataclass(frozen=True, slots=True)
class Watch:
    """The outside of a render.

    Attributes:
        cancel: True once the user asked to stop; looked at before every solver step and encoder batch.
        progress: told a stage, how much of it is done, and how much there is.
    """

    cancel: Callable[[], bool] = _never
    progress: Callable[[str, int, int], None] = _silent

    def checkpoint(self) -> None:
        """Stop here when asked to.

        Raises:
            Cancelled: the user asked to stop.
        """
        if self.cancel():
            raise Cancelled

    def within(self, before: int, *, total: int) -> Watch:
        """A watch for a part of a stage: `before` is done already, `total` is the whole stage."""
        return Watch(self.cancel, lambda stage, done, _: self.progress(stage, before + done, total))

    def share(self, index: int, *, count: int) -> Watch:
        """A watch for one of `count` equal rounds of the same stages."""

        def progress(stage: str, done: int, total: int) -> None:
            self.progress(stage, index * total + done, count * total)

        return Watch(self.cancel, progress)


UNWATCHED = Watch()
