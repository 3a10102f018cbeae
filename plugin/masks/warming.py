"""A maker of masks used once on a small drawn picture, so that the first gesture is not the slowest."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from plugin.errors import BadPrompt
from plugin.masks.makers import Picture, Segmenter
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Stroke

_SIDE = 48
_AROUND = ((14.0, 14.0), (34.0, 14.0), (34.0, 34.0), (14.0, 34.0))


def warm_up(segmenter: Segmenter) -> None:
    """Let a segmenter without a model do every kind of gesture once; what it makes is thrown away.

    The first call of OpenCV's colour spaces and of its cuts makes tables, which takes as long as a mask. One
    that prepares pictures has a network, which a small picture would cost as much as a large one.
    """
    if hasattr(segmenter, "prepare"):
        return
    box: Gesture = Box(14, 14, 34, 34)
    for gestures in ((Lasso(_AROUND),), (box, Click((38, 38)), Stroke(((20, 20),), 3.0))):
        with suppress(BadPrompt):
            segmenter.segment(_picture(), FramePrompts(0, gestures))


def _picture() -> Picture:
    """A bright square on a darker ground, each with some grain."""
    down, right = np.mgrid[:_SIDE, :_SIDE]
    made = np.stack([40 + (down * right * factor) % 9 for factor in (3, 5, 7)], axis=-1)
    made[16:32, 16:32] += 120
    return made.astype(np.uint8)
