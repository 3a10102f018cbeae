"""Masks that change need a new version of their maker: saved prompts and kept masks go by it."""

from __future__ import annotations

import pytest

from plugin.masks.colour_cut import ColourCut
from plugin.masks.flow_tracker import FlowTracker
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso
from tests.unit.masks.drawn_scenes import moving

SCENE = moving(
    [(50 + 6 * k, 56 + 9 * (k % 3)) for k in range(7)], angles=[4.0 * k for k in range(7)], bar=(70, 76)
)

FLOW = {
    "4": {
        (0,): (784.0, 793.2, 638.3, 603.1, 601.0, 600.1, 703.5),
        (0, 6): (784.0, 792.4, 645.4, 617.1, 581.2, 594.0, 695.0),
    },
    "3": {
        (0,): (784.0, 793.2, 638.3, 603.1, 601.0, 600.1, 703.5),
        (0, 6): (784.0, 792.4, 645.4, 617.1, 581.2, 593.9, 695.0),
    },
    "2": {
        (0,): (784.0, 793.2, 658.0, 603.6, 585.8, 582.4, 717.6),
        (0, 6): (784.0, 792.4, 658.1, 618.5, 576.1, 591.2, 695.0),
    },
}
"""Pixels of the masks of each frame, by version and keyframes."""

CUT = {"2": (789.8, 900.5, 794.3), "1": (789.8, 941.6, 794.3)}
"""Pixels of the masks that a box, a lasso and a click give, by version."""

GESTURES: tuple[Gesture, ...] = (
    Box(33, 39, 67, 73),
    Lasso(((32, 38), (68, 38), (68, 74), (32, 74))),
    Click((50, 56)),
)

CHANGED = "The masks are others: raise the maker's version and put a row of it here."


@pytest.mark.parametrize("keys", [(0,), (0, 6)])
def test_the_flow_tracker_gives_the_masks_of_its_version(keys: tuple[int, ...]) -> None:
    tracker = FlowTracker()
    found = tracker.track(SCENE, {key: SCENE.masks[key] for key in keys}, first=0, last=6)
    areas = [float(one.mask.sum()) / 255 for one in sorted(found, key=lambda one: one.frame)]
    assert areas == pytest.approx(FLOW[tracker.version][keys], abs=1.0), CHANGED


def test_the_colour_cut_gives_the_masks_of_its_version() -> None:
    cut = ColourCut()
    found = [cut.segment(SCENE.pictures[0], FramePrompts(0, (one,))).mask for one in GESTURES]
    assert [float(one.sum()) / 255 for one in found] == pytest.approx(CUT[cut.version], abs=1.0), CHANGED
