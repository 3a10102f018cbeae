"""What editors' mattes are really like: too large, too small, soft, late, held, coarse, misplaced.

All functions take masks `[T, H, W]` uint8, 0..255, and return new ones of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from exporter.synth.arrays import Bytes, Random
from exporter.synth.chance import between, pick, whole


def _each(masks: Bytes, change: Callable[[Bytes], object]) -> Bytes:
    return np.stack([np.asarray(change(mask), np.uint8) for mask in masks])


def _round_kernel(pixels: int) -> Bytes:
    return np.asarray(
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1)), np.uint8
    )


def dilated(masks: Bytes, *, pixels: int) -> Bytes:
    """Grown by so many pixels on all sides."""
    kernel = _round_kernel(pixels)
    return _each(masks, lambda mask: cv2.dilate(mask, kernel))


def eroded(masks: Bytes, *, pixels: int) -> Bytes:
    """Shrunk by so many pixels; what would vanish from a frame stays as it was."""
    kernel = _round_kernel(pixels)

    def shrink(mask: Bytes) -> Bytes:
        smaller = np.asarray(cv2.erode(mask, kernel), np.uint8)
        return smaller if smaller.any() else mask

    return _each(masks, shrink)


def blurred(masks: Bytes, *, sigma: float) -> Bytes:
    """With soft edges."""
    return _each(masks, lambda mask: cv2.GaussianBlur(mask, (0, 0), sigma))


def held_every(masks: Bytes, *, frames: int) -> Bytes:
    """Drawn in every n-th frame only, and kept until the next."""
    return masks[np.arange(len(masks)) // frames * frames]


def union(masks: Bytes) -> Bytes:
    """One still matte that covers all the object ever covers."""
    return np.broadcast_to(masks.max(axis=0), masks.shape).copy()


def boxed(masks: Bytes) -> Bytes:
    """The rectangle around the object in each frame."""
    return _each(masks, _box)


def still_box(masks: Bytes) -> Bytes:
    """One still rectangle: a garbage matte."""
    return np.broadcast_to(_box(masks.max(axis=0)), masks.shape).copy()


def _box(mask: Bytes) -> Bytes:
    left, top, width, height = cv2.boundingRect(mask)
    result = np.zeros_like(mask)
    result[top : top + height, left : left + width] = 255
    return result


def shifted(masks: Bytes, *, right: int, down: int) -> Bytes:
    """Moved by whole pixels; what leaves the frame is lost."""
    move = np.array([[1, 0, right], [0, 1, down]], np.float32)
    size = (masks.shape[2], masks.shape[1])
    return _each(masks, lambda mask: cv2.warpAffine(mask, move, size, flags=cv2.INTER_NEAREST))


def jittered(masks: Bytes, rng: Random, *, pixels: int) -> Bytes:
    """Moved in every frame by a few pixels of its own."""
    moves = rng.integers(-pixels, pixels + 1, (len(masks), 2))
    return np.concatenate(
        [shifted(mask[None], right=int(x), down=int(y)) for mask, (x, y) in zip(masks, moves, strict=True)]
    )


def late(masks: Bytes, *, frames: int) -> Bytes:
    """Behind (above 0) or ahead of the picture by so many frames."""
    return masks[np.clip(np.arange(len(masks)) - frames, 0, len(masks) - 1)]


def _pixels(masks: Bytes, share: float) -> int:
    return max(1, round(share * masks.shape[1]))


PERTURBATIONS: Mapping[str, Callable[[Bytes, Random], Bytes]] = {
    "dilated": lambda masks, rng: dilated(masks, pixels=_pixels(masks, between(rng, 0.01, 0.04))),
    "eroded": lambda masks, rng: eroded(masks, pixels=_pixels(masks, between(rng, 0.005, 0.02))),
    "blurred": lambda masks, rng: blurred(masks, sigma=between(rng, 0.008, 0.03) * masks.shape[1]),
    "held": lambda masks, rng: held_every(masks, frames=whole(rng, 2, 6)),
    "union": lambda masks, _: union(masks),
    "boxed": lambda masks, _: boxed(masks),
    "still_box": lambda masks, _: still_box(masks),
    "shifted": lambda masks, rng: shifted(
        masks,
        right=round(between(rng, -0.04, 0.04) * masks.shape[2]),
        down=round(between(rng, -0.04, 0.04) * masks.shape[1]),
    ),
    "jittered": lambda masks, rng: jittered(masks, rng, pixels=_pixels(masks, between(rng, 0.005, 0.02))),
    "late": lambda masks, rng: late(masks, frames=whole(rng, -1, 2)),
}
"""Every way a matte goes wrong, each with random strength."""


def perturbed(masks: Bytes, rng: Random, *, names: tuple[str, ...] = tuple(PERTURBATIONS)) -> Bytes:
    """The masks gone wrong in one of these ways.

    Raises:
        KeyError: no perturbation of such a name.
    """
    return PERTURBATIONS[pick(rng, names)](masks, rng)
