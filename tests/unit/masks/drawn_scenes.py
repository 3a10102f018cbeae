"""Small drawn sequences with true masks: a patterned thing on a patterned ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

WIDE, HIGH = 160, 112


def ground(seed: int = 1, *, high: int = HIGH, wide: int = WIDE) -> Bytes:
    """A blotchy green and blue picture."""
    noise = np.random.default_rng(seed).uniform(0, 255, (high // 8, wide // 8, 3)).astype(np.float32)
    blotches = cv2.resize(noise, (wide, high), interpolation=cv2.INTER_CUBIC)
    return np.clip(blotches * (0.2, 0.6, 0.7), 0, 255).astype(np.uint8)


def thing(angle: float = 0.0, *, side: int = 28) -> tuple[Bytes, Bytes]:
    """A striped red square with a yellow corner, turned by degrees: its picture and its mask."""
    room = side * 2
    picture, mask = np.zeros((room, room, 3), np.uint8), np.zeros((room, room), np.uint8)
    low, top = side // 2, side // 2 + side
    picture[low:top, low:top] = (200, 60, 50)
    picture[low:top:4, low:top] = (150, 20, 30)
    picture[low : low + side // 3, low : low + side // 3] = (240, 220, 60)
    mask[low:top, low:top] = 255
    turn = cv2.getRotationMatrix2D((room / 2 - 0.5, room / 2 - 0.5), angle, 1)
    turned = [cv2.warpAffine(part, turn, (room, room)) for part in (picture, mask)]
    return np.asarray(turned[0], np.uint8), np.asarray(turned[1], np.uint8)


@dataclass
class Drawn:
    """Pictures by number, and the true masks.

    Attributes:
        pictures: of equal size unless a test wants otherwise.
        masks: of what is seen.
        looked_at: the frames that were asked for.
    """

    pictures: list[Bytes] = field(default_factory=list)
    masks: list[Bytes] = field(default_factory=list)
    looked_at: list[int] = field(default_factory=list)

    def picture(self, frame: int) -> Bytes:
        self.looked_at.append(frame)
        return self.pictures[frame]

    def add(
        self,
        place: tuple[float, float],
        *,
        angle: float = 0.0,
        bar: tuple[int, int] | None = None,
        ground_seed: int = 1,
    ) -> None:
        """One more frame, with the thing's middle at a place perhaps behind a grey bar (left, right)."""
        shape, cover = thing(angle)
        half = shape.shape[0] / 2
        move = np.float32([[1, 0, place[0] - half], [0, 1, place[1] - half]])
        shape, cover = (np.asarray(cv2.warpAffine(part, move, (WIDE, HIGH))) for part in (shape, cover))
        alpha = cover[..., None] / 255
        picture = np.rint(ground(ground_seed) * (1 - alpha) + shape * (cover[..., None] > 0) * alpha).astype(
            np.uint8
        )
        if bar is not None:
            picture[:, bar[0] : bar[1]] = (120, 120, 120)
            cover[:, bar[0] : bar[1]] = 0
        self.pictures.append(picture)
        self.masks.append(np.where(cover >= 128, np.uint8(255), np.uint8(0)))


def moving(
    places: Sequence[tuple[float, float]],
    *,
    angles: Sequence[float] | None = None,
    bar: tuple[int, int] | None = None,
    ground_seed: int = 1,
) -> Drawn:
    """The thing at each of the places, turned by each of the angles."""
    scene = Drawn()
    for place, angle in zip(places, angles or [0.0] * len(places), strict=True):
        scene.add(place, angle=angle, bar=bar, ground_seed=ground_seed)
    return scene


def sliding(count: int = 10, *, step: float = 4.0) -> Drawn:
    """From the left to the right."""
    return moving([(40 + step * k, 56) for k in range(count)])


def overlap(mask: Bytes, truth: Bytes) -> float:
    """Intersection over union; 1 where both are empty."""
    found, true = mask >= 128, truth >= 128
    union = int((found | true).sum())
    return float((found & true).sum()) / union if union else 1.0
