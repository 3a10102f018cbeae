"""One frame of a mask session as it is painted: the picture with the masks of all its objects over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from plugin.controller.masking.views import MaskOverlay
from plugin.controller.overlays import Colour, Overlay, draw_over
from plugin.masks.makers import Mask
from plugin.media.picking import Picture

COLOURS: tuple[Colour, ...] = (
    (255, 64, 128),
    (64, 176, 255),
    (255, 200, 40),
    (120, 220, 120),
    (200, 120, 255),
    (255, 140, 60),
)
"""Of the objects in their order, again from the first after the last."""

_TINT = 0.4


@dataclass(frozen=True, slots=True)
class Layer:
    """One object to paint.

    Attributes:
        mask: of any size, its shape that of the picture.
        colour: of its tint and outline.
    """

    mask: Mask
    colour: Colour


def drawn_over(picture: Picture, layers: Sequence[Layer], mode: MaskOverlay) -> Picture:
    """A picture `[h, w, 3]` with masks over it, or as a matte: white on black, all layers in one."""
    height, width = picture.shape[:2]
    masks = [scaled(layer.mask, width=width, height=height) for layer in layers]
    if mode is MaskOverlay.MATTE:
        matte = np.zeros((height, width), np.uint8)
        for mask in masks:
            matte = np.maximum(matte, mask)
        return np.repeat(matte[..., None], 3, axis=2)
    if mode is MaskOverlay.OFF:
        return picture
    for layer, mask in zip(layers, masks, strict=True):
        opacity = _TINT if mode is MaskOverlay.TINT else 0.0
        picture = draw_over(picture, mask, Overlay(colour=layer.colour, opacity=opacity))
    return picture


def scaled(mask: Mask, *, width: int, height: int) -> Mask:
    """A mask at another size; every pixel of a smaller one is a mean."""
    if mask.shape == (height, width):
        return mask
    smaller = width * height < mask.size
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, (width, height), interpolation=how), np.uint8)


def colour_of(number: int) -> Colour:
    """The colour of an object, by its place from 0."""
    return COLOURS[number % len(COLOURS)]
