"""Gestures as SAM 2.1 takes them: points and a box for the network; lines and strokes on its mask."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.errors import BadPrompt
from plugin.masks.makers import Mask
from plugin.masks.prompts import Box, Click, FramePrompts, Lasso, Place, Stroke
from plugin.masks.sam2_session import Points

_SHIFT = 4
"""Binary places of OpenCV's coordinates: sixteenths of a pixel."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the gestures of one frame ask for, in pixels of the picture.

    Attributes:
        box: around the object; None where neither a box nor a lasso was drawn.
        clicks: in their order.
        within: lassos around the object; the mask ends there.
        without: lassos around what is taken away.
        strokes: in their order.
    """

    box: Box | None
    clicks: tuple[Click, ...]
    within: tuple[Lasso, ...]
    without: tuple[Lasso, ...]
    strokes: tuple[Stroke, ...]

    @property
    def names_the_object(self) -> bool:
        """Whether anything says where the object is."""
        return self.box is not None or any(click.inside for click in self.clicks)


def read_gestures(prompts: FramePrompts, *, height: int, width: int) -> Asked:
    """The gestures of a frame by kind; of several boxes the last one counts.

    Raises:
        BadPrompt: a click or a box lies outside of the picture.
    """
    boxes: list[Box] = []
    for gesture in prompts.gestures:
        if isinstance(gesture, Box):
            boxes.append(gesture)
        elif isinstance(gesture, Lasso) and gesture.inside and len(gesture.places) > 1:
            boxes.append(_bounds(gesture.places))
    clicks = tuple(one for one in prompts.gestures if isinstance(one, Click))
    for click in clicks:
        if not (0 <= click.place[0] <= width and 0 <= click.place[1] <= height):
            raise BadPrompt(
                f"The click at {click.place[0]:.0f}, {click.place[1]:.0f} is outside of frame"
                f" {prompts.frame} ({width} x {height}).",
                remedy="Click inside the picture.",
            )
    lassos = [one for one in prompts.gestures if isinstance(one, Lasso)]
    return Asked(
        box=_inside(boxes[-1], frame=prompts.frame, height=height, width=width) if boxes else None,
        clicks=clicks,
        within=tuple(lasso for lasso in lassos if lasso.inside),
        without=tuple(lasso for lasso in lassos if not lasso.inside),
        strokes=tuple(one for one in prompts.gestures if isinstance(one, Stroke)),
    )


def points_of(box: Box | None, clicks: tuple[Click, ...], *, height: int, width: int, size: int) -> Points:
    """A box and clicks as points of the square picture; the box comes first, as its two corners."""
    places: list[Place] = []
    labels: list[int] = []
    if box is not None:
        places += [(box.left, box.top), (box.right, box.bottom)]
        labels += [2, 3]
    places += [click.place for click in clicks]
    labels += [int(click.inside) for click in clicks]
    scale = np.array([size / width, size / height], np.float32)
    scaled = np.array(places, np.float32).reshape(-1, 2) * scale
    return Points(np.asarray(scaled, np.float32), np.array(labels, np.int64))


def finished(mask: Mask, asked: Asked) -> Mask:
    """The network's mask after lassos and strokes."""
    result = mask.copy()
    if asked.within:
        allowed = np.zeros_like(mask)
        for lasso in asked.within:
            _fill(allowed, lasso.places, 255)
        result[allowed == 0] = 0
    for lasso in asked.without:
        _fill(result, lasso.places, 0)
    for stroke in asked.strokes:
        _draw(result, stroke)
    return result


def _bounds(places: tuple[Place, ...]) -> Box:
    xs, ys = [x for x, _ in places], [y for _, y in places]
    return Box(min(xs), min(ys), max(xs), max(ys))


def _inside(box: Box, *, frame: int, height: int, width: int) -> Box:
    cut = Box(max(box.left, 0), max(box.top, 0), min(box.right, width), min(box.bottom, height))
    if cut.left >= cut.right or cut.top >= cut.bottom:
        raise BadPrompt(
            f"The box in frame {frame} is empty or outside of the picture ({width} x {height}).",
            remedy="Draw the box around the object.",
        )
    return cut


def _fill(mask: Mask, places: tuple[Place, ...], value: int) -> None:
    if len(places) > 2:
        cv2.fillPoly(mask, [_fixed(places)], value, lineType=cv2.LINE_8, shift=_SHIFT)


def _draw(mask: Mask, stroke: Stroke) -> None:
    value, radius = 255 * int(stroke.paints), max(stroke.radius, 0.5)
    thickness = max(1, round(2 * radius))
    fixed = _fixed(stroke.places)
    cv2.polylines(mask, [fixed], isClosed=False, color=value, thickness=thickness, shift=_SHIFT)
    for x, y in fixed.reshape(-1, 2):
        scaled = round(radius * (1 << _SHIFT))
        cv2.circle(mask, (int(x), int(y)), scaled, value, thickness=cv2.FILLED, shift=_SHIFT)


def _fixed(places: tuple[Place, ...]) -> npt.NDArray[np.int32]:
    """Places for OpenCV, whose pixel centres are whole numbers, in sixteenths of a pixel."""
    exact = (np.array(places, np.float64) - 0.5) * (1 << _SHIFT)
    return np.rint(exact).astype(np.int32).reshape(-1, 1, 2)
