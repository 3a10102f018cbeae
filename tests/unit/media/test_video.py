from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from plugin.cues import MediaFile
from plugin.errors import MediaMissing, UndecodableMedia
from plugin.media import picking
from plugin.media.pixels import rgb_picture
from plugin.media.video import Pick, VideoReader, probe
from tests.media_factory import (
    Made,
    draw_index,
    make_alpha_movie,
    make_audio_only,
    make_movie,
    make_truncated,
    read_index,
    write_image,
)

RATES = [
    Fraction(24_000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30_000, 1001),
    Fraction(30),
    Fraction(50),
    Fraction(60_000, 1001),
    Fraction(60),
]


def seen(path: Path, times: list[Fraction] | list[float], **options: object) -> list[int]:
    with VideoReader.open(MediaFile(path)) as reader:
        return [read_index(picture) for picture in reader.frames_at(times, **options)]  # type: ignore[arg-type]


def vfr_times(count: int, seed: int = 1) -> list[Fraction]:
    source = np.random.default_rng(seed)
    times = [Fraction(0)]
    while len(times) < count:
        times.append(times[-1] + Fraction(int(source.integers(10, 200)), 1000))
    return times


def shuffled(count: int, *, take: int, seed: int) -> list[int]:
    return [int(index) for index in np.random.default_rng(seed).permutation(count)[:take]]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.2f}")
def test_screen_shows_the_frame_whose_time_it_is(tmp_path: Path, rate: Fraction) -> None:
    made = make_movie(tmp_path / "a.mp4", rate=rate, frames=60, b_frames=3)
    times = sorted([*made.times, *(made.end * Fraction(k, 97) for k in range(97))])
    assert seen(made.path, times, pick=Pick.SCREEN) == [made.on_screen(time) for time in times]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.2f}")
def test_random_seeks_land_on_the_right_frame(tmp_path: Path, rate: Fraction) -> None:
    made = make_movie(tmp_path / "a.mp4", rate=rate, frames=120, gop=30, b_frames=3)
    order = shuffled(120, take=40, seed=7)
    assert seen(made.path, [made.times[index] for index in order], pick=Pick.SCREEN) == order


@pytest.mark.parametrize("name", ["a.mkv", "a.mov", "a.ts", "a.avi", "a.mxf"])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30_000, 1001)], ids=["24", "29.97"])
def test_containers_with_coarse_or_late_clocks(tmp_path: Path, name: str, rate: Fraction) -> None:
    codec = {"a.avi": "mpeg4", "a.mxf": "mpeg2video"}.get(name, "libx264")
    made = make_movie(tmp_path / name, rate=rate, frames=80, b_frames=0, codec=codec)
    order = shuffled(80, take=30, seed=3)
    times = [made.times[index] for index in order]
    assert seen(made.path, times, pick=Pick.SCREEN) == order
    assert seen(made.path, times, pick=Pick.ONSET) == order
    assert seen(made.path, sorted(times, reverse=True), pick=Pick.SCREEN) == sorted(order, reverse=True)


OPEN_GOP = {"x264-params": "open-gop=1:scenecut=0:bframes=3:keyint=24"}
INTRA_REFRESH = {"x264-params": "intra-refresh=1:keyint=24:bframes=0"}
MPEG2 = {"codec": "mpeg2video", "options": {"bf": "2", "g": "15", "b": "8000000"}}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("open.mp4", {"options": OPEN_GOP}),
        ("open.ts", {"options": OPEN_GOP}),
        ("open.mkv", {"options": OPEN_GOP}),
        ("refresh.mp4", {"options": INTRA_REFRESH}),
        ("reordered.avi", {"b_frames": 2}),
        ("m2v.ts", MPEG2),
        ("m2v.mpg", MPEG2),
        ("m2v.mxf", MPEG2),
        ("prores.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}),
        ("old.flv", {"b_frames": 2}),
        ("rgb.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
    ],
)
def test_difficult_streams_in_every_direction(tmp_path: Path, name: str, settings: dict[str, object]) -> None:
    made = make_movie(tmp_path / name, frames=100, **settings)  # type: ignore[arg-type]
    order = shuffled(100, take=40, seed=11)
    with VideoReader.open(MediaFile(made.path)) as reader:

        def numbers(times: list[Fraction], pick: Pick) -> list[int]:
            return [read_index(picture) for picture in reader.frames_at(times, pick=pick)]

        middles = [made.times[index] + Fraction(1, 50) for index in order]
        assert numbers(middles, Pick.SCREEN) == order
        assert numbers(list(made.times), Pick.ONSET) == list(range(100))
        assert numbers([made.end - Fraction(k, 25) for k in range(100)], Pick.REVERSE) == [*range(99, -1, -1)]
        assert abs(reader.extent().end - made.end) <= Fraction(1, 1000)
        assert reader.extent().complete
        assert reader.damaged == 0


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(25)], ids=["23.976", "25"])
def test_timecodes_and_rates_are_told(tmp_path: Path, rate: Fraction) -> None:
    made = make_movie(tmp_path / "a.mov", rate=rate, frames=10, timecode="01:00:00:00")
    info = probe(MediaFile(made.path))
    assert info.start_timecode == Fraction(3600 * round(rate)) / rate
    assert (info.width, info.height, info.rate, info.rotation) == (96, 64, rate, 0)
    assert info.duration == made.end
    assert not info.has_alpha
    assert not info.is_still


def test_drop_frame_timecode_counts_real_seconds(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mov", rate=Fraction(30_000, 1001), frames=5, timecode="01:00:00;00")
    start = probe(MediaFile(made.path)).start_timecode
    assert start == Fraction(107_892 * 1001, 30_000)


def test_no_timecode_is_none(tmp_path: Path) -> None:
    assert probe(MediaFile(make_movie(tmp_path / "a.mp4", frames=3).path)).start_timecode is None


def test_vfr_is_exact_by_presentation_time(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "v.mp4", rate=24, times=vfr_times(50))
    times = [made.end * Fraction(k, 301) for k in range(301)]
    assert seen(made.path, times, pick=Pick.SCREEN) == [made.on_screen(time) for time in times]


def onset(made: Made, time: Fraction, slot: Fraction) -> int:
    for index, start in enumerate(made.times):
        if start >= time - Fraction(1, 10**6):
            return index if start - time <= slot else made.on_screen(time)
    return len(made.times) - 1


@pytest.mark.parametrize("slot", [Fraction(1, 25), Fraction(1, 8)])
def test_onset_takes_the_next_frame_but_not_beyond_its_slot(tmp_path: Path, slot: Fraction) -> None:
    made = make_movie(tmp_path / "v.mp4", rate=24, times=vfr_times(50, seed=5))
    times = [k * slot for k in range(int(made.end / slot))]
    assert seen(made.path, times, pick=Pick.ONSET, slot=slot) == [onset(made, time, slot) for time in times]


def test_onset_samples_a_25_fps_clip_at_25_fps_without_loss(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", rate=25, frames=125)
    assert seen(made.path, [k / 25 for k in range(125)], slot=1 / 25) == list(range(125))


def test_onset_at_8_fps_matches_the_model_sampling(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", rate=25, frames=125)
    found = seen(made.path, [k / 8 for k in range(40)], slot=1 / 8)
    assert found[:10] == [0, 4, 7, 10, 13, 16, 19, 22, 25, 29]


def test_a_held_frame_stays(tmp_path: Path) -> None:
    times = [Fraction(0), Fraction(1, 25), Fraction(2), Fraction(2) + Fraction(1, 25)]
    made = make_movie(tmp_path / "v.mp4", rate=25, times=times)
    assert seen(made.path, [0.5, 1.0, 1.95, 1.97], slot=0.04) == [1, 1, 1, 2]


@pytest.mark.parametrize("gop", [1, 12, 250])
def test_reverse_shows_every_frame_backwards(tmp_path: Path, gop: int) -> None:
    made = make_movie(tmp_path / "a.mp4", rate=25, frames=100, gop=gop, b_frames=3)
    times = [made.end - Fraction(k, 25) for k in range(100)]
    assert seen(made.path, times, pick=Pick.REVERSE) == list(range(99, -1, -1))


def test_reverse_keeps_within_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_movie(tmp_path / "a.mp4", rate=25, frames=100, gop=250)
    picture_bytes = 96 * 64 * 3
    monkeypatch.setattr(picking, "_REVERSE_BYTES", 7 * picture_bytes)
    held: list[int] = []
    real = picking._Kept.add

    def spy(self: picking._Kept, picture: picking.Picture, *, outside: bool) -> None:
        real(self, picture, outside=outside)
        held.append(len(self.items))

    monkeypatch.setattr(picking._Kept, "add", spy)
    times = [made.end - Fraction(k, 25) for k in range(100)]
    assert seen(made.path, times, pick=Pick.REVERSE) == list(range(99, -1, -1))
    assert max(held) == 7


def test_reverse_slow_motion_repeats_frames(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", rate=25, frames=40)
    times = [made.end - Fraction(k, 60) for k in range(90)]
    expected = [max(i for i, t in enumerate(made.times) if t < time) for time in times]
    assert seen(made.path, times, pick=Pick.REVERSE) == expected


def test_freeze_decodes_one_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plugin.media import video

    made = make_movie(tmp_path / "a.mp4", frames=60)
    converted: list[int] = []
    real = video.rgb_picture

    def counting(frame: object, **options: object) -> object:
        converted.append(1)
        return real(frame, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(video, "rgb_picture", counting)
    assert seen(made.path, [Fraction(33, 25)] * 50, pick=Pick.SCREEN) == [33] * 50
    assert len(converted) == 1


def test_edges_are_held_and_counted(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=30)
    with VideoReader.open(MediaFile(made.path)) as reader:
        times = [Fraction(-1), Fraction(-1, 25), Fraction(0), made.times[-1], made.end, made.end + 60]
        found = [read_index(picture) for picture in reader.frames_at(times, pick=Pick.SCREEN)]
        assert found == [0, 0, 0, 29, 29, 29]
        assert reader.edge_repeats == 4


def test_reverse_through_both_edges(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=30)
    times = [made.end + 1 - Fraction(k, 25) for k in range(80)]
    expected = [max([i for i, t in enumerate(made.times) if t < time], default=0) for time in times]
    assert seen(made.path, times, pick=Pick.REVERSE) == expected


def test_extent_of_a_whole_file(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=100, gop=12)
    with VideoReader.open(MediaFile(made.path)) as reader:
        extent = reader.extent()
    assert (extent.last, extent.end, extent.complete) == (made.times[-1], made.end, True)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_come_upright(tmp_path: Path, rotation: int) -> None:
    def lying(index: int) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(draw_index(index), -rotation // 90))

    made = make_movie(tmp_path / "r.mp4", frames=6, draw=lying, rotation=rotation)
    assert seen(made.path, list(made.times), pick=Pick.SCREEN) == list(range(6))
    info = probe(MediaFile(made.path))
    assert (info.rotation, info.width, info.height) == (rotation, 96, 64)


def test_untagged_colour_is_bt601_limited(tmp_path: Path) -> None:
    red = np.full((64, 96, 3), (254, 0, 0), np.uint8)
    made = make_movie(tmp_path / "c.mp4", frames=2, draw=lambda _: red, options={"crf": "0"})
    with VideoReader.open(MediaFile(made.path)) as reader:
        picture = next(reader.frames_at([0.0]))
    assert picture.shape == (64, 96, 3)
    assert picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - (254, 0, 0)).max() <= 3


def test_pictures_are_read_only_and_reduced(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=5)
    with VideoReader.open(MediaFile(made.path)) as reader:
        picture = next(reader.frames_at([0.0], reduce=lambda whole: whole[::2, ::2].copy()))
        assert picture.shape == (32, 48, 3)
        assert not picture.flags.writeable


def test_only_one_read_at_a_time(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=60)
    with VideoReader.open(MediaFile(made.path)) as reader:
        first: Iterator[object] = reader.frames_at([0.0, 1.0, 2.0])
        next(first)
        next(reader.frames_at([1.5]))
        with pytest.raises(ValueError, match="reading elsewhere"):
            list(first)


def test_reading_after_close_is_refused(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=30)
    with VideoReader.open(MediaFile(made.path)) as reader:
        frames = reader.frames_at([0.0, 0.5])
        next(frames)
    with pytest.raises(ValueError, match="closed"):
        next(frames)
    assert reader.info.rate == 25


def test_a_truncated_movie_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    made = make_truncated(tmp_path / "t.mp4")
    with VideoReader.open(MediaFile(made.path)) as reader:
        extent = reader.extent()
        assert not extent.complete
        assert extent.stated == made.end
        assert Fraction(1) < extent.end < made.end
        last = made.on_screen(extent.last)
        found = [read_index(picture) for picture in reader.frames_at(made.times, pick=Pick.SCREEN)]
        assert found == [min(index, last) for index in range(100)]
        assert reader.edge_repeats == 99 - last
        assert reader.damaged > 0


def test_a_damaged_stretch_is_left_out_and_counted(tmp_path: Path) -> None:
    made = make_truncated(tmp_path / "d.mp4", keep=1.0)
    content = bytearray(made.path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = np.random.default_rng(4).bytes(6000)
    made.path.write_bytes(content)
    with VideoReader.open(MediaFile(made.path)) as reader:
        found = [read_index(picture) for picture in reader.frames_at(made.times, pick=Pick.SCREEN)]
        assert reader.damaged > 0
    wrong = [index for index in range(100) if found[index] != index]
    assert wrong
    assert all(35 < index < 65 and found[index] < index for index in wrong)


def test_millisecond_clocks_do_not_shorten_the_last_frame(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mkv", rate=24, frames=48)
    with VideoReader.open(MediaFile(made.path)) as reader:
        extent = reader.extent()
        assert extent.end - extent.last == Fraction(1, 24)


def test_a_truncated_movie_backwards(tmp_path: Path) -> None:
    made = make_truncated(tmp_path / "t.mp4")
    with VideoReader.open(MediaFile(made.path)) as reader:
        last = made.on_screen(reader.extent().last)
    found = seen(made.path, list(reversed(made.times)), pick=Pick.SCREEN)
    assert found == [min(index, last) for index in reversed(range(100))]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MediaMissing, match=r"gone\.mov is not there") as caught:
        VideoReader.open(MediaFile(tmp_path / "gone.mov"))
    assert caught.value.remedy


def write_garbage(path: Path) -> None:
    path.write_bytes(np.random.default_rng(1).bytes(4000))


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def write_half_header(path: Path) -> None:
    path.write_bytes(make_movie(path.with_name("whole.mp4"), frames=10).path.read_bytes()[:600])


@pytest.mark.parametrize(
    "write", [write_garbage, write_nothing, write_half_header, Path.mkdir, make_audio_only]
)
def test_what_gives_no_picture_is_named(tmp_path: Path, write: object) -> None:
    path = tmp_path / "shot ü.mp4"
    write(path)  # type: ignore[operator]
    with pytest.raises(UndecodableMedia, match=r"shot ü\.mp4") as caught:
        VideoReader.open(MediaFile(path))
    assert caught.value.remedy.endswith(".")


def test_sound_only_is_told_as_such(tmp_path: Path) -> None:
    path = make_audio_only(tmp_path / "a.m4a")
    with pytest.raises(UndecodableMedia, match="sound but no picture"):
        VideoReader.open(MediaFile(path))


def test_an_unknown_codec_is_told(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mp4", frames=3).path
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz9").replace(b"avcC", b"zzzC"))
    with pytest.raises(UndecodableMedia, match=r"a\.mp4 has a picture of an unknown kind"):
        VideoReader.open(MediaFile(path))


def test_flipped_bytes_never_crash(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=30, container_options={"movflags": "faststart"})
    content = made.path.read_bytes()
    random = np.random.default_rng(0)
    outcomes = set()
    for _ in range(150):
        broken = bytearray(content)
        for _ in range(int(random.integers(1, 20))):
            broken[int(random.integers(0, len(broken)))] = int(random.integers(0, 256))
        (tmp_path / "b.mp4").write_bytes(broken[: int(random.integers(len(broken) // 2, len(broken)))])
        try:
            pictures = seen(tmp_path / "b.mp4", [k / 10 for k in range(12)], pick=Pick.SCREEN)
            outcomes.add(len(pictures))
        except UndecodableMedia:
            outcomes.add(0)
    assert outcomes == {0, 12}


@pytest.mark.parametrize("name", ["a.m3u8", "a.mp4", "a.ffconcat", "a.sdp", "a.mov", "a.txt"])
def test_playlists_open_nothing_else(tmp_path: Path, name: str) -> None:
    secret = make_movie(tmp_path / "secret.mp4", frames=3).path
    texts = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{secret}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9999 RTP/AVP 33\n",
    ]
    for text in texts:
        (tmp_path / name).write_text(text)
        with pytest.raises(UndecodableMedia):
            VideoReader.open(MediaFile(tmp_path / name))


def test_a_name_is_never_a_pattern(tmp_path: Path) -> None:
    write_image(tmp_path / "a0001.png", draw_index(5))
    path = write_image(tmp_path / "a%04d.png", draw_index(9))
    assert seen(path, [0.0]) == [9]
    assert seen(make_movie(tmp_path / "http:x%03d?.mp4", frames=3).path, [0.0]) == [0]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".dpx", ".exr"])
def test_one_image_shows_for_ever(tmp_path: Path, suffix: str) -> None:
    path = write_image(tmp_path / f"still{suffix}", draw_index(77))
    with VideoReader.open(MediaFile(path)) as reader:
        assert reader.info.is_still
        assert reader.info.duration is None
        found = [read_index(picture) for picture in reader.frames_at([0.0, 5.0, 500.0], pick=Pick.SCREEN)]
        assert found == [77, 77, 77]
        assert reader.edge_repeats == 0
        assert reader.extent().complete


def test_float_images_get_the_srgb_curve(tmp_path: Path) -> None:
    linear = np.full((64, 96, 3), 0.2140, np.float32)
    linear[:, 48:] = 7.0
    path = write_image(tmp_path / "lin.exr", linear)
    with VideoReader.open(MediaFile(path)) as reader:
        picture = next(reader.frames_at([0.0]))
    assert picture[0, 0].tolist() == [127, 127, 127] or picture[0, 0].tolist() == [128, 128, 128]
    assert picture[0, 95].tolist() == [255, 255, 255]


@pytest.mark.parametrize("kind", ["prores4444.mov", "qtrle.mov", "png.mov", "vp9.webm"])
def test_alpha_is_told_and_the_picture_is_right(tmp_path: Path, kind: str) -> None:
    made = make_alpha_movie(tmp_path, kind)
    assert probe(MediaFile(made.path)).has_alpha
    assert seen(made.path, list(made.times), pick=Pick.SCREEN) == list(range(8))


def test_a_kept_converter_gives_what_a_fresh_one_gives() -> None:
    converter = VideoReformatter()
    rng = np.random.default_rng(0)
    for kind, width, colorspace, color_range in [
        ("yuv420p", 64, 2, 1),
        ("yuv420p", 64, 1, 1),
        ("yuv420p", 64, 1, 2),
        ("yuv422p10le", 64, 1, 1),
        ("yuv420p", 96, 2, 1),
        ("yuv420p", 64, 2, 1),
    ]:
        frame = av.VideoFrame(width, 48, kind)
        for plane in frame.planes:
            plane.update(rng.integers(0, 4, plane.buffer_size, dtype=np.uint8).tobytes())
        frame.colorspace, frame.color_range = colorspace, color_range
        assert np.array_equal(rgb_picture(frame, converter=converter), rgb_picture(frame))
