"""A drawn shot: a square that goes round over noise. Nothing is decoded, so that no decoder is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 720, 1280
_GROUND = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
_HALF = 60


@dataclass(frozen=True, slots=True)
class DrawnShot:
    """The engine's `Footage` and `SharedFrames`.

    Attributes:
        fingerprint: of the shot and its object.
        frames_fingerprint: of the shot.
        phase: where the object's matte is; tells objects apart.
    """

    fingerprint: str
    frames_fingerprint: str
    phase: float = 0.0
    damaged: bool = False

    def frames(self, times: Sequence[float], *, late: Sequence[float] = ()) -> Iterator[NDArray[np.uint8]]:  # noqa: ARG002
        """See `plugin.engine.footage.Footage`."""
        for moment in times:
            picture = _GROUND.copy()
            picture[_square(moment, 0.0)] = 220
            yield picture

    def masks(self, times: Sequence[float]) -> Iterator[NDArray[np.uint8]]:
        """The square, or what goes round behind it."""
        for moment in times:
            mask = np.zeros((HEIGHT, WIDTH), np.uint8)
            mask[_square(moment, self.phase)] = 255
            yield mask


def _square(moment: float, phase: float) -> tuple[slice, slice]:
    angle = 2 * np.pi * moment + phase
    row, column = round(HEIGHT / 2 + 200 * np.sin(angle)), round(WIDTH / 2 + 400 * np.cos(angle))
    return slice(row - _HALF, row + _HALF), slice(column - _HALF, column + _HALF)
