"""Picture resizing as the networks saw it in training: antialiased bicubic, and bilinear enlargement.

Both are separable. The weights of one axis form a banded matrix; bands of neighbouring output pixels
are multiplied as small dense blocks, which keeps the work near the number of taps and inside BLAS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Double = npt.NDArray[np.float64]

_BICUBIC_A = -0.5
_STRIP_ROWS = 128
"""Most rows turned to float at a time; a strip of a wide picture stays in the processor's cache."""
_ALONE = 2**18
"""Products of at most this many multiplications are not split over threads by BLAS. Ours are so many and so
short that handing them out costs more than they do: four times more on a busy machine."""
_COLUMN_VALUES = 16
"""Most values that one product gives along a row: OpenBLAS works on sixteen at a time, and a wider block
multiplies more zeros."""
_ROW_BLOCK = 16


@dataclass(frozen=True, slots=True)
class Section:
    """Which pixels of a resized axis are wanted: `[first, first + count)` out of `size`."""

    size: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class _Band:
    """Output pixels `[out_start, out_end)` from input pixels `[in_start, in_end)`."""

    out_start: int
    out_end: int
    in_start: int
    in_end: int
    weights: Float


def whole(size: int) -> Section:
    """Every pixel of an axis resized to `size`."""
    return Section(size, 0, size)


def bicubic_weights(source: int, section: Section) -> Double:
    """Weights `[count, source]` of antialiased bicubic resizing along one axis (spec 1.3).

    Kernel with a = -0.5, support `2 * max(scale, 1)`, half-pixel centres, rows sum to 1; before rounding.
    """
    scale = source / section.size
    stretch = max(scale, 1.0)
    centres = (np.arange(section.first, section.first + section.count) + 0.5) * scale
    first = np.maximum((centres - 2 * stretch + 0.5).astype(np.int64), 0)
    end = np.minimum((centres + 2 * stretch + 0.5).astype(np.int64), source)
    pixels = np.arange(source)
    distance = np.abs((pixels[None] + 0.5 - centres[:, None]) / stretch)
    inside = (pixels[None] >= first[:, None]) & (pixels[None] < end[:, None])
    weights = _bicubic(distance) * inside
    normalised: Double = weights / weights.sum(axis=1, keepdims=True)
    return normalised


def _bicubic(d: Double) -> Double:
    a = _BICUBIC_A
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = (((d - 5) * d + 8) * d - 4) * a
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


@lru_cache(maxsize=64)
def _precision(source: int, target: int) -> int:
    """Bits behind the point that weights of an axis have: as many as 16 bits and a sign can hold, at most 22.

    [MATCH] The reference resizes uint8 pictures with torch, whose weights are such integers (spec 1.3).
    """
    largest = float(bicubic_weights(source, whole(target)).max())
    fitting = (bits for bits in range(1, 23) if int(0.5 + largest * 2**bits) < 2**15)
    return max(fitting, default=0)


def _as_integers(weights: Double, bits: int) -> Float:
    """Weights rounded, halves away from 0, to so many bits behind the point."""
    scaled = weights * 2.0**bits
    whole_numbers = np.where(scaled < 0, np.ceil(scaled - 0.5), np.floor(scaled + 0.5))
    return (whole_numbers / 2.0**bits).astype(np.float32)


def bilinear_weights(source: int, target: int) -> Float:
    """Weights `[target, source]` of bilinear enlargement, half-pixel centres, edges repeated.

    [MATCH] In float32 from end to end, as torch makes them (spec 1.5).
    """
    half, scale = np.float32(0.5), np.float32(source) / np.float32(target)
    centres = (scale * (np.arange(target, dtype=np.float32) + half))[:, None]
    pixels = np.arange(source)[None]
    first = np.maximum((centres - 1 + half).astype(np.int64), 0)
    end = np.minimum((centres + 1 + half).astype(np.int64), source)
    distance = np.abs(pixels.astype(np.float32) - centres + half)
    weights = np.maximum(1 - distance, 0) * ((pixels >= first) & (pixels < end))
    normalised: Float = weights / np.cumsum(weights, axis=1)[:, -1:]
    return normalised


@lru_cache(maxsize=64)
def _column_bands(source: int, section: Section, channels: int) -> tuple[_Band, ...]:
    """Bands along a row of interleaved pixels; positions count values, not pixels."""
    unit = np.eye(channels, dtype=np.float32)

    def interleaved(block: Float) -> Float:
        return np.ascontiguousarray(np.kron(block.T, unit))

    return tuple(
        _Band(
            out_start=channels * band.out_start,
            out_end=channels * band.out_end,
            in_start=channels * band.in_start,
            in_end=channels * band.in_end,
            weights=band.weights,
        )
        for band in _bands(source, section, block=_COLUMN_VALUES // channels, arrange=interleaved)
    )


@lru_cache(maxsize=64)
def _row_bands(source: int, section: Section) -> tuple[_Band, ...]:
    return tuple(_bands(source, section, block=_ROW_BLOCK, arrange=np.ascontiguousarray))


def _bands(source: int, section: Section, *, block: int, arrange: Callable[[Float], Float]) -> list[_Band]:
    weights = _as_integers(bicubic_weights(source, section), _precision(source, section.size))
    bands = []
    for start in range(0, section.count, block):
        rows = weights[start : start + block]
        used = np.flatnonzero(rows.any(axis=0))
        first, end = int(used[0]), int(used[-1]) + 1
        piece = arrange(rows[:, first:end])
        bands.append(_Band(start, start + len(rows), first, end, piece))
    return bands


def resize_bicubic(picture: Bytes, *, columns: Section, rows: Section) -> Bytes:
    """A picture resized with antialiased bicubic weights, `[rows.count, columns.count(, C)]` uint8.

    Horizontal pass first; values are rounded and clamped to 0..255 after each pass (spec 1.3). The sums
    are float32 where the reference's are integers: of a million values at most sixty were seen to differ,
    by one level.

    Args:
        picture: `[H, W, C]` or `[H, W]` uint8.
        columns: wanted pixels of the resized width.
        rows: wanted pixels of the resized height.
    """
    height, width = picture.shape[:2]
    channels = picture.shape[2] if picture.ndim == 3 else 1
    narrow = _resize_columns(picture.reshape(height, width * channels), columns=columns, channels=channels)
    small = _resize_rows(narrow, rows=rows)
    return small.astype(np.uint8).reshape(rows.count, columns.count, *picture.shape[2:])


def _resize_columns(picture: Bytes, *, columns: Section, channels: int) -> Float:
    """Horizontal pass, `[H, columns.count * C]` float32 holding whole levels."""
    height, values = picture.shape
    bands = _column_bands(values // channels, columns, channels)
    narrow = np.empty((height, columns.count * channels), np.float32)
    step = min(_pieces_of(bands), _STRIP_ROWS)
    for top in range(0, height, step):
        strip = picture[top : top + step].astype(np.float32)
        target = narrow[top : top + step]
        for band in bands:
            np.matmul(
                strip[:, band.in_start : band.in_end],
                band.weights,
                out=target[:, band.out_start : band.out_end],
            )
        _round_to_levels(target)
    return narrow


def _resize_rows(narrow: Float, *, rows: Section) -> Float:
    """Vertical pass, `[rows.count, values]` float32 holding whole levels."""
    bands = _row_bands(len(narrow), rows)
    small = np.empty((rows.count, narrow.shape[1]), np.float32)
    step = _pieces_of(bands)
    for left in range(0, narrow.shape[1], step):
        part, target = narrow[:, left : left + step], small[:, left : left + step]
        for band in bands:
            np.matmul(
                band.weights, part[band.in_start : band.in_end], out=target[band.out_start : band.out_end]
            )
    _round_to_levels(small)
    return small


def _pieces_of(bands: tuple[_Band, ...]) -> int:
    """How many rows (or columns) to multiply with a band at a time."""
    return max(_ALONE // max(band.weights.size for band in bands), 8)


def _round_to_levels(values: Float) -> None:
    """Round half up and clamp to 0..255, in place (our own scratch array)."""
    values += 0.5
    np.floor(values, out=values)
    np.clip(values, 0.0, 255.0, out=values)


@lru_cache(maxsize=512)
def _enlargement(source: int, target: int) -> Float:
    return np.ascontiguousarray(bilinear_weights(source, target))


def enlarge_bilinear(pictures: Float, *, size: int) -> Float:
    """Pictures `[..., h, w]` enlarged to `[..., size, size]`, each axis on its own (spec 1.5)."""
    height, width = pictures.shape[-2:]
    wide = np.matmul(pictures, _enlargement(width, size).T)
    enlarged: Float = np.matmul(_enlargement(height, size), wide)
    return enlarged
