"""Between the film's pixels and OWLv2's square ones: the picture in, boxes and scores out.

The square is the whole picture with grey below it or at its right (its makers' own way), so that boxes are
relative to the picture's longer side.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models_onnx.finder_manifest import FinderPictureSpec
from plugin.masks.makers import Candidate, Picture
from plugin.masks.prompts import Box

Float = npt.NDArray[np.float32]

MOST_CANDIDATES = 9
"""As many as there are digits to choose with."""

_LOOKED_AT = 200
"""Boxes that are compared with each other; the others score less."""

_ARTICLES = frozenset({"a", "an", "the"})
_WHOLE = ("photo of", "picture of", "image of")
"""How words begin that are a sentence of their own."""


def network_picture(picture: Picture, spec: FinderPictureSpec) -> Float:
    """Network input [1, 3, size, size] of a frame; one channel at a time, for frames of 8K."""
    planes = [
        (_shrunk(picture[:, :, channel], spec) - np.float32(mean)) / np.float32(std)
        for channel, mean, std in zip(range(3), spec.mean, spec.std, strict=True)
    ]
    return np.ascontiguousarray(np.stack(planes), np.float32)[None]


def _shrunk(channel: npt.NDArray[np.uint8], spec: FinderPictureSpec) -> Float:
    """One channel 0..1 in the square: padded, smoothed by half of what it shrinks, bilinear."""
    height, width = channel.shape
    side = max(height, width)
    square = np.full((side, side), spec.padding, np.float32)
    square[:height, :width] = channel.astype(np.float32) / np.float32(255)
    sigma = (side / spec.size - 1) / 2
    if sigma > 0:
        reach = int(4 * sigma + 0.5)
        kernel = (2 * reach + 1, 2 * reach + 1)
        square = np.asarray(cv2.GaussianBlur(square, kernel, sigma, borderType=cv2.BORDER_REFLECT_101))
    resized = cv2.resize(square, (spec.size, spec.size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)


def candidates(
    logits: Float,
    boxes: Float,
    *,
    height: int,
    width: int,
    words: str,
    least_score: float,
    most_overlap: float,
) -> tuple[Candidate, ...]:
    """What a picture's patches say, as places in source pixels, the best first, at most nine.

    Args:
        logits: of every patch, [patches].
        boxes: centre and size relative to the square, [patches, 4].
        height: of the frame.
        width: of the frame.
        words: that were looked for.
        least_score: scores up to this do not count.
        most_overlap: of two boxes with more intersection over union than this the better one counts.
    """
    scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
    corners = _corners(boxes.astype(np.float64) * max(height, width), height=height, width=width)
    sides = corners[:, 2:] - corners[:, :2]
    counts = np.flatnonzero((scores > least_score) & (sides >= 1).all(axis=1))
    order = counts[np.argsort(-scores[counts], kind="stable")][:_LOOKED_AT]
    kept = _apart(corners[order], most_overlap)[:MOST_CANDIDATES]
    return tuple(Candidate(_box(corners[at], words), float(scores[at])) for at in order[kept])


def _box(corners: npt.NDArray[np.float64], words: str) -> Box:
    left, top, right, bottom = (round(float(side), 1) for side in corners)
    return Box(left, top, right, bottom, words)


def _corners(boxes: npt.NDArray[np.float64], *, height: int, width: int) -> npt.NDArray[np.float64]:
    """Left, top, right, bottom, cut to the frame."""
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    both = np.concatenate([centre - half, centre + half], axis=1)
    return np.asarray(np.clip(both, 0, [width, height, width, height]))


def _apart(corners: npt.NDArray[np.float64], most_overlap: float) -> list[int]:
    """Of boxes, the best first, the numbers of those that overlap no better one too much."""
    kept: list[int] = []
    for number in range(len(corners)):
        if not kept or overlaps(corners[number], corners[kept]).max() <= most_overlap:
            kept.append(number)
    return kept


def overlaps(box: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Intersection over union of one box with others [n, 4]; 0 where neither has an area."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    union = areas - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


def sentence(words: str, prompt: str) -> str:
    """What the text graph is asked: the words in the bundle's sentence, without an article of their own."""
    plain = " ".join(words.split())
    first, _, rest = plain.partition(" ")
    named = rest if first.casefold() in _ARTICLES and rest else plain
    return plain if named.casefold().startswith(_WHOLE) else prompt.replace("{}", named)
