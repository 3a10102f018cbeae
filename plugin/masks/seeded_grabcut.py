"""GrabCut for gestures that only surround an object: boxes, and circles around a click."""

from __future__ import annotations

import cv2
import numpy as np

from plugin.masks.colour_models import Flags
from plugin.masks.makers import Mask, Picture
from plugin.masks.outlining import FEWEST, Outlined
from plugin.masks.remembering import remembered

_FIRST_ROUNDS, _MORE_ROUNDS = 1, 3
"""After the first there is one try, after all of them another, which counts twice."""

_BLUR = 0.7
_SEED = 1


@remembered
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
    early, late = _cuts(picture, labels)
    any_of, all_of = float((late | early).sum()), float((late & early).sum())
    together = (2 * late.astype(np.float32) + early) / 3
    soft = np.where(inside, cv2.GaussianBlur(together, (0, 0), _BLUR), 0).astype(np.float32)
    return Outlined(soft, all_of / any_of if any_of else 0.0)


def _cuts(picture: Picture, labels: Mask) -> tuple[Flags, Flags]:
    """One seeded run, looked at after its first rounds and at its end.

    GrabCut begins with a clustering that draws from a state shared by the thread; going on draws nothing.
    """
    own, models = labels.copy(), (np.zeros((1, 65)), np.zeros((1, 65)))
    cv2.setRNGSeed(_SEED)
    cv2.grabCut(picture, own, None, *models, _FIRST_ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    early = _object_in(own)
    cv2.grabCut(picture, own, None, *models, _MORE_ROUNDS, cv2.GC_EVAL)  # type: ignore[call-overload]
    return early, _object_in(own)


def _object_in(labels: Mask) -> Flags:
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))
