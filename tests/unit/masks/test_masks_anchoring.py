"""What a run away from a keyframe does with things beside the object: its like, and what it has uncovered."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from plugin.masks.anchoring import Run
from plugin.masks.flow_tracker import FlowTracker
from plugin.masks.makers import LOST_BELOW
from tests.unit.masks.drawn_scenes import Bytes, Drawn, ground, overlap

LIKE = (82, 58)
"""Where another wheel stands still, right of where the first one hits the floor."""


def wheel(picture: Bytes, place: tuple[int, int], radii: tuple[int, int]) -> None:
    """A dark ellipse with a red one in it."""
    cv2.ellipse(picture, place, radii, 0, 0, 360, (35, 30, 40), -1)
    cv2.ellipse(picture, place, (radii[0] // 2, radii[1] // 2), 0, 0, 360, (140, 60, 50), -1)


def bouncing_beside_its_like() -> Drawn:
    """A wheel that falls, is flat for a frame and rises, beside another that stands there."""
    scene = Drawn()
    for height in (40, 46, 54, 64, 54, 47, 42, 40):
        picture, mask = ground().copy(), np.zeros(ground().shape[:2], np.uint8)
        radii = (14, 5) if height == 64 else (10, 10)
        wheel(picture, LIKE, (10, 10))
        wheel(picture, (50, height), radii)
        cv2.ellipse(mask, (50, height), radii, 0, 0, 360, 255, -1)
        scene.pictures.append(picture)
        scene.masks.append(mask)
    return scene


def test_a_thing_that_changes_is_not_taken_for_its_like_beside_it() -> None:
    scene = bouncing_beside_its_like()
    found = FlowTracker().track(scene, {0: scene.masks[0]}, first=0, last=7)
    overlaps = [overlap(one.mask, scene.masks[one.frame]) for one in found]
    assert min(overlaps) > 0.4
    assert overlaps[-1] > 0.7


def camouflaged(frame: int) -> tuple[Bytes, Bytes]:
    """A square of the ground's own colours that goes right, 6 pixels per frame, and its mask."""
    picture, mask = ground(1).copy(), np.zeros(ground(1).shape[:2], np.uint8)
    left = 40 + 6 * frame
    picture[40:68, left : left + 28] = ground(2)[20:48, 20:48]
    mask[40:68, left : left + 28] = 255
    return picture, mask


@pytest.mark.parametrize("above", [True, False])
def test_a_piece_of_ground_far_from_the_object_is_given_up(above: bool) -> None:
    run = Run(*camouflaged(0))
    for frame in range(1, 4):
        run.step(camouflaged(frame)[0])
    window, soft = run._last.sight.window, run._last.soft.copy()
    rows = slice(0, window.pixels // 10) if above else slice(-window.pixels // 10, None)
    soft[rows] = 1.0  # what was uncovered and taken along by mistake
    run._last = replace(run._last, soft=soft)
    for frame in range(4, 8):
        picture, true = camouflaged(frame)
        placed = run.step(picture)
    found = placed.window.paste(placed.soft, *true.shape)
    assert overlap(found, true) > 0.6


def test_ground_in_the_place_of_the_object_is_not_sure() -> None:
    """It looks just as in the keyframe, but there it lies beside the object."""
    run = Run(*camouflaged(0))
    soft = run._anchor.soft
    nothing_differs = np.zeros_like(soft)
    beside = replace(run._last, soft=1 - soft)
    assert run._confidence(run._last, nothing_differs, soft) > 0.9
    assert run._confidence(beside, nothing_differs, soft) < LOST_BELOW
