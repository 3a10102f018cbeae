"""The progress bar: where it stands after every event, and that it is for terminals only."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from plugin.cli.progress import ProgressBar
from plugin.engine.watch import STAGES
from plugin.errors import MediaMissing
from plugin.render.events import (
    CueFailed,
    CueStarted,
    RenderEvent,
    SheetStarted,
    StageProgress,
    TakeKept,
    TakeWritten,
)
from tests.made_cues import take

MADE = take("Film_001_violin_t01")
FAULT = MediaMissing("shot.mov is not there.", remedy="Relink the clip.")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def stand(*events: RenderEvent) -> float:
    """Takes done, with fractions, after these events of a sheet of 2 + 1 takes."""
    bar = ProgressBar(Terminal())
    bar.follow(SheetStarted(2, 3, Path("/out")))
    for event in events:
        bar.follow(event)
    done = float(bar._bar.n)
    bar.close()
    return done


FIRST, SECOND = CueStarted("001", "violin", 1, 2, 2), CueStarted("002", "trumpet", 2, 2, 1)
WRITTEN, KEPT = TakeWritten("001", MADE, Path("a.wav")), TakeKept("001", MADE, Path("b.wav"))


@pytest.mark.parametrize(
    ("events", "done"),
    [
        ((FIRST,), 0.0),
        ((FIRST, StageProgress("001", 1, "sampling", 5, 10)), 0.55),
        ((FIRST, WRITTEN), 1.0),
        ((FIRST, WRITTEN, StageProgress("001", 2, "pictures", 1, 1)), 1.3),
        ((FIRST, KEPT, KEPT), 2.0),
        ((FIRST, WRITTEN, CueFailed("001", "violin", FAULT)), 2.0),
        ((FIRST, CueFailed("001", "violin", FAULT), SECOND, StageProgress("002", 1, "sound", 1, 2)), 2.9),
        ((FIRST, WRITTEN, WRITTEN, SECOND, WRITTEN), 3.0),
        ((FIRST, StageProgress("001", 1, "sound", 1, 1), StageProgress("001", 1, "pictures", 0, 9)), 1.0),
    ],
)
def test_the_bar_stands_where_the_work_is(events: tuple[RenderEvent, ...], done: float) -> None:
    assert stand(*events) == pytest.approx(done)


def test_every_stage_has_a_word_and_they_fill_a_take() -> None:
    ends = [stand(FIRST, StageProgress("001", 1, stage, 1, 1)) for stage in STAGES]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(1.0)
    stream = Terminal()
    bar = ProgressBar(stream)
    bar.follow(SheetStarted(1, 1, Path("/out")))
    bar.follow(FIRST)
    for stage in STAGES:
        bar.follow(StageProgress("001", 1, stage, 1, 1))
        bar._bar.refresh()
        assert stage not in stream.getvalue().split("\r")[-1]
    assert "1/2 001 violin: writing" in stream.getvalue()
    bar.close()


def test_a_cue_that_is_done_in_no_time_is_seen() -> None:
    stream = Terminal()
    bar = ProgressBar(stream)
    for event in (SheetStarted(2, 3, Path("/out")), FIRST, WRITTEN, WRITTEN, SECOND, WRITTEN):
        bar.follow(event)
    bar.close()
    assert stream.getvalue().index("1/2 001 violin") < stream.getvalue().index("2/2 002 trumpet")


def test_nothing_is_drawn_where_nobody_watches() -> None:
    stream = io.StringIO()
    bar = ProgressBar(stream)
    for event in (SheetStarted(2, 3, Path("/out")), FIRST, WRITTEN):
        bar.follow(event)
    with bar.aside():
        stream.write("a warning\n")
    bar.close()
    assert stream.getvalue() == "a warning\n"
