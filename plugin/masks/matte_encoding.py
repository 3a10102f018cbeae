"""Masks into PNG pictures and into movies whose every frame stands for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from plugin.masks.makers import Mask

_FFV1 = {"level": "3", "slicecrc": "1", "context": "1"}
_PRORES = {"profile": "4", "alpha_bits": "16", "vendor": "apl0", "flags": "+qscale", "global_quality": "118"}
"""Quality 118 is quantiser 1, the finest: edges of white on black stay within some levels."""

_BLACK, _WHITE, _NEUTRAL, _OPAQUE = 64, 940, 512, 1023
"""10-bit levels of limited-range luma, of no colour, and of full alpha."""


def write_pictures(folder: Path, pictures: Iterable[tuple[str, Mask]]) -> None:
    """Writes masks as 8-bit grey PNG by their names; an `OSError` passes through."""
    for name, mask in pictures:
        (folder / name).write_bytes(cv2.imencode(".png", mask)[1].tobytes())


def write_movie(
    path: Path, masks: Iterable[Mask], *, rate: Fraction, timecode: str | None, with_alpha: bool
) -> None:
    """Writes masks as a movie: FFV1 grey in Matroska, or with alpha ProRes 4444 in QuickTime.

    An `OSError` and FFmpeg's own errors pass through.

    Args:
        path: any name.
        masks: `[height, width]`, all of one size, at least one.
        rate: frames per second.
        timecode: of the first frame; None writes none.
        with_alpha: ProRes 4444, the mask as luma and as alpha.
    """
    with av.open(str(path), "w", format="mov" if with_alpha else "matroska") as container:
        stream: Any = None
        for number, frame in enumerate(_frames(masks, with_alpha=with_alpha)):
            if stream is None:
                stream = _stream(container, frame, rate, timecode, with_alpha=with_alpha)
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _frames(masks: Iterable[Mask], *, with_alpha: bool) -> Iterator[av.VideoFrame]:
    for mask in masks:
        yield _with_alpha(mask) if with_alpha else av.VideoFrame.from_ndarray(mask, format="gray")


def _stream(
    container: Any, frame: av.VideoFrame, rate: Fraction, timecode: str | None, *, with_alpha: bool
) -> Any:
    options = _PRORES if with_alpha else _FFV1
    stream = container.add_stream("prores_ks" if with_alpha else "ffv1", rate=rate, options=dict(options))
    stream.width, stream.height = frame.width, frame.height
    stream.pix_fmt = frame.format.name
    stream.codec_context.time_base = 1 / rate
    if timecode is not None:
        stream.metadata["timecode"] = timecode
    return stream


def _with_alpha(mask: Mask) -> av.VideoFrame:
    """10-bit limited-range luma and full-range alpha of the same values, without colour."""
    height, width = mask.shape
    value = mask.astype(np.uint32)
    planes = (
        _BLACK + (value * (_WHITE - _BLACK) + 127) // 255,
        np.full_like(value, _NEUTRAL),
        np.full_like(value, _NEUTRAL),
        (value * _OPAQUE + 127) // 255,
    )
    frame = av.VideoFrame(width, height, "yuva444p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        lines = np.zeros((height, plane.line_size // 2), "<u2")
        lines[:, :width] = values
        plane.update(lines.tobytes())
    return frame
