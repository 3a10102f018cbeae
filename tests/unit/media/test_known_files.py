from __future__ import annotations

import shutil
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import pytest

from plugin.cues import MediaFile
from plugin.media.movies import Movie
from plugin.media.video import Extent, VideoReader, extent_of, probe
from tests.media_factory import make_movie, make_truncated, read_index


def test_a_listed_end_is_the_decoded_one_and_needs_no_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=100, gop=200)
    with closing(Movie.open(made.path)) as movie:
        monkeypatch.setattr(movie, "_decode", lambda _: pytest.fail("decoded"))
        listed = movie.extent()
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
