"""The whole way over the real channels: a helper process, and the menu script inside the editor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from plugin.errors import HostNotRunning, HostRefused
from plugin.timeline.reading import read_timeline
from plugin.timeline.spotting import find_spots
from resolve_bridge.channels import Channel
from resolve_bridge.helper_channel import HelperChannel
from resolve_bridge.helper_process import HelperCommand
from resolve_bridge.host import ResolveHost
from resolve_bridge.inside.own_files import server_file
from resolve_bridge.loopback_channel import LoopbackChannel
from resolve_bridge.records import PlacementRecords
from tests.bridge.bridge_machine import install_menu_script, oldest_python, panel_until, wait_for
from tests.bridge.desk import Desk, our_items, without_ours
from tests.bridge.fake_resolve import Editor, Installation, differences, film, served


@pytest.fixture
def reel(editor: Editor, media_folder: Callable[[str], Path], tmp_path: Path) -> Iterator[Installation]:
    film(editor, media_folder("29.97 DF"), rate="29.97 DF")
    with served(editor, tmp_path / "resolve") as installation:
        yield installation


@pytest.fixture(params=["helper process", "menu script"])
def channel(request: pytest.FixtureRequest, reel: Installation, tmp_path: Path) -> Iterator[Channel]:
    if request.param == "helper process":
        opened, trials = HelperChannel.open([HelperCommand(Path(sys.executable), reel.api, reel.library)])
        assert opened is not None, trials
        yield opened
        opened.close()
        return
    sign = tmp_path / "close the panels"
    script = install_menu_script(reel, panel_until(sign))
    click = reel.run_menu_script(script, python=oldest_python())
    inside = wait_for(lambda: LoopbackChannel.open() if Path(server_file()).exists() else None)
    assert inside is not None
    yield inside
    inside.close()
    sign.touch()
    click.communicate(timeout=60)


def test_read_place_show_and_remove(channel: Channel, editor: Editor, tmp_path: Path) -> None:
    records = PlacementRecords(tmp_path / "records")
    host = ResolveHost(channel, records=records)
    desk = Desk.of(editor, tmp_path, tmp_path / "records")
    before = editor.state()
    path = host.snapshot(tmp_path)
    found = find_spots(read_timeline(path), folder=tmp_path)
    assert [spot.label for spot in found.spots] == ["violin", "door"]
    placed = host.place([desk.piece(12, 36, "violin"), desk.piece(Fraction(121, 2), 72, "door")])
    assert [float(one.error_samples) for one in placed] == pytest.approx([0, 0], abs=0.5)
    assert our_items(editor) == {"FOLEY violin": [(12, 24)], "FOLEY door": [(60, 12)]}
    assert differences(without_ours(before), without_ours(editor.state())) == []
    host.show(found.record.start + 7 / found.rate)
    assert editor.timeline.playhead - editor.timeline.start == 7
    editor.timeline.playhead = editor.timeline.start + 30
    assert ResolveHost(channel, records=records).remove().pieces == 2
    assert differences(before, editor.state()) == []


def test_a_refusal_arrives_in_words(channel: Channel, editor: Editor, tmp_path: Path) -> None:
    host = ResolveHost(channel, records=PlacementRecords(tmp_path / "records"), settle=0)
    desk = Desk.of(editor, tmp_path, tmp_path / "records")
    before = editor.state()
    editor.fail("AppendToTimeline", nth=2, result="ghost")
    with pytest.raises(HostRefused, match="did not put dog_1_9-20"):
        host.place([desk.piece(3, 9, "dog"), desk.piece(9, 20, "dog")])
    assert differences(before, editor.state()) == []


def test_resolve_quits_while_pieces_are_placed(channel: Channel, editor: Editor, tmp_path: Path) -> None:
    """Its objects die; when it is back, the next run clears what was there."""
    host = ResolveHost(channel, records=PlacementRecords(tmp_path / "records"), settle=0)
    desk = Desk.of(editor, tmp_path, tmp_path / "records")
    before = editor.state()
    editor.fail("AppendToTimeline", after=lambda: setattr(editor.options, "running", False))
    with pytest.raises((HostNotRunning, HostRefused)):
        host.place([desk.piece(3, 9, "dog"), desk.piece(9, 20, "dog")])
    editor.options.running = True
    desk.again().host.remove()
    after = editor.state()
    for state in (before, after):  # what had moved when it quit can only be put back by a person
        state["projects"]["Film"]["current bin"] = ""
        for timeline in state["projects"]["Film"]["timelines"].values():
            timeline["playhead"] = 0
    assert differences(before, after) == []
    assert desk.leftovers == []
