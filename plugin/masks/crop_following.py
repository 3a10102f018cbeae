"""Square windows that follow an object, so that pictures of any size cost the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.makers import Mask

Floats = npt.NDArray[np.float32]

ROOM = 1.8
"""Side of a window, relative to the larger side of the object in it."""

PIXELS = 240
"""Side of what is cut out, in its own pixels."""

_SMALLEST_SIDE = 24
_LARGEST_ENLARGEMENT = 4.0


@dataclass(frozen=True, slots=True)
class Window:
    """A square of the source, which may reach beyond the picture.

    Attributes:
        left: source pixels, whole.
        top: source pixels, whole.
        side: source pixels, whole.
        pixels: side of the crop that `cut` gives.
    """

    left: int
    top: int
    side: int
    pixels: int

    @classmethod
    def of_numbers(cls, numbers: Iterable[int]) -> Self:
        """The window that gave these `numbers`."""
        left, top, side, pixels = (int(number) for number in numbers)
        return cls(left, top, side, pixels)

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """Left, top, side and pixels."""
        return self.left, self.top, self.side, self.pixels

    @property
    def scale(self) -> float:
        """Crop pixels per source pixel."""
        return self.pixels / self.side

    @property
    def centre(self) -> tuple[float, float]:
        """Source pixels, x and y."""
        return self.left + self.side / 2, self.top + self.side / 2

    def centred(self, centre: tuple[float, float]) -> Window:
        """The same window around another place (rounded to whole source pixels)."""
        x, y = centre
        return replace(self, left=round(x - self.side / 2), top=round(y - self.side / 2))

    def source_place(self, place: tuple[float, float]) -> tuple[float, float]:
        """Source pixels of a place in the crop; both count from the outer edge of the first pixel."""
        return self.left + place[0] / self.scale, self.top + place[1] / self.scale

    def cut(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """`[pixels, pixels]` or `[pixels, pixels, 3]`; beyond the picture its border goes on."""
        height, width = picture.shape[:2]
        left, right = (min(max(x, 0), width - 1) for x in (self.left, self.left + self.side - 1))
        top, bottom = (min(max(y, 0), height - 1) for y in (self.top, self.top + self.side - 1))
        part = np.ascontiguousarray(picture[top : bottom + 1, left : right + 1])
        part = _bordered(part, self, left=left, top=top)
        way = cv2.INTER_AREA if self.side > self.pixels else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, (self.pixels, self.pixels), interpolation=way), np.uint8)

    def within(self, height: int, width: int) -> npt.NDArray[np.bool_]:
        """Which of the crop's pixels lie in a picture of that size: `[pixels, pixels]`."""
        places = (np.arange(self.pixels) + 0.5) / self.scale
        rows, columns = places + self.top, places + self.left
        return ((rows > 0) & (rows < height))[:, None] & ((columns > 0) & (columns < width))[None]

    def paste(self, soft: Floats, height: int, width: int) -> Mask:
        """The crop's soft mask `[pixels, pixels]`, 0..1, in a whole mask of the picture's size."""
        large = cv2.resize(soft, (self.side, self.side), interpolation=cv2.INTER_LINEAR)
        levels = np.rint(np.clip(large, 0, 1) * 255).astype(np.uint8)
        whole = np.zeros((height, width), np.uint8)
        left, top = max(self.left, 0), max(self.top, 0)
        right, bottom = min(self.left + self.side, width), min(self.top + self.side, height)
        if left < right and top < bottom:
            whole[top:bottom, left:right] = levels[
                top - self.top : bottom - self.top, left - self.left : right - self.left
            ]
        return whole


def _bordered(part: npt.NDArray[np.uint8], window: Window, *, left: int, top: int) -> npt.NDArray[np.uint8]:
    high, wide = part.shape[:2]
    before, above = (
        min(max(0, n), window.side - m) for n, m in ((left - window.left, wide), (top - window.top, high))
    )
    after, below = window.side - wide - before, window.side - high - above
    if not (before or above or after or below):
        return part
    return np.asarray(cv2.copyMakeBorder(part, above, below, before, after, cv2.BORDER_REPLICATE), np.uint8)


def window_around(mask: Mask, *, room: float = ROOM, pixels: int = PIXELS) -> Window:
    """The window around the pixels of a mask that lie on the object; at least one must.

    Small objects are enlarged, but not more than fourfold.
    """
    left, top, wide, high = bounding_box(mask)
    side = max(_SMALLEST_SIDE, round(room * max(wide, high)))
    pixels = min(pixels, round(_LARGEST_ENLARGEMENT * side))
    return Window(0, 0, side, pixels).centred((left + wide / 2, top + high / 2))


def bounding_box(mask: npt.NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, width and height of what lies on the object (128 and above); zeros for nothing."""
    rows = np.flatnonzero(mask.max(axis=1) >= 128)
    if not len(rows):
        return 0, 0, 0, 0
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].max(axis=0) >= 128)
    return int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
