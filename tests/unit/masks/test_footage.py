"""Frames of films by number: the same whichever way they are asked for, upright, in sync; faults in words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from plugin.cues import ImageSequence, MediaFile
from plugin.errors import MediaMissing, UndecodableMedia
from plugin.masks import footage
from plugin.masks.footage import SourceFrames
from tests.media_factory import (
    Made,
    draw_index,
    make_audio_only,
    make_movie,
    make_sequence,
    make_truncated,
    read_index,
    write_image,
)


def opened(made: Made | Path) -> SourceFrames:
    return SourceFrames.open(MediaFile(made.path if isinstance(made, Made) else made))


def indices(frames: SourceFrames, numbers: list[int]) -> list[int]:
    return [read_index(frames.picture(number)) for number in numbers]


@pytest.mark.parametrize("rate", [24, 25, Fraction(24000, 1001), Fraction(30000, 1001), 50])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_constant_rates(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    with opened(make_movie(tmp_path / f"a{suffix}", rate=rate, frames=40)) as frames:
        assert (frames.count, frames.rate) == (40, rate)
        assert indices(frames, list(range(40))) == list(range(40))


def test_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "KEPT_BYTES", 5 * 96 * 64 * 3)
    with opened(make_movie(tmp_path / "a.mp4", frames=60, gop=30)) as frames:
        back = list(range(59, -1, -1))
        assert indices(frames, back) == back
        mixed = [3, 50, 4, 49, 48, 47, 5, 0, 59, 30, 29, 28, 28]
        assert indices(frames, mixed) == mixed


def test_going_back_does_not_decode_everything_for_each_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    real = SourceFrames._decoded

    def counted(self: SourceFrames, frame: int) -> object:
        decoded.append(frame)
        return real(self, frame)

    monkeypatch.setattr(SourceFrames, "_decoded", counted)
    with opened(make_movie(tmp_path / "a.mp4", frames=60, gop=60)) as frames:
        assert indices(frames, list(range(59, -1, -1))) == list(range(59, -1, -1))
    assert len(decoded) == 60


def test_what_is_held_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "KEPT_BYTES", 4 * 96 * 64 * 3)
    with opened(make_movie(tmp_path / "a.mp4", frames=30)) as frames:
        for number in (*range(30), *range(29, -1, -1)):
            frames.picture(number)
            assert len(frames._kept) <= 4


def test_a_variable_rate_is_seen_as_a_timeline_shows_it(tmp_path: Path) -> None:
    """Frame n is what is on screen at n / rate, so that a matte of constant rate is in sync."""
    times = [Fraction(tick, 100) for tick in (0, 4, 8, 20, 24, 28, 60, 64, 68, 72)]
    made = make_movie(tmp_path / "vfr.mp4", times=times, frames=10)
    with opened(made) as frames:
        middles = [Fraction(2 * number + 1, 2) / frames.rate for number in range(frames.count)]
        assert indices(frames, list(range(frames.count))) == [made.on_screen(time) for time in middles]
        assert abs(frames.count / frames.rate - frames._reader.extent().end) <= 1 / frames.rate


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotated_films_are_upright(tmp_path: Path, rotation: int) -> None:
    with opened(make_movie(tmp_path / "phone.mp4", frames=6, rotation=rotation)) as frames:
        shape = (64, 96, 3) if rotation == 180 else (96, 64, 3)
        assert frames.picture(3).shape == shape
        film = frames.film()
        assert (film.height, film.width) == shape[:2]
        upright = np.rot90(frames.picture(3), -rotation // 90)
        assert read_index(upright) == 3
        assert frames.thumbnail(3).shape == frames.thumbnail(4).shape


def test_image_sequences_count_from_their_first_picture(tmp_path: Path) -> None:
    made = make_sequence(tmp_path / "seq", holes=(1005,))
    sequence = ImageSequence(made.path, "shot.", ".png", 4, 1001, 1010, 1, Fraction(24))
    with SourceFrames.open(sequence) as frames:
        assert (frames.count, frames.rate) == (10, 24)
        assert indices(frames, [0, 9, 3, 5]) == [0, 9, 3, 5]
        with pytest.raises(UndecodableMedia, match=r"Frame 4 of .* cannot be decoded") as caught:
            frames.picture(4)
        assert "1005" in caught.value.detail
        assert indices(frames, [5, 3]) == [5, 3]


def test_one_picture_is_a_film_of_one_frame(tmp_path: Path) -> None:
    with opened(write_image(tmp_path / "still.png", draw_index(9))) as frames:
        assert (frames.count, frames.rate) == (1, 25)
        assert indices(frames, [0]) == [9]
        with pytest.raises(UndecodableMedia, match="has no frame 1: its last one is 0"):
            frames.picture(1)


def test_a_film_of_one_frame(tmp_path: Path) -> None:
    with opened(make_movie(tmp_path / "one.mp4", frames=1)) as frames:
        assert frames.count == 1
        assert indices(frames, [0, 0]) == [0, 0]


def test_a_film_that_is_cut_short_says_where_it_ends(tmp_path: Path) -> None:
    with opened(make_truncated(tmp_path / "cut.mp4")) as frames:
        assert frames.is_short
        assert 10 < frames.count < 100
        last = frames.count - 1
        assert indices(frames, [last]) == [last]
        with pytest.raises(
            UndecodableMedia, match=f"its last one is {last}; the file is cut short"
        ) as caught:
            frames.picture(frames.count)
        assert f"from 0 to {last}" in caught.value.remedy
        with pytest.raises(UndecodableMedia):
            frames.thumbnail(90)


def test_damaged_frames_are_told_and_the_others_are_given(tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.avi", frames=40, codec="mpeg4", gop=1)
    data = bytearray(made.path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 10] = bytes(len(data) // 10)
    made.path.write_bytes(data)
    with opened(made) as frames:
        given = [number for number in range(frames.count) if is_given(frames, number)]
        assert frames.count >= 30
        assert indices(frames, [0]) == [0]
    assert 20 <= len(given) < 40


def is_given(frames: SourceFrames, number: int) -> bool:
    try:
        return frames.picture(number) is not None
    except UndecodableMedia:
        return False


@pytest.mark.parametrize("frame", [-1, 30, 10**9])
def test_frames_that_are_not_there(tmp_path: Path, frame: int) -> None:
    with opened(make_movie(tmp_path / "a.mp4", frames=30)) as frames:
        frames.picture(0)
        with pytest.raises(UndecodableMedia, match="its last one is 29") as caught:
            frames.picture(frame)
        assert "cut short" not in caught.value.message
        assert indices(frames, [0, 29]) == [0, 29]


def test_what_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(MediaMissing):
        opened(tmp_path / "nowhere.mp4")
    with pytest.raises(UndecodableMedia):
        opened(make_audio_only(tmp_path / "sound.m4a"))
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(UndecodableMedia):
        opened(tmp_path / "text.mp4")


def test_pictures_are_not_to_be_changed(tmp_path: Path) -> None:
    with (
        opened(make_movie(tmp_path / "a.mp4", frames=3)) as frames,
        pytest.raises(ValueError, match="read-only"),
    ):
        frames.picture(0)[:] = 0
