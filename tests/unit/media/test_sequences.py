from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from plugin.cues import ImageSequence
from plugin.errors import MediaMissing, UndecodableMedia
from plugin.media.video import Pick, VideoReader
from tests.media_factory import make_sequence, read_index


def sequence(folder: Path, *, suffix: str = ".png", missing: str = "error", count: int = 10) -> ImageSequence:
    return ImageSequence(
        folder=folder,
        prefix="shot.",
        suffix=suffix,
        padding=4,
        first=1001,
        last=1000 + count,
        step=1,
        rate=Fraction(24),
        missing=missing,
    )


def indices(source: ImageSequence, times: list[Fraction], pick: Pick = Pick.SCREEN) -> list[int]:
    with VideoReader.open(source) as reader:
        return [read_index(picture) for picture in reader.frames_at(times, pick=pick)]


@pytest.mark.parametrize("suffix", [".png", ".exr", ".tiff", ".dpx", ".jpg"])
def test_every_number_at_its_time(tmp_path: Path, suffix: str) -> None:
    made = make_sequence(tmp_path, suffix=suffix)
    source = sequence(tmp_path, suffix=suffix)
    assert indices(source, list(made.times)) == list(range(10))
    assert indices(source, [made.end - Fraction(k, 24) for k in range(10)], Pick.REVERSE) == [
        *range(9, -1, -1)
    ]


def test_info_and_extent_come_from_the_numbers(tmp_path: Path) -> None:
    make_sequence(tmp_path)
    with VideoReader.open(sequence(tmp_path)) as reader:
        info, extent = reader.info, reader.extent()
    assert (info.width, info.height, info.rate, info.duration) == (96, 64, 24, Fraction(10, 24))
    assert (extent.last, extent.end, extent.complete) == (Fraction(9, 24), Fraction(10, 24), True)


def test_a_step_skips_numbers(tmp_path: Path) -> None:
    make_sequence(tmp_path)
    source = ImageSequence(tmp_path, "shot.", ".png", 4, 1001, 1010, 3, Fraction(24))
    assert indices(source, [Fraction(k, 24) for k in range(4)]) == [0, 3, 6, 9]


def test_an_error_hole_is_named_only_when_it_is_asked_for(tmp_path: Path) -> None:
    made = make_sequence(tmp_path, holes=[1005])
    source = sequence(tmp_path)
    assert indices(source, list(made.times[:4])) == [0, 1, 2, 3]
    with pytest.raises(MediaMissing, match=r"shot\.1005\.png is missing"):
        indices(source, list(made.times))


def test_a_held_hole_shows_the_image_before(tmp_path: Path) -> None:
    made = make_sequence(tmp_path, holes=[1001, 1005, 1006])
    assert indices(sequence(tmp_path, missing="hold"), list(made.times)) == [1, 1, 2, 3, 3, 3, 6, 7, 8, 9]


def test_a_black_hole_is_black(tmp_path: Path) -> None:
    made = make_sequence(tmp_path, holes=[1005])
    with VideoReader.open(sequence(tmp_path, missing="black")) as reader:
        pictures = list(reader.frames_at(made.times, pick=Pick.SCREEN))
        assert not reader.extent().complete
    assert pictures[4].shape == (64, 96, 3)
    assert not np.any(pictures[4])
    assert read_index(pictures[5]) == 5


def test_no_image_at_all(tmp_path: Path) -> None:
    with pytest.raises(MediaMissing, match=r"shot\.\[1001-1010\]\.png .* none of its 10 images"):
        VideoReader.open(sequence(tmp_path))


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    made = make_sequence(tmp_path)
    (tmp_path / "shot.1003.png").write_bytes(b"no image")
    with pytest.raises(UndecodableMedia, match=r"shot\.1003\.png"):
        indices(sequence(tmp_path), list(made.times))
