from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from plugin.cues import ImageSequence, MediaFile
from plugin.timeline.references import is_there, media_of_url, read_reference


def sequence(build: Any, **more: Any) -> Any:
    options: dict[str, Any] = {
        "target_url_base": "frames/", "name_prefix": "m.", "name_suffix": ".png", "start_frame": 1001,
        "frame_step": 1, "rate": 24.0, "frame_zero_padding": 4, "available_range": build.range(0, 10),
    }  # fmt: skip
    return otio.schema.ImageSequenceReference(**{**options, **more})


def read(build: Any, **more: Any) -> ImageSequence:
    media = read_reference(sequence(build, **more), folder=build.folder).media
    assert isinstance(media, ImageSequence)
    return media


def test_a_sequence_ends_with_its_available_range(build: Any) -> None:
    media = read(build)
    assert (media.first, media.last, media.step, media.rate) == (1001, 1010, 1, 24)
    assert media.path_of(1003) == build.folder / "frames" / "m.1003.png"
    assert read(build, frame_step=2).last == 1019
    assert read(build, available_range=build.range(0, 9.5)).last == 1010


@pytest.mark.parametrize("policy", ["error", "hold", "black"])
def test_the_policy_for_missing_images_is_kept(build: Any, policy: str) -> None:
    value = getattr(otio.schema.ImageSequenceReference.MissingFramePolicy, policy)
    assert read(build, missing_frame_policy=value).missing == policy


def test_a_sequence_without_a_range_ends_with_its_files(build: Any) -> None:
    (build.folder / "frames").mkdir()
    for name in ("m.1001.png", "m.1007.png", "m.x.png", "n.1009.png"):
        build.media(f"frames/{name}")
    assert read(build, available_range=None).last == 1007
    assert read(build, available_range=None, name_prefix="other").last == 1001


def test_senseless_sequences_stay_small(build: Any) -> None:
    media = read(build, frame_zero_padding=2_000_000_000, available_range=build.range(0, 1e12))
    assert media.padding <= 20
    assert media.last < 20_000_000
    assert not is_there(media)
    assert read(build, rate=1e-9).rate == 24


def test_one_image_is_enough_to_be_there(build: Any) -> None:
    (build.folder / "frames").mkdir()
    media = read(build)
    assert not is_there(media)
    build.media("frames/m.1011.png")
    assert not is_there(media), "it lies behind the sequence's end"
    build.media("frames/m.1010.png")
    assert is_there(media)


@pytest.mark.parametrize(
    ("name", "first", "last", "padding"),
    [("m.[1001-1099].tif", 1001, 1099, 4), ("m.%04d.tif", 1002, 1005, 4), ("m.####.tif", 1002, 1005, 4)],
)
def test_patterns_are_sequences(build: Any, name: str, first: int, last: int, padding: int) -> None:
    for number in (1002, 1005):
        build.media(f"m.{number}.tif")
    media = media_of_url(str(build.folder / name), rate=Fraction(25), folder=Path("/"))
    assert media == ImageSequence(
        folder=build.folder, prefix="m.", suffix=".tif", padding=padding, first=first, last=last, step=1,
        rate=Fraction(25),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["m.%04d.tif", "m.####.tif", "take#1.mov", "m.%999999999d.tif", "[a-b].mov"])
def test_a_pattern_without_files_is_a_file_name(build: Any, name: str) -> None:
    assert media_of_url(name, rate=None, folder=build.folder) == MediaFile(build.folder / name)


@pytest.mark.parametrize("name", ["m.[0-99999999999].png", "m.[5-99999999999999999999999].png"])
def test_senseless_patterns_stay_small(build: Any, name: str) -> None:
    media = media_of_url(name, rate=None, folder=build.folder)
    assert isinstance(media, MediaFile) or media.last - media.first < 20_000_000
    assert not is_there(media)


def test_a_file_that_looks_like_a_pattern_is_a_file(build: Any) -> None:
    path = build.media("m.[1-5].mov")
    assert media_of_url(path.name, rate=None, folder=build.folder) == MediaFile(path)


@pytest.mark.parametrize(
    ("reference", "fault"),
    [
        (None, "is not named"),
        (otio.schema.MissingReference(), "is not named"),
        (otio.schema.GeneratorReference("bars", "SMPTEBars"), "made by the editing program"),
        (otio.schema.ExternalReference(""), "empty address"),
        (otio.schema.ExternalReference("https://x/y.mov"), "never fetched"),
    ],
)
def test_why_there_is_no_media(reference: Any, fault: str, tmp_path: Path) -> None:
    found = read_reference(reference, folder=tmp_path)
    assert found.media is None
    assert fault in found.fault
