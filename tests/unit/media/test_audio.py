from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from plugin.errors import MediaMissing, UndecodableMedia
from plugin.media.audio import read_pieces, read_wav, resample_stream, resampled_length


def resampled(
    samples: np.ndarray, sizes: list[int], source: int = 44_100, target: int = 48_000
) -> np.ndarray:
    pieces, start = [], 0
    while start < len(samples):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(samples[start : start + size])
        start += size
    return np.concatenate([np.zeros(0), *resample_stream(pieces, source_rate=source, target_rate=target)])


@pytest.mark.parametrize("at", [0.25, 0.5, 1.0, 1.5])
def test_an_impulse_stays_in_its_place(at: float) -> None:
    samples = np.zeros(88_200, np.float32)
    samples[round(at * 44_100)] = 1
    assert int(np.argmax(np.abs(resampled(samples, [1024])))) == round(at * 48_000)


def test_a_sine_keeps_its_phase() -> None:
    def tone(rate: int) -> np.ndarray:
        return np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)

    found = resampled(tone(44_100), [512])
    assert np.abs(found - tone(48_000))[2000:-2000].max() < 1e-5


@pytest.mark.parametrize("sizes", [[1], [7, 1000], [4096], [100_000], [3, 0, 5]])
def test_pieces_do_not_matter(sizes: list[int]) -> None:
    noise = np.random.default_rng(0).standard_normal(20_003).astype(np.float32)
    assert np.array_equal(resampled(noise, sizes), resampled(noise, [len(noise)]))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 999, 44_099, 44_100, 44_101, 220_500])
@pytest.mark.parametrize(("source", "target"), [(44_100, 48_000), (48_000, 44_100), (16_000, 48_000)])
def test_the_length_is_the_duration(count: int, source: int, target: int) -> None:
    found = resampled(np.zeros(count, np.float32), [500], source, target)
    expected = resampled_length(count, source_rate=source, target_rate=target)
    assert len(found) == expected
    assert abs(expected - count * target / source) <= 0.5


def test_equal_rates_pass_through() -> None:
    noise = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    assert np.array_equal(resampled(noise, [300], 48_000, 48_000), noise)


def test_reading_a_wave(tmp_path: Path) -> None:
    stereo = np.random.default_rng(0).uniform(-1, 1, (1000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", stereo, 44_100, subtype="FLOAT")
    samples, rate = read_wav(tmp_path / "a.wav")
    assert rate == 44_100
    assert samples.dtype == np.float32
    assert np.array_equal(samples, stereo)
    part, _ = read_wav(tmp_path / "a.wav", start=900, frames=200)
    assert np.array_equal(part, stereo[900:])
    beyond, _ = read_wav(tmp_path / "a.wav", start=5000)
    assert beyond.shape == (0, 2)
    mono = np.concatenate(list(read_pieces(tmp_path / "a.wav", frames=77)))
    assert np.array_equal(mono, stereo.mean(axis=1))


def test_reading_what_is_no_sound(tmp_path: Path) -> None:
    with pytest.raises(MediaMissing):
        read_wav(tmp_path / "gone.wav")
    (tmp_path / "bad.wav").write_bytes(b"nothing to hear")
    with pytest.raises(UndecodableMedia, match=r"bad\.wav is not a sound file"):
        read_wav(tmp_path / "bad.wav")
