"""`kill -9` at random moments of a render: what is finished stays, what is not is finished next time."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from models_onnx.bundle import Bundle
from plugin.cues import ClipSource, Cue, CueSheet, Matte, MediaFile, Spot, SpotOrigin
from plugin.engine.engine import Engine
from plugin.render.events import SheetFinished, TakeKept
from plugin.render.runner import render, render_with
from plugin.render.stemfolder import StemFolder
from plugin.render.workshop import Workshop
from plugin.timebase import TimeSpan
from tests.faults.stem_invariants import (
    assert_all_done,
    assert_nothing_is_broken,
    environment,
    finished_takes,
)
from tests.made_cues import FACTS, MadeSynthesis, cue, open_made, sheet
from tests.media_factory import make_movie

ROOT = Path(__file__).parents[2]
CUES, TAKES = 6, 2
SHEET = sheet(*(cue(number, takes=TAKES) for number in range(1, CUES + 1)))
EVENTS_OF_TAKE = 5
EVENTS = 1 + CUES * (1 + TAKES * EVENTS_OF_TAKE)
WORKSHOP = Workshop(FACTS, open_made, MadeSynthesis(), ())

GOLDEN = """
import sys
from pathlib import Path
from models_onnx.bundle import Bundle
from plugin.engine.engine import Engine
from plugin.render.runner import render
from tests.faults.test_kill import ROOT, golden_sheet
engine = Engine.open(Bundle.open(ROOT / "tests/golden/bundle"), provider="cpu", threads=1)
for event in render(golden_sheet(Path(sys.argv[2])), engine, folder=Path(sys.argv[1])):
    print(type(event).__name__, flush=True)
"""
CHILD = """
import sys
from pathlib import Path
from plugin.render.runner import render, render_with
from tests.faults.test_kill import SHEET, WORKSHOP
for event in render_with(WORKSHOP, SHEET, folder=Path(sys.argv[1])):
    print(type(event).__name__, flush=True)
"""


def kill_after(folder: Path, *, events: int, delay: float, program: tuple[str, ...] = (CHILD,)) -> int:
    """Starts a render in a process of its own and kills it; its return code."""
    script, *more = program
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(folder), *more],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment(ROOT),
    )
    assert child.stdout is not None
    with child.stdout:
        for _ in range(events):
            assert child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.stdout.read()
    return child.wait()


@pytest.mark.parametrize("moment", range(20))
def test_killed_at_a_random_moment(tmp_path: Path, moment: int) -> None:
    chance = random.Random(moment)  # noqa: S311 - moments, not secrets
    folder = tmp_path / "stems"
    events = chance.randrange(1, EVENTS - EVENTS_OF_TAKE)
    assert kill_after(folder, events=events, delay=chance.uniform(0, 0.01)) == -signal.SIGKILL
    assert_nothing_is_broken(folder)
    before = finished_takes(folder)
    StemFolder.open(folder).journal.read()

    told = list(render_with(WORKSHOP, SHEET, folder=folder))
    end = told[-1]
    assert isinstance(end, SheetFinished)
    assert end.written + end.kept == CUES * TAKES
    assert end.failed == 0
    assert len([event for event in told if isinstance(event, TakeKept)]) * 2 >= len(before)
    assert before.items() <= finished_takes(folder).items()
    assert_all_done(folder, takes=CUES * TAKES)


def test_killed_again_and_again_the_work_still_gets_done(tmp_path: Path) -> None:
    folder, chance = tmp_path / "stems", random.Random(7)  # noqa: S311 - moments, not secrets
    before = {}
    for _ in range(4):
        kill_after(folder, events=chance.randrange(8, 20), delay=chance.uniform(0, 0.01))
        assert_nothing_is_broken(folder)
        after = finished_takes(folder)
        assert before.items() <= after.items()
        before = after
    assert len(before) > 0
    list(render_with(WORKSHOP, SHEET, folder=folder))
    assert before.items() <= finished_takes(folder).items()
    assert_all_done(folder, takes=CUES * TAKES)


def golden_sheet(movie: Path) -> CueSheet:
    """Four cues of one second over one movie that is also its own matte."""
    cues = []
    for number in range(4):
        record = TimeSpan(Fraction(3600 + number), Fraction(3601 + number))
        clip = ClipSource(MediaFile(movie), record, Fraction(0), Fraction(1), None, "shot", "V1")
        spot = Spot(
            f"{number:03}", record, "bell", "bell", "", clip, Matte(clip), SpotOrigin.MASK_TRACK, "MASK bell"
        )
        cues.append(Cue(spot, f"bell {number}", "", "draft", 2, 4.5, seed=1))
    return CueSheet("Golden", Fraction(24), drop_frame=False, record=cues[0].spot.record, cues=tuple(cues))


@pytest.mark.parametrize("events", [3, 9, 16, 24])
def test_killed_while_the_real_engine_runs(tmp_path: Path, events: int) -> None:
    movie = make_movie(tmp_path / "shot.mp4", rate=24, frames=30).path
    folder, chance = tmp_path / "stems", random.Random(events)  # noqa: S311 - moments, not secrets
    killed = kill_after(folder, events=events, delay=chance.uniform(0, 0.01), program=(GOLDEN, str(movie)))
    assert killed == -signal.SIGKILL
    assert_nothing_is_broken(folder)
    before = finished_takes(folder)
    engine = Engine.open(Bundle.open(ROOT / "tests/golden/bundle"), provider="cpu", threads=1)
    end = list(render(golden_sheet(movie), engine, folder=folder))[-1]
    assert isinstance(end, SheetFinished)
    assert (end.written + end.kept, end.failed) == (4, 0)
    assert end.kept * 2 >= len(before)
    assert before.items() <= finished_takes(folder).items()
    assert_all_done(folder, takes=4)
