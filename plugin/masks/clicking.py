"""What clicks mean: an object of one of several sizes, or a small correction where the click is."""

from __future__ import annotations

import cv2
import numpy as np

from plugin.masks.colour_models import Flags
from plugin.masks.makers import Mask, Picture
from plugin.masks.object_crops import Crop
from plugin.masks.overlapping import WHITE
from plugin.masks.prompts import Click, Place
from plugin.masks.seeded_grabcut import surrounded

DIAMETERS = (0.08, 0.14, 0.24, 0.4, 0.65)
"""Of the circles in which an object is looked for, relative to the picture's shorter side."""

_SURE = 0.12
"""Radius around the click that is the object in any case, relative to the circle's."""

_ROOM = 1.4
_PIXELS = 120
"""Longer side of the crop of one size: several are tried, and one must be answered at once."""

_LEAST_RADIUS = 3.0

_REACH = 0.15
"""Radius in which a correction acts, relative to the longer side of the mask's extent..."""

_REACH_LEAST = 0.012
"""...but at least this share of the picture's shorter side."""

_ALIKE = 9.0
"""Colour distance (CIELAB) from the click that a correction spreads over."""


def at_size(picture: Picture, place: Place, size: int) -> tuple[Mask, float]:
    """The object under a click if it is of one of the sizes, and how sure that is.

    Args:
        picture: RGB, [height, width, 3].
        place: of the click, source pixels.
        size: index into `DIAMETERS`.
    """
    empty = np.zeros(picture.shape[:2], np.uint8)
    radius = max(_LEAST_RADIUS, DIAMETERS[size] * min(picture.shape[:2]) / 2)
    crop = _around(picture, place, radius * _ROOM)
    own = _in_crop(crop, place)
    inside = _disc(crop, own, radius * crop.scale)
    sure = _disc(crop, own, max(1.5, _SURE * radius * crop.scale))
    found = surrounded(crop.cut(picture), inside, sure=sure)
    soft = np.where(_piece_at(found.soft >= 0.5, own, grown=1), found.soft, 0).astype(np.float32)
    return crop.laid(soft, empty), found.agreement


def corrected(picture: Picture, mask: Mask, click: Click) -> Mask:
    """A mask with what looks like the click's place, near it, added or taken away; the rest stays.

    A click that says what the mask says already changes nothing.
    """
    x, y = int(click.place[0]), int(click.place[1])
    if (mask[y, x] >= WHITE) == click.inside:
        return mask
    radius = _reach(mask)
    crop = _around(picture, click.place, radius * 1.1)
    own = _in_crop(crop, click.place)
    alike = _alike(crop.cut(picture), own) & _disc(crop, own, radius * crop.scale)
    piece = _piece_at(alike, own, grown=0).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(piece, (0, 0), 0.7), np.float32)
    if click.inside:
        return crop.laid(soft, mask)
    new = crop.laid(soft, np.zeros_like(mask))
    return np.minimum(mask, 255 - new)


def _reach(mask: Mask) -> float:
    _, _, width, height = cv2.boundingRect((mask >= WHITE).astype(np.uint8))
    return float(max(_REACH * max(width, height), _REACH_LEAST * min(mask.shape), _LEAST_RADIUS))


def _around(picture: Picture, place: Place, half: float) -> Crop:
    middle = np.array(place)
    return Crop.around(np.stack([middle - half, middle + half]), picture.shape, room=1.0, pixels=_PIXELS)


def _in_crop(crop: Crop, place: Place) -> Place:
    across, down = crop.size[0] / crop.width, crop.size[1] / crop.height
    return (place[0] - crop.left) * across, (place[1] - crop.top) * down


def _disc(crop: Crop, place: Place, radius: float) -> Flags:
    down, right = np.mgrid[: crop.size[1], : crop.size[0]] + 0.5
    return np.asarray((right - place[0]) ** 2 + (down - place[1]) ** 2 <= radius**2)


def _alike(picture: Picture, place: Place) -> Flags:
    """Where the colour is about that of the place."""
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 1).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    x, y = _cell(picture.shape, place)
    around = lab[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].reshape(-1, 3)
    return np.asarray(np.linalg.norm(lab - np.median(around, axis=0), axis=2) <= _ALIKE)


def _piece_at(flags: Flags, place: Place, *, grown: int) -> Flags:
    """The connected piece at a place, or within `grown` pixels of it; none where nothing is."""
    _, pieces = cv2.connectedComponents(flags.astype(np.uint8), connectivity=8)
    x, y = _cell(flags.shape, place)
    near = pieces[max(0, y - grown) : y + grown + 1, max(0, x - grown) : x + grown + 1]
    number = int(near.max(initial=0))
    return np.asarray(pieces == number) if number else np.zeros_like(flags)


def _cell(shape: tuple[int, ...], place: Place) -> tuple[int, int]:
    return min(int(place[0]), shape[1] - 1), min(int(place[1]), shape[0] - 1)
