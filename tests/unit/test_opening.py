"""Opening a timeline: packages are unpacked once, and what the user says about the file is heard."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from plugin.errors import UnreadableTimeline
from plugin.filehost import FileHost
from plugin.hosts import Flavour
from plugin.opening import OpenTimeline, Reading
from plugin.timeline.packages import write_otioz
from tests.cli.made_timelines import make_timeline


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_otioz(make_timeline(tmp_path / "edit").path, output=tmp_path / "film.otioz").path


def test_the_media_of_a_package_are_found(package: Path, tmp_path: Path) -> None:
    opened = OpenTimeline.read(package, unpack_into=tmp_path / "work")
    assert [problem.message for problem in opened.found.problems] == []
    assert opened.path == package
    pictures = {spot.picture.media.path for spot in opened.found.spots}
    assert all(path.is_file() and path.is_relative_to(tmp_path / "work") for path in pictures)


def test_a_package_is_unpacked_once_and_again_when_it_changes(package: Path, tmp_path: Path) -> None:
    first = OpenTimeline.read(package, unpack_into=tmp_path / "work").source
    assert OpenTimeline.read(package, unpack_into=tmp_path / "work").source == first
    package.write_bytes(package.read_bytes())
    assert OpenTimeline.read(package, unpack_into=tmp_path / "work").source != first


def test_what_is_written_for_a_package_lies_with_its_media(package: Path, tmp_path: Path) -> None:
    opened = OpenTimeline.read(package, unpack_into=tmp_path / "work")
    host = FileHost.of(opened, folder=tmp_path / "out", flavour=Flavour.GENERIC)
    host.place(())
    assert host.output.name == "film_foley.otio"
    again = OpenTimeline.read(host.output)
    assert [problem.message for problem in again.found.problems] == []


def test_what_is_no_package_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = tmp_path / "film.otioz"
    broken.write_bytes(b"PK but no zip")
    with pytest.raises(UnreadableTimeline):
        OpenTimeline.read(broken, unpack_into=tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_track_can_be_named_by_number(tmp_path: Path) -> None:
    film = make_timeline(tmp_path / "edit")
    film.rewrite(lambda timeline: setattr(timeline.tracks[1], "name", "V2"))
    plain = OpenTimeline.read(film.path).found.spots
    told = OpenTimeline.read(film.path, reading=Reading(mask_tracks={2: "cello | not drum"})).found.spots
    assert {spot.label for spot in told} - {spot.label for spot in plain} == {"cello"}
    assert {spot.negative_prompt for spot in told if spot.label == "cello"} == {"drum"}


def test_the_rate_of_an_edl_is_heard_when_reading_and_placing(tmp_path: Path) -> None:
    edl = tmp_path / "cut.edl"
    edl.write_text(
        "TITLE: CUT\nFCM: NON-DROP FRAME\n\n"
        "001  AX       V     C        00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n"
        "* FROM CLIP NAME: shot.mp4\n",
        "utf-8",
    )
    reading = Reading(edl_rate=Fraction(25))
    opened = OpenTimeline.read(edl, reading=reading)
    assert opened.found.rate == 25
    assert opened.found.record.duration == 2
    host = FileHost.of(opened, folder=tmp_path / "out", flavour=Flavour.GENERIC)
    host.place(())
    written = otio.adapters.read_from_file(str(host.output))
    assert written.duration().rate == 25
