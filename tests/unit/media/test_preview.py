from __future__ import annotations

import resource
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from plugin.cues import MediaFile
from plugin.errors import MediaMissing, OutputError, UndecodableMedia
from plugin.media.preview import PlacedStem, mix_stems, mux_preview, preview_suffix
from plugin.media.video import Pick, VideoReader, probe
from tests.media_factory import make_movie, make_truncated, read_index, write_image


def click_stem(path: Path, *, at: int, samples: int) -> Path:
    sound = np.zeros(samples, np.float32)
    sound[at : at + 40] = np.hanning(40) * 0.8
    soundfile.write(path, sound, 48_000, subtype="PCM_24")
    return path


def packets(path: Path, *, start: Fraction = Fraction(0)) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def sound_of(path: Path) -> np.ndarray:
    """Samples as a player hears them, from time 0."""
    with av.open(str(path)) as container:
        frames = [(frame.time, frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    length = round(frames[-1][0] * 48_000) + len(frames[-1][1])
    heard = np.zeros(max(length, 1))
    for time, samples in frames:
        begin = round(time * 48_000)
        kept = samples[max(0, -begin) :]
        heard[max(0, begin) : max(0, begin) + len(kept)] = kept
    return heard


def shown(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [
            read_index(frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
            if frame.time >= 0
        ]


def test_the_picture_is_copied_and_the_click_is_in_place(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "v.mp4", frames=50, rate=25, b_frames=3)
    stem = click_stem(tmp_path / "s.wav", at=30_000, samples=96_000)
    preview = mux_preview(made.path, [PlacedStem(stem)], out=tmp_path / "p" / "out.mp4")
    assert (preview.path, preview.lead, preview.gain) == (tmp_path / "p" / "out.mp4", 0, 1)
    assert packets(preview.path) == packets(made.path)
    assert shown(preview.path) == list(range(50))
    heard = sound_of(preview.path)
    assert abs(int(np.argmax(np.abs(heard))) - 30_020) <= 2
    assert list((tmp_path / "p").iterdir()) == [preview.path]


@pytest.mark.parametrize("first", [24, 30])
@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize("name", ["v.mp4", "v.ts", "v.mkv"])
def test_a_range_starts_at_its_frame(tmp_path: Path, name: str, first: int, b_frames: int) -> None:
    made = make_movie(tmp_path / name, frames=75, rate=25, gop=12, b_frames=b_frames)
    stem = click_stem(tmp_path / "s.wav", at=4800, samples=48_000)
    start = made.times[first]
    preview = mux_preview(made.path, [PlacedStem(stem)], out=tmp_path / "o.mp4", start=start, end=start + 1)
    assert preview.lead == (0 if first == 24 else Fraction(6, 25))
    with VideoReader.open(MediaFile(preview.path)) as reader:
        found = [read_index(p) for p in reader.frames_at([k / 25 for k in range(25)], pick=Pick.SCREEN)]
    assert found == list(range(first, first + 25))
    assert shown(preview.path)[:25] == found
    assert abs(int(np.argmax(np.abs(sound_of(preview.path)))) - 4820) <= 2


def test_a_movie_that_starts_late_keeps_its_sync(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "v.ts", frames=50, rate=25, b_frames=0)
    stem = click_stem(tmp_path / "s.wav", at=4800, samples=96_000)
    preview = mux_preview(made.path, [PlacedStem(stem)], out=tmp_path / "o.mp4")
    assert shown(preview.path) == list(range(50))
    assert abs(int(np.argmax(np.abs(sound_of(preview.path)))) - 4820) <= 2


def test_rotation_survives(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "v.mp4", frames=20, rotation=90)
    preview = mux_preview(made.path, [], out=tmp_path / "o.mp4")
    assert probe(MediaFile(preview.path)).rotation == 90


@pytest.mark.parametrize(
    ("name", "settings", "suffix"),
    [
        ("v.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}, ".mov"),
        ("v.mov", {"codec": "qtrle", "pix_fmt": "rgb24"}, ".mov"),
        ("v.mkv", {"codec": "ffv1"}, ".mkv"),
        ("v.mkv", {}, ".mp4"),
        ("v.webm", {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}}, ".mp4"),
    ],
)
def test_the_container_follows_the_codec(
    tmp_path: Path, name: str, settings: dict[str, object], suffix: str
) -> None:
    made = make_movie(tmp_path / name, frames=10, **settings)  # type: ignore[arg-type]
    preview = mux_preview(made.path, [], out=tmp_path / "o.mp4")
    assert preview.path == tmp_path / f"o{suffix}"
    assert shown(preview.path) == list(range(10))


def test_suffixes() -> None:
    assert [preview_suffix(codec) for codec in ("h264", "prores", "ffv1")] == [".mp4", ".mov", ".mkv"]


def test_stems_are_summed_where_they_are_placed(tmp_path: Path) -> None:
    one = click_stem(tmp_path / "1.wav", at=100, samples=1000)
    two = click_stem(tmp_path / "2.wav", at=100, samples=200_000)
    mix = list(mix_stems([PlacedStem(one, 70_000, 0.5), PlacedStem(two, -60)], samples=150_000))
    whole = np.concatenate(mix)
    expected = np.zeros(150_000, np.float32)
    expected[70_100:70_140] += np.hanning(40) * 0.4
    expected[40:80] += np.hanning(40) * 0.8
    assert len(whole) == 150_000
    assert np.allclose(whole, expected, atol=1e-6)
    assert max(len(piece) for piece in mix) <= 65_536


def test_a_loud_mix_is_turned_down(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "v.mp4", frames=25)
    stem = click_stem(tmp_path / "s.wav", at=4800, samples=48_000)
    preview = mux_preview(made.path, [PlacedStem(stem), PlacedStem(stem)], out=tmp_path / "o.mp4")
    assert preview.gain == pytest.approx(10 ** (-1 / 20) / 1.6, rel=0.02)


def test_an_older_preview_is_replaced(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "v.mp4", frames=25)
    (tmp_path / "o.mp4").write_bytes(b"old")
    assert shown(mux_preview(made.path, [], out=tmp_path / "o.mp4").path) == list(range(25))


def test_a_truncated_movie_is_copied_as_far_as_it_goes(tmp_path: Path) -> None:
    made = make_truncated(tmp_path / "v.mp4")
    with VideoReader.open(MediaFile(made.path)) as reader:
        last = made.on_screen(reader.extent().last)
    preview = mux_preview(made.path, [], out=tmp_path / "o.mp4")
    assert shown(preview.path)[: last + 1] == list(range(last + 1))


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    def noisy(index: int) -> np.ndarray:
        return np.random.default_rng(index).integers(0, 255, (64, 96, 3)).astype(np.uint8)

    made = make_movie(tmp_path / "v.mp4", frames=25, draw=noisy, options={"crf": "1"})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (made.path.stat().st_size - 10_000, hard))
    try:
        with pytest.raises(OutputError, match=r"disk is full: o\.mp4"):
            mux_preview(made.path, [], out=tmp_path / "o.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.glob("o*")] == []


def test_what_cannot_be_previewed_is_named(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "v.mp4", frames=5)
    still = write_image(tmp_path / "still.png", np.zeros((64, 96, 3), np.uint8))
    with pytest.raises(UndecodableMedia, match=r"still\.png is a single image"):
        mux_preview(still, [], out=tmp_path / "o.mp4")
    with pytest.raises(UndecodableMedia, match="no picture in that range"):
        mux_preview(made.path, [], out=tmp_path / "o.mp4", start=Fraction(3))
    with pytest.raises(MediaMissing, match=r"gone\.wav"):
        mux_preview(made.path, [PlacedStem(tmp_path / "gone.wav")], out=tmp_path / "o.mp4")
    soundfile.write(tmp_path / "slow.wav", np.zeros(100), 44_100)
    with pytest.raises(UndecodableMedia, match=r"slow\.wav has 44100"):
        mux_preview(made.path, [PlacedStem(tmp_path / "slow.wav")], out=tmp_path / "o.mp4")
    unclocked = make_movie(tmp_path / "v.avi", frames=20, b_frames=2)
    with pytest.raises(UndecodableMedia, match=r"v\.avi has a picture that cannot be copied"):
        mux_preview(unclocked.path, [], out=tmp_path / "o.mp4")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"o\.mp4 could not be written"):
        mux_preview(made.path, [], out=tmp_path / "file" / "o.mp4")
    assert list(tmp_path.glob("*.part*")) == []
