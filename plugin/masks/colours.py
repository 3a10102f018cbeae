"""What colours an object has and what lies around it, learned from its keyframe and never again.

A colour model that learns from its own output drifts. One that is fixed does not, and the keyframe itself
tells how far it can be trusted: where object and surroundings share their colours, it is not asked at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

_BINS = 32
"""Per channel."""

_UNSEEN = 2e-4
"""Share of a colour that was never seen: as likely inside as outside."""

_MOST = 4.0
"""Natural logarithm of odds; no colour says more."""

_USELESS_FIT, _PERFECT_FIT = 0.4, 0.9
_ENOUGH_TO_ERODE = 400


@dataclass(frozen=True, slots=True)
class Colours:
    """How much each colour speaks for the object.

    Attributes:
        odds: `[32768]` natural logarithm of inside against outside.
        trust: 0 (colours tell nothing) to 1: how well the model finds the object in its own keyframe.
    """

    odds: Floats
    trust: float

    @classmethod
    def learned(cls, crop: Bytes, soft: Floats) -> Self:
        """The model of a keyframe.

        Args:
            crop: `[H, W, 3]`.
            soft: its mask, `[H, W]`, 0..1.
        """
        inside = (soft >= 0.5).astype(np.uint8)
        square = np.ones((3, 3), np.uint8)
        outside = 1 - cv2.dilate(inside, square)
        core = cv2.erode(inside, square) if int(inside.sum()) > _ENOUGH_TO_ERODE else inside
        shares = [_shares(crop, np.asarray(part, np.uint8)) for part in (core, outside)]
        odds = np.log((shares[0] + _UNSEEN) / (shares[1] + _UNSEEN)).astype(np.float32)
        found, object_ = _looked_up(odds, crop) > 0, inside > 0
        fit = float((found & object_).sum()) / max(float((found | object_).sum()), 1.0)
        trust = (fit - _USELESS_FIT) / (_PERFECT_FIT - _USELESS_FIT)
        return cls(odds, float(np.clip(trust, 0, 1)))

    def speak_for(self, crop: Bytes) -> Floats:
        """Logarithm of the odds of every pixel, `[H, W]`, -4..4."""
        return _looked_up(self.odds, crop)


def _looked_up(odds: Floats, crop: Bytes) -> Floats:
    return np.clip(cv2.GaussianBlur(odds[_bins(crop)], (0, 0), 1.0), -_MOST, _MOST).astype(np.float32)


def _shares(crop: Bytes, where: Bytes) -> Floats:
    """Of the pixels where `where` is 1, the share of each colour, smoothed over its neighbours."""
    counts = np.bincount(_bins(crop).ravel(), where.ravel(), _BINS**3).astype(np.float32)
    for _ in range(3):  # once along each channel: the last becomes the first
        lines = counts.reshape(_BINS * _BINS, _BINS)
        smooth = cv2.GaussianBlur(lines, (5, 1), sigmaX=0.8, borderType=cv2.BORDER_CONSTANT)
        counts = np.asarray(smooth, np.float32).T.flatten()
    return counts / np.float32(max(int(where.sum()), 1))


def _bins(crop: Bytes) -> npt.NDArray[np.int32]:
    red, green, blue = (crop[..., k].astype(np.int32) * _BINS // 256 for k in range(3))
    return (red * _BINS + green) * _BINS + blue
