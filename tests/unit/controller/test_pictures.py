from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_onnx.bundle import Bundle
from plugin.controller.focusing import Region
from plugin.controller.overlays import Overlay
from plugin.controller.pictures import (
    FocusMode,
    FrameWish,
    Pictures,
    Shown,
    Still,
    Thumbnail,
    ViewerFrame,
)
from plugin.cues import ClipSource, Cue, ImageSequence, Matte, MatteChannel, MediaFile, Spot, SpotOrigin
from plugin.media.stills import Size
from plugin.timebase import TimeSpan
from tests.media_factory import Made, draw_index, make_movie, make_sequence, read_index

HOUR = Fraction(3600)
LIMIT = Size(96, 64)
PLAIN = Overlay(shown=False)
RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)]
GOLDEN = Path(__file__).parents[2] / "golden" / "bundle"


def source(media: Any, *, rate: Fraction, frames: int, **changes: Any) -> ClipSource:
    record = TimeSpan(HOUR, HOUR + frames / rate)
    clip = ClipSource(media, record, Fraction(0), Fraction(1), None, "clip", "V1", rate)
    return replace(clip, **changes)


def cue_of(
    picture: ClipSource | None, matte: Matte | None = None, *, cue_id: str = "001", **changes: Any
) -> Cue:
    record = picture.record if picture else TimeSpan(HOUR, HOUR + 1)
    spot = Spot(cue_id, record, "ball", "ball", "", picture, matte, SpotOrigin.MASK_TRACK, "MASK ball")
    return replace(Cue(spot, "ball", "", "standard", 3, 4.5, 1), **changes)


def movie_cue(made: Made, **changes: Any) -> Cue:
    return cue_of(source(MediaFile(made.path), rate=made.rate, frames=len(made.times), **changes))


class Waiting:
    """Pictures whose outcome is waited for."""

    def __init__(self, **options: Any) -> None:
        self._came = threading.Event()
        self.pictures = Pictures(ready=self._came.set, **options)
        self.all: list[Shown] = []

    def until(self, wanted: Callable[[Shown], bool]) -> Any:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self.all += self.pictures.poll()
            for shown in self.all:
                if wanted(shown):
                    return shown
            self._came.wait(0.05)
            self._came.clear()
        raise AssertionError("it did not come")

    def frame(self, wish: FrameWish) -> ViewerFrame:
        self.all.clear()
        self.pictures.ask(wish)
        shown: ViewerFrame = self.until(lambda one: isinstance(one, ViewerFrame) and one.wish == wish)
        return shown

    def thumbnail(self, cue: Cue) -> Thumbnail:
        known = self.pictures.thumbnail(cue)
        if known is not None:
            return known
        made: Thumbnail = self.until(lambda one: isinstance(one, Thumbnail) and one.cue_id == cue.id)
        return made


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    made = Waiting()
    yield made
    made.pictures.close()


def wish(cue: Cue, frame: int, *, rate: Fraction | None = None, **changes: Any) -> FrameWish:
    picture = cue.spot.picture
    step = 1 / (rate or (picture and picture.rate) or Fraction(25))
    made = FrameWish(cue, HOUR + frame * step, step, LIMIT, PLAIN)
    return replace(made, **changes)


def pixels(still: Still | None) -> np.ndarray:
    assert still is not None
    return np.frombuffer(still.rgb, np.uint8).reshape(still.height, still.width, 3)


def index_of(frame: ViewerFrame) -> int:
    return read_index(pixels(frame.still))


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.3f}")
def test_every_frame_in_every_direction(tmp_path: Path, waiting: Waiting, rate: Fraction) -> None:
    cue = movie_cue(make_movie(tmp_path / "a.mp4", rate=rate, frames=50))
    order = [0, 1, 2, 30, 29, 28, 27, 49, 0, 15]

    shown = [index_of(waiting.frame(wish(cue, frame))) for frame in order]

    assert shown == order


def test_media_of_another_rate_shows_what_is_on_screen(tmp_path: Path, waiting: Waiting) -> None:
    made = make_movie(tmp_path / "a.mp4", rate=24, frames=48)
    cue = movie_cue(made)

    shown = [index_of(waiting.frame(wish(cue, frame, rate=Fraction(25)))) for frame in range(0, 50, 7)]

    assert shown == [made.on_screen(Fraction(frame, 25)) for frame in range(0, 50, 7)]


def test_vfr_shows_what_is_on_screen(tmp_path: Path, waiting: Waiting) -> None:
    times = [Fraction(n, 10) + Fraction(n % 3, 50) for n in range(20)]
    made = make_movie(tmp_path / "a.mkv", times=times)
    cue = movie_cue(made)
    frames = [0, 3, 8, 9, 31, 12, 2]

    shown = [index_of(waiting.frame(wish(cue, frame, rate=Fraction(25)))) for frame in frames]

    assert shown == [made.on_screen(Fraction(frame, 25)) for frame in frames]


RETIMES = {
    "double": (Fraction(2), Fraction(0), {0: 0, 1: 2, 5: 10, 10: 20}),
    "half": (Fraction(1, 2), Fraction(0), {0: 0, 1: 0, 2: 1, 9: 4}),
    "freeze": (Fraction(0), Fraction(7, 25), {0: 7, 1: 7, 9: 7}),
    "reverse": (Fraction(-1), Fraction(20, 25), {0: 19, 1: 18, 2: 17, 10: 9}),
    "double reverse": (Fraction(-2), Fraction(40, 25), {0: 39, 1: 37, 5: 29}),
}


@pytest.mark.parametrize("retime", RETIMES)
def test_retimes(tmp_path: Path, waiting: Waiting, retime: str) -> None:
    speed, start, expected = RETIMES[retime]
    made = make_movie(tmp_path / "a.mp4", frames=50)
    picture = source(MediaFile(made.path), rate=made.rate, frames=12, speed=speed, source_start=start)

    shown = {frame: index_of(waiting.frame(wish(cue_of(picture), frame))) for frame in expected}

    assert shown == expected


def test_an_image_sequence_with_a_hole(tmp_path: Path, waiting: Waiting) -> None:
    made = make_sequence(tmp_path / "shot", count=10, holes=[1004])
    media = ImageSequence(made.path, "shot.", ".png", 4, 1001, 1010, 1, made.rate)
    cue = cue_of(source(media, rate=made.rate, frames=10))

    assert [index_of(waiting.frame(wish(cue, frame))) for frame in (9, 0, 2)] == [9, 0, 2]
    hole = waiting.frame(wish(cue, 3))
    assert hole.still is None
    assert "shot.1004.png is missing" in hole.notice
    assert hole.remedy.startswith("Render or copy")
    assert index_of(waiting.frame(wish(cue, 4))) == 4


def test_missing_media_is_told_and_comes_back(tmp_path: Path, waiting: Waiting) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=10)
    cue = movie_cue(made)
    assert index_of(waiting.frame(wish(cue, 3))) == 3

    made.path.rename(tmp_path / "elsewhere.mp4")
    gone = waiting.frame(wish(cue, 3))
    assert gone.still is None
    assert gone.notice == "a.mp4 is not there."
    assert gone.remedy == "Relink the clip to its media."

    make_movie(tmp_path / "a.mp4", frames=12, draw=lambda index: draw_index(index + 100))
    assert index_of(waiting.frame(wish(cue, 3))) == 103


def test_a_spot_without_picture_and_a_clip_without_media(tmp_path: Path, waiting: Waiting) -> None:
    nothing = waiting.frame(wish(cue_of(None), 0))
    unlinked = waiting.frame(wish(cue_of(source(None, rate=Fraction(25), frames=5)), 0))

    assert nothing.still is None
    assert "no picture under cue 001" in nothing.notice
    assert "names no media file" in unlinked.notice


def test_damaged_media_is_told(tmp_path: Path, waiting: Waiting) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a movie at all" * 100)

    shown = waiting.frame(wish(cue_of(source(MediaFile(path), rate=Fraction(25), frames=5)), 0))

    assert shown.still is None
    assert "a.mp4 is damaged" in shown.notice


def half_white(width: int = 96, height: int = 64) -> np.ndarray:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2] = 255
    return picture


def matte_cue(tmp_path: Path, **matte: Any) -> Cue:
    grey = make_movie(tmp_path / "grey.mp4", frames=20, draw=lambda _: np.full((64, 96, 3), 100, np.uint8))
    mask = make_movie(tmp_path / "mask.mp4", frames=20, draw=lambda _: half_white())
    picture = source(MediaFile(grey.path), rate=grey.rate, frames=20)
    return cue_of(picture, Matte(source(MediaFile(mask.path), rate=mask.rate, frames=20), **matte))


def test_the_matte_is_drawn_over(tmp_path: Path, waiting: Waiting) -> None:
    cue = matte_cue(tmp_path)
    tint = Overlay(colour=(255, 0, 0), opacity=0.5, outline=False)

    tinted = pixels(waiting.frame(wish(cue, 5, overlay=tint)).still).astype(int)
    inverted = matte_cue(tmp_path, invert=True)
    other = pixels(waiting.frame(wish(inverted, 5, overlay=tint)).still).astype(int)
    outlined = pixels(
        waiting.frame(wish(cue, 5, overlay=replace(tint, opacity=0.0, outline=True))).still
    ).astype(int)

    assert np.abs(tinted[32, 20] - [178, 50, 50]).max() <= 3
    assert np.abs(tinted[32, 80] - 100).max() <= 3
    assert np.abs(other[32, 80] - [178, 50, 50]).max() <= 3
    assert np.abs(other[32, 20] - 100).max() <= 3
    assert outlined[32, 47].tolist() == [255, 0, 0] or outlined[32, 48].tolist() == [255, 0, 0]
    assert np.abs(outlined[32, 20] - 100).max() <= 3


def test_the_overlay_can_be_off(tmp_path: Path, waiting: Waiting) -> None:
    shown = pixels(waiting.frame(wish(matte_cue(tmp_path), 5)).still).astype(int)

    assert np.abs(shown - 100).max() <= 3


def test_a_matte_that_cannot_be_read_leaves_the_picture(tmp_path: Path, waiting: Waiting) -> None:
    cue = matte_cue(tmp_path, channel=MatteChannel.ALPHA)

    shown = waiting.frame(wish(cue, 5, overlay=Overlay()))

    assert shown.still is not None
    assert shown.notice == "mask.mp4 has no alpha channel."
    assert shown.remedy


def test_only_the_newest_wish_counts(tmp_path: Path, waiting: Waiting) -> None:
    cue = movie_cue(make_movie(tmp_path / "a.mp4", frames=50))

    for frame in range(50):
        waiting.pictures.ask(wish(cue, frame))
    last = waiting.until(lambda one: isinstance(one, ViewerFrame) and one.wish == wish(cue, 49))

    assert index_of(last) == 49
    assert len(waiting.all) < 50


def test_the_memory_is_bounded(tmp_path: Path) -> None:
    waiting = Waiting(memory=4 * 96 * 64 * 3 * 10)
    try:
        cue = movie_cue(make_movie(tmp_path / "a.mp4", frames=50))
        for frame in range(50):
            waiting.frame(wish(cue, frame))

        assert 0 < waiting.pictures.kept_bytes <= 4 * 96 * 64 * 3 * 10
        assert index_of(waiting.frame(wish(cue, 0))) == 0
    finally:
        waiting.pictures.close()


def test_thumbnails_are_lazy_small_and_remembered(tmp_path: Path, waiting: Waiting) -> None:
    cue = matte_cue(tmp_path)
    assert waiting.pictures.thumbnail(cue) is None

    made = waiting.thumbnail(cue)
    again = waiting.pictures.thumbnail(replace(cue, prompt="other"))

    assert again == made
    assert made.still is not None
    assert (made.still.width, made.still.height) == (96, 64)
    tinted = pixels(made.still).astype(int)
    assert tinted[32, 20, 0] > 150
    assert np.abs(tinted[32, 80] - 100).max() <= 3


def test_a_thumbnail_without_media_says_why(waiting: Waiting) -> None:
    made = waiting.thumbnail(cue_of(None))

    assert made.still is None
    assert "no picture" in made.notice


def test_thumbnails_out_of_sight_are_not_made(tmp_path: Path, waiting: Waiting) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=10)
    clip = source(MediaFile(made.path), rate=made.rate, frames=10)
    cues = [cue_of(replace(clip, source_start=Fraction(n, 25)), cue_id=f"{n:03}") for n in range(40)]
    for cue in cues:
        waiting.pictures.thumbnail(cue)
    waiting.pictures.only_thumbnails(frozenset({"003"}))
    waiting.thumbnail(cues[3])

    assert len([one for one in waiting.all if isinstance(one, Thumbnail)]) < 40


def test_spots_of_the_same_files_in_turn(tmp_path: Path, waiting: Waiting) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=50)
    clip = source(MediaFile(made.path), rate=made.rate, frames=10)
    later = replace(clip, source_start=Fraction(30, 25))
    reverse = replace(clip, source_start=Fraction(20, 25), speed=Fraction(-1))
    matte = Matte(later, invert=True)
    cues = [
        cue_of(clip),
        cue_of(later),
        cue_of(clip, matte),
        cue_of(reverse),
        cue_of(clip, matte),
        cue_of(later),
    ]

    shown = [index_of(waiting.frame(wish(cue, 2))) for cue in cues]
    named = [replace(cues[at], spot=replace(cues[at].spot, id=f"{at:03}")) for at in (0, 1, 3)]
    small = [read_index(pixels(waiting.thumbnail(cue).still)) for cue in named]

    assert shown == [2, 32, 2, 17, 2, 32]
    assert small == [5, 35, 14]


def test_thumbnails_of_files_written_anew(tmp_path: Path, waiting: Waiting) -> None:
    made = make_movie(tmp_path / "a.mp4", frames=10)
    cue = movie_cue(made)
    assert read_index(pixels(waiting.thumbnail(cue).still)) == 5

    make_movie(tmp_path / "a.mp4", frames=12, draw=lambda index: draw_index(index + 100))
    waiting.pictures.refresh()
    waiting.all.clear()

    assert read_index(pixels(waiting.thumbnail(cue).still)) == 105


def dot(index: int) -> np.ndarray:
    """A white dot of 8 x 8 at column 40, row 20 + index of 96 x 64."""
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[20 + index : 28 + index, 40:48] = 255
    return picture


def focus_cue(tmp_path: Path, draw: Callable[[int], np.ndarray] = dot) -> Cue:
    picture = make_movie(tmp_path / "a.mp4", frames=10)
    mask = make_movie(tmp_path / "m.mp4", frames=10, draw=draw)
    clip = source(MediaFile(picture.path), rate=picture.rate, frames=10)
    return cue_of(clip, Matte(source(MediaFile(mask.path), rate=mask.rate, frames=10)))


@pytest.fixture
def focusing() -> Iterator[Waiting]:
    manifest = Bundle.open(GOLDEN).manifest
    spec = replace(manifest.picture, sync_size=96, crop_min=12, box_threshold=0.5)
    made = Waiting(manifest=lambda: replace(manifest, picture=spec))
    yield made
    made.pictures.close()


def test_the_focus_is_the_crop_of_the_model(tmp_path: Path, focusing: Waiting) -> None:
    cue = focus_cue(tmp_path)
    asked = wish(cue, 2, focus=FocusMode.RECTANGLE)
    focusing.pictures.ask(asked)

    shown = focusing.until(lambda one: isinstance(one, ViewerFrame) and one.focus is not None)
    region: Region = shown.focus

    assert shown.notice == ""
    assert region.left <= 40 / 96
    assert region.right >= 47 / 96
    assert region.right - region.left < 0.25
    assert region.top <= 21 / 64
    assert region.bottom >= 36 / 64


def test_the_focus_can_be_shown_alone(tmp_path: Path, focusing: Waiting) -> None:
    cue = focus_cue(tmp_path)
    focusing.pictures.ask(wish(cue, 2, focus=FocusMode.CROP))

    whole = focusing.until(lambda one: isinstance(one, ViewerFrame))
    crop = focusing.until(lambda one: isinstance(one, ViewerFrame) and one.notice == "")

    assert whole.notice == "Finding the focus ..."
    assert crop.still.width < whole.still.width / 3
    assert crop.focus is None


def test_why_there_is_no_focus(tmp_path: Path, focusing: Waiting, waiting: Waiting) -> None:
    empty = focus_cue(tmp_path, lambda _: np.zeros((64, 96, 3), np.uint8))
    bare = replace(empty, spot=replace(empty.spot, matte=None))

    def said(where: Waiting, cue: Cue) -> str:
        where.pictures.ask(wish(cue, 2, focus=FocusMode.RECTANGLE))
        shown = where.until(
            lambda one: (
                isinstance(one, ViewerFrame) and one.wish.cue == cue and not one.notice.startswith("Finding")
            )
        )
        return str(shown.notice)

    assert said(focusing, empty).startswith("The matte marks nothing here")
    assert said(focusing, bare).startswith("Without a matte")
    assert said(waiting, empty).startswith("Without a model bundle")


def test_closing_ends_the_threads(tmp_path: Path) -> None:
    waiting = Waiting()
    waiting.frame(wish(movie_cue(make_movie(tmp_path / "a.mp4", frames=5)), 1))

    waiting.pictures.close()
    waiting.pictures.ask(wish(cue_of(None), 0))

    assert not [one for one in threading.enumerate() if one.name in {"viewer", "thumbnails", "focus"}]
