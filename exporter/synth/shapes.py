"""Outlines: convex polygons, one per frame, from poses given for all frames at once.

Positions are `[T, 2]` (or `[2]` for all frames), lengths and angles `[T]` or numbers. Every
function returns `[T, P, 2]` float64 in figure units. Angles are radians, clockwise on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from exporter.synth.arrays import Flags, Float64

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a figure.

    Attributes:
        points: `[T, P, 2]` corners, figure units; convex if filled.
        colour: RGB, 0..255.
        line: width of the stroke, figure units; 0 for a filled piece.
        closed: whether a stroke returns to its first point.
        foreign: seen, but not part of the object (its mask leaves it out).
        visible: `[T]` frames it is drawn in; None for all.
    """

    points: Float64
    colour: Colour
    line: float = 0.0
    closed: bool = True
    foreign: bool = False
    visible: Flags | None = None


Figure = tuple[Part, ...]

_CIRCLE = np.linspace(0, 2 * np.pi, 21)[:-1]
_HALF = np.linspace(-np.pi / 2, np.pi / 2, 6)


def at(x: ArrayLike, y: ArrayLike) -> Float64:
    """Positions `[T, 2]` of two coordinates that are `[T]` or numbers."""
    horizontal, vertical = np.broadcast_arrays(np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float))
    return np.stack([horizontal, vertical], axis=1)


def turned(offset: tuple[float, float], angle: ArrayLike) -> Float64:
    """An offset `[T, 2]`, turned."""
    angle = np.atleast_1d(angle).astype(float)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([offset[0] * cos - offset[1] * sin, offset[0] * sin + offset[1] * cos], axis=1)


def _column(value: ArrayLike) -> Float64:
    return np.atleast_1d(value).astype(float)[:, None]


def _posed(x: Float64, y: Float64, centre: ArrayLike, angle: ArrayLike) -> Float64:
    """Corners `[T, P]` twice -> `[T, P, 2]`, turned and moved."""
    cos, sin = np.cos(_column(angle)), np.sin(_column(angle))
    points = np.stack(np.broadcast_arrays(x * cos - y * sin, x * sin + y * cos), axis=2)
    return points + np.atleast_2d(centre)[:, None, :]


def disc(centre: ArrayLike, rx: ArrayLike, ry: ArrayLike | None = None, *, angle: ArrayLike = 0.0) -> Float64:
    """An ellipse of 20 corners; a circle without `ry`."""
    x = _column(rx) * np.cos(_CIRCLE)
    y = _column(rx if ry is None else ry) * np.sin(_CIRCLE)
    return _posed(x, y, centre, angle)


def box(centre: ArrayLike, width: ArrayLike, height: ArrayLike, *, angle: ArrayLike = 0.0) -> Float64:
    """A rectangle around its centre."""
    x = _column(width) / 2 * np.array([-1.0, 1, 1, -1])
    y = _column(height) / 2 * np.array([-1.0, -1, 1, 1])
    return _posed(x, y, centre, angle)


def solid(outline: ArrayLike, centre: ArrayLike = (0.0, 0.0), *, angle: ArrayLike = 0.0) -> Float64:
    """Any outline `[P, 2]`, turned around its origin and moved."""
    corners = np.asarray(outline, float)
    return _posed(corners[None, :, 0], corners[None, :, 1], centre, angle)


def bar(start: ArrayLike, end: ArrayLike, radius: ArrayLike, end_radius: ArrayLike | None = None) -> Float64:
    """A rod with round ends: a limb, a stick, a handle."""
    first, last = np.broadcast_arrays(np.atleast_2d(start).astype(float), np.atleast_2d(end).astype(float))
    along = last - first
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    cos, sin = np.cos(_HALF)[None, :, None], np.sin(_HALF)[None, :, None]
    tail_radius = _column(radius)[:, :, None]
    head_radius = tail_radius if end_radius is None else _column(end_radius)[:, :, None]
    tail = first[:, None] + tail_radius * (-along[:, None] * cos + across[:, None] * -sin)
    head = last[:, None] + head_radius * (along[:, None] * cos + across[:, None] * sin)
    return np.concatenate([tail[:, ::-1], head[:, ::-1]], axis=1)


def path(*corners: Float64) -> Float64:
    """Positions `[T, 2]` each, as one stroke `[T, P, 2]`."""
    return np.stack(np.broadcast_arrays(*corners), axis=1)
