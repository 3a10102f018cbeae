"""Two runs that meet: masks kept small until the other run comes by, then mixed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from plugin.masks.crop_following import Window
from plugin.masks.makers import Mask
from plugin.masks.notes import Note
from plugin.masks.sights import Placed


@dataclass(frozen=True, slots=True)
class Kept:
    """A placed mask of a few kilobytes, in 256 levels.

    Attributes:
        window: where its crop lies.
        packed: the levels, deflated.
        confidence: 0..1.
        lost: the object was lost there.
    """

    window: Window
    packed: bytes
    confidence: float
    lost: bool

    @classmethod
    def of(cls, placed: Placed) -> Self:
        """The same mask, small."""
        levels = np.rint(np.clip(placed.soft, 0, 1) * 255).astype(np.uint8)
        return cls(placed.window, zlib.compress(levels.tobytes(), 1), placed.confidence, placed.lost)

    def placed(self) -> Placed:
        """The mask again, 0..1."""
        levels = np.frombuffer(zlib.decompress(self.packed), np.uint8)
        soft = levels.reshape(self.window.pixels, self.window.pixels).astype(np.float32) / np.float32(255)
        return Placed(self.window, soft, self.confidence, lost=self.lost)


def noted(kept: Mapping[int, Kept]) -> Note:
    """Masks by their frames, for writing them down."""
    ones = list(kept.values())
    return {
        "frames": np.array(list(kept)),
        "windows": np.array([one.window.numbers for one in ones]),
        "lengths": np.array([len(one.packed) for one in ones]),
        "packed": np.frombuffer(b"".join(one.packed for one in ones), np.uint8),
        "confidences": np.array([one.confidence for one in ones], np.float64),
        "lost": np.array([one.lost for one in ones]),
    }


def kept_of(note: Note) -> dict[int, Kept]:
    """What was noted."""
    ends = np.cumsum(note["lengths"])
    rows = zip(note["frames"], note["windows"], ends, note["lengths"], strict=True)
    return {
        int(frame): Kept(
            Window.of_numbers(window),
            note["packed"][end - length : end].tobytes(),
            float(note["confidences"][number]),
            bool(note["lost"][number]),
        )
        for number, (frame, window, end, length) in enumerate(rows)
    }


def blended(
    before: Placed, after: Placed, *, nearness: tuple[int, int], height: int, width: int
) -> tuple[Mask, float]:
    """The mean of two masks of one frame, and how sure that is.

    Args:
        before: of the run from the earlier keyframe.
        after: of the run from the later one.
        nearness: frames to the earlier and to the later keyframe, at least 1.
        height: of the picture.
        width: of the picture.

    Returns:
        A mask and its confidence, both weighted by confidence x nearness.
    """
    first, second = before.confidence / nearness[0], after.confidence / nearness[1]
    share = first / (first + second) if first + second > 0 else 0.5
    mask = cv2.addWeighted(
        before.window.paste(before.soft, height, width),
        share,
        after.window.paste(after.soft, height, width),
        1 - share,
        0,
    )
    return np.asarray(mask, np.uint8), share * before.confidence + (1 - share) * after.confidence
