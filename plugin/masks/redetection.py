"""Where an object went: what it looks like is looked for well beyond its window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.crop_following import Window, bounding_box
from plugin.masks.makers import Picture

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

NEAR = 2.4
"""Side of the field that is searched from one frame to the next, relative to the window's."""

_OBJECT_PIXELS = 20
"""Larger side of the object while it is looked for."""

_FAR_LEVELS = 6.0
"""What it costs, in levels of 255, to be one object size away from where it should be."""

_BETTER = 0.75
"""Share of the cost of standing still under which a motion is believed."""

_NEWLY = 0.75
"""Share of what a place misfitted before under which the object may have come there: else it is its like."""

_OWN, _LIKE = 0.5, 0.4
"""Within how many sizes of the object it fits itself, and how far its like may itself move in a frame."""

_WORST = 255.0


@dataclass(frozen=True, slots=True)
class Motion:
    """Where something was found.

    Attributes:
        x: source pixels to the right.
        y: source pixels down.
        misfit: root mean square difference of its pixels, levels of 255.
    """

    x: float
    y: float
    misfit: float


STILL = Motion(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What an object looked like in one frame, small.

    Attributes:
        window: where it was.
        pixels: side of the whole crop at this size.
        left: of the part that is looked for, in those pixels.
        top: likewise.
        part: `[h, w, 3]`.
        weights: `[h, w, 3]`, 0..1.
    """

    window: Window
    pixels: int
    left: int
    top: int
    part: Floats
    weights: Floats

    @classmethod
    def of(cls, window: Window, crop: Bytes, soft: Floats) -> Self | None:
        """The pattern of a masked crop; None where too little of the object is seen."""
        _, _, wide, high = bounding_box((soft * 255).astype(np.uint8))
        if min(wide, high) < 3:
            return None
        pixels = round(window.pixels * min(1.0, _OBJECT_PIXELS / max(wide, high)))
        small = cv2.resize(crop, (pixels, pixels), interpolation=cv2.INTER_AREA).astype(np.float32)
        mask = cv2.resize(soft, (pixels, pixels), interpolation=cv2.INTER_AREA).astype(np.float32)
        left, top, wide, high = bounding_box((mask * 255).astype(np.uint8))
        if wide * high == 0:
            return None
        part = (slice(top, top + high), slice(left, left + wide))
        return cls(window, pixels, left, top, small[part], np.stack([mask[part]] * 3, axis=2))

    def moved(self, before: Picture, picture: Picture, ahead: tuple[float, float]) -> Motion:
        """Where it went in the next frame; `STILL` where nothing is clearly better.

        Args:
            before: the frame that the pattern is of.
            picture: the next frame.
            ahead: where it would be if it went on as before, source pixels from here.
        """
        misfits, x, y = self._field(picture, self.window, wider=NEAR)
        size = max(self.part.shape[:2]) * self.window.side / self.pixels
        far = np.hypot(x, y) / size
        away = np.minimum(far, np.hypot(x - ahead[0], y - ahead[1]) / size)
        costs = misfits + _FAR_LEVELS * away
        best = np.unravel_index(np.argmin(costs), costs.shape)
        if far[best] > _OWN:
            costs[(far > _OWN) & (misfits > _NEWLY * self._fitted(before, far > _OWN))] = np.inf
            best = np.unravel_index(np.argmin(costs), costs.shape)
        stays = np.unravel_index(np.argmin(far), costs.shape)
        if costs[best] > _BETTER * costs[stays] - 1:
            return STILL
        return Motion(float(x[best]), float(y[best]), float(misfits[best]))

    def _fitted(self, before: Picture, beyond: npt.NDArray[np.bool_]) -> Floats:
        """The least misfit near each place of the field in the pattern's own frame, `[h, w]`.

        What fits there and is not the object is like it, and most likely there still.

        Args:
            before: the pattern's own frame.
            beyond: `[h, w]` the places that are not the object's own.
        """
        misfits = self._field(before, self.window, wider=NEAR)[0]
        near = 2 * round(_LIKE * max(self.part.shape[:2])) + 1
        others = np.where(beyond, misfits, np.float32(_WORST))
        return np.asarray(cv2.erode(others, np.ones((near, near), np.uint8)), np.float32)

    def anywhere(self, picture: Picture, centre: tuple[float, float], *, wider: float) -> Motion:
        """Where in a field around a place it fits best, as a motion from that place.

        Args:
            picture: the frame.
            centre: of the field, source pixels.
            wider: side of the field relative to the window's.
        """
        misfits, x, y = self._field(picture, self.window.centred(centre), wider=wider)
        best = np.unravel_index(np.argmin(misfits), misfits.shape)
        return Motion(float(x[best]), float(y[best]), float(misfits[best]))

    def _field(self, picture: Picture, window: Window, *, wider: float) -> tuple[Floats, Floats, Floats]:
        """Misfits, and the motions right and down from the window that they belong to: `[h, w]` each."""
        pixels = max(self.pixels + 4, round(self.pixels * wider))
        wide = replace(window, side=round(window.side * wider), pixels=pixels).centred(window.centre)
        field = wide.cut(picture).astype(np.float32)
        sums = cv2.matchTemplate(field, self.part, cv2.TM_SQDIFF, mask=self.weights)
        misfits = np.sqrt(np.maximum(sums, 0) / float((self.weights**2).sum())).astype(np.float32)
        margin = (pixels - self.pixels) / 2
        rows, columns = np.indices(misfits.shape)
        right = (columns - margin - self.left) / wide.scale
        down = (rows - margin - self.top) / wide.scale
        return misfits, np.asarray(right, np.float32), np.asarray(down, np.float32)
