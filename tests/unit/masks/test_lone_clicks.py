"""A click on a thing gives its mask; one on a bare wall is refused with what to do instead."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from plugin.errors import BadPrompt
from plugin.masks.colour_cut import ColourCut
from plugin.masks.lone_clicks import CarefulClicks
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Stroke
from plugin.masks.standing_out import LEAST_CONTRAST, contrast_of, stands_out

Bytes = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 240, 320
BALL, WALL = (220.0, 120.0), (70.0, 100.0)


def wall(kind: str) -> Bytes:
    down, right = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    made = np.full((HEIGHT, WIDTH, 3), (150, 140, 120), np.float32)
    if kind != "flat":
        made += np.random.default_rng(1).normal(0, 5, made.shape)
    if kind == "lit from one side":
        made += (right / WIDTH * 80 - 40)[..., None]
    if kind == "vignette":
        made *= (1.2 - ((right / WIDTH - 0.5) ** 2 + (down / HEIGHT - 0.5) ** 2))[..., None]
    if kind == "planks":
        made += (6 * np.sin(right / 9))[..., None]
    return np.clip(made, 0, 255).astype(np.uint8)


def with_ball(picture: Bytes, *, radius: int = 25, colour: tuple[int, int, int] = (200, 60, 40)) -> Bytes:
    made = picture.copy()
    cv2.circle(made, (int(BALL[0]), int(BALL[1])), radius, colour, cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(made, (0, 0), 1), np.uint8)


def segmented(picture: Bytes, *gestures: Gesture, before: Bytes | None = None) -> Bytes:
    return CarefulClicks(ColourCut()).segment(picture, FramePrompts(3, gestures), before=before).mask


@pytest.mark.parametrize("kind", ["flat", "grain", "lit from one side", "vignette", "planks"])
@pytest.mark.parametrize("place", [WALL, (160.0, 20.0), (3.0, 3.0)], ids=["wall", "high up", "corner"])
def test_a_bare_wall_is_no_object(kind: str, place: tuple[float, float]) -> None:
    with pytest.raises(BadPrompt) as raised:
        segmented(wall(kind), Click(place))
    assert raised.value.message == "There is no object under the click in frame 3: nothing stands out there."
    assert raised.value.remedy == "Draw a lasso or a box just outside the object."


@pytest.mark.parametrize("kind", ["flat", "grain", "lit from one side", "vignette", "planks"])
def test_a_thing_before_the_same_wall_is(kind: str) -> None:
    found = segmented(with_ball(wall(kind)), Click(BALL)) >= 128
    truth = with_ball(np.zeros((HEIGHT, WIDTH, 3), np.uint8), colour=(255, 255, 255))[..., 0] >= 128
    assert (found & truth).sum() > 0.8 * (found | truth).sum()


def test_a_wall_beside_a_thing_is_refused_with_further_clicks_too() -> None:
    picture = with_ball(wall("grain"))
    for more in (
        (),
        (Click((90, 60), inside=False),),
        (Click((100, 160)),),
        (Stroke(((9, 9),), 4, paints=False),),
    ):
        with pytest.raises(BadPrompt):
            segmented(picture, Click(WALL), *more)


def test_a_large_thing_gets_a_size_at_which_its_outline_is_seen() -> None:
    """Its middle looks like a wall at the size that a click means otherwise."""
    picture = with_ball(wall("grain"), radius=70)
    plain = ColourCut().segment(picture, FramePrompts(3, (Click(BALL),)))
    assert not stands_out(picture, plain.mask)
    alone = segmented(picture, Click(BALL))
    assert (alone >= 128).sum() > 10_000
    corner = (220.0, 60.0)
    taken = segmented(picture, Click(BALL), Click(corner, inside=False))
    assert (taken >= 128).sum() > 9_000, "a correction goes on from it"
    assert taken[int(corner[1]), int(corner[0])] < 128


@pytest.mark.parametrize(
    "gestures",
    [
        (Box(185, 85, 255, 155),),
        (Lasso(((40, 70), (100, 70), (100, 130), (40, 130))),),
        (Click(WALL, size=1),),
        (Click(WALL), Stroke((WALL,), 9)),
    ],
    ids=["box", "lasso", "chosen size", "paint"],
)
def test_who_says_more_is_believed(gestures: tuple[Gesture, ...]) -> None:
    picture = with_ball(wall("grain"))
    plain = ColourCut().segment(picture, FramePrompts(3, gestures)).mask
    assert (segmented(picture, *gestures) == plain).all()


def test_a_mask_that_was_there_is_corrected_anywhere() -> None:
    before = np.zeros((HEIGHT, WIDTH), np.uint8)
    before[60:140, 40:60] = 255
    assert (segmented(wall("grain"), Click(WALL), before=before) >= before).all()


def test_it_has_the_name_and_both_versions() -> None:
    made = CarefulClicks(ColourCut())
    assert made.name == ColourCut().name
    assert made.version == f"{ColourCut().version}.1"


def test_contrast_is_that_of_the_outline() -> None:
    picture = with_ball(wall("flat"))
    ball = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(ball, (220, 120), 25, 255, cv2.FILLED)
    elsewhere = np.roll(ball, -120, axis=1)
    assert contrast_of(picture, ball) > 5 * LEAST_CONTRAST
    assert contrast_of(picture, elsewhere) < 0.1
    assert contrast_of(picture, np.zeros_like(ball)) == 0
    assert contrast_of(picture, np.full_like(ball, 255)) == 0, "all of the picture has no outline"
    half = ball.copy()
    half[:, 220:] = 0
    assert contrast_of(picture, half) < LEAST_CONTRAST, "a quarter of its outline is a cut through the ball"


def test_at_the_edge_of_the_picture_the_rest_of_the_outline_counts() -> None:
    picture = wall("grain")
    cv2.circle(picture, (0, 120), 30, (200, 60, 40), cv2.FILLED)
    ball = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(ball, (0, 120), 30, 255, cv2.FILLED)
    assert contrast_of(picture, ball) > 3 * LEAST_CONTRAST


def test_an_outline_drawn_a_little_wide_is_still_one() -> None:
    """Cuts of compressed pictures run some pixels outside of an object before a plain ground."""
    picture = with_ball(wall("flat"))
    wide = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(wide, (220, 120), 28, 255, cv2.FILLED)
    assert contrast_of(picture, wide) > 2 * LEAST_CONTRAST
