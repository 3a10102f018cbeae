"""Crops around what was drawn: a piece of the picture at a size that costs the same for every film."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.colour_models import Floats
from plugin.masks.makers import Mask, Picture

PIXELS = 240
"""Longer side of a crop, in its own pixels."""

_ENLARGED = 2.0
"""Small objects are enlarged by this at most."""

_PART = 4
"""Bits for parts of a pixel in OpenCV's drawing."""

Places = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of a picture, and the size at which it is worked on.

    Attributes:
        left: whole source pixels.
        top: whole source pixels.
        width: whole source pixels.
        height: whole source pixels.
        size: columns and rows of the crop.
    """

    left: int
    top: int
    width: int
    height: int
    size: tuple[int, int]

    @classmethod
    def around(cls, places: Places, shape: tuple[int, ...], *, room: float, pixels: int = PIXELS) -> Crop:
        """The crop around places, as far as it lies in the picture: at least its nearest pixel.

        Args:
            places: source pixels, [n, 2].
            shape: of the picture.
            room: side of the crop, relative to the larger side of what the places span.
            pixels: longer side of the crop, in its own pixels.
        """
        low, high = places.min(axis=0), places.max(axis=0)
        half = max(4.0, float((high - low).max())) * room / 2
        middle = (low + high) / 2
        limits = np.array([shape[1], shape[0]])
        first = np.clip(np.floor(middle - half), 0, limits - 1).astype(int)
        last = np.maximum(first + 1, np.clip(np.ceil(middle + half), 0, limits).astype(int))
        width, height = (int(side) for side in last - first)
        scale = min(_ENLARGED, pixels / max(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return cls(int(first[0]), int(first[1]), width, height, size)

    @property
    def scale(self) -> float:
        """Crop pixels per source pixel, of the longer side."""
        return max(self.size) / max(self.width, self.height)

    def cut(self, picture: Picture) -> Picture:
        """The piece of a picture, or of a mask."""
        part = self.part(picture)
        way = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, self.size, interpolation=way), np.uint8)

    def part(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The same piece at the source's own size; a view."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]

    def filled(self, places: Places) -> Mask:
        """The inside of a closed line, in the crop; where it crosses itself, all that it encloses."""
        own = (places - (self.left, self.top)) * (self.size[0] / self.width, self.size[1] / self.height)
        line = np.round((own - 0.5) * (1 << _PART)).astype(np.int32)
        drawn = np.zeros(self.size[::-1], np.uint8)
        cv2.fillPoly(drawn, [line], 255, lineType=cv2.LINE_8, shift=_PART)
        outer, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return np.asarray(cv2.drawContours(drawn, outer, -1, (255,), cv2.FILLED), np.uint8)

    def laid(self, soft: Floats, mask: Mask) -> Mask:
        """A mask with a soft mask (0..1) of the crop over it; where both are, the larger value."""
        large = cv2.resize(soft, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        new = mask.copy()
        part = self.part(new)
        np.maximum(part, np.clip(np.round(large * 255), 0, 255).astype(np.uint8), out=part)
        return new
