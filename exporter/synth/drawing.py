"""Figures onto frames: from outlines to layers of integer corners, and from layers to pixels.

All corners of all frames are computed before the first frame is painted; painting is then a plain
loop over OpenCV calls. Beside the picture an id map is painted without antialiasing: the id of the
object that is seen at each pixel. It gives all masks, and whatever is in front occludes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from exporter.synth.arrays import Bytes, Flags, Float64, Int32
from exporter.synth.palettes import lighter
from exporter.synth.shapes import Colour, Figure, Part
from exporter.synth.styles import Style

_SHIFT = 4
_UNIT = 1 << _SHIFT
_FAR = 30_000


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a figure is.

    Attributes:
        offset: `[T, 2]` pixels of the figure's origin.
        scale: `[T]` pixels per figure unit.
        stretch: horizontal scale beside the vertical one; negative mirrors.
        lean: radians the whole figure is turned.
    """

    offset: Float64
    scale: Float64
    stretch: float = 1.0
    lean: float = 0.0

    def pixels(self, points: Float64) -> Float64:
        """Figure units `[T or 1, P, 2]` to pixels `[T, P, 2]`."""
        cos, sin = np.cos(self.lean), np.sin(self.lean)
        turn = np.array([[cos, sin], [-sin, cos]])
        local = (points @ turn) * np.array([self.stretch, 1.0])
        return local * self.scale[:, None, None] + self.offset[:, None, :]


@dataclass(frozen=True, slots=True)
class Layer:
    """One OpenCV call per frame.

    Attributes:
        corners: `[T, P, 2]` in sixteenths of a pixel.
        colour: RGB.
        width: pixels of the stroke; 0 fills.
        closed: whether a stroke returns to its start.
        identity: what it writes into the id map; -1 leaves the map alone.
        visible: `[T]` frames it is painted in; None for all.
    """

    corners: Int32
    colour: Colour
    width: int = 0
    closed: bool = True
    identity: int = -1
    visible: Flags | None = None


def layers_of(figure: Figure, placement: Placement, style: Style, *, identity: int) -> tuple[Layer, ...]:
    """All layers of a figure, back to front.

    Args:
        figure: what to draw.
        placement: where it is in every frame.
        style: how it is drawn.
        identity: its id, 1..255; foreign parts get 0.
    """
    frames = len(placement.scale)
    return tuple(
        layer
        for part in figure
        for layer in _layers_of_part(part, placement, style, identity=identity, frames=frames)
    )


def _layers_of_part(
    part: Part, placement: Placement, style: Style, *, identity: int, frames: int
) -> Iterator[Layer]:
    pixels = np.broadcast_to(placement.pixels(part.points), (frames, *part.points.shape[1:]))
    owner = 0 if part.foreign else identity
    colour = style.tinted(part.colour)
    if part.line:
        width = max(1, round(part.line * float(np.median(placement.scale))))
        yield Layer(_fixed(pixels), colour, width, part.closed, owner, part.visible)
        return
    yield Layer(_fixed(pixels), colour, identity=owner, visible=part.visible)
    for inset in style.shading:
        shifted = _inset(pixels, keep=inset.keep, towards=inset.towards)
        yield Layer(_fixed(shifted), lighter(colour, inset.lightness), visible=part.visible)
    if style.outline:
        edge = style.outline_colour or lighter(part.colour, -0.6)
        yield Layer(_fixed(pixels), edge, style.outline, identity=owner, visible=part.visible)


def _inset(pixels: Float64, *, keep: float, towards: tuple[float, float]) -> Float64:
    centre = pixels.mean(axis=1, keepdims=True)
    reach = np.abs(pixels - centre).max(axis=1, keepdims=True)
    return centre + (pixels - centre) * keep + reach * (1 - keep) * np.asarray(towards)


def _fixed(pixels: Float64) -> Int32:
    return np.rint(np.clip(pixels * _UNIT, -_FAR, _FAR)).astype(np.int32)


def paint(frame: Bytes, ids: Bytes, layers: Sequence[Layer], index: int) -> None:
    """Paints one frame's layers, in place.

    Args:
        frame: `[H, W, 3]` RGB.
        ids: `[H, W]`.
        layers: back to front.
        index: which frame, from 0.
    """
    for layer in layers:
        if layer.visible is not None and not layer.visible[index]:
            continue
        corners = layer.corners[index]
        if layer.width:
            _stroke(frame, ids, layer, corners)
            continue
        cv2.fillConvexPoly(frame, corners, layer.colour, cv2.LINE_AA, _SHIFT)
        if layer.identity >= 0:
            cv2.fillConvexPoly(ids, corners, (layer.identity,), cv2.LINE_8, _SHIFT)


def _stroke(frame: Bytes, ids: Bytes, layer: Layer, corners: Int32) -> None:
    cv2.polylines(frame, [corners], layer.closed, layer.colour, layer.width, cv2.LINE_AA, _SHIFT)
    if layer.identity >= 0:
        cv2.polylines(ids, [corners], layer.closed, (layer.identity,), layer.width, cv2.LINE_8, _SHIFT)
