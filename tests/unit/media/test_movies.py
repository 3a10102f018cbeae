"""What a decoder may hand out though the ones in use seldom do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from plugin.media.movies import Movie


def movie(monkeypatch: pytest.MonkeyPatch, decoded: list[list[Any]]) -> Movie:
    """A movie whose decoder gives `decoded[k]` for packet k; packet 0 is a keyframe with tick 10."""
    made = Movie(Path("fake.mp4"), alpha=False)
    packets = [SimpleNamespace(is_keyframe=k == 0, pts=10 + k, dts=10 + k, n=k) for k in range(len(decoded))]
    monkeypatch.setattr(made, "_packets", lambda _: iter(packets))
    made._decoder = SimpleNamespace(decode=lambda packet: decoded[packet.n])
    return made


def frame(pts: int, *, corrupt: bool = False) -> Any:
    return SimpleNamespace(pts=pts, is_corrupt=corrupt)


def test_pictures_before_the_keyframe_are_left_out_after_a_seek(monkeypatch: pytest.MonkeyPatch) -> None:
    made = movie(monkeypatch, [[frame(8)], [frame(9), frame(10)], [frame(11)]])
    assert [stamp for stamp, _ in made._decoded(after_key=True, run=0)] == [10, 11]
    assert [stamp for stamp, _ in made._decoded(after_key=False, run=0)] == [8, 9, 10, 11]


def test_corrupt_pictures_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = movie(monkeypatch, [[frame(10)], [frame(11, corrupt=True)], [frame(12)]])
    assert [stamp for stamp, _ in made._decoded(after_key=True, run=0)] == [10, 12]
    assert made.damaged == 1
