"""How long work is watched from outside: it can be asked to stop, tells how far it is, and warns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from plugin.errors import Cancelled

PICTURES = "pictures"
SAMPLING = "sampling"
SOUND = "sound"
STAGES = (PICTURES, SAMPLING, SOUND)
"""Stages of a cue, in the order they first report."""


def _never() -> bool:
    return False


def _unheard(*_: object) -> None:
    return


@dataclass(frozen=True, slots=True)
class Watch:
    """The outside of a render.

    Attributes:
        cancel: True once the user asked to stop; looked at before every solver step and encoder batch.
        progress: told a stage, how much of it is done, and how much there is.
        warn: told, in a sentence, what the user should know and what stops nothing.
    """

    cancel: Callable[[], bool] = _never
    progress: Callable[[str, int, int], None] = _unheard
    warn: Callable[[str], None] = _unheard

    def checkpoint(self) -> None:
        """Stop here when asked to.

        Raises:
            Cancelled: the user asked to stop.
        """
        if self.cancel():
            raise Cancelled

    def within(self, before: int, *, total: int) -> Watch:
        """A watch for a part of a stage: `before` is done already, `total` is the whole stage."""
        return replace(self, progress=lambda stage, done, _: self.progress(stage, before + done, total))

    def share(self, index: int, *, count: int) -> Watch:
        """A watch for one of `count` equal rounds of the same stages."""

        def progress(stage: str, done: int, total: int) -> None:
            self.progress(stage, index * total + done, count * total)

        return replace(self, progress=progress)


UNWATCHED = Watch()
