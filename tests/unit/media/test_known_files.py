from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from plugin.cues import MediaFile
from plugin.errors import UndecodableMedia
from plugin.media import known, movies
from plugin.media.movies import Movie
from plugin.media.video import Extent, VideoReader, extent_of, probe
from tests.media_factory import make_movie, make_truncated, read_index


def test_a_listed_end_is_the_decoded_one_and_takes_one_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=100, gop=200)
    with closing(Movie.open(made.path)) as movie:
        decode = movie._decode
        decoded: list[object] = []
        monkeypatch.setattr(movie, "_decode", lambda packet: decoded.extend(decode(packet)) or decoded)
        listed = movie.extent()
        assert len(decoded) == 1
    with closing(Movie.open(shutil.copy(made.path, tmp_path / "b.mp4"))) as movie:
        monkeypatch.setattr(movie, "_listed_end", lambda _: None)
        assert movie.extent() == listed == Extent(made.times[-1], made.end, made.end, complete=True)


def test_an_end_full_of_zeros_is_not_taken_at_its_word(tmp_path: Path) -> None:
    made = make_truncated(tmp_path / "z.mp4")
    whole = make_truncated(tmp_path / "whole.mp4", keep=1.0).path.stat().st_size
    with made.path.open("r+b") as file:
        file.truncate(whole)
    extent = extent_of(MediaFile(made.path))
    assert not extent.complete
    assert Fraction(1) < extent.end < made.end


def test_what_a_file_is_like_is_found_out_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_movie(tmp_path / "a.mp4", frames=10).path
    media = MediaFile(path)
    with monkeypatch.context() as once:
        learn = Movie._learn
        learnt: list[Movie] = []
        once.setattr(Movie, "_learn", lambda movie: (learnt.append(movie), learn(movie))[1])
        with VideoReader.open(media) as first, VideoReader.open(media) as second:
            assert first.info == second.info
            assert [read_index(next(reader.frames_at([0.2]))) for reader in (first, second)] == [5, 5]
        assert extent_of(media).end == extent_of(media).end == Fraction(10, 25)
        assert len(learnt) == 1
    make_movie(path, frames=20)
    assert extent_of(media).end == Fraction(20, 25)
    assert probe(media).duration == Fraction(20, 25)


def test_damage_before_the_first_frame_is_told_to_every_reader(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mp4", frames=30, gop=5).path
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packet = next(container.demux(video=0))
        data[packet.pos + 64 : packet.pos + packet.size] = bytes(packet.size - 64)
    path.write_bytes(data)
    damaged = []
    for _ in range(2):
        with VideoReader.open(MediaFile(path)) as reader:
            damaged.append(reader.damaged)
    assert damaged[0] == damaged[1]


@pytest.mark.parametrize("codec", ["libx264", "prores_ks", "mjpeg"])
@pytest.mark.parametrize("written", ["noise", "ones", "zeros after the head"])
def test_an_overwritten_end_is_not_taken_at_its_word(tmp_path: Path, codec: str, written: str) -> None:
    pix_fmt = {"libx264": "yuv420p", "prores_ks": "yuv422p10le", "mjpeg": "yuvj420p"}[codec]
    rng = np.random.default_rng(0)
    made = make_movie(
        tmp_path / "o.mov",
        frames=60,
        gop=12,
        b_frames=0,
        codec=codec,
        pix_fmt=pix_fmt,
        draw=lambda _: rng.integers(0, 256, (64, 96, 3), dtype=np.uint8),
    )
    with av.open(str(made.path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(made.path.read_bytes())
    for position, size in packets[35:]:
        skipped = min(64, size) if written == "zeros after the head" else 0
        count = size - skipped
        new = {"noise": rng.bytes(count), "ones": b"\xff" * count}.get(written, bytes(count))
        data[position + skipped : position + size] = new
    made.path.write_bytes(data)
    extent = extent_of(MediaFile(made.path))
    assert not extent.complete
    assert Fraction(1) < extent.end < Fraction(8, 5)


def test_what_took_a_files_place_is_asked_anew(tmp_path: Path) -> None:
    path = make_movie(tmp_path / "a.mp4", frames=10).path
    with VideoReader.open(MediaFile(path)) as old:
        make_movie(tmp_path / "b.mp4", frames=50).path.replace(path)
        assert old.extent().end == Fraction(10, 25)
        assert extent_of(MediaFile(path)).end == Fraction(2)
        assert probe(MediaFile(path)).duration == Fraction(2)


def test_a_file_that_may_not_be_read_any_more_is_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_movie(tmp_path / "a.mp4", frames=10).path
    probe(MediaFile(path))
    path.chmod(0o000)

    def refused(*_: object, **__: object) -> None:
        raise UndecodableMedia("may not be read", remedy="")

    monkeypatch.setattr(movies, "open_container", refused)  # root may read everything
    with pytest.raises(UndecodableMedia):
        probe(MediaFile(path))


def test_many_readers_at_once_and_no_more_than_a_number_of_files_are_known(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    stamp = known.stamp_of(tmp_path / "a")
    assert stamp is not None
    stamps = [(*stamp[:4], stamp[4] + number) for number in range(2000)]

    def ask(number: int) -> int:
        return known.once_per_file(stamps[number], "number", lambda: number)

    with ThreadPoolExecutor(8) as pool:
        asked = [number % 2000 for number in range(20_000)]
        assert list(pool.map(ask, asked)) == asked
    assert len(known._known) <= known._KEPT
    assert known.stamp_of(tmp_path / "gone") is None
