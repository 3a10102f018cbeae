"""The detector finds clicks where they are, in any sound, and nothing in silence or in a steady tone."""

import numpy as np
import pytest

from exporter.evaluation.matching import match
from exporter.evaluation.onsets import find_onsets
from exporter.synth.generating import generate
from exporter.synth.scores import SAMPLE_RATE
from exporter.synth.settings import SceneSettings

TIMES = (0.1, 0.35, 0.62, 0.9)


def clicks(rate, times=TIMES, *, gain=0.3, seconds=1.3):
    rng = np.random.default_rng(0)
    wave = np.zeros(round(seconds * rate), np.float32)
    fade = np.exp(-np.arange(rate // 20) / (0.008 * rate))
    for time in times:
        first = round(time * rate)
        wave[first : first + len(fade)] += gain * fade * rng.standard_normal(len(fade))
    return wave


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("gain", [0.3, 0.01])
def test_clicks_are_found_where_they_are(rate, gain):
    found = find_onsets(clicks(rate, gain=gain), rate=rate)
    assert found == pytest.approx(TIMES, abs=0.005)


def test_silence_noise_floor_and_a_steady_tone_have_no_onsets():
    rng = np.random.default_rng(1)
    assert find_onsets(np.zeros(20000, np.float32), rate=44100) == ()
    assert find_onsets(1e-5 * rng.standard_normal(20000).astype(np.float32), rate=44100) == ()
    tone = (np.sin(2 * np.pi * 440 * np.arange(44100) / 44100) * np.hanning(44100)).astype(np.float32)
    assert all(time < 0.1 for time in find_onsets(0.2 * tone, rate=44100))


def test_two_hits_close_together_are_one():
    assert len(find_onsets(clicks(44100, (0.2, 0.23)), rate=44100)) == 1
    assert len(find_onsets(clicks(44100, (0.2, 0.32)), rate=44100)) == 2


def test_events_of_generated_stems_are_found():
    settings = SceneSettings(
        size=16,
        seconds=2.56,
        objects=(1, 1),
        classes=("wood_block", "clap", "pingpong"),
        silent_object=0,
        idle=0,
    )
    counts = [
        match(find_onsets(item.wet, rate=SAMPLE_RATE), tuple(item.score.times.tolist()))
        for seed in range(6)
        for item in generate(seed, settings).objects
    ]
    assert sum(one.there for one in counts) >= 10
    assert np.mean([one.f1 for one in counts]) > 0.9
