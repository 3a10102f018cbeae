from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from plugin.cues import ImageSequence, MatteChannel, MediaFile
from plugin.errors import MatteMismatch, MediaMissing
from plugin.media.picking import Pick
from plugin.media.stills import Size, StillReader
from plugin.media.video import VideoReader
from tests.media_factory import (
    ALPHA_KINDS,
    make_alpha_movie,
    make_movie,
    make_sequence,
    read_index,
    write_image,
)

SMALL = Size(48, 48)
RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.3f}")
def test_any_frame_in_any_order(tmp_path: Path, rate: Fraction):
    made = make_movie(tmp_path / "a.mp4", rate=rate, frames=60)
    order = [0, 1, 2, 3, 20, 21, 5, 4, 3, 59, 58, 12, 12, 11]

    with StillReader.open(MediaFile(made.path)) as reader:
        shown = [read_index(reader.picture(made.times[index], limit=SMALL)) for index in order]
        just_before = read_index(reader.picture(made.times[30] - Fraction(1, 500), limit=SMALL))

    assert shown == order
    assert just_before == 29


def test_vfr_shows_what_is_on_screen(tmp_path: Path):
    times = [Fraction(0), Fraction(1, 30), Fraction(1, 2), Fraction(51, 100), Fraction(2)]
    made = make_movie(tmp_path / "a.mkv", times=times)
    asked = [Fraction(1, 4), Fraction(3, 2), Fraction(49, 100), Fraction(505, 1000), Fraction(3)]

    with StillReader.open(MediaFile(made.path)) as reader:
        shown = [read_index(reader.picture(time, limit=SMALL)) for time in asked]

    assert shown == [made.on_screen(time) for time in asked] == [1, 3, 1, 2, 4]


def test_directions_may_change(tmp_path: Path):
    made = make_movie(tmp_path / "a.mp4", frames=40)

    with StillReader.open(MediaFile(made.path)) as reader:
        forward = read_index(reader.picture(made.times[10], limit=SMALL))
        backward = read_index(reader.picture(made.times[10], pick=Pick.REVERSE, limit=SMALL))
        again = read_index(reader.picture(made.times[11], limit=SMALL))

    assert (forward, backward, again) == (10, 9, 11)


def test_an_image_sequence_by_number(tmp_path: Path):
    made = make_sequence(tmp_path / "shot", count=10)
    source = ImageSequence(made.path, "shot.", ".png", 4, 1001, 1010, 1, made.rate)

    with StillReader.open(source) as reader:
        assert [read_index(reader.picture(made.times[i], limit=SMALL)) for i in (9, 0, 4)] == [9, 0, 4]


def test_pictures_are_fitted_and_turned(tmp_path: Path):
    made = make_movie(tmp_path / "a.mp4", frames=2, rotation=90)

    with StillReader.open(MediaFile(made.path)) as reader:
        shown = reader.picture(0, limit=Size(40, 48))
        with VideoReader.open(MediaFile(made.path)) as whole:
            upright = next(whole.frames_at([0]))

    assert shown.shape == (48, 32, 3)  # 96 x 64 turned is 64 x 96
    assert np.abs(shown.astype(int)[::8, ::8] - upright[::2, ::2][::8, ::8]).mean() < 8


def test_nothing_is_enlarged(tmp_path: Path):
    made = make_movie(tmp_path / "a.mp4", frames=2)

    with StillReader.open(MediaFile(made.path)) as reader:
        assert reader.picture(0, limit=Size(4000, 4000)).shape == (64, 96, 3)


@pytest.mark.parametrize("kind", ALPHA_KINDS)
def test_masks_of_every_way_to_store_alpha(tmp_path: Path, kind: str):
    made = make_alpha_movie(tmp_path, kind)

    with StillReader.open(MediaFile(made.path), channel=MatteChannel.ALPHA) as reader:
        shown = [
            reader.mask(time, size=Size(48, 32), channel=MatteChannel.ALPHA, invert=False)
            for time in made.times
        ]

    assert [read_index(mask) for mask in shown] == [1000 + index for index in range(len(made.times))]
    assert {mask.shape for mask in shown} == {(32, 48)}


def test_inverted_masks_and_other_shapes(tmp_path: Path):
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, :48, 0] = 255
    source = MediaFile(write_image(tmp_path / "a.png", picture))

    with StillReader.open(source) as reader:
        red = reader.mask(0, size=Size(10, 20), channel=MatteChannel.RED, invert=False)
        inverted = reader.mask(0, size=Size(10, 20), channel=MatteChannel.RED, invert=True)
        larger = reader.mask(0, size=Size(192, 128), channel=MatteChannel.RED, invert=False)

    assert red.shape == (20, 10)
    assert (red[:, :4] == 255).all()
    assert (red[:, 6:] == 0).all()
    assert np.array_equal(inverted, 255 - red)
    assert larger.shape == (128, 192)


def test_scene_linear_images_get_their_curve_at_any_size(tmp_path: Path):
    source = MediaFile(write_image(tmp_path / "a.exr", np.full((64, 96, 3), 0.5, np.float32)))

    with StillReader.open(source) as reader:
        shown = reader.picture(0, limit=SMALL)

    assert shown.shape == (32, 48, 3)
    assert np.abs(shown.astype(int) - 188).max() <= 1


def test_untagged_hd_is_read_as_bt709(tmp_path: Path):
    def green(_: int) -> np.ndarray:
        return np.broadcast_to(np.array([30, 200, 40], np.uint8), (720, 1280, 3)).copy()

    made = make_movie(tmp_path / "a.mp4", frames=1, draw=green, colorspace=1)

    with StillReader.open(MediaFile(made.path)) as reader:
        shown = reader.picture(0, limit=SMALL)[10, 10].astype(int)

    assert np.abs(shown - [30, 200, 40]).max() <= 6


def test_missing_alpha_and_missing_files_are_told(tmp_path: Path):
    made = make_movie(tmp_path / "a.mp4", frames=1)

    with pytest.raises(MatteMismatch):
        StillReader.open(MediaFile(made.path), channel=MatteChannel.ALPHA)
    with pytest.raises(MediaMissing):
        StillReader.open(MediaFile(tmp_path / "gone.mp4"))


def test_after_a_hole_other_images_are_still_shown(tmp_path: Path):
    made = make_sequence(tmp_path / "shot", count=10, holes=[1004])
    source = ImageSequence(made.path, "shot.", ".png", 4, 1001, 1010, 1, made.rate)

    with StillReader.open(source) as reader:
        with pytest.raises(MediaMissing, match=r"shot\.1004"):
            reader.picture(made.times[3], limit=SMALL)
        assert read_index(reader.picture(made.times[4], limit=SMALL)) == 4


def test_sizes_keep_their_shape():
    assert Size(1920, 1080).fitted(Size(100, 100)) == Size(100, 56)
    assert Size(1920, 1080).turned(90) == Size(1080, 1920)
    assert Size(4, 3000).fitted(Size(100, 100)) == Size(1, 100)
