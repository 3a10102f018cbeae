"""Small pictures without an imaging library: PNG by hand, JPEG through PyAV, frames of a movie."""

from __future__ import annotations

import base64
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def png_bytes(picture: Picture) -> bytes:
    """A PNG file of uint8 `[H, W]` grey or `[H, W, 3]` RGB."""
    height, width = picture.shape[:2]
    colour = 0 if picture.ndim == 2 else 2
    rows = np.ascontiguousarray(picture).reshape(height, -1)
    filtered = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(filtered, 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_part(name, content) for name, content in parts)


def _png_part(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def jpeg_bytes(picture: Picture) -> bytes:
    """A JPEG file of uint8 `[H, W, 3]` RGB."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = picture.shape[1], picture.shape[0]
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": "3", "qmax": "3"}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    packets = encoder.encode(frame.reformat(format="yuvj420p")) + encoder.encode(None)
    return b"".join(bytes(packet) for packet in packets)


def data_url(content: bytes) -> str:
    """A picture to put into a page: `data:image/...;base64,...`."""
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def resized(picture: Picture, *, width: int) -> Picture:
    """`picture` scaled by area to `width` pixels, even height."""
    height = 2 * round(picture.shape[0] * width / picture.shape[1] / 2)
    grey = picture.ndim == 2
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray" if grey else "rgb24")
    scaled = frame.reformat(width=width, height=height, interpolation="AREA").to_ndarray()
    return np.asarray(scaled, np.uint8)


def outlined(picture: Picture, mask: Picture, *, colour: tuple[int, int, int] = (40, 235, 200)) -> Picture:
    """The picture with all but its mask dimmed, and the mask outlined.

    Args:
        picture: uint8 `[H, W, 3]`.
        mask: uint8 `[H, W]`, 128 and more is inside.
        colour: RGB of the outline.
    """
    inside = mask >= 128
    near = np.pad(inside, 1, mode="edge")
    outer = near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:] | inside
    inner = near[:-2, 1:-1] & near[2:, 1:-1] & near[1:-1, :-2] & near[1:-1, 2:] & inside
    grey = picture.mean(axis=2, keepdims=True)
    dimmed = 0.6 * (0.6 * picture + 0.4 * grey)
    out = np.where(inside[..., None], picture, dimmed)
    out[outer & ~inner] = np.asarray(colour, np.float32)
    return out.astype(np.uint8)


def movie_frames(path: Path) -> tuple[Fraction, int]:
    """Average rate and exact number of frames of a movie."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = Fraction(stream.average_rate or 25)
        return rate, sum(1 for packet in container.demux(stream) if packet.size)
