"""A timeline file as a host: what becomes of earlier placements, and taking the last one away."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from plugin.filehost import FileHost
from plugin.hosts import Conflict, Flavour, Host, Removal, Scope, StemPiece
from plugin.timebase import TimeSpan
from tests.cli.made_timelines import MadeTimeline, make_timeline, rational, seconds


@pytest.fixture(params=Flavour)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    return request.param


@pytest.fixture
def film(tmp_path: Path) -> MadeTimeline:
    return make_timeline(tmp_path / "edit")


def host_of(film: MadeTimeline, flavour: Flavour = Flavour.GENERIC) -> FileHost:
    return FileHost(film.path, folder=film.path.parent / "out", flavour=flavour)


def piece(film: MadeTimeline, name: str, label: str, first: int, last: int) -> StemPiece:
    path = film.path.parent / f"{name}.wav"
    path.write_bytes(b"RIFF")
    return StemPiece("001", label, path, TimeSpan(seconds(first), seconds(last)))


def ours(path: Path) -> dict[str, list[str]]:
    """Names of the takes by track, in track order."""
    timeline = otio.adapters.read_from_file(str(path))
    tracks = [track for track in timeline.tracks if track.name.startswith("FOLEY")]
    return {track.name: [clip.name for clip in track.find_clips()] for track in tracks}


def editors(path: Path) -> list[Any]:
    timeline = otio.adapters.read_from_file(str(path))
    return [track.to_json_string() for track in timeline.tracks if not track.name.startswith("FOLEY")]


def test_it_is_a_host(film: MadeTimeline) -> None:
    host = host_of(film)
    assert isinstance(host, Host)
    assert (host.scope(), host.notes) == (Scope(), ())


def test_replacing_is_the_rule(film: MadeTimeline, flavour: Flavour) -> None:
    host = host_of(film, flavour)
    host.place([piece(film, "a", "violin", 6, 30)])
    host.place([piece(film, "b", "violin", 6, 30)])
    assert ours(host.output) == {"FOLEY violin": ["b"]}


def test_new_tracks_stay_beside_the_earlier_ones(film: MadeTimeline, flavour: Flavour) -> None:
    host = host_of(film, flavour)
    for name in ("a", "b", "c"):
        (placed,) = host.place([piece(film, name, "violin", 6, 30)], conflict=Conflict.NEW_TRACK)
        assert placed.error_samples == 0
    assert ours(host.output) == {"FOLEY violin": ["a"], "FOLEY violin 2": ["b"], "FOLEY violin 3": ["c"]}
    assert placed.track_name == "FOLEY violin 3"
    host.place([piece(film, "d", "violin", 6, 30)])
    assert ours(host.output) == {"FOLEY violin": ["d"]}


def test_skipping_adds_only_what_is_not_there(film: MadeTimeline, flavour: Flavour) -> None:
    host = host_of(film, flavour)
    host.place([piece(film, "a", "violin", 6, 18)])
    pieces = [
        piece(film, "over", "violin", 17, 20),
        piece(film, "after", "violin", 18, 30),
        piece(film, "other", "trumpet", 6, 18),
    ]
    placed = host.place(pieces, conflict=Conflict.SKIP)
    assert [one.piece.path.stem for one in placed] == ["after", "other"]
    found = ours(host.output)
    assert found == {"FOLEY violin": ["a"], "FOLEY violin 2": ["after"], "FOLEY trumpet": ["other"]}


def test_the_last_placement_is_removed_by_a_later_run(film: MadeTimeline, flavour: Flavour) -> None:
    host_of(film, flavour).place([piece(film, "a", "violin", 6, 18)])
    more = [piece(film, "b", "violin", 6, 18), piece(film, "c", "violin", 20, 30)]
    host_of(film, flavour).place(more, conflict=Conflict.NEW_TRACK)
    again = host_of(film, flavour)
    assert again.remove() == Removal(tracks=("FOLEY violin 2",), pieces=2)
    assert ours(again.output) == {"FOLEY violin": ["a"]}
    assert again.remove() == Removal(tracks=("FOLEY violin",), pieces=1)
    assert not again.output.exists()
    assert again.remove() == Removal()


def test_what_the_editor_did_in_our_output_stays(film: MadeTimeline) -> None:
    host = host_of(film)
    host.place([piece(film, "a", "violin", 6, 18)])
    timeline = otio.adapters.read_from_file(str(host.output))
    timeline.tracks.append(otio.schema.Track("theirs"))
    otio.adapters.write_to_file(timeline, str(host.output))
    before = editors(host.output)
    assert host.remove().pieces == 1
    assert ours(host.output) == {}
    assert editors(host.output) == before


def test_an_earlier_output_may_be_the_timeline_itself(film: MadeTimeline) -> None:
    first = host_of(film)
    first.place([piece(film, "a", "violin", 6, 18)])
    ongoing = first.output.rename(film.path.with_name("film2_foley.otio"))
    host = FileHost(ongoing, folder=ongoing.parent, name=Path("film2.otio"))
    assert host.output == ongoing
    assert host.remove().pieces == 1
    assert ours(ongoing) == {}


def test_an_output_of_another_start_is_not_kept(film: MadeTimeline) -> None:
    host = host_of(film)
    host.place([piece(film, "a", "violin", 6, 18)])
    film.rewrite(lambda timeline: setattr(timeline, "global_start_time", rational(0)))
    moved = StemPiece(
        "001", "violin", film.path.parent / "a.wav", TimeSpan(Fraction(6, 24), Fraction(18, 24))
    )
    host.place([moved], conflict=Conflict.NEW_TRACK)
    assert ours(host.output) == {"FOLEY violin": ["a"]}
