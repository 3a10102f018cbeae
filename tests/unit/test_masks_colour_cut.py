"""Gestures on drawn pictures: how good the masks are, that they are the same again, and what is refused."""

from __future__ import annotations

import threading
from contextlib import suppress

import cv2
import numpy as np
import pytest

from plugin.errors import BadPrompt
from plugin.masks.colour_cut import ColourCut
from plugin.masks.makers import Mask, Picture
from plugin.masks.outlining import gap_of
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Stroke

SIZE = (180, 240)
CUT = ColourCut()


def scene(*, seed: int = 3, scale: int = 1) -> tuple[Picture, Mask]:
    """A reddish, shaded, five-cornered thing before striped wood of a like colour, with noise; its mask."""
    rng = np.random.default_rng(seed)
    height, width = SIZE
    down, right = np.mgrid[:height, :width]
    wood = np.stack([150 + 20 * np.sin(right / 9), 90 + 12 * np.sin(right / 7), 40 + 0 * right], axis=2)
    corners = np.array([[90, 60], [130, 50], [165, 85], [140, 130], [95, 120]])
    mask = np.asarray(cv2.fillPoly(np.zeros(SIZE, np.uint8), [corners], (255,)), np.uint8)
    thing = np.stack([190 - down / 4, 50 + right / 8, 45 + 0 * right], axis=2)
    drawn = np.where(mask[..., None] > 0, thing, wood) + rng.normal(0, 6, (*SIZE, 3))
    picture = cv2.GaussianBlur(np.clip(drawn, 0, 255).astype(np.uint8), (0, 0), 0.8)
    big = (width * scale, height * scale)
    return (
        np.asarray(cv2.resize(picture, big, interpolation=cv2.INTER_NEAREST), np.uint8),
        np.asarray(cv2.resize(mask, big, interpolation=cv2.INTER_NEAREST), np.uint8),
    )


def lasso_around(mask: Mask, away: int) -> Lasso:
    """A simplified line some pixels outside."""
    grown = cv2.dilate(mask, np.ones((2 * away + 1, 2 * away + 1), np.uint8))
    lines, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    corners = cv2.approxPolyDP(max(lines, key=len), 2.0, True)[:, 0]
    return Lasso(tuple((float(x) + 0.5, float(y) + 0.5) for x, y in corners))


def overlap(one: Mask, other: Mask) -> float:
    first, second = one >= 128, other >= 128
    return float((first & second).sum() / max(1, (first | second).sum()))


def cut(picture: Picture, *gestures: Gesture, before: Mask | None = None) -> Mask:
    return CUT.segment(picture, FramePrompts(7, gestures), before=before).mask


BOX = Box(84, 44, 171, 136)


@pytest.mark.parametrize("away", [2, 4, 6])
def test_a_lasso_finds_the_object(away: int) -> None:
    picture, mask = scene()
    found = CUT.segment(picture, FramePrompts(0, (lasso_around(mask, away),)))
    assert found.mask.shape == SIZE
    assert overlap(found.mask, mask) > 0.93
    assert 0.5 < found.confidence <= 1
    assert found.candidates == ()
    assert ((found.mask > 0) & (found.mask < 255)).any(), "its edge is soft"


@pytest.mark.parametrize("gap", [2, 4, 7])
@pytest.mark.parametrize("hidden", [0.0, 0.4])
def test_how_far_outside_a_line_runs_is_told_from_the_colours(gap: int, hidden: float) -> None:
    """Also where the object looks like the ground on two fifths of the way round."""
    depths = np.repeat(np.arange(1, 21), 50).astype(np.float32)
    around = np.tile(np.arange(50) / 50, 20)
    alike = (depths > gap) & ((around >= hidden) | (depths > 10))
    assert gap_of(depths, alike) == pytest.approx(gap + 0.5, abs=0.4)


def test_a_line_at_the_object_itself_is_told_from_one_outside() -> None:
    depths = np.repeat(np.arange(1, 21), 50).astype(np.float32)
    assert gap_of(depths, depths > 0) == 1
    assert gap_of(depths, depths < 0) == 1


def test_a_box_finds_the_object() -> None:
    picture, mask = scene()
    assert overlap(cut(picture, BOX), mask) > 0.9


def test_a_click_offers_sizes() -> None:
    picture, mask = scene()
    place = (128.0, 90.0)
    found = CUT.segment(picture, FramePrompts(0, (Click(place),)))
    areas = [int((one >= 128).sum()) for one in found.candidates]
    assert 3 <= len(areas) <= 5
    assert areas == sorted(areas)
    assert max(overlap(one, mask) for one in found.candidates) > 0.8
    for size, wanted in enumerate(found.candidates):
        chosen = CUT.segment(picture, FramePrompts(0, (Click(place, size=size),)))
        assert np.array_equal(chosen.mask, wanted)
    assert np.array_equal(cut(picture, Click(place, size=99)), found.candidates[-1])


def test_the_same_prompts_give_the_same_mask_whatever_was_done_before_and_in_any_thread() -> None:
    picture, mask = scene()
    wanted: list[tuple[Gesture, ...]] = [(lasso_around(mask, 3),), (BOX,), (Click((128.0, 90.0)),)]
    first = [cut(picture, *gestures).tobytes() for gestures in wanted]
    cv2.setRNGSeed(99)
    points = picture[:40, :40].reshape(-1, 3).astype(np.float32)
    cv2.kmeans(points, 3, None, (3, 3, 0.1), 2, cv2.KMEANS_RANDOM_CENTERS)  # type: ignore[call-overload]
    assert [cut(picture, *gestures).tobytes() for gestures in wanted] == first
    elsewhere: list[bytes] = []
    thread = threading.Thread(target=lambda: elsewhere.extend(cut(picture, *g).tobytes() for g in wanted))
    thread.start()
    thread.join()
    assert elsewhere == first


def test_corrections_change_the_mask_only_where_they_are_made() -> None:
    picture, mask = scene()
    start = cut(picture, lasso_around(mask, 3))
    place = (128.0, 90.0)
    hole = start.copy()
    hole[80:100, 120:140] = 0
    for gesture, before in (
        (Click(place, inside=False), start),
        (Click(place), hole),
        (Lasso(((120, 80), (140, 80), (140, 100), (120, 100)), inside=False), start),
        (Stroke((place,), 9, paints=False), start),
    ):
        after = cut(picture, gesture, before=before)
        assert (after[90, 128] >= 128) == (isinstance(gesture, Click) and gesture.inside)
        changed = np.argwhere(after != before)
        assert len(changed)
        assert np.abs(changed - (90, 128)).max() < 25


def test_a_click_that_says_what_the_mask_says_changes_nothing() -> None:
    picture, mask = scene()
    start = cut(picture, lasso_around(mask, 3))
    agreeing = (Click((128.0, 90.0)), Click((20.0, 20.0), inside=False))
    assert np.array_equal(cut(picture, *agreeing, before=start), start)


def test_the_brush_comes_last_and_its_dabs_stay() -> None:
    """Small painted pieces are no strays; the order of strokes counts."""
    picture, mask = scene()
    dab = Stroke(((10.5, 10.5), (14.5, 10.5)), 2)
    found = cut(picture, dab, lasso_around(mask, 3))
    assert found[10, 10] == found[10, 14] == 255
    assert found[10, 20] == 0
    assert overlap(found, mask) > 0.93
    assert cut(picture, dab, Stroke(((10.5, 10.5),), 5, paints=False))[10, 10] == 0
    alone = CUT.segment(picture, FramePrompts(0, (dab,)))
    assert alone.confidence == 1
    assert 20 < (alone.mask >= 128).sum() < 36


def test_a_painted_mask_without_gestures_is_the_mask() -> None:
    picture, mask = scene()
    found = CUT.segment(picture, FramePrompts(0, painted="x.png"), before=mask)
    assert np.array_equal(found.mask, mask)


def test_absent_is_an_empty_mask() -> None:
    found = CUT.segment(scene()[0], FramePrompts(0, absent=True))
    assert (found.mask.max(), found.confidence) == (0, 1.0)


def test_strays_go() -> None:
    """Two things of one colour in a lasso, one much smaller."""
    picture = np.full((120, 160, 3), 200, np.uint8)
    cv2.circle(picture, (60, 60), 30, (20, 60, 160), cv2.FILLED)
    cv2.circle(picture, (120, 60), 3, (20, 60, 160), cv2.FILLED)
    found = cut(picture, Box(25, 25, 130, 95))
    assert found[60, 60] >= 128
    assert found[60, 120] == 0


REFUSED: dict[str, tuple[tuple[Gesture, ...], str]] = {
    "nothing": ((), "has nothing drawn"),
    "only taking away": ((Click((9, 9), inside=False),), "only takes away"),
    "two points": ((Lasso(((1, 1), (50, 50), (1, 1))),), "at least three points"),
    "lasso outside": ((Lasso(((-9, 1), (-5, 50), (-7, 60))),), "lasso lies outside"),
    "click outside": ((Click((240.0, 20)),), "click lies outside"),
    "click before": ((Click((-0.5, 20)),), "click lies outside"),
    "box outside": ((Box(300, 0, 400, 50),), "box lies outside"),
    "box upside down": ((Box(50, 40, 20, 60),), "no area"),
    "no number": ((Click((float("nan"), 3.0)),), "no number"),
    "endless": ((Box(0, 0, float("inf"), 9),), "no number"),
    "empty stroke": ((Stroke((), 5),), "no place or no size"),
    "no radius": ((Stroke(((5, 5),), 0),), "no place or no size"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_mean_anything_is_said_in_words(case: str) -> None:
    gestures, words = REFUSED[case]
    with pytest.raises(BadPrompt, match=words) as caught:
        cut(scene()[0], *gestures)
    assert "rame 7" in caught.value.message
    assert caught.value.remedy.endswith(".")


def test_nothing_that_stands_out() -> None:
    plain = np.full((50, 50, 3), 90, np.uint8)
    found: list[str] = []
    for gesture in (Box(10, 10, 35, 35), Click((25, 25)), Lasso(((10, 10), (35, 10), (22, 35)))):
        try:
            mask = cut(plain, gesture)
        except BadPrompt as error:
            found.append(error.message)
        else:
            assert (mask >= 128).any()
    assert all("Nothing that stands out" in message for message in found)


ODD: dict[str, Gesture] = {
    "partly outside": Box(-40, -30, 120, 100),
    "whole frame": Box(0, 0, 240, 180),
    "more than the frame": Box(-10, -10, 999, 999),
    "two pixels": Box(100, 70, 102, 72),
    "crossing itself": Lasso(((80, 40), (175, 140), (175, 40), (80, 140))),
    "one turn too many": Lasso(((85, 45), (175, 45), (175, 140), (85, 140), (84, 44), (176, 44), (176, 141))),
    "tiny lasso": Lasso(((100, 70), (102, 70), (101, 72))),
    "click in the corner": Click((239.9, 179.9)),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_gestures_end_in_a_mask_or_in_words(case: str) -> None:
    picture, mask = scene()
    with suppress(BadPrompt):
        mask = cut(picture, ODD[case])
    assert mask.shape == SIZE
    assert (mask >= 128).any()


def test_a_line_that_goes_round_twice_leaves_no_hole() -> None:
    picture, mask = scene()
    line = lasso_around(mask, 3).places
    assert overlap(cut(picture, Lasso(line + line[:3])), mask) > 0.93


def test_a_small_frame() -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[:, 1] = 255
    with suppress(BadPrompt):
        assert cut(picture, Box(0, 0, 3, 2)).shape == (2, 3)
    assert cut(picture, Lasso(((0, 0), (3, 0), (3, 2), (0, 2)))).shape == (2, 3)


def test_frames_of_any_size_cost_the_same() -> None:
    """What the work sees of an 8K frame is as large as of any other."""
    picture, mask = scene(scale=32)
    assert picture.shape == (5760, 7680, 3)
    small = scene()[1]
    line = tuple((x * 32, y * 32) for x, y in lasso_around(small, 3).places)
    assert overlap(cut(picture, Lasso(line)), mask) > 0.93
