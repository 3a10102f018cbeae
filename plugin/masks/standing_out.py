"""Whether a mask is of something that can be told from what is around it, or of a piece of a bare wall."""

from __future__ import annotations

import cv2
import numpy as np

from plugin.masks.colour_models import Flags, Floats
from plugin.masks.makers import Mask, Picture
from plugin.masks.object_crops import Crop
from plugin.masks.overlapping import WHITE

LEAST_CONTRAST = 6.0
"""Colour distance (CIELAB). Of lone clicks on 60 generated objects and two real ones, none with a good mask
had less; pieces of bare walls, with grain, gradients and wood among them, had 0 to 3."""

_MOSTLY = 25
"""Per cent of the outline that may have less."""

_ROOM = 1.4
_PIXELS = 160
_NEAR = 15
"""Side of the square in which both sides of the outline are looked at, crop pixels."""

_FEWEST = 3
"""Pixels that are needed on either side."""

_SHORTEST = 8
"""Pixels of outline below which nothing can be said."""


def contrast_of(picture: Picture, mask: Mask) -> float:
    """How much three quarters of a mask's outline differ in colour from what is just outside, at least.

    Args:
        picture: RGB, [height, width, 3].
        mask: of the same height and width.

    Returns:
        Distance in CIELAB, 0 or more; 0 where there is hardly any outline inside the picture.
    """
    left, top, width, height = cv2.boundingRect((mask >= WHITE).astype(np.uint8))
    if not width:
        return 0.0
    corners = np.array([(left, top), (left + width, top + height)], np.float64)
    crop = Crop.around(corners, picture.shape, room=_ROOM, pixels=_PIXELS)
    inside = crop.cut(mask) >= WHITE
    smooth = cv2.GaussianBlur(crop.cut(picture), (0, 0), 1)
    lab = np.asarray(cv2.cvtColor(smooth.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    core, grown = _eroded(inside), ~_eroded(~inside)
    within, within_count = _local_means(lab, core)
    beyond, beyond_count = _local_means(lab, ~grown)
    outline = grown & ~core & (within_count >= _FEWEST) & (beyond_count >= _FEWEST)
    if outline.sum() < _SHORTEST:
        return 0.0
    return float(np.percentile(np.linalg.norm(within - beyond, axis=2)[outline], _MOSTLY))


def stands_out(picture: Picture, mask: Mask) -> bool:
    """Whether the outline of a mask is one that can be seen."""
    return contrast_of(picture, mask) >= LEAST_CONTRAST


def _eroded(flags: Flags) -> Flags:
    """Without its outermost pixels; what ends at the crop's border goes on beyond it."""
    return cv2.erode(flags.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)


def _local_means(lab: Floats, where: Flags) -> tuple[Floats, Floats]:
    """Mean colour of those pixels around every pixel, and how many they are."""
    chosen = where.astype(np.float32)
    side = (_NEAR, _NEAR)
    outside = cv2.BORDER_CONSTANT
    count = cv2.boxFilter(chosen, -1, side, normalize=False, borderType=outside)
    total = cv2.boxFilter(lab * chosen[..., None], -1, side, normalize=False, borderType=outside)
    return np.asarray(total / np.maximum(count, 1)[..., None], np.float32), np.asarray(count, np.float32)
