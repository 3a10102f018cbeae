"""Whether gestures can mean anything in a picture, said in words where they cannot."""

from __future__ import annotations

import math
from collections.abc import Iterator

from plugin.errors import BadPrompt
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Place, Stroke

_BEFORE_BRUSH = "Draw a lasso around the object in that frame, or paint it with the brush."
_CORNERS = 3


def check_gestures(prompts: FramePrompts, shape: tuple[int, int], *, started: bool) -> None:
    """Raise unless the gestures of a frame can be followed.

    Args:
        prompts: of one frame in which the object is there.
        shape: height and width of the picture.
        started: there is a mask to correct already.

    Raises:
        BadPrompt: which gesture cannot, and what to do instead.
    """
    for gesture in prompts.gestures:
        problem = _problem(gesture, shape)
        if problem is not None:
            message, remedy = problem
            raise BadPrompt(f"{message} (frame {prompts.frame}).", remedy=remedy)
    if not started and not any(_adds(gesture) for gesture in prompts.gestures):
        what = "only takes away" if prompts.gestures else "has nothing drawn"
        raise BadPrompt(f"Frame {prompts.frame} {what}, so there is no object.", remedy=_BEFORE_BRUSH)


def _adds(gesture: Gesture) -> bool:
    if isinstance(gesture, Stroke):
        return gesture.paints
    return isinstance(gesture, Box) or gesture.inside


def _problem(gesture: Gesture, shape: tuple[int, int]) -> tuple[str, str] | None:
    """What is wrong with a gesture, without the full stop, and what to do; None when nothing is."""
    if not all(math.isfinite(value) for value in _numbers(gesture)):
        return "A gesture has a coordinate that is no number", "Remove that gesture and draw it again."
    if isinstance(gesture, Click):
        if not _in_picture(gesture.place, shape):
            return "A click lies outside the picture", "Click on the picture itself."
    elif isinstance(gesture, Box):
        return _box_problem(gesture, shape)
    elif isinstance(gesture, Lasso):
        return _lasso_problem(gesture, shape)
    elif not gesture.places or gesture.radius <= 0:
        return "A brush stroke has no place or no size", "Remove that stroke and paint it again."
    return None


def _box_problem(box: Box, shape: tuple[int, int]) -> tuple[str, str] | None:
    if box.left >= box.right or box.top >= box.bottom:
        return "A box has no area", "Draw the box from one corner of the object to the opposite one."
    if box.left >= shape[1] or box.top >= shape[0] or box.right <= 0 or box.bottom <= 0:
        return "A box lies outside the picture", "Draw the box on the picture itself."
    return None


def _lasso_problem(lasso: Lasso, shape: tuple[int, int]) -> tuple[str, str] | None:
    if len(set(lasso.places)) < _CORNERS:
        return (
            "A lasso needs at least three points",
            "Hold the button down and draw the line all around the object.",
        )
    across, down = zip(*lasso.places, strict=True)
    if min(across) >= shape[1] or min(down) >= shape[0] or max(across) <= 0 or max(down) <= 0:
        return "A lasso lies outside the picture", "Draw the lasso on the picture itself."
    return None


def _in_picture(place: Place, shape: tuple[int, int]) -> bool:
    return 0 <= place[0] < shape[1] and 0 <= place[1] < shape[0]


def _numbers(gesture: Gesture) -> Iterator[float]:
    if isinstance(gesture, Box):
        yield from (gesture.left, gesture.top, gesture.right, gesture.bottom)
        return
    for place in (gesture.place,) if isinstance(gesture, Click) else gesture.places:
        yield from place
    if isinstance(gesture, Stroke):
        yield gesture.radius
