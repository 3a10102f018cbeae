"""What a run sees of one frame, and what it says about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.crop_following import Window
from plugin.masks.makers import Picture

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sight:
    """One frame through a window.

    Attributes:
        picture: the frame.
        window: where the crop lies.
        crop: `[pixels, pixels, 3]`.
        grey: `[pixels, pixels]`.
        within: `[pixels, pixels]` 1 where the crop lies in the picture, 0 beyond.
    """

    picture: Picture
    window: Window
    crop: Bytes
    grey: Bytes
    within: Floats

    @classmethod
    def of(cls, picture: Picture, window: Window) -> Self:
        """The sight of a picture through a window."""
        crop = window.cut(picture)
        within = window.within(picture.shape[0], picture.shape[1]).astype(np.float32)
        return cls(
            picture, window, crop, np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8), within
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """The object in one frame.

    Attributes:
        window: where the crop lies.
        soft: the crop's mask, `[pixels, pixels]`, 0..1.
        confidence: 0..1.
        lost: it has been under `LOST_BELOW` for `LOST_FRAMES` frames, or the shot has ended.
    """

    window: Window
    soft: Floats
    confidence: float
    lost: bool = False

    def marked(self, *, lost: bool) -> Placed:
        """The same, with the object lost or not."""
        return replace(self, lost=lost)

    def guessed(self) -> Placed:
        """The same mask for the next frame, which shows something else for a moment; half as sure."""
        return replace(self, confidence=self.confidence / 2)

    def gone(self) -> Placed:
        """No object here, and nothing known of it."""
        return Placed(self.window, np.zeros_like(self.soft), 0.0, lost=True)
