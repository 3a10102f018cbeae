"""Test media made on the spot, each stating the times its frames must show at.

Every picture carries its index: twelve blocks (six across, two down) over the whole frame, most
significant bit first, row by row, black 0 and white 1. `read_index` gets it back from any size,
colour or grey.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Draw = Callable[[int], Picture]

COLUMNS, ROWS = 6, 2
LARGEST_INDEX = 2 ** (COLUMNS * ROWS) - 1
_TICKS = 90_000


@dataclass(frozen=True, slots=True)
class Made:
    """A file or folder and what it must show.

    Attributes:
        path: the movie or image, or the folder of a sequence.
        times: start of every frame, exact seconds from the first frame.
        end: end of the last frame, exact seconds from the first frame.
        rate: nominal frames per second.
    """

    path: Path
    times: tuple[Fraction, ...]
    end: Fraction
    rate: Fraction

    def on_screen(self, time: Fraction) -> int:
        """Index of the frame that a viewer sees at `time`; the edges are held."""
        return max((i for i, start in enumerate(self.times) if start <= time), default=0)


def draw_index(index: int, *, width: int = 96, height: int = 64) -> Picture:
    """RGB24 `[height, width, 3]` whose blocks spell `index`, 0..4095."""
    bits = [(index >> bit) & 1 for bit in reversed(range(COLUMNS * ROWS))]
    blocks = np.array(bits, np.uint8).reshape(ROWS, COLUMNS) * 255
    rows = np.arange(height) * ROWS // height
    columns = np.arange(width) * COLUMNS // width
    return np.repeat(blocks[rows][:, columns, None], 3, axis=2)


def read_index(picture: NDArray[Any]) -> int:
    """The index drawn into `picture`, `[h, w]` or `[h, w, 3]`, uint8."""
    grey = picture if picture.ndim == 2 else picture[..., :3].mean(axis=2)
    height, width = grey.shape
    index = 0
    for row in range(ROWS):
        for column in range(COLUMNS):
            y = int((row + 0.5) * height / ROWS)
            x = int((column + 0.5) * width / COLUMNS)
            index = index * 2 + int(grey[y, x] > 127)
    return index


def draw_index_with_alpha(index: int, *, width: int = 96, height: int = 64) -> Picture:
    """RGBA: the colours spell `index`, the alpha spells `index + 1000`."""
    colour = draw_index(index, width=width, height=height)
    alpha = draw_index(index + 1000, width=width, height=height)[..., :1]
    return np.concatenate([colour, alpha], axis=2)


def make_movie(
    path: Path,
    *,
    rate: Fraction | int = 25,
    frames: int = 30,
    times: Sequence[Fraction] | None = None,
    draw: Draw = draw_index,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    gop: int = 12,
    b_frames: int = 2,
    rotation: int = 0,
    timecode: str | None = None,
    colorspace: int | None = None,
    tone: bool = False,
    container_options: dict[str, str] | None = None,
) -> Made:
    """A movie at `path`; `times` (first 0, ascending) makes it VFR, else it is CFR at `rate`.

    `rotation` is counter-clockwise degrees a player must turn the picture by. `tone` adds sound.
    VFR times are rounded to 1/90000 s, and the result states the rounded ones.
    """
    rate = Fraction(rate)
    base = 1 / rate if times is None else Fraction(1, _TICKS)
    ticks = list(range(frames)) if times is None else [round(time / base) for time in times]
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        stream = _video_stream(container, codec, rate, pix_fmt, options, gop=gop, b_frames=b_frames)
        stream.codec_context.time_base = base
        if rotation:
            stream.set_display_rotation(rotation)
        if timecode:
            stream.metadata["timecode"] = timecode
        sound = container.add_stream("aac", rate=48_000, layout="mono") if tone else None
        first = draw(0)
        stream.width, stream.height = first.shape[1], first.shape[0]
        for index, tick in enumerate(ticks):
            frame = _frame_of(draw(index), pix_fmt, colorspace)
            frame.pts, frame.time_base = tick, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            _mux_tone(container, sound, seconds=ticks[-1] * base + 1 / rate)
    starts = tuple(tick * base for tick in ticks)
    return Made(path, starts, starts[-1] + 1 / rate, rate)


def _video_stream(
    container: Any, codec: str, rate: Fraction, pix_fmt: str, options: Any, *, gop: int, b_frames: int
) -> Any:
    settings = dict(options or {})
    if codec == "libx264":
        settings = {"preset": "ultrafast", "crf": "20", "bf": str(b_frames), "g": str(gop)} | settings
        settings.setdefault("x264-params", "scenecut=0:threads=1")
    stream = container.add_stream(codec, rate=rate, options=settings)
    stream.pix_fmt = pix_fmt
    if codec not in {"libx264", "prores_ks", "qtrle", "png", "ffv1"}:
        stream.codec_context.gop_size = gop
    return stream


def _frame_of(picture: Picture, pix_fmt: str, colorspace: int | None) -> av.VideoFrame:
    kind = {2: "gray", 3: "rgb24", 4: "rgba"}[picture.ndim if picture.ndim == 2 else picture.shape[2]]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=kind)
    return frame.reformat(format=pix_fmt, dst_colorspace=colorspace)


def _mux_tone(container: Any, stream: Any, *, seconds: Fraction) -> None:
    samples = np.sin(np.arange(round(seconds * 48_000)) * (2 * np.pi * 440 / 48_000)).astype(np.float32) * 0.1
    for start in range(0, len(samples), 1024):
        block = np.ascontiguousarray(samples[None, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


ALPHA_KINDS: dict[str, dict[str, Any]] = {
    "prores4444.mov": {"codec": "prores_ks", "pix_fmt": "yuva444p10le", "options": {"profile": "4"}},
    "qtrle.mov": {"codec": "qtrle", "pix_fmt": "argb"},
    "png.mov": {"codec": "png", "pix_fmt": "rgba"},
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "pix_fmt": "yuva420p",
        "options": {"cpu-used": "8", "deadline": "realtime"},
    },
}
"""Ways to store alpha: file name -> what `make_alpha_movie` passes on."""


def make_alpha_movie(folder: Path, kind: str, *, frames: int = 8) -> Made:
    """A movie of `draw_index_with_alpha` frames; `kind` is a key of `ALPHA_KINDS`."""
    return make_movie(folder / kind, frames=frames, draw=draw_index_with_alpha, gop=4, **ALPHA_KINDS[kind])


def make_audio_only(path: Path, *, seconds: Fraction = Fraction(1)) -> Path:
    """A file with sound and no picture (`.m4a`, `.mp4`, `.mov`)."""
    with av.open(str(path), "w") as container:
        _mux_tone(container, container.add_stream("aac", rate=48_000, layout="mono"), seconds=seconds)
    return path


def make_truncated(path: Path, *, keep: float = 0.5, frames: int = 100) -> Made:
    """An mp4 whose index says `frames` frames while only the first part of them is in the file.

    `times` and `end` state what the index promises.
    """
    whole = make_movie(
        path, frames=frames, draw=_noisy_index, gop=5, container_options={"movflags": "faststart"}
    )
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return whole


def _noisy_index(index: int) -> Picture:
    """An index picture with grain, so that the pictures outweigh the file's index."""
    noise = np.random.default_rng(index).integers(-40, 41, (64, 96, 1))
    grainy: Picture = np.clip(draw_index(index).astype(np.int64) + noise, 0, 255).astype(np.uint8)
    return grainy


IMAGE_CODECS = {
    ".png": ("png", "rgb24"),
    ".jpg": ("mjpeg", "yuvj444p"),
    ".tiff": ("tiff", "rgb24"),
    ".dpx": ("dpx", "rgb24"),
    ".exr": ("exr", "gbrpf32le"),
}


def write_image(path: Path, picture: NDArray[Any], *, pix_fmt: str | None = None) -> Path:
    """One image file of `picture`; its suffix names the codec.

    uint8 `[h, w]`, `[h, w, 3]` or `[h, w, 4]`; uint16 without alpha for
    `.png`; for `.exr` also float32 `[h, w, 3]` (scene values).
    """
    codec, usual = IMAGE_CODECS[path.suffix]
    context: Any = av.CodecContext.create(codec, "w")
    frame = _image_frame(picture, pix_fmt or usual)
    context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
    context.time_base = Fraction(1, 25)
    if codec == "mjpeg":
        context.color_range = 2
    frame.pts = 0
    packets = [*context.encode(frame), *context.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))
    return path


def _image_frame(picture: NDArray[Any], pix_fmt: str) -> av.VideoFrame:
    if picture.dtype == np.uint16:
        kinds = ("gray16le", "gray16be") if picture.ndim == 2 else ("rgb48le", "rgb48be")
        return av.VideoFrame.from_ndarray(picture, format=kinds[0]).reformat(format=kinds[1])
    if pix_fmt == "gbrpf32le":
        floats = picture if picture.dtype == np.float32 else picture.astype(np.float32) / 255
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(floats), format="gbrpf32le")
    if picture.ndim == 2:
        pix_fmt = "gray"
    elif picture.shape[2] == 4:
        pix_fmt = "rgba"
    return _frame_of(picture, pix_fmt, None)


def make_sequence(
    folder: Path,
    *,
    suffix: str = ".png",
    first: int = 1001,
    count: int = 10,
    holes: Sequence[int] = (),
    rate: Fraction | int = 24,
    prefix: str = "shot.",
    padding: int = 4,
) -> Made:
    """Numbered images whose index is their place (number minus `first`); `holes` are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        if number not in holes:
            write_image(folder / f"{prefix}{number:0{padding}d}{suffix}", draw_index(number - first))
    rate = Fraction(rate)
    return Made(folder, tuple(Fraction(i) / rate for i in range(count)), Fraction(count) / rate, rate)
