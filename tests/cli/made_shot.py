"""A shot of which the true masks are known: a spotted ball slides over a patterned wall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.media_factory import Made, make_movie

RATE, FRAMES = 24, 30
WIDTH, HEIGHT = 192, 128
RADIUS = 18
STEP = 2

_noise = np.random.default_rng(7)
_WALL = cv2.GaussianBlur(_noise.integers(40, 110, (HEIGHT, WIDTH, 3)).astype(np.uint8), (0, 0), 2)
_BALL = cv2.GaussianBlur(_noise.integers(0, 90, (2 * RADIUS + 1,) * 2).astype(np.uint8), (0, 0), 1.5)


def centre(frame: int) -> tuple[int, int]:
    """Of the ball, in pixels."""
    return 40 + STEP * frame, 64


def true_mask(frame: int) -> NDArray[np.bool_]:
    x, y = np.ogrid[:WIDTH, :HEIGHT]
    across, down = centre(frame)
    return ((x - across) ** 2 + (y - down) ** 2 <= RADIUS**2).T


def draw(frame: int) -> NDArray[np.uint8]:
    """RGB of a frame."""
    picture = _WALL.copy()
    x, y = centre(frame)
    there = (slice(y - RADIUS, y + RADIUS + 1), slice(x - RADIUS, x + RADIUS + 1))
    inside = true_mask(frame)[there]
    ball = np.stack([165 + _BALL, 60 + _BALL // 2, 30 + _BALL // 3], axis=2)
    picture[there][inside] = ball[inside]
    return picture


def make_shot(path: Path, **more: Any) -> Made:
    return make_movie(
        path, **{"rate": RATE, "frames": FRAMES, "draw": draw, "options": {"crf": "12"}, **more}
    )


def lasso(frame: int = 0, *, out: int = 2) -> list[str]:
    """A line around the ball, some pixels outside, as typed."""
    angles = np.linspace(0, 2 * np.pi, 17)[:-1]
    x, y = centre(frame)
    away = RADIUS + out
    return [f"{x + 0.5 + away * np.cos(a):.1f},{y + 0.5 + away * np.sin(a):.1f}" for a in angles]


def likeness(mask: NDArray[np.uint8], frame: int) -> float:
    """Intersection over union with the truth."""
    found, true = mask >= 128, true_mask(frame)
    return float((found & true).sum() / (found | true).sum())
