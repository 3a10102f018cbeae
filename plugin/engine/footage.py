"""What the engine asks of the pictures of one cue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


class Footage(Protocol):
    """Frames and matte of one cue, by time.

    Times are seconds from the cue's first sample, ascending. They may be negative or lie past the
    cue's end: the footage then shows the source's handles, or repeats its first or last frame.

    Frames and masks are read at the same time, each in a thread of its own.
    """

    @property
    def fingerprint(self) -> str:
        """Changes whenever any picture could; "" means: never cache what is made of it."""
        ...

    @property
    def damaged(self) -> bool:
        """Pictures could not be read so far: what is made of these is not kept, so that it is told again."""
        ...

    def frames(self, times: Sequence[float], *, late: Sequence[float] = ()) -> Iterator[Picture]:
        """The frame at each time, `[H, W, 3]` uint8 RGB.

        Args:
            times: see above.
            late: for each time, how many seconds after it a frame may start and still be the one; where
                none starts in that time, the frame on screen is. Empty leaves it to the footage.
        """
        ...

    def masks(self, times: Sequence[float]) -> Iterator[Picture] | None:
        """The matte at each time, `[h, w]` uint8, white marks the object; None: the whole frame."""
        ...


@runtime_checkable
class SharedFrames(Protocol):
    """Footage whose frames have a fingerprint of their own: other objects of the shot share what is seen."""

    @property
    def frames_fingerprint(self) -> str:
        """Changes whenever any frame could, and with nothing else; "" means: do not share."""
        ...
