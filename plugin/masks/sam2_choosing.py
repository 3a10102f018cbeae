"""Which of the heads' four masks counts, and what the result is (spec section 4).

Quirks that the published predictor has, each with a test of its own: with at most one point the best of
masks 1 to 3 is taken with its own pointer, and frames that are tracked count as having no point; with
more, mask 0 is taken unless it is unstable, but the pointer is mask 0's in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]

STABLE_FROM = 0.98
STABILITY_MARGIN = 0.05
NO_OBJECT = -1024.0
"""Every logit where the object cannot be seen."""
MOST_POINTS_FOR_READINGS = 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """One mask of one frame.

    Attributes:
        logits: [S/4, S/4]; the object is where they are above 0.
        pointer: [C].
        iou: how good the mask thinks it is, 0..1.
        score: above 0 where the object can be seen.
    """

    logits: Float
    pointer: Float
    iou: float
    score: float

    @property
    def is_present(self) -> bool:
        """Whether the object can be seen."""
        return self.score > 0

    @property
    def confidence(self) -> float:
        """0..1: how good the mask is, times how likely the object can be seen."""
        return float(np.clip(self.iou, 0, 1) / (1 + np.exp(-np.clip(self.score, -60, 60))))


def choose(outputs: Mapping[str, Float], *, points: int, no_obj_ptr: Float) -> Chosen:
    """The mask that counts.

    Args:
        outputs: of the heads graph.
        points: number of points of the prompt; a box counts as two.
        no_obj_ptr: pointer of an object that cannot be seen.
    """
    masks, iou, pointers = outputs["masks"][0], outputs["iou"][0], outputs["pointers"][0]
    score = float(outputs["score"].reshape(-1)[0])
    if points <= MOST_POINTS_FOR_READINGS:
        index = best_reading(iou)
        pointer = pointers[index]
    else:
        index = single_mask(masks, iou)
        pointer = pointers[0]
    if score > 0:
        return Chosen(masks[index], pointer, float(iou[index]), score)
    return Chosen(np.full_like(masks[index], NO_OBJECT), no_obj_ptr, float(iou[index]), score)


def best_reading(iou: Float) -> int:
    """The number of the best among masks 1 to 3."""
    return 1 + int(np.argmax(iou[1:]))


def single_mask(masks: Float, iou: Float) -> int:
    """0 where mask 0 is stable, else the best reading."""
    return 0 if stability(masks[0]) >= STABLE_FROM else best_reading(iou)


def stability(logits: Float) -> float:
    """How little a mask changes when its edge moves a little, 0..1."""
    inner = int((logits > STABILITY_MARGIN).sum())
    outer = int((logits > -STABILITY_MARGIN).sum())
    return inner / outer if outer else 1.0
