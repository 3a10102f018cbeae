"""Cuts are found once, at their frames, in one pass; flashes are none, and work can be stopped."""

from __future__ import annotations

import numpy as np
import pytest

from plugin.errors import Cancelled
from plugin.masks.cut_finding import find_cuts
from plugin.masks.shot_changes import Thumbnail
from tests.unit.masks.made_makers import MadeFrames


def nothing() -> None:
    """Goes on."""


def test_cuts_are_found_where_they_are_and_every_frame_is_looked_at_once() -> None:
    frames = MadeFrames(cuts=(5, 11, 12, 19))
    assert find_cuts(frames.thumbnail, first=2, last=19, check=nothing) == (5, 11, 12, 19)
    assert frames.asked == list(range(2, 20))


@pytest.mark.parametrize("last", [2, 3, 4, 5, 6])
def test_short_ranges(last: int) -> None:
    found = find_cuts(MadeFrames(cuts=(4,)).thumbnail, first=2, last=last, check=nothing)
    assert found == ((4,) if last >= 4 else ())


def test_a_flash_is_no_cut() -> None:
    frames = MadeFrames()

    def flashing(frame: int) -> Thumbnail:
        return np.zeros((32, 32, 3), np.float32) if frame in {6, 7} else frames.thumbnail(frame)

    assert find_cuts(flashing, first=0, last=19, check=nothing) == ()


def test_it_can_be_stopped() -> None:
    frames = MadeFrames()

    def check() -> None:
        if len(frames.asked) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        find_cuts(frames.thumbnail, first=0, last=19, check=check)
    assert frames.asked == [0, 1, 2]
