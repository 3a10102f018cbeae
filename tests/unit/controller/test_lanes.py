from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import soundfile

from plugin.controller.lanes import Lanes, column_peaks
from plugin.controller.onsets import find_onsets
from plugin.controller.sounds import BLOCK, Outline, Sounds
from plugin.controller.views import TakeRow
from plugin.cues import ClipSource, Cue, Matte, MatteChannel, MediaFile, Spot, SpotOrigin
from plugin.media.loudness import LoudnessMeter
from plugin.media.shaping import Shape
from plugin.timebase import TimeSpan
from tests.media_factory import make_movie

RATE = 48_000
HOUR = Fraction(3600)
T = TypeVar("T")


def hits(times: list[float], *, seconds: float = 4.0, noise: float = 1e-4) -> np.ndarray:
    """Decaying bursts of noise at the times."""
    random = np.random.default_rng(3)
    sound = random.standard_normal(int(seconds * RATE)) * noise
    length = np.arange(RATE // 2)
    for start in times:
        at = int(start * RATE)
        burst = random.standard_normal(len(length)) * np.exp(-length / RATE / 0.08) * 0.3
        room = min(len(burst), len(sound) - at)
        sound[at : at + room] += burst[:room]
    return sound.astype(np.float32)


def write(path: Path, sound: np.ndarray) -> Path:
    soundfile.write(path, sound, RATE, subtype="PCM_24")
    return path


def take(path: Path, *, seconds: float, **changes: Any) -> TakeRow:
    row = TakeRow(
        name=path.stem,
        cue_id="001",
        title="Take 1",
        path=path,
        star=False,
        chosen=True,
        current=True,
        note="",
        preview=False,
        seed=1,
        steps=3,
        prompt="ball",
        created="",
        record=TimeSpan(HOUR, HOUR + Fraction(seconds)),
        level="-20.0 LUFS, -6.0 dBTP",
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


class Waiting:
    def __init__(self) -> None:
        self._came = threading.Event()
        self.sounds = Sounds(ready=self._came.set)
        self.lanes = Lanes(self.sounds, ready=self._came.set)

    def until(self, look: Callable[[], T], wanted: Callable[[T], bool]) -> T:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            seen = look()
            if wanted(seen):
                return seen
            self._came.wait(0.05)
            self._came.clear()
        raise AssertionError(f"it did not come: {seen}")


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    made = Waiting()
    yield made
    made.lanes.close()
    made.sounds.close()


def span(start: float, end: float) -> TimeSpan:
    return TimeSpan(HOUR + Fraction(start), HOUR + Fraction(end))


@pytest.mark.parametrize("columns", [7, 100, 1000, 3000])
def test_peaks_are_the_lowest_and_highest_of_each_column(columns: int) -> None:
    samples = np.random.default_rng(0).standard_normal(50_000).astype(np.float32)
    edges = np.arange(columns + 1) * 50_000 // columns

    low, high = column_peaks(Outline.of(samples), edges)

    for index in range(columns):
        exact = samples[edges[index] : edges[index + 1]]
        around = samples[max(0, edges[index] - BLOCK) : edges[index + 1] + BLOCK]
        assert around.min() <= low[index] <= exact.min()
        assert exact.max() <= high[index] <= around.max()


def test_single_samples_can_be_seen() -> None:
    samples = np.arange(10, dtype=np.float32)

    low, high = column_peaks(Outline.of(samples), np.array([-4, -2, 0, 1, 2, 2, 3, 9, 12, 14]))

    assert low.tolist() == [0, 0, 0, 1, 2, 2, 3, 9, 0]
    assert high.tolist() == [0, 0, 0, 1, 2, 2, 8, 9, 0]


def test_a_lane_lies_where_the_take_does(tmp_path: Path, waiting: Waiting) -> None:
    row = take(write(tmp_path / "a.wav", hits([0.5])), seconds=4)

    view = waiting.until(
        lambda: waiting.lanes.view(row, span(-1, 7), columns=800), lambda seen: seen.peaks is not None
    )

    assert (view.start, view.end) == (0.125, 0.625)
    assert view.peaks is not None
    loud = np.abs(np.array(view.peaks.high)) > 0.1
    assert np.flatnonzero(loud)[0] == pytest.approx(150, abs=1)
    assert not loud[500:].any()
    assert view.onsets == pytest.approx([1.5 / 8], abs=0.005 / 8)


def test_before_it_is_read_and_when_it_cannot_be(tmp_path: Path, waiting: Waiting) -> None:
    gone = take(tmp_path / "gone.wav", seconds=1)
    first = waiting.lanes.view(gone, span(0, 1), columns=10)
    view = waiting.until(
        lambda: waiting.lanes.view(gone, span(0, 1), columns=10), lambda seen: seen.notice != "Reading ..."
    )

    assert first.peaks is None
    assert first.notice == "Reading ..."
    assert view.notice.startswith("gone.wav is not there.")
    assert view.peaks is None


def test_gain_and_fades_shape_the_wave_and_its_level(tmp_path: Path, waiting: Waiting) -> None:
    sound = np.full(2 * RATE, 0.25, np.float32) * np.sin(np.arange(2 * RATE) * 0.1).astype(np.float32)
    path = write(tmp_path / "a.wav", sound)
    plain = take(path, seconds=2)
    shaped = replace(
        plain, gain_db=6.0206, fade_in=0.5, fade_out=0.5, true_peak=0.0, loudness=-14.0, level="rough"
    )

    view = waiting.until(
        lambda: waiting.lanes.view(shaped, span(0, 2), columns=200), lambda seen: "LUFS" in seen.level
    )
    meter = LoudnessMeter(RATE)
    meter.add(Shape(6.0206, RATE // 2, RATE // 2).applied(sound))
    exact = meter.finish()

    assert view.peaks is not None
    assert view.peaks.high[100] == pytest.approx(0.5, abs=0.01)
    assert view.peaks.high[25] == pytest.approx(0.25, abs=0.02)
    assert view.peaks.high[0] < 0.01
    assert view.curve[100] == pytest.approx(2.0, abs=1e-3)
    assert view.level == f"{exact.integrated:.1f} LUFS, {exact.true_peak:.1f} dBTP"
    assert view.gain == "+6.0 dB"
    assert not view.clips


def test_gain_alone_is_known_at_once_and_clipping_is_told(tmp_path: Path, waiting: Waiting) -> None:
    path = write(tmp_path / "a.wav", hits([0.1], seconds=1))
    row = take(path, seconds=1, gain_db=9.0, true_peak=3.0, loudness=-11.0)

    view = waiting.until(
        lambda: waiting.lanes.view(row, span(0, 1), columns=10), lambda seen: seen.peaks is not None
    )

    assert view.level == "-11.0 LUFS, 3.0 dBTP"
    assert view.clips
    assert view.spoken == "Take 1, chosen, -11.0 LUFS, 3.0 dBTP, gain +9.0 dB, clips"


def test_a_changed_file_is_read_again_after_forgetting(tmp_path: Path, waiting: Waiting) -> None:
    path = write(tmp_path / "a.wav", np.zeros(RATE, np.float32))
    waiting.until(lambda: waiting.sounds.of(path), lambda seen: seen is not None)
    write(path, np.full(RATE, 0.5, np.float32))
    waiting.sounds.forget()

    sound = waiting.until(lambda: waiting.sounds.of(path), lambda seen: seen is not None)

    assert sound is not None
    assert sound.samples.max() == pytest.approx(0.5, abs=1e-3)


def test_more_sound_than_fits_is_drawn_without_reading_it_over_and_over(tmp_path: Path) -> None:
    waiting = Waiting()
    waiting.lanes.close()
    waiting.sounds.close()
    sounds = Sounds(memory=RATE)
    paths = [write(tmp_path / f"{number}.wav", hits([0.1], seconds=1)) for number in range(4)]
    look = waiting.until(
        lambda: [sounds.outline(path) for path in paths], lambda seen: all(seen) and not sounds.busy
    )

    assert [outline.total for outline in look if outline] == [RATE] * 4
    assert all(sounds.outline(path) for path in paths)
    assert not sounds.busy
    assert sum(sounds.of(path) is not None for path in paths) == 1
    sounds.close()


def test_long_sounds_are_drawn_block_by_block() -> None:
    samples = np.zeros((1 << 21) + 1, np.float32)
    samples[1000] = 1.0
    outline = Outline.of(samples)

    assert outline.samples is None
    low, high = column_peaks(outline, np.arange(990, 1011))
    assert high.max() == 1.0
    assert low.min() == 0.0


def test_other_rates_and_channels_are_brought_to_one(tmp_path: Path, waiting: Waiting) -> None:
    stereo = np.stack([np.full(44_100, 0.2), np.full(44_100, 0.4)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 44_100)

    sound = waiting.until(lambda: waiting.sounds.of(tmp_path / "a.wav"), lambda seen: seen is not None)

    assert sound is not None
    assert len(sound.samples) == RATE
    assert sound.samples[RATE // 2] == pytest.approx(0.3, abs=1e-3)


TIMES = [0.0, 0.31, 0.75, 0.9, 1.6, 2.2, 3.05]


@pytest.mark.parametrize("noise", [0.0, 1e-4, 3e-3])
def test_onsets_are_found_within_ten_milliseconds(noise: float) -> None:
    found = np.array(find_onsets(hits(TIMES, noise=noise), sample_rate=RATE)) / RATE

    assert len(found) == len(TIMES)
    assert found == pytest.approx(TIMES, abs=0.010)


def test_onsets_of_tones_and_at_another_rate() -> None:
    length = np.arange(44_100)
    tone = np.sin(2 * np.pi * 220 * length / 44_100) * np.exp(-length / 44_100 / 0.2) * 0.3
    sound = np.concatenate([np.zeros(11_025), tone]).astype(np.float32)

    assert np.array(find_onsets(sound, sample_rate=44_100)) / 44_100 == pytest.approx([0.25], abs=0.010)


@pytest.mark.parametrize("count", [0, 1, 100, 500, 1024, RATE])
def test_silence_has_no_onsets(count: int) -> None:
    assert find_onsets(np.zeros(count, np.float32), sample_rate=RATE) == ()


def test_a_steady_sound_begins_once_and_its_end_is_no_onset() -> None:
    sine = (np.sin(np.arange(2 * RATE) * 0.05) * 0.3).astype(np.float32)
    noise = (np.random.default_rng(1).standard_normal(4 * RATE) * 0.1).astype(np.float32)

    assert find_onsets(sine, sample_rate=RATE) == (0,)
    assert find_onsets(noise, sample_rate=RATE) == (0,)


def ball(column: float, *, size: int = 16) -> np.ndarray:
    picture = np.zeros((64, 96, 3), np.uint8)
    left = round(column)
    picture[24 : 24 + size, left : left + size] = 255
    return picture


def moving(tmp_path: Path, draw: Callable[[int], np.ndarray], **matte: Any) -> Cue:
    made = make_movie(tmp_path / "m.mp4", frames=50, draw=draw, gop=10)
    record = TimeSpan(HOUR, HOUR + 2)
    clip = ClipSource(MediaFile(made.path), record, Fraction(0), Fraction(1), None, "m", "MASK", made.rate)
    matte_clip = replace(clip, **matte)
    spot = Spot("001", record, "b", "b", "", clip, Matte(matte_clip), SpotOrigin.MASK_TRACK, "MASK")
    return Cue(spot, "b", "", "standard", 3, 4.5, 1)


def motion_of(waiting: Waiting, cue: Cue, columns: int = 200) -> tuple[np.ndarray, str]:
    view = waiting.until(
        lambda: waiting.lanes.motion(cue, cue.spot.record, columns=columns),
        lambda seen: seen.notice != "Reading the matte ...",
    )
    return np.array(view.values), view.notice


def test_motion_is_where_the_matte_moves(tmp_path: Path, waiting: Waiting) -> None:
    cue = moving(tmp_path, lambda index: ball(20 if index < 20 else 20 + min(index - 19, 10) * 4))

    values, notice = motion_of(waiting, cue)

    assert notice == ""
    assert len(values) == 200
    moved = np.flatnonzero(values > 0.3)
    assert moved[0] == pytest.approx(76, abs=4)  # the step that ends at frame 20 of 50
    assert moved[-1] == pytest.approx(116, abs=4)
    assert values.max() == pytest.approx(1.0, abs=0.1)
    assert values[:70].max() < 0.1
    assert values[130:].max() < 0.1


def test_motion_of_a_reversed_matte_is_reversed(tmp_path: Path, waiting: Waiting) -> None:
    cue = moving(
        tmp_path,
        lambda index: ball(20 if index < 10 else 40),
        speed=Fraction(-1),
        source_start=Fraction(2),
    )

    values, _ = motion_of(waiting, cue)

    assert np.argmax(values) == pytest.approx(200 - 40, abs=6)


def test_a_still_matte_does_not_move(tmp_path: Path, waiting: Waiting) -> None:
    values, _ = motion_of(waiting, moving(tmp_path, lambda _: ball(30)))

    assert values.max() < 0.2


def test_why_there_is_no_motion(tmp_path: Path, waiting: Waiting) -> None:
    cue = moving(tmp_path, lambda _: ball(30))
    assert cue.spot.matte is not None
    bare = replace(cue, spot=replace(cue.spot, matte=None))
    without = replace(cue, spot=replace(cue.spot, matte=replace(cue.spot.matte, channel=MatteChannel.ALPHA)))

    assert motion_of(waiting, bare)[1].startswith("Without a matte")
    assert "has no alpha channel" in motion_of(waiting, without)[1]
