from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from plugin.errors import OutputError
from plugin.media.loudness import (
    CEILING_DBTP,
    Loudness,
    LoudnessMeter,
    TruePeakMeter,
    peak_gain,
    peak_limited,
)


def sine(level_db: float, *, seconds: float, hertz: float = 997.0, phase: float = 0.0) -> np.ndarray:
    clock = np.arange(round(seconds * 48_000)) / 48_000
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * clock + phase)
    return wave.astype(np.float32)


def measured(samples: np.ndarray, *, pieces: int = 1) -> Loudness:
    meter = LoudnessMeter(48_000)
    for piece in np.array_split(samples, pieces):
        meter.add(piece)
    return meter.finish()


@pytest.mark.parametrize("level", [-23.0, -33.0, -10.0])
def test_a_sine_reads_its_level_less_three_in_one_channel(level: float) -> None:
    # EBU Tech 3341 case 1: a stereo 1 kHz sine at -23 dBFS reads -23 LUFS; one channel is 3.01 less
    found = measured(sine(level, seconds=20))
    assert found.integrated == pytest.approx(level - 3.01, abs=0.1)
    assert found.momentary_max == pytest.approx(level - 3.01, abs=0.1)
    assert found.short_term_max == pytest.approx(level - 3.01, abs=0.1)
    assert found.true_peak == pytest.approx(level, abs=0.05)
    assert found.range == pytest.approx(0, abs=0.1)


def test_range_tells_loud_from_quiet_parts() -> None:
    # EBU Tech 3342 case 1: 20 s at -20 dBFS, then 20 s at -30: 10 LU
    found = measured(np.concatenate([sine(-20, seconds=20), sine(-30, seconds=20)]))
    assert found.range == pytest.approx(10, abs=1)


def test_silence_and_short_sounds_have_no_figures() -> None:
    assert measured(np.zeros(48_000 * 4, np.float32)) == Loudness(None, 0.0, None, None, None)
    assert measured(np.zeros(0, np.float32)) == Loudness()
    short = measured(sine(-20, seconds=0.3))
    assert (short.integrated, short.range, short.momentary_max, short.short_term_max) == (None,) * 4
    assert short.true_peak == pytest.approx(-20, abs=0.2)
    second = measured(sine(-20, seconds=1))
    assert second.integrated == pytest.approx(-23, abs=0.2)
    assert second.range is None


def test_pieces_do_not_matter() -> None:
    noise = (np.random.default_rng(2).standard_normal(100_001) * 0.1).astype(np.float32)
    assert measured(noise, pieces=1) == measured(noise, pieces=977)


def test_true_peaks_between_samples_are_found() -> None:
    # a quarter-rate sine sampled at 45 degrees: samples reach 0.707 of the wave
    meter = TruePeakMeter()
    wave = sine(0, seconds=1, hertz=12_000, phase=math.pi / 4)
    fade = np.hanning(len(wave)).astype(np.float32)
    assert np.abs(wave * fade).max() == pytest.approx(math.sqrt(0.5), abs=1e-3)
    meter.add(wave * fade)
    assert meter.peak == pytest.approx(1, abs=0.01)


def test_a_peak_after_the_last_sample_counts() -> None:
    wave = np.zeros(4800, np.float32)
    wave[-2:] = 0.8
    whole, cut = TruePeakMeter(), TruePeakMeter()
    whole.add(np.concatenate([wave, np.zeros(100, np.float32)]))
    cut.add(wave)
    assert cut.peak == pytest.approx(whole.peak)
    assert cut.peak > 0.9


@pytest.mark.parametrize(
    ("peak", "gain"), [(None, 1.0), (-20.0, 1.0), (-1.0, 1.0), (0.0, 10 ** (-1 / 20)), (5.0, 10 ** (-6 / 20))]
)
def test_gain_only_turns_down(peak: float | None, gain: float) -> None:
    assert peak_gain(peak) == pytest.approx(gain)


def test_a_loud_sound_is_turned_down_as_a_whole(tmp_path: Path) -> None:
    loud = sine(3, seconds=5, hertz=5000)
    with peak_limited(np.array_split(loud, 7), sample_rate=48_000, folder=tmp_path) as limited:
        once = np.concatenate(list(limited.pieces()))
        again = np.concatenate(list(limited.pieces()))
        assert limited.samples == len(loud)
    assert np.array_equal(once, again)
    assert np.array_equal(once, loud * np.float32(limited.gain))
    true_peak = measured(once).true_peak
    assert true_peak is not None
    assert CEILING_DBTP - 0.2 < true_peak <= CEILING_DBTP + 0.005
    assert limited.loudness.true_peak == pytest.approx(CEILING_DBTP)
    assert limited.loudness.integrated == pytest.approx(measured(once).integrated, abs=0.02)
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_a_quiet_sound_is_left_alone() -> None:
    quiet = sine(-12, seconds=1)
    with peak_limited([quiet], sample_rate=48_000) as limited:
        assert limited.gain == 1
        assert np.array_equal(np.concatenate(list(limited.pieces())), quiet)


def test_the_scratch_file_goes_when_the_source_fails(tmp_path: Path) -> None:
    def failing() -> object:
        yield np.zeros(100, np.float32)
        raise OutputError("stop", remedy="Stop.")

    with pytest.raises(OutputError), peak_limited(failing(), sample_rate=48_000, folder=tmp_path):  # type: ignore[arg-type]
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]
