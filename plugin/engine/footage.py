"""What the engine asks of the pictures of one cue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


class Footage(Protocol):
    """Frames and matte of one cue, by time.

    Times are seconds from the cue's first sample, ascending. They may be negative or lie past the
    cue's end: the footage then shows the source's handles, or repeats its first or last frame.
    """

    @property
    def fingerprint(self) -> str:
        """Changes whenever any picture could; "" means: never cache what is made of it."""
        ...

    def frames(self, times: Sequence[float]) -> Iterator[Picture]:
        """The frame on screen at each time, `[H, W, 3]` uint8 RGB."""
        ...

    def masks(self, times: Sequence[float]) -> Iterator[Picture] | None:
        """The matte at each time, `[h, w]` uint8, white marks the object; None: the whole frame."""
        ...
