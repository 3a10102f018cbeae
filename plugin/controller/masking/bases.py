"""Masks that corrections begin with, on their way to disk: whoever needs one there has it written first."""

from __future__ import annotations

import threading

from plugin.masks.document_files import PaintedMasks
from plugin.masks.makers import Mask
from plugin.masks.results import mask_digest


def name_of(mask: Mask) -> str:
    """What `PaintedMasks.add` calls a mask."""
    return f"painted-{mask_digest(mask)[:24]}.png"


class Bases:
    """Painted masks of one session; safe between threads.

    Attributes:
        painted: where they go.
    """

    def __init__(self, painted: PaintedMasks) -> None:
        self.painted = painted
        self._waiting: dict[str, Mask] = {}
        self._lock = threading.Lock()

    def keep(self, name: str, mask: Mask) -> None:
        """Have a mask written under its name, later."""
        self._waiting[name] = mask

    def write(self) -> None:
        """Write what waits. Slow.

        Raises:
            OutputError: the folder refuses or the disk is full; what waits goes on waiting.
        """
        with self._lock:
            for name, mask in list(self._waiting.items()):
                self.painted.add(mask)
                self._waiting.pop(name, None)
