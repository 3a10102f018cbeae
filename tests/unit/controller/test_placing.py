import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile

from plugin.controller.chores import SLOW
from plugin.controller.desk import Desk
from plugin.controller.placing import PATIENCE
from plugin.controller.views import CueEdit, SpotState
from plugin.errors import HostNotRunning, HostRefused, UsageError
from plugin.filehost import FileHost
from plugin.hosts import HostInfo
from plugin.media.bwf_reading import read_broadcast_wave
from plugin.media.shaping import Shape
from plugin.timebase import STEM_RATE, sample_position, span_samples
from tests.unit.controller.waiting import messages, settle, wait_until


def stems_on(path: Path) -> dict[str, list[Path]]:
    """Files by audio track of ours."""
    document = otio.adapters.read_from_file(str(path))
    return {
        track.name: [
            Path(otio.url_utils.filepath_from_url(clip.media_reference.target_url))
            for clip in track.find_clips()
        ]
        for track in document.tracks
        if track.name.startswith("FOLEY ")
    }


def act(desk):
    wait_until(desk, lambda: not desk.placing.busy)
    return desk.placing.report


def test_the_summary_says_what_will_be_added(rendered):
    summary = rendered.placing.summary()
    assert summary.possible
    assert summary.tracks == ("FOLEY violin", "FOLEY trumpet")
    assert [(line.cue_id, line.take, line.start, line.end) for line in summary.pieces] == [
        ("001", "Take 2", "01:00:00:06", "01:00:01:06"),
        ("002", "Take 1", "01:00:00:06", "01:00:01:06"),
    ]
    assert summary.sentence.startswith("2 stems will be added on 2 new audio tracks of ")
    assert rendered.placing.report is None


def test_what_was_placed_is_read_back_and_remembered(rendered, open_on, folders):
    rendered.placing.place()
    report = act(rendered)
    assert report.sentence == "2 stems read back on 2 audio tracks, each at its exact sample."
    assert [line.error_samples for line in report.pieces] == [0, 0]
    files = stems_on(report.path)
    assert files["FOLEY violin"] == [rendered.takes.rows("001")[1].path]
    assert {row.state for row in rendered.spots.rows()} == {SpotState.PLACED}
    rendered.takes.step("001", 1)
    assert rendered.spots.row("001").note == "Another take is placed."
    rendered.undo()
    path = rendered.timeline.path
    rendered.close()
    again = open_on(Desk.open(folders=folders), path)
    assert {row.state for row in again.spots.rows()} == {SpotState.PLACED}
    again.close()


def test_placing_one_spot_leaves_the_others_where_they_are(rendered):
    rendered.placing.place()
    before = stems_on(act(rendered).path)
    rendered.takes.step("001", 1)
    rendered.takes.set_level(rendered.takes.rows("002")[0].name, gain_db=-6)
    assert "1 stem of other spots stay" in " ".join(rendered.placing.summary(["001"]).notes)
    rendered.placing.place(["001"])
    after = stems_on(act(rendered).path)
    assert after["FOLEY violin"] == [rendered.takes.rows("001")[0].path]
    assert after["FOLEY trumpet"] == before["FOLEY trumpet"], "as it was placed, not as it is now"
    assert rendered.spots.row("002").state is SpotState.TAKES


def test_gain_and_fades_are_written_into_what_is_placed(rendered):
    take = rendered.takes.rows("001")[1]
    before = take.path.read_bytes()
    rendered.takes.set_level(take.name, gain_db=-6, fade_in=0.1, fade_out=0.2)
    assert rendered.placing.summary().pieces[0].note == "-6.0 dB, fade in 0.1 s, fade out 0.2 s"
    rendered.placing.place(["001"])
    (piece,) = act(rendered).pieces
    assert take.path.read_bytes() == before
    assert piece.path == rendered.placing.summary().pieces[0].path
    own, _ = soundfile.read(take.path, dtype="float32")
    shaped, _ = soundfile.read(piece.path, dtype="float32")
    shape = Shape.of(gain_db=-6, fade_in=0.1, fade_out=0.2, sample_rate=STEM_RATE)
    assert np.abs(shaped - shape.applied(own)).max() <= 2**-24, "to half a step of 24 bits"
    wave = read_broadcast_wave(piece.path)
    record = rendered.spots.cue("001").spot.record
    assert (wave.bits, wave.frames) == (24, span_samples(record))
    assert wave.time_reference == sample_position(record.start)
    clip = next(iter(otio.adapters.read_from_file(str(rendered.placing.report.path)).tracks[-1].find_clips()))
    facts = dict(clip.metadata["sagafoley"])
    assert (facts["gain_db"], facts["fade_in"], facts["fade_out"]) == ("-6", "0.1", "0.2")
    assert piece.path.with_suffix(".json").is_file()


def test_a_gain_that_would_clip_is_limited_and_told(rendered):
    take = rendered.takes.rows("001")[1]
    rendered.takes.set_level(take.name, gain_db=24)
    rendered.placing.place(["001"])
    report = act(rendered)
    assert "turned down by" in report.warnings[-1]
    shaped, _ = soundfile.read(report.pieces[0].path)
    assert np.abs(shaped).max() < 0.9


def test_a_shaped_file_is_written_once(rendered):
    take = rendered.takes.rows("001")[1]
    rendered.takes.set_level(take.name, gain_db=-6)
    rendered.placing.place()
    path = act(rendered).pieces[0].path
    written = path.stat().st_mtime_ns
    rendered.placing.place()
    act(rendered)
    assert path.stat().st_mtime_ns == written
    path.write_bytes(b"damaged")
    rendered.placing.place()
    assert act(rendered).failed is False
    assert read_broadcast_wave(path).frames == span_samples(rendered.spots.cue("001").spot.record)


def test_spots_that_get_nothing_are_named_with_the_reason(rendered):
    rendered.takes.delete([rendered.takes.rows("002")[0].name])
    rendered.spots.edit(["001"], CueEdit(handle_out=2))
    summary = rendered.placing.summary()
    assert not summary.possible
    assert summary.skipped == (
        "Spot 001 ('violin') gets nothing: it has no take.",
        "Spot 002 ('trumpet') gets nothing: it has no take.",
    )
    with pytest.raises(UsageError, match="no take to place"):
        rendered.placing.place()
    rendered.takes.choose("001", rendered.takes.rows("001")[0].name)
    assert "made for another place" in rendered.placing.summary(["001"]).skipped[0]


def test_an_older_take_may_be_placed_and_is_told(rendered):
    rendered.spots.edit(["001"], CueEdit(prompt="fiddle"))
    summary = rendered.placing.summary(["001"])
    assert summary.possible
    assert "is older than what it asks for. Made with other words." in summary.notes[0]


def test_the_last_placement_can_be_removed(rendered):
    rendered.placing.place()
    path = act(rendered).path
    assert rendered.placing.removal().sentence.startswith("2 stems that we placed")
    rendered.placing.remove()
    assert act(rendered).sentence == "2 stems on 2 tracks taken away."
    assert not path.exists() or stems_on(path) == {}
    assert {row.state for row in rendered.spots.rows()} == {SpotState.TAKES}
    rendered.placing.remove()
    assert act(rendered).sentence == "Nothing of ours was there."


def test_an_export_is_complete_by_itself(rendered, tmp_path):
    out = tmp_path / "to the mixer"
    rendered.takes.set_level(rendered.takes.rows("001")[1].name, gain_db=-6)
    rendered.placing.export(out, otioz=True)
    report = act(rendered)
    assert "Written: film_foley.otio and film_foley.otioz." in report.sentence
    assert report.folder == out
    files = [path for paths in stems_on(out / "film_foley.otio").values() for path in paths]
    assert all(path.parent == out and path.is_file() for path in files)
    assert (out / f"{rendered.takes.rows('001')[1].name}.json").is_file(), "how it was made goes along"
    assert {row.state for row in rendered.spots.rows()} == {SpotState.TAKES}, "nothing was placed"


def test_an_export_does_not_write_over_what_is_placed(rendered):
    rendered.placing.place()
    placed = act(rendered).path.read_bytes()
    with pytest.raises(UsageError, match="is what Place writes"):
        rendered.placing.export(rendered.timeline.folder, cue_ids=["001"])
    assert not rendered.placing.busy
    rendered.placing.export(rendered.placing.export_folder, cue_ids=["001"])
    report = act(rendered)
    assert not report.failed
    assert report.path.parent == rendered.placing.export_folder
    assert (rendered.timeline.folder / "film_foley.otio").read_bytes() == placed


def test_a_stale_spot_says_that_an_older_take_is_placed(rendered):
    rendered.placing.place()
    act(rendered)
    rendered.spots.edit(["001"], CueEdit(prompt="a fiddle"))
    row = rendered.spots.row("001")
    assert (row.state, row.note) == (SpotState.STALE, "Made with other words. An older take is placed.")


def test_what_is_placed_while_the_timeline_is_read_again_is_remembered(rendered):
    rendered.refresh()
    rendered.placing.place()
    wait_until(rendered, lambda: not rendered.opening and not rendered.placing.busy)
    settle(rendered)
    assert {row.state for row in rendered.spots.rows()} == {SpotState.PLACED}


def test_a_place_that_cannot_be_written_is_told_and_the_desk_works_on(rendered, tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("x")
    rendered.placing.export(blocked)
    report = act(rendered)
    assert report.failed
    assert report.remedy
    assert rendered.problems.rows()[0].message == report.sentence
    rendered.placing.place()
    assert not act(rendered).failed
    assert rendered.problems.rows() == ()


class Editor(FileHost):
    """A running editor that holds a file's timeline."""

    answer: str = "well"

    def info(self) -> HostInfo:
        return HostInfo("resolve", "Made Editor", "1", "film", moves_playhead=True)

    def place(self, pieces, *, conflict=None):
        if self.answer == "no":
            raise HostRefused("Made Editor refused the stems.", remedy="Unlock the timeline.")
        if self.answer == "none":
            return None
        return super().place(pieces)

    def show(self, time: Fraction) -> None:
        self.shown = time


@pytest.fixture
def editor(rendered_once, tmp_path):
    shutil.copytree(rendered_once, tmp_path / "edit")
    return Editor(tmp_path / "edit" / "film.otio", folder=tmp_path / "placed")


@pytest.fixture
def at_editor(editor, folders):
    desk = Desk.open(folders=folders, connect=lambda: editor)
    desk.open_editor()
    wait_until(desk, lambda: desk.timeline)
    settle(desk)
    yield desk
    desk.close()


def test_an_editors_timeline_is_opened_and_placed_on(at_editor, editor):
    assert (at_editor.timeline.host, at_editor.timeline.from_editor) == ("Made Editor", True)
    assert len(at_editor.takes.rows("001")) == 2
    summary = at_editor.placing.summary()
    assert summary.target == "the timeline 'film' in Made Editor"
    at_editor.placing.place()
    assert not act(at_editor).failed
    at_editor.placing.show(Fraction(3601))
    wait_until(at_editor, lambda: editor.__dict__.get("shown") == 3601)


@pytest.mark.parametrize("answer", ["no", "none"])
def test_an_editor_that_refuses_or_answers_nothing_is_told(at_editor, editor, answer):
    editor.answer = answer
    at_editor.placing.place()
    report = act(at_editor)
    assert report.failed
    assert report.sentence
    assert {row.state for row in at_editor.spots.rows()} == {SpotState.TAKES}
    editor.answer = "well"
    at_editor.placing.place()
    assert not act(at_editor).failed


def test_an_editor_that_stalls_is_told_and_given_up(at_editor, editor, monkeypatch):
    from threading import Event

    wake = Event()
    monkeypatch.setattr(editor, "place", lambda _pieces, *, conflict: wake.wait(60))
    clock = at_editor._board.chores.clock
    at_editor.placing.place()
    monkeypatch.setattr(at_editor._board.chores, "clock", lambda: clock() + SLOW + 1)
    assert "Made Editor is slow to answer." in messages(list(at_editor.poll()))
    at_editor.spots.edit(["001"], CueEdit(prompt="meanwhile"))
    assert at_editor.spots.row("001").prompt == "meanwhile"
    monkeypatch.setattr(at_editor._board.chores, "clock", lambda: clock() + PATIENCE + 1)
    report = act(at_editor)
    wake.set()
    assert report.failed
    assert "did not answer within 60 seconds" in report.sentence
    assert not at_editor.placing.busy


def test_no_editor_is_a_message(folders):
    def nobody():
        raise HostNotRunning("DaVinci Resolve does not answer.", remedy="Start it.")

    desk = Desk.open(folders=folders, connect=nobody)
    desk.open_editor()
    events = wait_until(desk, lambda: not desk.opening)
    assert "DaVinci Resolve does not answer. Start it." in messages(events + list(desk.poll()))
    assert desk.timeline is None
    desk.close()


def test_an_editor_that_never_answers_leaves_a_working_desk(folders, timeline, monkeypatch):
    from threading import Event

    wake = Event()
    desk = Desk.open(folders=folders, connect=lambda: wake.wait(60))
    clock = desk._board.chores.clock
    desk.open_editor()
    monkeypatch.setattr(desk._board.chores, "clock", lambda: clock() + SLOW + 1)
    assert "No answer for 5 seconds" in messages(list(desk.poll()))
    assert desk.opening
    monkeypatch.setattr(desk._board.chores, "clock", lambda: clock() + PATIENCE + 1)
    assert "did not answer within 60 seconds" in messages(list(desk.poll()))
    assert not desk.opening
    desk.open_file(timeline.path)
    wait_until(desk, lambda: desk.timeline)
    wake.set()
    settle(desk)
    assert desk.timeline.name == "film", "what comes too late is dropped"
    desk.close()


def test_an_editor_that_answers_nothing_is_told_at_opening(folders):
    class Mute:
        def info(self):
            return None

    desk = Desk.open(folders=folders, connect=Mute)
    desk.open_editor()
    events = wait_until(desk, lambda: not desk.opening)
    assert "answered nothing" in messages(events + list(desk.poll()))
    desk.close()
