"""How long work is watched from outside: asked to stop, told how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plugin.errors import Cancelled

PICTURES = "pictures"
TEXT = "text"
SAMPLING = "sampling"
SOUND = "sound"
STAGES = (PICTURES, TEXT, SAMPLING, SOUND)
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


UNWATCHED = Watch()
