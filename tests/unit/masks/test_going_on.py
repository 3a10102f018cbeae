"""Work that was killed: what was noted is not made again, and the masks come out the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from plugin.errors import Cancelled, OutputError
from plugin.masks.anchoring import Run
from plugin.masks.documents import ObjectPrompts, PromptsDocument
from plugin.masks.flow_tracker import NOTED_EVERY, FlowTracker
from plugin.masks.makers import Picture
from plugin.masks.notes import KeptNotes, Note
from plugin.masks.propagating import FrameDone, MaskWork, ObjectLost
from plugin.masks.results import MaskStore
from plugin.masks.sights import Placed
from tests.unit.masks.made_makers import MadeFrames, document, keyframe, work

LAST = 34
BETWEEN = ObjectPrompts("square", (keyframe(0), keyframe(LAST)))
ONWARD = ObjectPrompts("square", (keyframe(0),))
BACKWARD = ObjectPrompts("square", (keyframe(LAST),))
WAYS = {"BETWEEN": BETWEEN, "ONWARD": ONWARD, "BACKWARD": BACKWARD}

Kept = dict[int, tuple[bytes, float]]

KILLED = f"""
import os, sys
from pathlib import Path
from plugin.masks.anchoring import Run
from tests.unit.masks import test_going_on as here
real, seen = Run.step, []
def step(self, picture):
    seen.append(1)
    if len(seen) > int(sys.argv[3]):
        os.kill(os.getpid(), {int(signal.SIGKILL)})
    return real(self, picture)
Run.step = step
list(here.task(here.WAYS[sys.argv[2]], Path(sys.argv[1])).propagate())
"""


def said(one: ObjectPrompts) -> PromptsDocument:
    return document(one, last=LAST)


def task(one: ObjectPrompts, folder: Path, *, frames: MadeFrames | None = None) -> MaskWork:
    return work(said(one), folder, frames=frames or MadeFrames(), tracker=FlowTracker())


def kept(one: ObjectPrompts, folder: Path) -> Kept:
    made = task(one, folder).made
    masks = {frame: made.mask(0, frame) for frame in range(LAST + 1)}
    return {
        frame: (each.mask.tobytes(), each.confidence) for frame, each in masks.items() if each is not None
    }


def notes_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.note"))


class Steps:
    """Counts the frames that are worked out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        real = Run.step

        def step(run: Run, picture: Picture) -> Placed:
            self.count += 1
            return real(run, picture)

        monkeypatch.setattr(Run, "step", step)


class Moment(NamedTuple):
    """Killed after some frames that were worked out; how many are still to be."""

    name: str
    after: int
    left: int


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    found = {}
    for name, one in WAYS.items():
        folder = tmp_path_factory.mktemp(name)
        list(task(one, folder).propagate())
        found[name] = kept(one, folder)
        assert len(found[name]) == LAST + 1
        assert notes_in(folder) == [], "what is finished needs no notes"
    return found


@pytest.mark.parametrize(
    "moment",
    [
        Moment("BETWEEN", 25, 66 - 20),  # in the first pass
        Moment("BETWEEN", 33, 33),  # right after it
        Moment("BETWEEN", 33 + 14, 33 - 10),  # in the second pass
        Moment("ONWARD", 27, 34 - 20),
        Moment("BACKWARD", 12, 34 - 10),
    ],
)
def test_killed_it_goes_on_and_makes_the_same(
    moment: Moment, tmp_path: Path, steps: Steps, whole: dict[str, Kept]
) -> None:
    given = (sys.executable, "-c", KILLED, str(tmp_path), moment.name, str(moment.after))
    assert subprocess.run(given, check=False, cwd=Path(__file__).parents[3]).returncode == -signal.SIGKILL
    assert notes_in(tmp_path)
    one = WAYS[moment.name]
    list(task(one, tmp_path).propagate())
    assert steps.count == moment.left
    assert kept(one, tmp_path) == whole[moment.name]
    assert notes_in(tmp_path) == []


def stopped(one: ObjectPrompts, folder: Path, *, after: int, steps: Steps) -> None:
    with pytest.raises(Cancelled):
        list(task(one, folder).propagate(cancel=lambda: steps.count >= after))
    steps.count = 0


def test_cancelled_it_goes_on_too(tmp_path: Path, steps: Steps, whole: dict[str, Kept]) -> None:
    stopped(BETWEEN, tmp_path, after=15, steps=steps)
    stopped(BETWEEN, tmp_path, after=15, steps=steps)
    list(task(BETWEEN, tmp_path).propagate())
    assert steps.count < 50
    assert kept(BETWEEN, tmp_path) == whole["BETWEEN"]


@pytest.mark.parametrize("harm", [b"", b"SGN1 and nothing that fits"])
def test_damaged_notes_are_none(harm: bytes, tmp_path: Path, steps: Steps, whole: dict[str, Kept]) -> None:
    stopped(BETWEEN, tmp_path, after=25, steps=steps)
    part = next(path for path in tmp_path.rglob("*.note") if "-" in path.name)
    part.write_bytes(harm)
    list(task(BETWEEN, tmp_path).propagate())
    assert steps.count == 66
    assert kept(BETWEEN, tmp_path) == whole["BETWEEN"]


def test_masks_that_went_missing_behind_the_notes_are_made_again(
    tmp_path: Path, steps: Steps, whole: dict[str, Kept]
) -> None:
    stopped(ONWARD, tmp_path, after=25, steps=steps)
    made = task(ONWARD, tmp_path).made
    (gap,) = made.gaps(0) or ()
    (tmp_path / made.gap_key(0, gap) / "00000004.mask").unlink()
    list(task(ONWARD, tmp_path).propagate())
    assert kept(ONWARD, tmp_path) == whole["ONWARD"]


def test_a_loss_is_told_again_after_going_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames before the notes count too."""
    real = Run.step

    def unsure(run: Run, picture: Picture) -> Placed:
        placed = real(run, picture)
        return Placed(placed.window, placed.soft, 0.1 if picture[20, 10 + 18].tolist() != SQUARE else 0.9)

    monkeypatch.setattr(Run, "step", unsure)
    first = list(task(ONWARD, tmp_path).propagate())
    again = list(task(ONWARD, tmp_path).propagate())
    assert isinstance(first[-1], ObjectLost)
    assert again[-1] == first[-1]
    fresh = [one for one in again if isinstance(one, FrameDone) and not one.kept]
    assert len(fresh) <= 1


SQUARE = [128, 110, 100]


class Memory:
    """Notes in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Note] = {}

    def read(self, name: str) -> Note | None:
        return self.kept.get(name)

    def write(self, name: str, note: Note) -> None:
        self.kept[name] = {key: np.array(values) for key, values in note.items()}


class Film(MadeFrames):
    """With a flash in one frame and a new shot from another one on."""

    def picture(self, frame: int) -> Picture:
        picture = super().picture(frame)
        return np.full_like(picture, 255) - picture if frame == NOTED_EVERY else picture


def test_flashes_and_cuts_come_out_the_same() -> None:
    """Noted right in a flash; what lies behind a cut needs no notes."""
    mask = np.zeros((40, 120), np.uint8)
    mask[10:30, 10:30] = 255
    film, notes = Film(cuts=(24,)), Memory()

    def answers(tracker: FlowTracker) -> Iterator[tuple[int, bytes, float, bool]]:
        for one in tracker.track(film, {0: mask}, first=0, last=LAST):
            yield one.frame, one.mask.tobytes(), one.confidence, one.lost

    whole = list(answers(FlowTracker()))
    assert whole[NOTED_EVERY][2] < 0.6 * whole[NOTED_EVERY - 1][2], "the flash is noticed"
    assert whole[-1][3]
    begun = answers(FlowTracker().noting(notes))
    for _ in range(NOTED_EVERY + 2):
        next(begun)
    assert list(answers(FlowTracker().noting(notes)))[1:] == whole[NOTED_EVERY + 1 :]
    list(answers(FlowTracker().noting(notes)))
    assert list(answers(FlowTracker().noting(notes)))[1:] == whole[2 * NOTED_EVERY + 1 :]


def test_work_does_not_stop_for_want_of_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_store: MaskStore, _key: str, _name: str, _data: bytes) -> None:
        raise OutputError("The disk is full.", remedy="Make room.")

    monkeypatch.setattr(MaskStore, "store_note", refuse)
    notes = KeptNotes(MaskStore(tmp_path), "key")
    notes.write("there", {"one": np.zeros(3)})
    assert notes.read("there") is None


def test_notes_are_what_was_written(tmp_path: Path) -> None:
    notes = KeptNotes(MaskStore(tmp_path), "key")
    assert notes.read("there") is None
    note = {"one": np.array([1.5, np.pi]), "two": np.zeros((2, 0), np.float32), "three": np.array(True)}
    notes.write("there", note)
    found = notes.read("there")
    assert found is not None
    assert set(found) == set(note)
    for name, values in note.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        assert found[name].tobytes() == values.tobytes()
