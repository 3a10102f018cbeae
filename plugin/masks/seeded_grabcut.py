"""GrabCut for gestures that only surround an object: boxes, and circles around a click."""

from __future__ import annotations

import cv2
import numpy as np

from plugin.masks.colour_models import Flags
from plugin.masks.makers import Mask, Picture
from plugin.masks.outlining import FEWEST, Outlined

_ROUNDS = (4, 1)
"""Of the two tries; the first one counts twice."""

_BLUR = 0.7
_SEED = 1


def surrounded(picture: Picture, inside: Flags, *, sure: Flags | None = None) -> Outlined:
    """The object somewhere inside an area; the same for the same crop.

    Args:
        picture: a crop, RGB, [height, width, 3].
        inside: where the object may lie; where that is all, it may not lie on the crop's border.
        sure: what is the object in any case.
    """
    labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    if (~inside).sum() < FEWEST:
        labels[[0, -1], :] = cv2.GC_BGD
        labels[:, [0, -1]] = cv2.GC_BGD
    if sure is not None:
        labels[sure & inside] = cv2.GC_FGD
    if inside.sum() < FEWEST or (labels != cv2.GC_BGD).sum() < FEWEST or not (labels == cv2.GC_BGD).any():
        return Outlined(inside.astype(np.float32), 0.5 if inside.any() else 0.0)
    first, second = (_cut(picture, labels, rounds) for rounds in _ROUNDS)
    any_of, all_of = float((first | second).sum()), float((first & second).sum())
    together = (2 * first.astype(np.float32) + second) / 3
    soft = np.where(inside, cv2.GaussianBlur(together, (0, 0), _BLUR), 0).astype(np.float32)
    return Outlined(soft, all_of / any_of if any_of else 0.0)


def _cut(picture: Picture, labels: Mask, rounds: int) -> Flags:
    """One seeded run: GrabCut begins with a clustering that draws from a state shared by the thread."""
    own, models = labels.copy(), (np.zeros((1, 65)), np.zeros((1, 65)))
    cv2.setRNGSeed(_SEED)
    cv2.grabCut(picture, own, None, *models, rounds, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return np.asarray((own == cv2.GC_FGD) | (own == cv2.GC_PR_FGD))
