import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from plugin import wholefile
from plugin.controller.desk import Desk
from plugin.controller.sheetfile import SheetFile
from plugin.controller.views import Action, CueEdit, SpotState, Topic
from plugin.cuesheets.reading import read_cue_file
from plugin.errors import UsageError
from tests.cli.made_timelines import make_timeline
from tests.unit.controller.waiting import GENEROUS, messages, settle, wait_until


def entry(desk, cue_id):
    return next(each for each in read_cue_file(desk.timeline.sheet).entries if each.id == cue_id)


def test_an_edit_is_shown_saved_and_can_be_undone(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="a fiddle", steps=9))
    assert desk.spots.row("001").prompt == "a fiddle"
    assert desk.history().undo == "Change prompt and steps"
    assert desk.status().saved == "saving"
    events = settle(desk)
    assert (Topic.SPOTS, ("001",)) in {(event.topic, event.ids) for event in events}
    assert (entry(desk, "001").prompt, entry(desk, "001").steps) == ("a fiddle", 9)
    desk.undo()
    assert desk.spots.row("001").prompt == "violin"
    assert desk.history() == type(desk.history())("", "Change prompt and steps")
    settle(desk)
    assert entry(desk, "001").prompt == "violin"
    desk.redo()
    assert desk.spots.cue("001").steps == 9


def test_the_editors_own_file_is_never_written(opened, timeline):
    before = timeline.path.read_bytes()
    desk = opened(timeline.path)
    desk.spots.edit(["001", "002"], CueEdit(prompt="x", invert=True))
    settle(desk)
    assert timeline.path.read_bytes() == before


def test_a_selection_is_edited_in_one_step(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001", "002"], CueEdit(preset="draft", seed=7, takes=3, matte="none", handle_out=2))
    fields = desk.spots.inspector(["001", "002"])
    assert (fields.preset.value, fields.steps.value, fields.seed.value, fields.takes.value) == (
        "draft",
        2,
        7,
        3,
    )
    assert (fields.matte.value, fields.handle_out.value, fields.handle_in.value) == ("none", 2, 0)
    assert fields.label.mixed
    assert fields.label.value is None
    assert desk.spots.row("002").end == "01:00:01:08"
    desk.undo()
    assert desk.spots.inspector(["001"]).matte.value == "luma"
    assert desk.spots.row("002").end == "01:00:01:06"


def test_a_matte_that_was_taken_away_comes_back(opened, timeline):
    desk = opened(timeline.path)
    matte = desk.spots.cue("001").spot.matte
    desk.spots.edit(["001"], CueEdit(matte="none"))
    desk.spots.edit(["001"], CueEdit(matte="alpha"))
    assert desk.spots.cue("001").spot.matte.channel.value == "alpha"
    assert desk.spots.cue("001").spot.matte.clip == matte.clip
    assert desk.spots.inspector(["001"]).matte_choices == ("luma", "alpha", "r", "g", "b", "none")


def test_handles_stop_at_the_start_of_the_timeline(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(handle_in=100))
    assert desk.spots.row("001").start == "01:00:00:00"
    assert desk.spots.inspector(["001"]).handle_in.value == 6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (CueEdit(steps=0), "steps is 0"),
        (CueEdit(guidance=-1.0), "guidance is -1"),
        (CueEdit(seed=-1), "seed is -1"),
        (CueEdit(takes=1000), "takes is 1000"),
        (CueEdit(label="  "), "object must not be empty"),
        (CueEdit(preset="none such"), "no preset 'none such'"),
        (CueEdit(handle_in=-1), "handle before is -1"),
        (CueEdit(matte="purple"), "matte is 'purple'"),
    ],
)
def test_a_value_that_cannot_be_changes_nothing(opened, timeline, change, said):
    desk = opened(timeline.path)
    with pytest.raises(UsageError, match=said):
        desk.spots.edit(["001"], change)
    assert desk.history().undo == ""


def test_a_gesture_is_one_step(opened, timeline):
    desk = opened(timeline.path)
    for guidance in (5.0, 6.0, 7.5):
        desk.spots.edit(["001"], CueEdit(guidance=guidance), gesture="drag 1")
    desk.undo()
    assert desk.spots.cue("001").guidance == 3.0
    assert desk.history().undo == ""


def test_removed_spots_stay_away_until_undone_and_over_sessions(opened, open_on, folders, timeline):
    desk = opened(timeline.path)
    desk.spots.remove(["001"])
    settle(desk)
    assert [row.id for row in desk.spots.rows()] == ["002"]
    assert not entry(desk, "001").enabled
    again = open_on(Desk.open(folders=folders), timeline.path)
    assert [row.id for row in again.spots.rows()] == ["002"]
    again.close()
    desk.undo()
    assert [row.id for row in desk.spots.rows()] == ["001", "002"]


def test_everything_is_there_again_next_time(opened, open_on, folders, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="fiddle", handle_in=3, guidance=3.5, invert=True, label="fiddle"))
    desk.close()  # without another poll
    again = open_on(Desk.open(folders=folders), timeline.path)
    cue = again.spots.cue("001")
    assert (cue.prompt, cue.guidance, cue.spot.label, cue.spot.matte.invert) == (
        "fiddle",
        3.5,
        "fiddle",
        True,
    )
    assert again.spots.inspector(["001"]).handle_in.value == 3
    again.close()


def test_another_programs_sheet_is_not_written_over(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="mine"))
    settle(desk)
    sheet = desk.timeline.sheet
    theirs = sheet.read_text().replace("mine", "theirs")
    sheet.write_text(theirs)
    desk.spots.edit(["001"], CueEdit(prompt="mine again"))
    said = messages(settle(desk))
    assert "was changed by another program" in said
    assert sheet.read_text() == theirs
    desk.problems.act(desk.problems.rows()[0].id, Action.KEEP_MINE)
    settle(desk)
    assert entry(desk, "001").prompt == "mine again"
    assert sheet.with_name("film.cues (theirs).toml").read_text() == theirs
    assert desk.problems.rows() == ()


def test_another_programs_sheet_can_be_read(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="mine"))
    settle(desk)
    sheet = desk.timeline.sheet
    sheet.write_text(sheet.read_text().replace("mine", "theirs"))
    desk.spots.edit(["001"], CueEdit(prompt="mine again"))
    settle(desk)
    desk.problems.act(desk.problems.rows()[0].id, Action.RELOAD_SHEET)
    settle(desk)
    assert desk.spots.row("001").prompt == "theirs"
    assert desk.problems.rows() == ()


def test_closed_amid_a_conflict_nothing_is_lost(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="mine"))
    settle(desk)
    sheet = desk.timeline.sheet
    theirs = sheet.read_text().replace("mine", "theirs")
    sheet.write_text(theirs)
    desk.spots.edit(["001"], CueEdit(prompt="mine again"))
    settle(desk)
    desk.refresh()
    assert "was changed by another program" in messages(list(desk.poll()))
    desk.close_timeline()
    assert "film.cues (mine).toml" in messages(list(desk.poll()))
    assert sheet.read_text() == theirs
    assert read_cue_file(sheet.with_name("film.cues (mine).toml")).entries[0].prompt == "mine again"


def test_two_windows_do_not_write_over_each_others_choices(rendered, open_on, folders):
    """Stars and choices are in the notes; the cue sheet stays as it is."""
    rendered.spots.edit(["001"], CueEdit(seed=5))
    settle(rendered)
    other = open_on(Desk.open(folders=folders), rendered.timeline.path)
    first, second = (take.name for take in rendered.takes.rows("001"))
    rendered.takes.star(first, on=True)
    settle(rendered)
    other.takes.rename(second, "the long one")
    assert "film.desk.json was changed by another program or window" in messages(settle(other))
    assert other.status().saved == "not saved"
    other.problems.act(other.problems.rows()[0].id, Action.KEEP_MINE)
    settle(other)
    assert other.status().saved == "saved"
    assert other.problems.rows() == ()
    other.close()
    rendered.problems.recheck()
    wait_until(rendered, rendered.problems.rows)
    rendered.problems.act(rendered.problems.rows()[0].id, Action.RELOAD_SHEET)
    wait_until(rendered, lambda: not rendered.opening)
    settle(rendered)
    assert [(take.title, take.star) for take in rendered.takes.rows("001")] == [
        ("Take 1", False),
        ("the long one", False),
    ]


def test_a_change_by_others_is_seen_without_an_edit(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="mine"))
    settle(desk)
    desk.timeline.sheet.write_text(desk.timeline.sheet.read_text().replace("mine", "theirs"))
    desk.problems.recheck()
    wait_until(desk, desk.problems.rows)
    assert "changed by another program" in desk.problems.rows()[0].message


def test_a_full_disk_is_told_and_the_desk_works_on(opened, timeline, monkeypatch):
    desk = opened(timeline.path)

    def full(path, _data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(wholefile, "write_durably", full)
        desk.spots.edit(["001"], CueEdit(prompt="x"))
        assert "The disk is full" in messages(settle(desk))
        assert desk.status().saved == "not saved"
        assert [row.title for row in desk.problems.rows()[0].actions] == ["Try again", "Open folder"]
        desk.spots.edit(["001"], CueEdit(prompt="y"))
        settle(desk)
        assert desk.spots.row("001").prompt == "y"
    desk.problems.act(desk.problems.rows()[0].id, Action.RETRY)
    wait_until(desk, lambda: desk.status().saved == "saved")
    assert entry(desk, "001").prompt == "y"
    assert desk.problems.rows() == ()


class SlowDisk:
    """Saves of the background wait until they may go on; those of the desk's own thread do not."""

    def __init__(self, monkeypatch):
        self.may, self.came = threading.Event(), threading.Event()
        real = SheetFile.save

        def save(file, *given, **named):
            if threading.current_thread() is not threading.main_thread():
                self.came.set()
                self.may.wait(GENEROUS)
            return real(file, *given, **named)

        monkeypatch.setattr(SheetFile, "save", save)


@pytest.mark.parametrize("end", ["close", "close_timeline"])
@pytest.mark.parametrize("disk_is_done", [True, False])
def test_the_last_letters_are_saved_right_after_a_save(opened, timeline, monkeypatch, end, disk_is_done):
    desk = opened(timeline.path)
    sheet, disk = desk.timeline.sheet, SlowDisk(monkeypatch)
    desk.spots.edit(["001"], CueEdit(prompt="v"))
    wait_until(desk, disk.came.is_set)
    desk.spots.edit(["001"], CueEdit(prompt="violin at last"))
    saves = [each for each in threading.enumerate() if each.name == "save"]
    if disk_is_done:  # and the desk has not heard of it
        disk.may.set()
        saves[0].join()
    else:
        threading.Timer(0.2, disk.may.set).start()
    getattr(desk, end)()
    saves[0].join()
    assert read_cue_file(sheet).entries[0].prompt == "violin at last"
    assert "changed by another program" not in messages(list(desk.poll()))
    assert [each.name for each in sheet.parent.glob("*mine*")] == []


def test_what_is_edited_while_the_timeline_is_read_again_stays(opened, timeline):
    desk = opened(timeline.path)
    desk.refresh()
    desk.spots.edit(["001"], CueEdit(prompt="typed meanwhile"))
    wait_until(desk, lambda: not desk.opening)
    settle(desk)
    assert desk.spots.row("001").prompt == "typed meanwhile"
    assert entry(desk, "001").prompt == "typed meanwhile"
    assert desk.problems.rows() == ()
    desk.undo()
    assert desk.spots.row("001").prompt == "violin"


def test_edits_can_be_undone_after_the_timeline_was_read_again(opened, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="x"))
    settle(desk)
    desk.refresh()
    settle(desk)
    desk.undo()
    assert desk.spots.row("001").prompt == "violin"


def test_what_cannot_be_saved_is_not_given_up_for_another_timeline(opened, timeline, tmp_path, monkeypatch):
    other = make_timeline(tmp_path / "other")
    desk = opened(timeline.path)

    def full(path, _data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(wholefile, "write_durably", full)
        desk.spots.edit(["001"], CueEdit(prompt="x"))
        assert not desk.save()
        desk.open_file(other.path)
        assert "The disk is full" in messages(settle(desk))
        assert desk.timeline.path == timeline.path
        assert desk.spots.row("001").prompt == "x"
    assert desk.save()
    assert entry(desk, "001").prompt == "x"


def test_beside_a_timeline_that_may_not_be_written_to_the_sheet_goes_to_the_stems(
    opened, timeline, monkeypatch
):
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != timeline.path.parent and real(path, mode))
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="x"))
    settle(desk)
    assert desk.timeline.sheet == desk.timeline.folder / "film.cues.toml"
    assert entry(desk, "001").prompt == "x"


def test_what_was_decided_stays_when_settings_change(opened, open_on, folders, timeline):
    desk = opened(timeline.path)
    desk.spots.edit(["001"], CueEdit(prompt="x"))
    desk.close()
    desk.machine.change_settings({"preset": "draft", "seed": 5, "takes": 3})
    again = open_on(Desk.open(folders=folders), timeline.path)
    fields = again.spots.inspector(["001"])
    assert (fields.preset.value, fields.seed.value, fields.takes.value) == ("standard", 1, 1)
    again.close()


def test_states_follow_the_edits(rendered):
    desk = rendered
    assert [row.state_text for row in desk.spots.rows()] == ["2 takes", "1 take"]
    desk.spots.edit(["001"], CueEdit(prompt="fiddle"))
    row = desk.spots.row("001")
    assert (row.state, row.note) == (SpotState.STALE, "Made with other words.")
    desk.undo()
    assert desk.spots.row("001").state is SpotState.TAKES
    desk.spots.edit(["002"], CueEdit(seed=99))
    assert desk.spots.row("002").note == "No take has the seed 99."


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_desk_leaves_a_whole_sheet(timeline, folders, tmp_path):
    program = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from plugin.controller.desk import Desk
        from plugin.controller.views import CueEdit
        from plugin.folders import Folders
        desk = Desk.open(folders=Folders(*map(Path, sys.argv[2:5])))
        desk.open_file(Path(sys.argv[1]))
        while desk.timeline is None:
            desk.poll()
            time.sleep(0.01)
        number = 0
        while True:
            number += 1
            desk.spots.edit(["001"], CueEdit(prompt=f"prompt {number}"))
            desk.poll()
            if desk.timeline.sheet.exists():
                print(number, flush=True)
    """)
    places = [str(each) for each in (folders.config, folders.data, folders.cache)]
    command = [sys.executable, "-c", program, str(timeline.path), *places]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(40):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    entries = read_cue_file(timeline.path.with_name("film.cues.toml")).entries
    assert entries[0].prompt.startswith("prompt ")
    assert len(entries) == 2


def test_what_the_timeline_says_and_was_taken_away_stays_away(opened, open_on, folders, tmp_path):
    made = make_timeline(tmp_path / "edit", labels=("MASK violin | not trumpet | invert",))
    desk = opened(made.path)
    assert desk.spots.inspector(["001"]).invert.value is True
    desk.spots.edit(["001"], CueEdit(negative_prompt="", prompt="", invert=False))
    desk.close()
    again = open_on(Desk.open(folders=folders), made.path)
    fields = again.spots.inspector(["001"])
    assert (fields.negative_prompt.value, fields.prompt.value, fields.invert.value) == ("", "", False)
    again.close()
