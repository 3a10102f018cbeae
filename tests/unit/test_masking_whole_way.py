"""Mask mode from the first gesture to a spot that can be rendered, with the real makers and processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from numpy.typing import NDArray
from opentimelineio.opentime import RationalTime, TimeRange

from plugin.controller.desk import Desk
from plugin.controller.masking.session import MaskSession
from plugin.controller.masking.views import Direction, FrameState, TrackingState
from plugin.folders import Folders
from plugin.render.checking import check_sheet
from tests.media_factory import make_movie

RATE, FRAMES = 25, 12
WIDTH, HEIGHT = 160, 96
GENEROUS = 60.0


def ball(index: int) -> NDArray[np.uint8]:
    """A bright textured disc on a dark textured ground, two pixels to the right each frame."""
    rng = np.random.default_rng(3)
    picture = rng.integers(20, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside = (columns - 40 - 2 * index) ** 2 + (rows - 48) ** 2 < 18**2
    skin = np.random.default_rng(5).integers(160, 250, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture[inside] = np.roll(skin, 2 * index, axis=1)[inside]
    return picture


def lasso(index: int, *, around: float = 20) -> list[tuple[float, float]]:
    """A circle a little outside of the disc."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return [(40.5 + 2 * index + around * np.cos(a), 48.5 + around * np.sin(a)) for a in angles]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A timeline of one clip, without any matte."""
    folder = tmp_path / "edit"
    folder.mkdir()
    picture = folder / "ball.mp4"
    make_movie(picture, rate=RATE, frames=FRAMES, draw=ball, options={"crf": "10"})
    timeline = otio.schema.Timeline("film", global_start_time=RationalTime(3600 * RATE, RATE))
    whole = TimeRange(RationalTime(0, RATE), RationalTime(FRAMES, RATE))
    shot = otio.schema.Clip("ball", otio.schema.ExternalReference(picture.as_uri(), whole), whole)
    timeline.tracks.append(otio.schema.Track("V1", [shot], kind=otio.schema.TrackKind.Video))
    path = folder / "film.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk.open(folders=Folders(tmp_path / "config", tmp_path / "data", tmp_path / "cache"))
    yield made
    made.close()


def wait(desk: Desk, condition: Callable[[], object]) -> list[str]:
    """Beats until the condition holds; what was said on the way."""
    end, said = time.monotonic() + GENEROUS, []
    while True:
        said += [event.text for event in desk.poll() if event.text]
        if desk.masks.session is not None:
            said += desk.masks.session.beat().messages
        if condition():
            return said
        assert time.monotonic() < end, said
        time.sleep(0.005)


def opened(desk: Desk, film: Path) -> MaskSession:
    desk.open_file(film)
    wait(desk, lambda: desk.timeline and not desk.opening)
    assert desk.timeline is not None
    desk.masks.open_at(desk.timeline.record.start)
    said = wait(desk, lambda: not desk.masks.opening)
    assert desk.masks.session is not None, said
    return desk.masks.session


def states(session: MaskSession) -> list[FrameState]:
    strip = session.strip()
    assert strip is not None
    return [one.state for one in strip.frames]


def test_from_a_lasso_to_a_spot_on_the_timeline(desk: Desk, film: Path) -> None:
    before = film.read_bytes()
    session = opened(desk, film)
    session.marking.add_object("ball")
    session.marking.lasso(lasso(0))
    wait(desk, lambda: session.picture and not session.picture.working)
    session.track(Direction.BOTH)
    said = wait(desk, lambda: not session.busy)
    assert session.tracking is not None
    assert session.tracking.state is TrackingState.DONE, (session.tracking, said)
    assert states(session) == [FrameState.KEYFRAME, *[FrameState.TRACKED] * (FRAMES - 1)]

    session.show(8)
    wait(desk, lambda: session.picture and session.picture.frame == 8 and not session.busy)
    session.marking.stroke([(56.0, 48.0)], radius=17)
    said = wait(desk, lambda: not session.busy)
    assert states(session)[8] is FrameState.KEYFRAME
    assert set(states(session)[1:8]) == {FrameState.STALE}, said
    session.track(Direction.BOTH)
    wait(desk, lambda: not session.busy)
    assert session.tracking.done == FRAMES - 2

    session.save()
    wait(desk, lambda: session.report is not None and session.report.cue_ids)
    report = session.report
    assert report is not None
    assert not report.failed
    assert film.read_bytes() == before
    (row,) = desk.spots.rows()
    assert (row.id, row.label, row.prompt, row.clip) == (report.cue_ids[0], "ball", "ball", "ball")
    assert row.problems == 0, desk.problems.rows()
    cue = desk.spots.cue(row.id)
    assert cue is not None
    assert cue.spot.matte is not None
    sheet = desk._board.open_session().book.sheet
    assert check_sheet(replace(sheet, cues=(cue,))) == ()

    desk.placing.remove()
    wait(desk, lambda: not desk.placing.busy and not desk.opening)
    assert desk.placing.report.sentence == "1 matte on 1 track taken away."
    assert desk.spots.rows() == (), "no matte, no spot, and nobody has to read the timeline again"
    session.save()
    wait(desk, lambda: session.saving is None and session.report.cue_ids)
    (row,) = desk.spots.rows()

    desk.masks.open_spot(row.id)  # again, with all that was said and tracked
    wait(desk, lambda: not desk.masks.opening and not desk.masks.session.busy)
    again = desk.masks.session
    assert again is not None
    assert again is not session
    assert again.marking.document.objects == session.marking.document.objects
    assert states(again) == states(session)
