from __future__ import annotations

import struct
import tracemalloc
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from plugin.cues import ImageSequence, MatteChannel, MediaFile
from plugin.errors import MatteMismatch, UndecodableMedia
from plugin.media.mattes import MatteReader, PastEnd
from plugin.media.pixels import _alpha, _luma, matte_picture
from plugin.media.video import Pick
from tests.media_factory import (
    ALPHA_KINDS,
    draw_index,
    make_alpha_movie,
    make_movie,
    make_sequence,
    read_index,
    write_image,
)


def ramp(_: int = 0) -> np.ndarray:
    """Grey 0..255 from left to right, `[64, 256]`."""
    return np.repeat(np.arange(256, dtype=np.uint8)[None], 64, axis=0)


def grey_rgb(_: int = 0) -> np.ndarray:
    return np.repeat(ramp()[..., None], 3, axis=2)


def first(path: Path, **options: object) -> np.ndarray:
    with MatteReader.open(MediaFile(path), **options) as reader:  # type: ignore[arg-type]
        return next(reader.frames_at([0.0]))


@pytest.mark.parametrize(
    ("name", "settings", "worst"),
    [
        ("h264.mp4", {"options": {"crf": "0"}}, 1),
        ("ffv1.mkv", {"codec": "ffv1", "pix_fmt": "gray"}, 0),
        ("ffv1-16.mkv", {"codec": "ffv1", "pix_fmt": "gray16le"}, 0),
        ("ffv1-10.mkv", {"codec": "ffv1", "pix_fmt": "gray10le"}, 0),
        ("ffv1-yuv10.mkv", {"codec": "ffv1", "pix_fmt": "yuv422p10le"}, 1),
        ("ffv1-yuv12.mkv", {"codec": "ffv1", "pix_fmt": "yuv444p12le"}, 1),
        ("prores.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}, 2),
        ("rle.mov", {"codec": "qtrle", "pix_fmt": "rgb24"}, 0),
    ],
)
def test_luma_spans_0_to_255_at_any_depth(
    tmp_path: Path, name: str, settings: dict[str, object], worst: int
) -> None:
    draw = grey_rgb if "gray" not in str(settings) else ramp
    made = make_movie(tmp_path / name, frames=2, draw=draw, **settings)  # type: ignore[arg-type]
    found = first(made.path)
    assert found.dtype == np.uint8
    assert found.shape == (64, 256)
    assert np.abs(found.astype(int) - ramp()).max() <= worst
    assert (found[0, 0], found[0, 255]) == (0, 255)


def test_sixteen_bits_round_to_nearest(tmp_path: Path) -> None:
    deep = np.repeat(np.linspace(0, 65535, 256).astype(np.uint16)[None], 64, axis=0)
    deep[:, 10] = 10 * 257 + 200
    found = first(write_image(tmp_path / "m.png", deep))
    assert found[0].tolist() == [11 if value == 10 else value for value in range(256)]


def test_twelve_bit_rgb_reaches_white() -> None:
    deep = np.repeat(np.round(ramp()[..., None] * (4095 / 255)).astype(np.uint16), 3, axis=2)
    frame = av.VideoFrame.from_ndarray(deep, format="gbrp12le")
    assert np.array_equal(matte_picture(frame, MatteChannel.LUMA), ramp())
    assert np.array_equal(matte_picture(frame, MatteChannel.GREEN), ramp())


@pytest.mark.parametrize("kind", ["nv12", "p010le", "yuyv422", "yuv420p"])
def test_camera_layouts_give_the_same_luma(kind: str) -> None:
    frame = av.VideoFrame.from_ndarray(grey_rgb(), format="rgb24").reformat(format=kind)
    found = matte_picture(frame, MatteChannel.LUMA).astype(int)
    assert np.abs(found - ramp()).max() <= 1
    assert (found[0, 0], found[0, 255]) == (0, 255)


def test_float_mattes_are_clipped_and_stay_linear(tmp_path: Path) -> None:
    values = np.zeros((64, 96, 3), np.float32)
    values[:, 10:20], values[:, 20:30], values[:, 30:40], values[:, 40:50] = 0.5, 3.0, -1.0, np.nan
    found = first(write_image(tmp_path / "m.exr", values))
    assert found[0, [0, 15, 25, 35, 45]].tolist() == [0, 128, 255, 0, 0]


@pytest.mark.parametrize("kind", ALPHA_KINDS)
def test_alpha_of_every_kind(tmp_path: Path, kind: str) -> None:
    made = make_alpha_movie(tmp_path, kind)
    with MatteReader.open(MediaFile(made.path), channel=MatteChannel.ALPHA) as reader:
        masks = list(reader.frames_at(made.times, pick=Pick.SCREEN))
        backwards = list(reader.frames_at(made.times[::-1], pick=Pick.SCREEN))
    assert [read_index(mask) - 1000 for mask in masks] == list(range(8))
    assert [read_index(mask) - 1000 for mask in backwards] == list(range(7, -1, -1))
    assert {int(masks[0].min()), int(masks[0].max())} <= {0, 1, 254, 255}


def test_alpha_of_an_image(tmp_path: Path) -> None:
    rgba = np.concatenate([grey_rgb(), 255 - ramp()[..., None]], axis=2)
    found = first(write_image(tmp_path / "m.png", rgba), channel=MatteChannel.ALPHA)
    assert np.array_equal(found, 255 - ramp())


def test_no_alpha_is_a_mismatch(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=2)
    with pytest.raises(MatteMismatch, match=r"a\.mp4 has no alpha"):
        MatteReader.open(MediaFile(made.path), channel=MatteChannel.ALPHA)


@pytest.mark.parametrize(
    ("channel", "index"), [(MatteChannel.RED, 1), (MatteChannel.GREEN, 2), (MatteChannel.BLUE, 3)]
)
@pytest.mark.parametrize(
    "settings",
    [{"codec": "qtrle", "pix_fmt": "rgb24"}, {"codec": "prores_ks", "pix_fmt": "yuva444p10le"}],
    ids=["rgb", "yuv"],
)
def test_one_object_per_channel(
    tmp_path: Path, channel: MatteChannel, index: int, settings: dict[str, str]
) -> None:
    def disco(_: int) -> np.ndarray:
        return np.stack([draw_index(bits)[..., 0] for bits in (1, 2, 3)], axis=2)

    made = make_movie(tmp_path / "d.mov", frames=2, draw=disco, **settings)  # type: ignore[arg-type]
    assert read_index(first(made.path, channel=channel)) == index


def test_invert_swaps_black_and_white(tmp_path: Path) -> None:
    path = write_image(tmp_path / "m.png", ramp())
    assert np.array_equal(first(path, invert=True), 255 - ramp())


def test_mattes_turn_with_their_picture(tmp_path: Path) -> None:
    def lying(index: int) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(draw_index(index), -1))

    made = make_movie(tmp_path / "r.mp4", frames=4, draw=lying, rotation=90)
    with MatteReader.open(MediaFile(made.path)) as reader:
        masks = list(reader.frames_at(made.times, pick=Pick.SCREEN))
    assert masks[0].shape == (64, 96)
    assert [read_index(mask) for mask in masks] == list(range(4))


def test_a_short_matte_repeats_its_last_mask_and_says_so(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "m.mp4", frames=10, rate=25)
    with MatteReader.open(MediaFile(made.path)) as reader:
        inside = list(reader.frames_at(made.times))
        assert not reader.ran_short
        masks = list(reader.frames_at([Fraction(k, 25) for k in range(15)]))
        assert reader.ran_short
        assert [read_index(mask) for mask in masks] == [*range(10), 9, 9, 9, 9, 9]
        empty = list(reader.frames_at([0.0, 0.36, 0.4, 1.0], past_end=PastEnd.EMPTY))
    assert [read_index(mask) for mask in empty] == [0, 9, 0, 0]
    assert not np.any(empty[2])
    assert len(inside) == 10


def test_a_matte_of_another_rate(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "m.mp4", frames=24, rate=12)
    with MatteReader.open(MediaFile(made.path)) as reader:
        times = [Fraction(k, 25) for k in range(50)]
        masks = [read_index(mask) for mask in reader.frames_at(times, pick=Pick.SCREEN)]
    assert masks == [made.on_screen(time) for time in times]


def white_at(wanted: int) -> object:
    def draw(index: int) -> np.ndarray:
        picture = np.zeros((64, 96, 3), np.uint8)
        if index == wanted:
            picture[30:40, 40:50] = 255
        return picture

    return draw


def test_first_white_finds_a_single_frame(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "m.mp4", frames=40, draw=white_at(31))  # type: ignore[arg-type]
    with MatteReader.open(MediaFile(made.path)) as reader:
        assert reader.first_white() == made.times[31]
        assert reader.first_white(start=made.times[31] + Fraction(1, 100)) == made.times[31] + Fraction(
            1, 100
        )
        assert reader.first_white(start=made.times[32]) is None
        assert reader.first_white(end=made.times[31]) is None
        assert reader.first_white(start=0.5, end=made.times[32]) == made.times[31]


def test_a_black_matte_has_no_white_and_its_inverse_has(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "m.mp4", frames=10, draw=white_at(-1))  # type: ignore[arg-type]
    with MatteReader.open(MediaFile(made.path)) as reader:
        assert reader.first_white() is None
    with MatteReader.open(MediaFile(made.path), invert=True) as reader:
        assert reader.first_white() == 0


def test_a_sequence_as_matte(tmp_path: Path) -> None:
    made = make_sequence(tmp_path, suffix=".exr", holes=[1004])
    source = ImageSequence(tmp_path, "shot.", ".exr", 4, 1001, 1010, 1, Fraction(24), "black")
    with MatteReader.open(source) as reader:
        masks = list(reader.frames_at(made.times, pick=Pick.SCREEN))
    assert [read_index(mask) for mask in masks] == [0, 1, 2, 0, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("channel", list(MatteChannel))
def test_a_large_still_takes_no_gigabytes_of_floats(channel: MatteChannel) -> None:
    side = 3000
    white = np.full((side, side, 3), 255, np.uint8)
    frame = av.VideoFrame.from_ndarray(white, format="rgb24")
    tracemalloc.start()
    try:
        assert matte_picture(frame, channel).min() == 255
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 14 * side * side, "bytes: 4 a pixel as packed, 1 as the matte, strips of floats"


def test_strips_end_where_the_frame_does(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (70, 91, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    whole = [matte_picture(frame, channel, rotation=90) for channel in MatteChannel]
    monkeypatch.setattr("plugin.media.pixels._STRIP", 1000)
    for one, channel in zip(whole, MatteChannel, strict=True):
        np.testing.assert_array_equal(matte_picture(frame, channel, rotation=90), one)


@pytest.mark.parametrize("size", [(16384, 16384), (2**31 - 1, 1), (60_000, 4000)])
def test_a_picture_of_impossible_size_is_refused_before_it_is_decoded(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    path = tmp_path / "giant.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks))
    with pytest.raises(UndecodableMedia, match=r"giant\.png"):
        MatteReader.open(MediaFile(path))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize(
    "kind", ["yuv420p", "yuvj420p", "yuv444p10le", "yuv422p12le", "yuva444p16le", "gray", "gray16be", "nv12"]
)
@pytest.mark.parametrize("channel", [MatteChannel.LUMA, MatteChannel.ALPHA])
def test_every_stored_number_means_what_its_formula_says(kind: str, channel: MatteChannel) -> None:
    frame = av.VideoFrame(256, 256, kind)
    bits = frame.format.components[0].bits
    rng = np.random.default_rng(0)
    for plane in frame.planes:
        codes = rng.integers(0, 1 << bits, plane.buffer_size // (2 if bits > 8 else 1), dtype=np.uint16)
        order = ">u2" if kind.endswith("be") else "<u2"
        plane.update(codes.astype(order if bits > 8 else np.uint8).tobytes())
    values = _luma(frame) if channel is MatteChannel.LUMA else _alpha(frame)
    expected = np.floor(np.clip(values(slice(None)), 0, 1) * np.float32(255) + np.float32(0.5))
    assert np.array_equal(matte_picture(frame, channel), expected)


@pytest.mark.parametrize("kind", ["p010le", "nv16", "yuyv422"])
def test_a_matte_is_the_same_to_the_bit_each_time(kind: str) -> None:
    frame = av.VideoFrame(98, 62, kind)
    rng = np.random.default_rng(0)
    for plane in frame.planes:
        plane.update(rng.bytes(plane.buffer_size))
    assert len({matte_picture(frame, MatteChannel.LUMA).tobytes() for _ in range(200)}) == 1
