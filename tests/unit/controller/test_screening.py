from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from plugin.controller.devices import Speaker
from plugin.controller.lanes import full_level
from plugin.controller.screening import Screening
from plugin.controller.views import TakeRow
from plugin.cues import ClipSource, Cue, MediaFile, Spot, SpotOrigin
from plugin.errors import SoundUnavailable
from plugin.timebase import TimeSpan
from tests.media_factory import make_movie

HOUR = Fraction(3600)
RATE = 48_000


def no_speaker() -> Speaker:
    raise SoundUnavailable("No sound device was found.", remedy="Connect one.")


@dataclass
class FakeDesk:
    """What a screening asks of a desk."""

    cues: dict[str, Cue] = field(default_factory=dict)
    rows: dict[str, tuple[TakeRow, ...]] = field(default_factory=dict)
    timeline: Any = field(default_factory=lambda: SimpleNamespace(rate=Fraction(25), drop_frame=False))

    @property
    def spots(self) -> Any:
        return SimpleNamespace(cue=self.cues.get)

    @property
    def takes(self) -> Any:
        return SimpleNamespace(rows=lambda cue_id: self.rows.get(cue_id, ()))

    @property
    def machine(self) -> Any:
        return SimpleNamespace(manifest=lambda: None)


def take(path: Path, level: float, **changes: Any) -> TakeRow:
    soundfile.write(path, np.full(2 * RATE, level), RATE, subtype="PCM_24")
    row = TakeRow(
        name=path.stem,
        cue_id="001",
        title=path.stem,
        path=path,
        star=False,
        chosen=False,
        current=True,
        note="",
        preview=False,
        seed=1,
        steps=3,
        prompt="",
        created="",
        record=TimeSpan(HOUR, HOUR + 2),
        level="",
        true_peak=-6.0,
        loudness=-20.0,
        gain_db=0.0,
        fade_in=0.0,
        fade_out=0.0,
        made_by="",
        licence="",
        warnings=(),
    )
    return replace(row, **changes)


@pytest.fixture
def desk(tmp_path: Path) -> FakeDesk:
    made = make_movie(tmp_path / "a.mp4", frames=50)
    cues = {}
    for number, start in (("001", HOUR), ("002", HOUR + Fraction(1, 50))):
        record = TimeSpan(start, start + 2)
        clip = ClipSource(MediaFile(made.path), record, Fraction(0), Fraction(1), None, "a", "V1", made.rate)
        spot = Spot(number, record, "ball", "ball", "", clip, None, SpotOrigin.MARKER, "FOLEY")
        cues[number] = Cue(spot, "ball", "", "standard", 3, 4.5, 1)
    levels = ((1, 0.25), (2, 0.5), (3, 0.75))
    rows = tuple(take(tmp_path / f"t{number}.wav", level, chosen=number == 2) for number, level in levels)
    return FakeDesk(cues, {"001": rows})


class Watched:
    def __init__(self, desk: FakeDesk) -> None:
        self._came = threading.Event()
        self.screening = Screening(desk, ready=self._came.set, opener=no_speaker)  # type: ignore[arg-type]

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it did not come"
            self.screening.beat()
            self._came.wait(0.005)
            self._came.clear()

    def settle(self) -> None:
        """Until everything is read, and what was read last is taken."""
        self.until(lambda: not self.screening.busy)
        self.screening.beat()
        self.until(lambda: not self.screening.busy)


@pytest.fixture
def watched(desk: FakeDesk) -> Iterator[Watched]:
    made = Watched(desk)
    yield made
    made.screening.close()


def heard_level(screening: Screening) -> float:
    playback = screening.playback
    playback.seek(10)
    playback.toggle()
    samples = np.frombuffer(playback.pull(2000), np.int16)
    playback.stop()
    return float(samples[-1]) / 32767


def test_a_spot_is_shown_from_its_first_frame(watched: Watched) -> None:
    screening = watched.screening
    screening.show("001")
    watched.until(lambda: screening.frame)

    assert screening.frame is not None
    assert screening.frame.wish.time == HOUR
    assert screening.playback.view().frames == 50
    assert screening.heard == "t2"


def test_showing_it_again_leaves_the_playhead(watched: Watched) -> None:
    screening = watched.screening
    screening.show("001")
    screening.playback.seek(7)
    screening.show("001")
    assert screening.playback.frame() == 7
    screening.show("")
    assert screening.cue_id == ""
    assert screening.playback.view().frames == 0
    assert screening.place == 0.0


def test_a_spot_within_a_frame_shows_its_own_first_moment(watched: Watched) -> None:
    screening = watched.screening
    screening.show("002")
    watched.until(lambda: screening.frame)

    assert screening.frame is not None
    assert screening.frame.wish.time == HOUR + Fraction(1, 50)
    assert screening.playback.view().frames == 51


def test_the_heard_take_is_the_mix(watched: Watched) -> None:
    screening = watched.screening
    screening.show("001")
    watched.settle()

    assert heard_level(screening) == pytest.approx(0.5, abs=1e-3)
    screening.hear("t3")
    watched.settle()
    assert heard_level(screening) == pytest.approx(0.75, abs=1e-3)


def test_the_take_before_goes_on_until_the_other_is_read(watched: Watched, desk: FakeDesk) -> None:
    screening = watched.screening
    screening.show("001")
    watched.settle()
    screening._sounds.forget()
    screening.hear("t3")
    at_once = heard_level(screening)
    watched.settle()

    assert at_once == pytest.approx(0.5, abs=1e-3)
    assert heard_level(screening) == pytest.approx(0.75, abs=1e-3)
    screening.show("002")
    assert heard_level(screening) == 0


def test_a_and_b_change_places(watched: Watched) -> None:
    screening = watched.screening
    screening.show("001")

    assert [screening.hear_other() for _ in range(3)] == ["t3", "t2", "t3"]
    screening.hear("t1")
    assert [screening.hear_other() for _ in range(2)] == ["t3", "t1"]


def test_a_take_that_goes_away_is_heard_no_more(watched: Watched, desk: FakeDesk) -> None:
    screening = watched.screening
    screening.show("001")
    screening.hear("t3")
    desk.rows["001"] = desk.rows["001"][:2]
    screening.refresh()

    assert screening.heard == "t2"
    assert screening.hear_other() == "t1"


def test_gain_is_heard_as_soon_as_it_is_set(watched: Watched, desk: FakeDesk) -> None:
    screening = watched.screening
    screening.show("001")
    watched.settle()
    desk.rows["001"] = tuple(replace(row, gain_db=-6.0206) for row in desk.rows["001"])
    assert screening.refresh()
    assert not screening.refresh()

    assert heard_level(screening) == pytest.approx(0.25, abs=1e-3)


def test_without_takes_it_is_silent(watched: Watched) -> None:
    screening = watched.screening
    screening.show("002")
    watched.settle()

    assert screening.hear_other() == ""
    assert heard_level(screening) == 0


def test_a_place_along_the_spot_is_a_frame(watched: Watched) -> None:
    screening = watched.screening
    screening.show("001")
    for place, frame in ((0.0, 0), (0.5, 25), (0.999, 49), (1.0, 49), (-3.0, 0)):
        screening.seek_place(place)
        assert screening.playback.frame() == frame
    assert screening.place == 0.0


def test_a_changed_record_starts_over_and_a_changed_prompt_does_not(watched: Watched, desk: FakeDesk) -> None:
    screening = watched.screening
    screening.show("001")
    screening.playback.seek(9)
    cue = desk.cues["001"]
    desk.cues["001"] = replace(cue, prompt="drum")
    screening.refresh()
    assert screening.playback.frame() == 9
    desk.cues["001"] = replace(cue, spot=replace(cue.spot, record=TimeSpan(HOUR, HOUR + 1)))
    screening.refresh()
    assert screening.playback.view().frames == 25


def test_it_plays_without_a_device_and_says_why(watched: Watched) -> None:
    screening = watched.screening
    screening.show("001")
    screening.play()
    watched.until(lambda: screening.reason)
    assert screening.reason == "No sound device was found. Connect one."
    first = screening.playback.frame()
    watched.until(lambda: screening.playback.frame() != first)


def test_beats_tell_what_is_new(watched: Watched) -> None:
    screening = watched.screening
    screening.show("001")
    watched.until(lambda: screening.frame and not screening.busy)
    for _ in range(3):
        screening.beat()
    quiet = screening.beat()
    screening.playback.step(1)
    moved = screening.beat()

    assert not any((quiet.picture, quiet.transport, quiet.lanes, quiet.reason))
    assert moved.transport


def test_closing_a_timeline_leaves_nothing_on_the_screen(watched: Watched, desk: FakeDesk) -> None:
    screening = watched.screening
    screening.show("001")
    desk.timeline = None
    screening.refresh()

    assert screening.cue is None
    assert screening.takes == ()
    assert screening.motion(columns=10).values == ()


def test_lanes_share_one_scale(watched: Watched) -> None:
    screening = watched.screening
    screening.show("001")

    def lanes() -> list[Any]:
        return [screening.lane(row, columns=50) for row in screening.takes]

    watched.until(lambda: all(lane.peaks for lane in lanes()))
    assert full_level(lanes()) == pytest.approx(0.75, abs=1e-3)
    assert full_level([]) == 1.0
