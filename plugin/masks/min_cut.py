"""The cheapest cut through a picture: every pixel has its odds, and parting similar neighbours costs.

OpenCV's GrabCut holds the solver, but lends it to its own colour models only. Here the odds travel as the
first channel of the picture, and the models are such that they read them from there and learn nothing.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from plugin.masks.colour_models import Flags, Floats

MOST = 6.0
"""Odds (natural logarithm) beyond this count as this."""

_LEVELS = 60
"""Steps into which the odds fall; few, as a step between neighbours is taken for an edge too."""

_WEIGHT = 15.0
"""Of the odds against the edges."""

_COMPONENTS = 5
_WIDE = 1e6


def cheapest_cut(picture: npt.NDArray[np.uint8], odds: Floats, *, within: Flags) -> Flags:
    """The pixels of the object.

    Args:
        picture: RGB, [height, width, 3].
        odds: logarithm of how much likelier object than background is, [height, width].
        within: where the object may lie.
    """
    if not within.any():
        return within
    steps = np.round((np.clip(odds, -MOST, MOST) + MOST) * (_LEVELS / (2 * MOST))).astype(np.uint8)
    colours = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    carried = np.ascontiguousarray(np.dstack([steps, colours[..., 0], colours[..., 1]]))
    labels = np.where(odds > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[~within] = cv2.GC_BGD
    cv2.setRNGSeed(1)
    cv2.grabCut(carried, labels, None, _reader(0), _reader(_LEVELS), 1, cv2.GC_EVAL_FREEZE_MODEL)  # type: ignore[call-overload]
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _reader(best: int) -> npt.NDArray[np.float64]:
    """A model whose cost grows with the distance of the first channel from `best`: two make a straight line.

    GrabCut keeps a model as five shares, five means of three and five covariances of nine numbers.
    """
    model = np.zeros((1, 13 * _COMPONENTS))
    model[0, 0] = 1.0
    model[0, _COMPONENTS : _COMPONENTS + 3] = (best, 128, 128)
    spread = _LEVELS**2 / (2 * MOST * _WEIGHT)
    model[0, 4 * _COMPONENTS :] = np.tile(np.eye(3).ravel(), _COMPONENTS)
    model[0, 4 * _COMPONENTS : 4 * _COMPONENTS + 9] = np.diag([spread, _WIDE, _WIDE]).ravel()
    return model
