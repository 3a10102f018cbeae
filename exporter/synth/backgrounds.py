"""What is behind the objects: plain, graded, patterned, cloudy, tiled, crowded; still or moving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from exporter.synth.arrays import Bytes, Float32, Float64, Random
from exporter.synth.chance import between, chance, pick, whole
from exporter.synth.motion import wander
from exporter.synth.palettes import brightness, draw_colour, lighter
from exporter.synth.shapes import Colour

_MARGIN = 0.25
"""How much larger than the picture its background is painted, on every side."""


@dataclass(frozen=True, slots=True)
class Background:
    """A picture larger than the frame and the way the frame moves over it.

    Attributes:
        picture: `[H', W', 3]`.
        moves: `[T, 2, 3]` affine maps from frame to picture pixels.
        size: pixels of the frame's side.
    """

    picture: Bytes
    moves: Float64
    size: int

    def frame(self, index: int) -> Bytes:
        """The background of one frame, `[H, W, 3]`, new."""
        return cv2.warpAffine(
            self.picture,
            self.moves[index],
            (self.size, self.size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        ).astype(np.uint8, copy=False)


def draw_background(rng: Random, times: Float64, shake: Float64, *, size: int) -> Background:
    """A background of any kind.

    Args:
        rng: where the draws come from.
        times: `[T]` seconds.
        shake: `[T, 2]` pixels the camera moves everything by.
        size: pixels of the frame's side.
    """
    side = round(size * (1 + 2 * _MARGIN))
    picture = pick(rng, _KINDS)(rng, side)
    if chance(rng, 0.6):
        picture = _with_floor(rng, picture)
    if chance(rng, 0.3):
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), between(rng, 0.8, 3.0)), np.uint8)
    return Background(picture, _moves(rng, times, shake, size=size), size)


def _moves(rng: Random, times: Float64, shake: Float64, *, size: int) -> Float64:
    """Camera shake, and sometimes a drift, a slow turn or a slow zoom of its own."""
    reach = _MARGIN * size
    drift = np.zeros((len(times), 2))
    if chance(rng, 0.35):
        drift += np.stack([wander(rng, times, reach=0.5 * reach) for _ in range(2)], axis=1)
    if chance(rng, 0.2):
        speed = rng.uniform(-0.5, 0.5, 2) * reach
        drift += speed * (times - times.mean())[:, None] / max(np.ptp(times), 1e-6)
    angle = wander(rng, times, reach=0.05 if chance(rng, 0.2) else 0.0)
    zoom = 1 + wander(rng, times, reach=0.06 if chance(rng, 0.2) else 0.0)
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], 1), np.stack([sin, cos], 1)], axis=1)
    centre = np.full(2, size / 2)
    start = centre * (1 + 2 * _MARGIN) + drift - shake - turn @ centre
    return np.concatenate([turn, start[:, :, None]], axis=2)


def _plain(rng: Random, side: int) -> Bytes:
    return np.full((side, side, 3), draw_colour(rng), np.uint8)


def _graded(rng: Random, side: int) -> Bytes:
    corners = np.array(
        [[draw_colour(rng), draw_colour(rng)], [draw_colour(rng), draw_colour(rng)]], np.float32
    )
    if chance(rng, 0.5):
        corners[1] = corners[0] * between(rng, 0.4, 0.9)
    return np.asarray(cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _cloudy(rng: Random, side: int) -> Bytes:
    cloud = np.zeros((side, side, 3), np.float32)
    for cells in (3, 7, 17, 43):
        grid = rng.standard_normal((cells, cells, 3 if chance(rng, 0.4) else 1), dtype=np.float32)
        layer = cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)
        cloud += layer.reshape(side, side, -1) * (4.0 / cells) ** between(rng, 0.3, 0.9)
    return _coloured(rng, cloud, depth=between(rng, 12, 45))


def _patterned(rng: Random, side: int) -> Bytes:
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    angle = pick(rng, (0.0, np.pi / 2, between(rng, 0, np.pi)))
    period = between(rng, 6, 40)
    along = np.sin((columns * np.cos(angle) + rows * np.sin(angle)) * (2 * np.pi / period))
    across = np.sin((rows * np.cos(angle) - columns * np.sin(angle)) * (2 * np.pi / period))
    wave = pick(rng, (along, np.sign(along), np.sign(along * across), np.maximum(along, across)))
    return _coloured(rng, np.repeat(wave[:, :, None], 3, axis=2), depth=between(rng, 6, 40))


def _coloured(rng: Random, pattern: Float32, *, depth: float) -> Bytes:
    base = np.array(draw_colour(rng), np.float32)
    tint = rng.uniform(0.5, 1.0, 3).astype(np.float32)
    spread = max(float(pattern.std()), 1e-6)
    return np.clip(base + depth * tint * pattern / spread, 0, 255).astype(np.uint8)


def _crowded(rng: Random, side: int) -> Bytes:
    """Many unrelated things: boxes, discs, lines."""
    picture = _graded(rng, side)
    for _ in range(whole(rng, 8, 40)):
        x, y, reach = (int(v) for v in rng.integers(0, side, 3))
        colour = draw_colour(rng)
        kind, half = whole(rng, 0, 2), 2 + reach // 8
        if kind == 0:
            cv2.rectangle(picture, (x - half, y - half // 2), (x + half, y + half), colour, -1)
        elif kind == 1:
            cv2.circle(picture, (x, y), half, colour, -1 if chance(rng, 0.7) else 2, cv2.LINE_AA)
        else:
            cv2.line(picture, (x, y), (reach, side - x), colour, whole(rng, 1, 4), cv2.LINE_AA)
    return picture


def _bricks(rng: Random, side: int) -> Bytes:
    joint, stone = draw_colour(rng), draw_colour(rng)
    picture = np.full((side, side, 3), joint, np.uint8)
    height, width = whole(rng, 7, 22), whole(rng, 12, 40)
    for row, top in enumerate(range(0, side, height)):
        for left in range(-width * (row % 2) // 2, side, width):
            colour: Colour = lighter(stone, between(rng, -0.2, 0.2))
            cv2.rectangle(picture, (left + 1, top + 1), (left + width - 1, top + height - 1), colour, -1)
    return picture


def _bokeh(rng: Random, side: int) -> Bytes:
    picture = np.full((side, side, 3), lighter(draw_colour(rng), -0.5), np.uint8)
    for _ in range(whole(rng, 10, 30)):
        centre = (int(rng.integers(side)), int(rng.integers(side)))
        cv2.circle(picture, centre, whole(rng, 3, max(4, side // 9)), draw_colour(rng), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), between(rng, 2, 5)), np.uint8)


_KINDS: tuple[Callable[[Random, int], Bytes], ...] = (
    _plain,
    _graded,
    _cloudy,
    _cloudy,
    _patterned,
    _crowded,
    _bricks,
    _bokeh,
)


def _with_floor(rng: Random, picture: Bytes) -> Bytes:
    """The picture with a floor in its lower part: another tone, boards or tiles."""
    side = len(picture)
    top = round(side * between(rng, 0.55, 0.8))
    colour = draw_colour(rng)
    floor = picture.copy()
    shade = np.linspace(1.0, between(rng, 0.6, 1.3), side - top)[:, None, None]
    floor[top:] = np.clip(np.array(colour) * shade, 0, 255).astype(np.uint8)
    ink = lighter(colour, -0.3 if brightness(colour) > 0.3 else 0.3)
    if chance(rng, 0.5):
        vanishing = int(rng.integers(side))
        for foot in range(-side, 2 * side, max(6, side // whole(rng, 5, 14))):
            cv2.line(floor, (vanishing + (foot - vanishing) // 3, top), (foot, side), ink, 1, cv2.LINE_AA)
    return floor
