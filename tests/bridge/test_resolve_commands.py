"""`sagafoley resolve ...` and `render --host resolve` against the fake editor, as typed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugin.controller import resolve as composition
from plugin.errors import HostNotRunning
from resolve_bridge.connecting import Attempt, Connection, Transport
from resolve_bridge.hand_over import hand_over
from tests.bridge.desk import Desk, our_items, without_ours
from tests.bridge.fake_resolve import differences
from tests.bridge.fake_resolve.scenes import crowded
from tests.cli.conftest import golden, sagafoley  # noqa: F401 (fixtures)

MakeDesk = Callable[..., Desk]
QUICK = ("--bundle", Path(__file__).parents[1] / "golden" / "bundle", "--provider", "cpu", "--steps", "1")


def connection_of(desk: Desk | None) -> Connection:
    works = desk is not None
    attempts = (
        Attempt(
            Transport.EXTERNAL,
            works=works,
            found="It answers." if works else "It does not run.",
            remedy="" if works else "Start DaVinci Resolve.",
        ),
        Attempt(Transport.MENU, works=False, found="The script has not been started.", remedy="Start it."),
        Attempt(Transport.FILES, works=True, found="They work with every edition."),
    )
    return Connection(desk.channel if desk else None, None, attempts, hand_over())


@pytest.fixture
def desk(make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = make_desk("studio_21_0", change=crowded)
    monkeypatch.setattr(composition, "connect", lambda: connection_of(made))
    return made


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "connect", lambda: connection_of(None))


@pytest.mark.usefixtures("golden")
def test_render_place_again_and_remove(desk: Desk, sagafoley: Any, tmp_path: Path) -> None:  # noqa: F811
    before = desk.editor.state()
    ran = sagafoley("render", "--host", "resolve", "-o", tmp_path / "out", *QUICK)
    assert ran.code == 0, ran.err
    assert "3 of 3 pieces placed, all verified." in ran.err
    assert ran.lines[0].split("  ")[:2] == ["FOLEY violin", "01:00:00:12"]
    assert our_items(desk.editor) == {"FOLEY violin": [(12, 18), (30, 6)], "FOLEY door": [(60, 12)]}
    assert differences(without_ours(before), without_ours(desk.editor.state())) == []

    ran = sagafoley("resolve", "place", "-o", tmp_path / "out", "--conflict", "skip", "--json")
    assert ran.document["placed"] == []
    ran = sagafoley("resolve", "place", "-o", tmp_path / "out", "--conflict", "new-track", "--json")
    assert [one["track"] for one in ran.document["placed"]] == [
        "FOLEY violin 2",
        "FOLEY violin 2",
        "FOLEY door 2",
    ]
    assert {one["error_samples"] for one in ran.document["placed"]} == {"0"}

    assert sagafoley("resolve", "remove").lines == ["3 pieces and 2 tracks removed."]
    assert sagafoley("resolve", "remove", "--json").document["tracks"] == ["FOLEY violin", "FOLEY door"]
    assert sagafoley("resolve", "remove").lines == ["0 pieces and 0 tracks removed."]
    assert differences(before, desk.editor.state()) == []
    assert len(list((tmp_path / "out").glob("*.wav"))) == 3


@pytest.mark.usefixtures("golden")
def test_timelines_of_one_name_in_two_projects_are_kept_apart(desk: Desk, sagafoley: Any) -> None:  # noqa: F811
    assert desk.editor.project is not None
    first = sagafoley("resolve", "spots", "--json").document["timeline"]
    desk.editor.project.name = "Film 2"
    second = sagafoley("resolve", "spots", "--json").document["timeline"]
    assert first != second
    assert Path(first).is_file()
    assert Path(second).is_file()


@pytest.mark.usefixtures("golden")
def test_spots_are_those_of_the_open_timeline(desk: Desk, sagafoley: Any, tmp_path: Path) -> None:  # noqa: F811
    del desk
    ran = sagafoley("resolve", "spots", "--json", "--write", tmp_path / "cues.toml")
    assert [cue["label"] for cue in ran.document["cues"]] == ["violin", "violin", "door"]
    assert ran.document["start"] == "01:00:00:00"
    assert (tmp_path / "cues.toml").is_file()


@pytest.mark.usefixtures("golden")
def test_marks_and_selection_choose_the_cues(desk: Desk, sagafoley: Any, tmp_path: Path) -> None:  # noqa: F811
    def asked(within: str) -> Any:
        line = (
            "render",
            "--host",
            "resolve",
            "--within",
            within,
            "--dry-run",
            "--json",
            "-o",
            tmp_path / "o",
        )
        return sagafoley(*line, *QUICK)

    desk.editor.timeline.marks = {("video", "in"): 30, ("video", "out"): 40}
    assert asked("marks").document["cues"] == ["002"]
    assert asked("selection").document["cues"] == ["001", "002", "003"]  # the title lies over both violins
    desk.editor.timeline.selected.pop()
    assert asked("selection").document["cues"] == ["003"]
    desk.editor.timeline.marks = {("video", "in"): 100, ("video", "out"): 110}
    assert asked("marks").told("Nothing between the in and out points")
    desk.editor.timeline.marks.clear()
    desk.editor.timeline.selected.clear()
    assert asked("marks").told("in and out points are not both set")
    assert asked("selection").told("no clip is selected")
    assert asked("all").document["cues"] == ["001", "002", "003"]


@pytest.mark.usefixtures("golden")
def test_status(desk: Desk, sagafoley: Any) -> None:  # noqa: F811
    ran = sagafoley("resolve", "status")
    assert ran.code == 0
    assert "DaVinci Resolve Studio 21.0.4.5, by in process" in ran.lines
    assert "project: Film" in ran.lines
    desk.editor.open_project(None)
    assert "timeline: none is open" in sagafoley("resolve", "status").lines
    assert sagafoley("resolve", "status", "--json").document["connected"] is True
    assert sagafoley("resolve", "spots").told("No project is open")


@pytest.mark.usefixtures("golden")
def test_what_resolve_can_is_told_in_words(desk: Desk, sagafoley: Any) -> None:  # noqa: F811
    able = "place stems, tell in and out points, tell selected clips, tell attached mattes, export timelines"
    assert f"can: {able}" in sagafoley("resolve", "status").lines
    desk.editor.open_project(None)
    assert "can: nothing while no timeline is open" in sagafoley("resolve", "status").lines


@pytest.mark.usefixtures("golden")
def test_a_resolve_that_falls_silent_after_the_greeting_is_told(desk: Desk, sagafoley: Any) -> None:  # noqa: F811
    desk.channel.dies_before = "status"
    ran = sagafoley("resolve", "status")
    assert ran.code == 2
    assert ran.told("Resolve is gone.", "Start it.")


@pytest.mark.usefixtures("golden")
def test_one_piece_is_one_piece(desk: Desk, sagafoley: Any, tmp_path: Path) -> None:  # noqa: F811
    del desk
    ran = sagafoley("render", "--host", "resolve", "--only", "door", "-o", tmp_path / "out", *QUICK)
    assert ran.code == 0, ran.err
    assert sagafoley("resolve", "remove").lines == ["1 piece and 1 track removed."]


@pytest.mark.usefixtures("golden")
def test_ctrl_c_breaks_nothing_off_in_resolve(desk: Desk, sagafoley: Any, tmp_path: Path) -> None:  # noqa: F811
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    before, usual = desk.editor.state(), signal.getsignal(signal.SIGINT)
    line = ("render", "--host", "resolve", "--only", "door", "-o", tmp_path / "out", *QUICK)
    desk.editor.fail("AppendToTimeline", before=interrupt)
    ran = sagafoley(*line)
    assert ran.code == 0, ran.err
    assert "Finishing what was begun in Resolve" in ran.err
    assert "1 of 1 pieces placed, all verified." in ran.err
    desk.editor.fail("DeleteTrack", before=interrupt)
    ran = sagafoley("resolve", "remove")
    assert ran.lines == ["1 piece and 1 track removed."]
    assert differences(before, desk.editor.state()) == []
    assert signal.getsignal(signal.SIGINT) == usual


@pytest.mark.usefixtures("alone")
def test_without_resolve_every_command_says_what_to_do(sagafoley: Any) -> None:  # noqa: F811
    ran = sagafoley("resolve", "status")
    assert ran.code == 2
    assert ran.lines[:2] == ["no  external scripting: It does not run.", "      -> Start DaVinci Resolve."]
    assert "In DaVinci Resolve:" in ran.err
    assert sagafoley("resolve", "status", "--json").document["connected"] is False
    for line in (("resolve", "spots"), ("resolve", "place"), ("resolve", "remove")):
        ran = sagafoley(*line)
        assert ran.code == 2
        assert ran.told("no connection to DaVinci Resolve", "Start DaVinci Resolve.")


@pytest.mark.usefixtures("golden")
def test_what_does_not_go_together_is_said(desk: Desk, sagafoley: Any, tmp_path: Path) -> None:  # noqa: F811
    del desk
    film = tmp_path / "film.otio"
    assert sagafoley("render", film, "--host", "resolve").told("the timeline is the open one")
    assert sagafoley("render", "--host", "resolve", "--otioz").told("package")
    assert sagafoley("render", film, "--within", "marks").told("has no marks")
    line = ("render", "--host", "resolve", "--within", "marks", "--only", "door")
    assert sagafoley(*line, *QUICK).told("each say which cues")
    assert sagafoley("resolve", "place", "-o", tmp_path / "empty").told("There is no take of 'Reel 1'")


def test_a_host_that_is_not_there_is_told_with_the_way_by_hand() -> None:
    with pytest.raises(HostNotRunning) as told:
        composition.host_of(connection_of(None))
    assert "In DaVinci Resolve:" in told.value.detail
