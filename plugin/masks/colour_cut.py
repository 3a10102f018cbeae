"""The segmenter without weights: lassos, boxes and clicks become masks by colour, place and edges.

Works in a crop around what was drawn, so films of any size cost the same. Gestures act in their order; a
further click or lasso changes the mask only where it was made, and strokes of the brush come last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plugin.errors import BadPrompt
from plugin.masks.brushing import dabbed, taken_away
from plugin.masks.clicking import DIAMETERS, at_size, corrected
from plugin.masks.gesture_checks import check_gestures
from plugin.masks.makers import Mask, Picture, Segmented
from plugin.masks.object_crops import Crop, Places
from plugin.masks.outlining import Drawn, Outlined, outline
from plugin.masks.overlapping import WHITE, without_strays
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Stroke
from plugin.masks.seeded_grabcut import surrounded

_ROOM = 1.4
"""Side of the crop, relative to the larger side of what was drawn."""

_OWN_CHOICE = 2
"""Which size a lone click gets when none was chosen."""

_SAME = 0.9
"""Overlap (intersection over union) from which on two sizes are one."""


@dataclass(frozen=True, slots=True)
class ColourCut:
    """A `Segmenter` of pictures alone; nothing is downloaded, and nothing is remembered between calls.

    The confidence is the share of the pixels that every one of several tries took for the object, of those
    that any of them did; 1 where a person painted everything.

    Attributes:
        name: "colour-cut".
        version: changes whenever the same prompts may give another mask.
    """

    name: str = "colour-cut"
    version: str = "2"

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        """The mask of the prompted object.

        Args:
            picture: the frame, RGB, [height, width, 3].
            prompts: gestures in pixels of `picture`.
            before: a painted mask, or the one shown so far; gestures then correct it.

        Raises:
            BadPrompt: the gestures cannot mean anything in this picture, or nothing is found under them.
        """
        shape = (picture.shape[0], picture.shape[1])
        if prompts.absent:
            return Segmented(np.zeros(shape, np.uint8), 1.0)
        check_gestures(prompts, shape, started=before is not None)
        shaping = [one for one in prompts.gestures if not isinstance(one, Stroke)]
        strokes = [one for one in prompts.gestures if isinstance(one, Stroke)]
        if before is None and len(shaping) == 1 and isinstance(shaping[0], Click):
            found = _lone_click(picture, shaping[0], prompts.frame)
        else:
            found = _shaped(picture, shaping, before, prompts.frame)
        return _dabbed(found, strokes)


def _dabbed(found: Segmented, strokes: Sequence[Stroke]) -> Segmented:
    if not strokes:
        return found
    candidates = tuple(dabbed(one, strokes) for one in found.candidates)
    return Segmented(dabbed(found.mask, strokes), found.confidence, candidates)


def _shaped(picture: Picture, gestures: Sequence[Gesture], before: Mask | None, frame: int) -> Segmented:
    """What the gestures make of the mask so far, one after the other."""
    mask = np.zeros(picture.shape[:2], np.uint8) if before is None else before
    agreements = []
    for gesture in gestures:
        if isinstance(gesture, Click) and gesture.inside and not (mask >= WHITE).any():
            clicked = _lone_click(picture, gesture, frame)
            mask = clicked.mask
            agreements.append(clicked.confidence)
            continue
        outlined = _begun(picture, gesture)
        if outlined is None:
            mask = _corrected(picture, mask, gesture)
            continue
        crop, found = outlined
        agreements.append(found.agreement)
        mask = crop.laid(found.soft, mask)
    if before is None and gestures and not (mask >= WHITE).any():
        raise _nothing(gestures[0], frame)
    return Segmented(_tidied(mask, before), min(agreements, default=1.0))


def _begun(picture: Picture, gesture: Gesture) -> tuple[Crop, Outlined] | None:
    """The object that a lasso or box was drawn around; None for gestures that only correct."""
    if isinstance(gesture, Box):
        places, act = _corners(gesture), _surrounded_by_box
    elif isinstance(gesture, Lasso) and gesture.inside:
        places, act = np.array(gesture.places, np.float64), _outline_in_lasso
    else:
        return None
    crop = Crop.around(places, picture.shape, room=_ROOM)
    return crop, act(crop.cut(picture), crop.filled(places))


def _outline_in_lasso(picture: Picture, filled: Mask) -> Outlined:
    return outline(Drawn.of(picture, filled))


def _surrounded_by_box(picture: Picture, filled: Mask) -> Outlined:
    return surrounded(picture, filled >= WHITE)


def _corners(box: Box) -> Places:
    sides = ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))
    return np.array(sides, np.float64)


def _corrected(picture: Picture, mask: Mask, gesture: Gesture) -> Mask:
    if isinstance(gesture, Lasso):
        return taken_away(mask, gesture)
    return corrected(picture, mask, gesture) if isinstance(gesture, Click) else mask


def _tidied(mask: Mask, before: Mask | None) -> Mask:
    """Without pieces that are too small to mean anything, unless they were there before."""
    tidy = without_strays(mask)
    return tidy if before is None else np.where(before >= WHITE, mask, tidy)


def _lone_click(picture: Picture, click: Click, frame: int) -> Segmented:
    """All sizes that a click could mean, smallest first."""
    found = [at_size(picture, click.place, size) for size in range(len(DIAMETERS))]
    masks = _growing([(mask, agreement) for mask, agreement in found if (mask >= WHITE).any()])
    if not masks:
        raise _nothing(click, frame)
    wanted = _OWN_CHOICE if click.size is None else click.size
    mask, agreement = masks[min(max(0, wanted), len(masks) - 1)]
    return Segmented(mask, agreement, tuple(one for one, _ in masks))


def _growing(found: list[tuple[Mask, float]]) -> list[tuple[Mask, float]]:
    """From the smallest on, without those that differ from the one before by nothing to speak of."""
    ordered = sorted(found, key=lambda one: int((one[0] >= WHITE).sum()))
    kept = ordered[:1]
    for mask, agreement in ordered[1:]:
        new, last = mask >= WHITE, kept[-1][0] >= WHITE
        if (new & last).sum() < _SAME * (new | last).sum():
            kept.append((mask, agreement))
    return kept


def _nothing(gesture: Gesture, frame: int) -> BadPrompt:
    names = {Click: "under the click", Box: "inside the box", Lasso: "inside the lasso"}
    where = names.get(type(gesture), "there")
    return BadPrompt(
        f"Nothing that stands out was found {where} in frame {frame}.",
        remedy="Draw a lasso just outside the object, or paint it with the brush.",
    )
