"""Between the film's pixels and SAM 2.1's square ones: pictures, masks, logits, numbers of 16 bits.

The square is the whole picture squashed, its aspect not kept (spec section 1).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from models_onnx.mask_manifest import MaskPictureSpec
from plugin.masks.makers import Mask, Picture

Float = npt.NDArray[np.float32]
Half = npt.NDArray[np.uint16]

INSIDE_FROM = 128
"""The least value of a mask that lies on the object."""
_STRIP_ROWS = 256
"""Rows that are turned to bytes at a time: a frame of 8K would take a gigabyte at once."""
GIVEN_LOGIT = 10.0
"""A given mask's logits are this or minus this (spec section 8)."""


def squashed(picture: Picture, size: int) -> Picture:
    """The picture [size, size, 3]: each pixel the mean of the area it covers, or bilinear where enlarged."""
    shrinks = picture.shape[0] >= size and picture.shape[1] >= size
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), (size, size), interpolation=how), np.uint8)


def normalised(square: Picture, spec: MaskPictureSpec) -> Float:
    """Network input [1, 3, size, size] of a squashed picture."""
    mean, std = (np.asarray(values, np.float32) for values in (spec.mean, spec.std))
    scaled = (square.astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32)[None]


def enlarged(logits: Float, *, height: int, width: int) -> Float:
    """Logits [h, w] at another size, bilinear, half-pixel centres."""
    resized = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)


def soft_mask(logits: Float, *, height: int, width: int) -> Mask:
    """The mask of logits [h, w] at the film's size; from 128 on exactly where the logit is above 0."""
    whole = enlarged(logits, height=height, width=width)
    mask = np.empty((height, width), np.uint8)
    for start in range(0, height, _STRIP_ROWS):
        strip = whole[start : start + _STRIP_ROWS]
        values = np.rint(255 * probability(strip))
        inside, outside = np.maximum(values, INSIDE_FROM), np.minimum(values, INSIDE_FROM - 1)
        mask[start : start + _STRIP_ROWS] = np.where(strip > 0, inside, outside)
    return mask


def probability(logits: Float) -> Float:
    """The logistic function."""
    return np.exp(-np.logaddexp(np.float32(0), -logits))


def squashed_mask(mask: Mask, size: int) -> npt.NDArray[np.bool_]:
    """A mask of the film as the model is given one, [size, size]: resized smoothly, cut at a half.

    Something so small that nothing reaches a half is cut at half of its highest value.
    """
    values = antialiased(mask.astype(np.float32) / np.float32(255), height=size, width=size)
    half = INSIDE_FROM / 255
    return values >= half if (mask < INSIDE_FROM).all() else values >= min(half, float(values.max()) / 2)


def antialiased(values: Float, *, height: int, width: int) -> Float:
    """Values [h, w] at another size, bilinear with a kernel as wide as a pixel of the smaller grid."""
    rows, columns = (
        _smooth_weights(source, target) for source, target in zip(values.shape, (height, width), strict=True)
    )
    resized: Float = np.asarray(rows @ values @ columns.T, np.float32)
    return resized


@lru_cache(maxsize=16)
def _smooth_weights(source: int, target: int) -> Float:
    """Weights [target, source] of a triangle whose half width is one pixel of the coarser grid."""
    scale = source / target
    stretch = max(scale, 1.0)
    centres = (np.arange(target) + 0.5) * scale
    distance = np.abs(np.arange(source)[None] + 0.5 - centres[:, None]) / stretch
    weights = np.maximum(1 - distance, 0)
    normal: Float = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return normal


def to_bfloat16(values: Float) -> Half:
    """The upper halves of float32 numbers, rounded to nearest even; the published predictor keeps these."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) >> np.uint32(16)).astype(np.uint16)


def from_bfloat16(halves: Half) -> Float:
    """Back to float32."""
    widened: Float = (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return widened
