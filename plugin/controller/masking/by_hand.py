"""A segmenter that guesses nothing: the mask is what was drawn, line by line."""

from __future__ import annotations

import cv2
import numpy as np

from plugin.errors import BadPrompt
from plugin.masks.makers import Mask, Picture, Segmented
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Place, Stroke

_SHIFT = 4
"""Bits of a pixel that lines are drawn at."""


class HandSegmenter:
    """Boxes and lassos filled, strokes painted; clicks mean nothing to it."""

    @property
    def name(self) -> str:
        """What ran."""
        return "hand"

    @property
    def version(self) -> str:
        """Changes whenever the same prompts may give another mask."""
        return "1"

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        """The drawn mask; `before` is what it is drawn on.

        Raises:
            BadPrompt: only clicks were made.
        """
        mask = np.zeros(picture.shape[:2], np.uint8) if before is None else before.copy()
        for gesture in prompts.gestures:
            _draw(mask, gesture)
        if not mask.any():
            raise BadPrompt(
                f"Nothing is marked in frame {prompts.frame}: a click alone finds no object here.",
                remedy="Draw a box or a lasso around the object.",
            )
        return Segmented(mask, 1.0)


def _draw(mask: Mask, gesture: Gesture) -> None:
    match gesture:
        case Click():
            return
        case Box():
            corners = ((gesture.left, gesture.top), (gesture.right, gesture.bottom))
            (left, top), (right, bottom) = (tuple(map(round, corner)) for corner in corners)
            mask[top:bottom, left:right] = 255
        case Lasso():
            cv2.fillPoly(mask, [_fixed(gesture.places)], 255 * gesture.inside, cv2.LINE_8, _SHIFT)
        case Stroke():
            width = max(1, round(2 * gesture.radius))
            places = _fixed((*gesture.places, gesture.places[-1]))
            cv2.polylines(mask, [places], False, 255 * gesture.paints, width, cv2.LINE_8, _SHIFT)  # noqa: FBT003


def _fixed(places: tuple[Place, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Places whose first pixel's centre is 0, in fractions of a pixel as whole numbers."""
    return np.round((np.array(places) - 0.5) * (1 << _SHIFT)).astype(np.int32)[None]
