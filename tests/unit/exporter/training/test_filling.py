"""A bank is filled with the generator's own sounds."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from exporter.models.voices import DRIVES, GAINS, LEAD
from exporter.training.filling import BEFORE, CANDIDATES, FADE, HEARD, bank_path, write_bank
from tests.unit.exporter.training.conftest import MOVING, BlinkingSquares
from tests.unit.exporter.training.small_bank import (
    BANK,
    BEEPS,
    HOP,
    HUMS,
    PERIOD,
    SILENCE,
    encode,
    filled,
)


@pytest.fixture(scope="module")
def voices():
    """Low ones beep, high ones hum."""
    return filled(BlinkingSquares(humming=(1,)))


def played(source, label, seed, efforts):
    """One voice, [efforts, PERIOD * HOP]."""
    seconds, onset = PERIOD * HOP / MOVING.sample_rate, (BEFORE + 0.5) * HOP / MOVING.sample_rate
    wave = source.voice(label, seed, efforts=efforts, seconds=seconds, onset=onset)
    return wave.reshape(len(efforts), -1)


def test_classes_with_sounds_have_a_row_and_all_others_that_of_silence(voices):
    assert voices.rows.tolist() == [SILENCE, BEEPS, HUMS, SILENCE]
    assert voices.steady.tolist() == [0, 1, 0]
    assert torch.allclose(voices.silence, torch.full((2,), 0.25))
    assert torch.equal(voices.bank[SILENCE], voices.silence.expand_as(voices.bank[SILENCE]))
    assert not torch.allclose(voices.bank[BEEPS], voices.silence.expand_as(voices.bank[BEEPS]), atol=0.05)


def test_a_class_the_run_has_not_is_silent():
    voices = filled(BlinkingSquares(), present=(1,))
    assert voices.rows.tolist() == [SILENCE, SILENCE, 0, SILENCE]
    assert voices.steady.tolist() == [0, 0, 0]


def test_a_kept_event_is_a_real_sound_from_a_little_before_its_onset(voices):
    source = BlinkingSquares()
    waves = [played(source, 0, seed, GAINS) for seed in range(CANDIDATES * BANK.voices)]
    real = torch.stack([torch.stack([encode(one) for one in wave]) for wave in waves])
    kept = BANK.positions - FADE
    begun = real[:, :, BEFORE - LEAD : BEFORE - LEAD + kept]
    for voice in voices.bank[BEEPS]:
        assert (begun - voice[:, :kept]).abs().amax((1, 2, 3)).min() < 1e-5
        loud = voice[:, :, 0] - 0.25
        assert not loud[:, :LEAD].any()
        assert loud[:, LEAD + 1].tolist() == pytest.approx(
            [float(loud[0, LEAD + 1]) * one for one in GAINS], rel=1e-3
        )
        assert loud[0, -1] < 0.1 * loud[0, LEAD + 1]


def test_what_sounds_throughout_is_kept_as_a_round_without_a_gap(voices):
    for voice in voices.bank[HUMS]:
        loud = voice[:, :, 0] - 0.25
        assert (loud.amin(1) > 0.2 * loud.amax(1)).all()
        assert (loud.mean(1) / loud[0].mean()).tolist() == pytest.approx(list(DRIVES), rel=0.05)
    assert (voices.energy[HUMS].diff(dim=-1) < 0).all()
    assert (voices.energy[HUMS] > 0.2).all()


def test_of_a_class_different_sounds_are_kept(voices):
    for row in (BEEPS, HUMS):
        assert (voices.bank[row, 0] - voices.bank[row, 1]).abs().max() > 1e-3


def test_sounds_that_are_heard_badly_are_left_out():
    """Low numbers are pitched lower: only the highest are heard well."""
    source = BlinkingSquares(humming=(1,))

    def picky(_label, sounds):
        return torch.arange(float(len(sounds)))

    count = CANDIDATES * BANK.voices
    waves = [played(source, 0, seed, GAINS)[0] for seed in range(count)]
    begun = torch.stack([encode(one) for one in waves])[
        :, BEFORE - LEAD : BEFORE - LEAD + BANK.positions - FADE
    ]
    kept = filled(source, trial=picky).bank[BEEPS, :, 0, : BANK.positions - FADE]
    nearest = [int((begun - voice).abs().amax((1, 2)).argmin()) for voice in kept]
    assert min(nearest) >= count - count // HEARD


def test_a_bank_that_is_there_stays(make, moving, tmp_path):
    bank_path(tmp_path).parent.mkdir()
    save_file({"bank": torch.ones(2)}, bank_path(tmp_path))
    write_bank(make(), moving, tmp_path, torch.device("cpu"))
    assert load_file(bank_path(tmp_path)).keys() == {"bank"}


def test_sizes_without_a_bank_get_none(make, squares, tmp_path):
    write_bank(make(), squares, tmp_path, torch.device("cpu"))
    assert not bank_path(tmp_path).exists()
