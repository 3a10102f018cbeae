"""Decoded frames as arrays: RGB pictures and matte values, at the frame's own precision."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from plugin.cues import MatteChannel

Picture = NDArray[np.uint8]
Values = NDArray[np.float32]
_Rows = Callable[[slice], Values]
"""Gives the values of some rows of a frame."""


@dataclass(frozen=True, slots=True)
class _Codes:
    """One component as the frame stores it, in whole numbers, and what they mean.

    Attributes:
        stored: `[h, w]` uint8 or uint16.
        unit: numbers to 0..1, each on its own.
    """

    stored: NDArray[Any]
    unit: Callable[[Values], Values]

    def __call__(self, rows: slice) -> Values:
        return self.unit(np.asarray(self.stored[rows], np.float32))

    def picture(self) -> Picture:
        """All of it as bytes: there are fewer numbers than pixels, so each is worked out once."""
        table = _to_bytes(self.unit(np.arange(1 << 8 * self.stored.itemsize, dtype=np.float32)))
        if self.stored.itemsize == 1:
            looked_up = self.stored.tobytes().translate(table.tobytes())
            return np.frombuffer(looked_up, np.uint8).reshape(self.stored.shape)
        picture = np.empty(self.stored.shape, np.uint8)
        step = max(1, _STRIP // self.stored.shape[1])
        for first in range(0, len(picture), step):
            np.take(table, self.stored[first : first + step], out=picture[first : first + step])
        return picture


_STRIP = 1 << 20
"""Pixels that are worked on at a time."""

_FULL_RANGE = 2
_LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
_PLANAR = re.compile(r"(gray|yuvj?\d{3}p|yuva\d{3}p|gbra?p)(\d*)(f32)?(le|be)?")
_RGB_INDEX = {MatteChannel.RED: 0, MatteChannel.GREEN: 1, MatteChannel.BLUE: 2}


def rgb_picture(
    frame: av.VideoFrame, *, rotation: int = 0, converter: VideoReformatter | None = None
) -> Picture:
    """RGB24 `[H, W, 3]` as FFmpeg converts by default, turned counter-clockwise by `rotation`.

    A `converter` kept for the frames of one reader spares setting one up for each of them.

    A stream without colour tags is read as BT.601 limited range, whatever its size (spec 1.3).
    Floating-point images (EXR) are scene-linear: they are clipped to 0..1 and given the sRGB curve.
    """
    if _is_float(frame):
        linear = _float_rgb(frame)
        picture = _in_strips(frame, lambda rows: _srgb_curve(linear(rows)), channels=(3,))
    else:
        converted = (converter or VideoReformatter()).reformat(frame, format="rgb24")
        picture = np.asarray(converted.to_ndarray(), np.uint8)
    return _turned(picture, rotation)


def matte_picture(frame: av.VideoFrame, channel: MatteChannel, *, rotation: int = 0) -> Picture:
    """uint8 `[h, w]`, 0..255, of one channel of a matte, turned like its picture.

    Luma of limited-range video is expanded, so that its black is 0 and its white 255. Deeper
    values are rounded to 8 bits once. Floating-point values are clipped to 0..1 and scaled
    linearly. A frame without alpha is opaque: its alpha is 255 everywhere.
    """
    if channel is MatteChannel.LUMA:
        values = _luma(frame)
    elif channel is MatteChannel.ALPHA:
        values = _alpha(frame)
    else:
        values = _one_of(_rgb(frame), _RGB_INDEX[channel])
    picture = values.picture() if isinstance(values, _Codes) else _in_strips(frame, values)
    return _turned(picture, rotation)


def _in_strips(frame: av.VideoFrame, values: _Rows, *, channels: tuple[int, ...] = ()) -> Picture:
    """Values 0..1 as bytes, some rows at a time: a frame of 130 megapixels takes no gigabytes of floats."""
    picture = np.empty((frame.height, frame.width, *channels), np.uint8)
    step = max(1, _STRIP // frame.width)
    for first in range(0, frame.height, step):
        rows = slice(first, first + step)
        picture[rows] = _to_bytes(values(rows))
    return picture


def _turned(picture: Picture, rotation: int) -> Picture:
    return np.ascontiguousarray(np.rot90(picture, rotation // 90))


def _to_bytes(values: NDArray[Any]) -> Picture:
    """0..1 to 0..255, rounded to nearest; not-a-number is black."""
    clipped = np.nan_to_num(np.clip(values, 0.0, 1.0), nan=0.0)
    return np.asarray(clipped * np.float32(255) + np.float32(0.5), np.float32).astype(np.uint8)


def _srgb_curve(linear: Values) -> Values:
    """IEC 61966-2-1, for linear light; values outside 0..1 are clipped first."""
    light = np.clip(linear, 0.0, 1.0)
    curved = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    return curved.astype(np.float32)


def _luma(frame: av.VideoFrame) -> _Rows:
    """Luma in full range, 0..1: the luma plane of video, the grey or weighted RGB of images."""
    name = frame.format.name
    if _is_video(name):
        source = frame if _PLANAR.fullmatch(name) else _converted(frame, "yuva444p16le")
        bits = source.format.components[0].bits
        if frame.color_range == _FULL_RANGE or name.startswith("yuvj"):
            return _Codes(_stored(source, 0), _of_full_range(bits))
        scale = np.float32(2 ** (bits - 8))
        return _Codes(_stored(source, 0), lambda codes: (codes - 16 * scale) / (219 * scale))
    if name.startswith("gray") and _PLANAR.fullmatch(name):
        return _unit_plane(frame, 0)
    colours = _rgb(frame)
    return lambda rows: np.asarray(colours(rows) @ _LUMA_WEIGHTS, np.float32)


def _alpha(frame: av.VideoFrame) -> _Rows:
    parts = frame.format.components
    with_alpha = [index for index, part in enumerate(parts) if part.is_alpha]
    if with_alpha and _PLANAR.fullmatch(frame.format.name):
        return _unit_plane(frame, with_alpha[0])
    if with_alpha or frame.format.has_palette:
        return _one_of(_packed(frame), 3)
    return lambda rows: np.ones((len(range(*rows.indices(frame.height))), frame.width), np.float32)


def _rgb(frame: av.VideoFrame) -> _Rows:
    """`[rows, w, 3]`, 0..1 (floating-point images: unclipped)."""
    if _is_float(frame):
        return _float_rgb(frame)
    if frame.format.is_rgb and _PLANAR.fullmatch(frame.format.name):
        return _stacked([_unit_plane(frame, index) for index in range(3)])
    if _is_video(frame.format.name):
        pixels = _converted(frame, "rgb24").to_ndarray()
        return lambda rows: np.asarray(pixels[rows], np.float32) / np.float32(255)
    packed = _packed(frame)
    return lambda rows: packed(rows)[..., :3]


def _packed(frame: av.VideoFrame) -> _Rows:
    """RGBA, 0..1, at 8 or 16 bits as the frame has it."""
    deep = any(part.bits > 8 for part in frame.format.components)
    pixels = _converted(frame, "rgba64le" if deep else "rgba").to_ndarray()
    return lambda rows: np.asarray(pixels[rows], np.float32) / np.float32(65535 if deep else 255)


def _float_rgb(frame: av.VideoFrame) -> _Rows:
    name = frame.format.name
    source = frame if _PLANAR.fullmatch(name) else _converted(frame, "gbrapf32le")
    if len(source.format.components) < 3:
        return _stacked([_plane(source, 0)] * 3)
    return _stacked([_plane(source, index) for index in range(3)])


def _stacked(planes: list[_Rows]) -> _Rows:
    return lambda rows: np.stack([plane(rows) for plane in planes], axis=2)


def _one_of(values: _Rows, index: int) -> _Rows:
    return lambda rows: values(rows)[..., index]


def _unit_plane(frame: av.VideoFrame, index: int) -> _Rows:
    if _is_float(frame):
        return _plane(frame, index)
    return _Codes(_stored(frame, index), _of_full_range(frame.format.components[index].bits))


def _of_full_range(bits: int) -> Callable[[Values], Values]:
    return lambda codes: codes / np.float32(2**bits - 1)


def _plane(frame: av.VideoFrame, index: int) -> _Rows:
    """Raw values of a component, float32 `[rows, w]`."""
    stored = _stored(frame, index)
    return lambda rows: np.asarray(stored[rows], np.float32)


def _stored(frame: av.VideoFrame, index: int) -> NDArray[Any]:
    """Component `index` (luma or R, G, B, alpha) of a planar format as it lies in memory, `[h, w]`."""
    part = frame.format.components[index]
    plane = frame.planes[part.plane]
    order = ">" if frame.format.name.endswith("be") else "<"
    kind = f"{order}f4" if _is_float(frame) else f"{order}u2" if part.bits > 8 else "u1"
    stored = np.frombuffer(memoryview(plane), np.uint8)
    lines = stored[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)
    return lines.view(kind)[:, : plane.width]


def _converted(frame: av.VideoFrame, name: str) -> av.VideoFrame:
    """In another format. In one thread: with more, rows where two threads meet differ from run to run."""
    return VideoReformatter().reformat(frame, format=name, threads=1)


def _is_float(frame: av.VideoFrame) -> bool:
    return re.search(r"f(16|32)(le|be)?$", frame.format.name) is not None


def _is_video(name: str) -> bool:
    """Luma and chroma (as opposed to grey, RGB or a palette)."""
    return re.match(r"yuv|yuy|uyvy|yvyu|nv\d|p[024]1\d|xv|y21|y410|ayuv|vuy|uyv", name) is not None
