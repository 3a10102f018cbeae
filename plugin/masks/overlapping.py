"""Several objects in one picture: what belongs to whom, and what is too small to mean anything."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from plugin.masks.makers import Mask
from plugin.masks.results import KeptMask

WHITE = 128
"""From here on a pixel belongs to the object."""

STRAY = 0.05
"""Pieces smaller than this share of the largest are taken for errors: the focus would follow them."""


def without_overlap(masks: Sequence[KeptMask]) -> tuple[Mask, ...]:
    """Masks of several objects of one frame of which no pixel belongs to two.

    At every pixel the object with the highest product of mask value and confidence keeps its value, the
    first one where two are equal; each other one keeps at most what is left of 255. So two soft edges that
    touch stay soft.
    """
    if len(masks) < 2:
        return tuple(one.mask for one in masks)
    values = np.stack([one.mask for one in masks])
    claims = values * np.array([one.confidence for one in masks], np.float32)[:, None, None]
    winner = claims.argmax(axis=0)[None]
    left = 255 - np.take_along_axis(values, winner, axis=0)
    cut = np.minimum(values, left)
    np.put_along_axis(cut, winner, np.take_along_axis(values, winner, axis=0), axis=0)
    return tuple(cut)


def without_strays(mask: Mask) -> Mask:
    """A mask without its pieces that are smaller than `STRAY` of the largest one."""
    left, top, wide, high = cv2.boundingRect(mask)
    part = mask[top : top + high, left : left + wide]
    if part.size == 0:
        return mask
    count, pieces, facts, _ = cv2.connectedComponentsWithStats((part > 0).astype(np.uint8), connectivity=8)
    areas = facts[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    small = areas < STRAY * areas.max(initial=0)
    small[0] = False
    if count <= 2 or not small.any():
        return mask
    clean = mask.copy()
    clean[top : top + high, left : left + wide] = np.where(small[pieces], np.uint8(0), part)
    return clean
