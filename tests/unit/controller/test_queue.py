"""The render queue over a real render process with the golden bundle."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from plugin.controller.views import Action, CueEdit, QueueState, SpotState, Topic
from plugin.render.takes import find_takes, is_whole
from tests.unit.controller.waiting import messages, settle, wait_until

posix = pytest.mark.skipif(os.name != "posix", reason="signals")


def child_of(desk):
    return desk.queue._child


def running(desk):
    return [row for row in desk.queue.rows() if row.state is QueueState.RUNNING]


def gone(process: int) -> bool:
    """Whether a process has ended, whoever its parent is by now."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def long_work(desk, *cue_ids):
    """Renders that nobody waits for: many more steps than a test takes."""
    desk.spots.edit(cue_ids, CueEdit(steps=1000, takes=99))
    desk.queue.generate(cue_ids)
    wait_until(desk, lambda: running(desk) and running(desk)[0].progress > 0)


def test_takes_are_made_in_order_with_progress_and_seeds(opened, timeline):
    desk = opened(timeline.path)
    desk.queue.generate(["002", "001"], takes=2)
    assert [(row.cue_id, row.state) for row in desk.queue.rows()] == [
        ("001", QueueState.RUNNING),
        ("002", QueueState.WAITING),
    ]
    assert desk.spots.row("002").state_text == "waiting"
    events = settle(desk)
    assert {event.topic for event in events} >= {Topic.QUEUE, Topic.SPOTS, Topic.TAKES, Topic.STATUS}
    assert [(row.state, row.made, row.progress) for row in desk.queue.rows()] == [
        (QueueState.DONE, 2, 1.0)
    ] * 2
    assert [row.seed for row in desk.takes.rows("001")] == [1, 2]
    assert desk.spots.row("001").state_text == "2 takes"
    assert desk.status().provider == "on CPU"
    assert desk.status().memory.endswith("MB")
    folder = desk.timeline.folder
    assert all(is_whole(take, folder / take.wav_name) for take in find_takes(folder))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_the_render_process_steps_back_for_everybody_else(opened, timeline):
    desk = opened(timeline.path)
    desk.queue.generate(["001"])
    settle(desk)
    process = child_of(desk).process.pid
    assert os.getpriority(os.PRIO_PROCESS, process) > os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpgid(process) == process, "a group of its own"
    assert int(Path(f"/proc/{process}/oom_score_adj").read_text()) >= 500


def test_the_engine_stays_open_and_more_takes_get_new_seeds(opened, timeline):
    desk = opened(timeline.path)
    desk.queue.generate(["001"])
    settle(desk)
    process = child_of(desk).process.pid
    desk.queue.generate(["001"])  # the take that is asked for is there: another one
    desk.queue.generate(["001"], takes=2)
    settle(desk)
    assert child_of(desk).process.pid == process
    assert [row.seed for row in desk.takes.rows("001")] == [1, 2, 3, 4]


def test_a_preview_is_a_take_with_fewer_steps(opened, timeline):
    desk = opened(timeline.path)
    desk.queue.generate(["001"], preview=True)
    assert desk.queue.rows()[0].preview
    settle(desk)
    (take,) = desk.takes.rows("001")
    assert (take.steps, take.preview, take.current) == (2, True, False)
    assert desk.spots.row("001").state is SpotState.STALE
    assert desk.queue.generate_stale() == 2
    settle(desk)
    assert [row.steps for row in desk.takes.rows("001")] == [2, 4]
    assert desk.spots.row("001").chosen == desk.takes.rows("001")[1].name
    assert desk.queue.generate_stale() == 0


def test_edits_and_cancel_work_during_a_render(opened, timeline):
    desk = opened(timeline.path)
    long_work(desk, "001", "002")
    desk.spots.edit(["001"], CueEdit(prompt="fiddle"))
    assert desk.spots.row("001").prompt == "fiddle"
    first, second = desk.queue.rows()
    desk.queue.cancel(second.id)
    desk.queue.cancel(first.id)
    assert running(desk)[0].text == "stopping"
    events = wait_until(desk, lambda: not desk.queue.running)
    assert messages(events) == "", "what was asked for needs no message"
    assert {row.state for row in desk.queue.rows()} == {QueueState.CANCELLED}
    assert child_of(desk).exit_status is None, "the process lives on for the next item"
    assert not list(desk.timeline.folder.glob("*.wav.part"))


def test_waiting_items_change_places(opened, timeline):
    desk = opened(timeline.path)
    long_work(desk, "001")
    for cue_id in ("002", "001", "002"):
        desk.queue.generate([cue_id], takes=1)
    waiting = [row.id for row in desk.queue.rows() if row.state is QueueState.WAITING]
    desk.queue.move(waiting[2], to=0)
    assert [row.id for row in desk.queue.rows()][1:] == [waiting[2], waiting[0], waiting[1]]
    desk.queue.move(waiting[2], to=2)
    assert [row.id for row in desk.queue.rows()][1:] == waiting
    desk.queue.move(running(desk)[0].id, to=1)
    assert [row.id for row in desk.queue.rows()][1:] == waiting
    desk.queue.cancel_all()
    wait_until(desk, lambda: not desk.queue.running)
    assert len(desk.queue.rows()) == 4
    desk.queue.clear()
    assert desk.queue.rows() == ()


@posix
def test_a_killed_render_process_costs_one_render(opened, timeline):
    desk = opened(timeline.path)
    desk.queue.generate(["001"])
    settle(desk)
    before = {path.name for path in desk.timeline.folder.glob("*.wav")}
    long_work(desk, "001")
    desk.queue.generate(["002"])
    dead = child_of(desk).process.pid
    os.kill(dead, signal.SIGKILL)
    events = settle(desk)
    assert "most likely for lack of memory" in messages(events)
    states = {row.cue_id: row for row in desk.queue.rows()[1:]}
    assert states["001"].state is QueueState.FAILED
    assert "Close other programs" in states["001"].remedy
    assert states["002"].state is QueueState.DONE, "the queue went on with a fresh process"
    assert child_of(desk).process.pid != dead
    assert before < {path.name for path in desk.timeline.folder.glob("*.wav")}
    problem = desk.problems.rows("001")[0]
    assert [row.title for row in problem.actions] == ["Try again", "Doctor", "Accept"]
    desk.spots.edit(["001"], CueEdit(steps=3, takes=1))
    desk.problems.act(problem.id, Action.ACCEPT)
    assert desk.problems.rows() == ()


@posix
def test_a_crash_is_told_by_its_name_and_can_be_tried_again(opened, timeline):
    desk = opened(timeline.path)
    long_work(desk, "001")
    os.kill(child_of(desk).process.pid, signal.SIGSEGV)
    events = wait_until(desk, lambda: not desk.queue.running)
    assert "crashed (SIGSEGV) while it rendered cue 001 ('violin')" in messages(events)
    desk.queue.retry(desk.queue.rows()[0].id)
    wait_until(desk, lambda: running(desk) and running(desk)[0].progress > 0)
    desk.queue.cancel_all()
    wait_until(desk, lambda: not desk.queue.running)


@posix
def test_cancelled_twice_it_ends_at_once(opened, timeline):
    desk = opened(timeline.path)
    long_work(desk, "001")
    os.kill(child_of(desk).process.pid, signal.SIGSTOP)  # it does not hear
    item = running(desk)[0].id
    desk.queue.cancel(item)
    desk.poll()
    assert desk.queue.running
    desk.queue.cancel(item)
    events = wait_until(desk, lambda: not desk.queue.running)
    assert desk.queue.rows()[0].state is QueueState.CANCELLED
    assert messages(events) == ""


@posix
def test_closing_the_desk_ends_the_process(opened, timeline):
    desk = opened(timeline.path)
    long_work(desk, "001")
    process = child_of(desk).process
    desk.close()
    assert process.returncode is not None


@posix
def test_an_idle_process_is_ended_to_give_its_memory_back(opened, timeline, monkeypatch):
    desk = opened(timeline.path)
    desk.queue.generate(["001"])
    settle(desk)
    process = child_of(desk).process
    now = desk.queue._clock()
    monkeypatch.setattr(desk.queue, "_clock", lambda: now + 299)
    desk.poll()
    assert process.poll() is None
    monkeypatch.setattr(desk.queue, "_clock", lambda: now + 301)
    desk.poll()
    assert process.returncode == 0
    assert desk.status().memory == ""
    desk.queue.generate(["001"])
    settle(desk)
    assert len(desk.takes.rows("001")) == 2


@posix
def test_the_process_dies_with_its_desk(timeline, folders):
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
        desk.spots.edit(["001"], CueEdit(steps=1000, takes=99))
        desk.queue.generate(["001"])
        while not desk.queue.rows()[0].progress:
            desk.poll()
            time.sleep(0.01)
        print(desk.queue._child.process.pid, flush=True)
        time.sleep(600)
    """)
    places = [str(each) for each in (folders.config, folders.data, folders.cache)]
    command = [sys.executable, "-c", program, str(timeline.path), *places]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        assert not gone(child)
        process.kill()
    end = time.monotonic() + 60
    while not gone(child):
        assert time.monotonic() < end, "the render process outlives its desk"
        time.sleep(0.01)


def test_media_that_went_away_fail_their_item_and_not_the_next(opened, timeline):
    desk = opened(timeline.path)
    timeline.matte.write_bytes(b"no movie any more")
    desk.queue.generate(["001"])
    events = settle(desk)
    assert "matte.mp4" in messages(events)
    row = desk.queue.rows()[0]
    assert (row.state, bool(row.remedy)) == (QueueState.FAILED, True)
    desk.spots.edit(["002"], CueEdit(matte="none"))
    desk.queue.generate(["002"])
    settle(desk)
    assert desk.queue.rows()[1].state is QueueState.DONE


def test_a_folder_that_takes_no_stems_is_told(opened, timeline):
    desk = opened(timeline.path)
    desk.timeline.folder.write_text("a file where the folder should be")
    desk.queue.generate(["001"])
    settle(desk)
    assert desk.queue.rows()[0].state is QueueState.FAILED
    assert "film_foley" in desk.queue.rows()[0].message


def test_opening_another_timeline_ends_the_renders_of_this_one(opened, timeline, tmp_path):
    from tests.cli.made_timelines import make_timeline

    other = make_timeline(tmp_path / "other", name="other", labels=("MASK door",))
    desk = opened(timeline.path)
    long_work(desk, "001")
    process = child_of(desk).process
    opened(other.path)
    assert desk.queue.rows() == ()
    assert process.poll() is not None
    desk.queue.generate(["001"])
    settle(desk)
    assert desk.takes.rows("001")[0].name == "other_001_door_t01"
