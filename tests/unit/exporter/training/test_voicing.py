"""A bank is filled with the generator's own sounds, and what teaches to choose from it is right."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from exporter.models.voices import DRIVES, GAINS, LEAD, Voices
from exporter.training.features import KINDS
from exporter.training.scenes import SILENT
from exporter.training.voicing import (
    BEFORE,
    CANDIDATES,
    FADE,
    _plain,
    bank_path,
    choice_loss,
    classes_of,
    curve_losses,
    fill_bank,
    nearest_voice,
    write_bank,
)
from tests.unit.exporter.training.conftest import MOVING, BlinkingSquares

SEVERAL, LOW, HIGH, NONE = range(4)
BANK = MOVING.flow.bank
HOP = MOVING.latent_hop
PERIOD = BANK.positions + 4 * BEFORE
BEEPS, HUMS, SILENCE = range(3)


def encode(wave):
    """How loud every latent position is, and how fast it turns; a little more than nothing everywhere."""
    blocks = torch.from_numpy(wave).unflatten(0, (-1, HOP))
    turns = torch.from_numpy(np.diff(wave, prepend=np.float32(0))).unflatten(0, (-1, HOP))
    return torch.stack([blocks.square().mean(1).sqrt(), turns.square().mean(1).sqrt()], -1) * 10 + 0.25


def filled(source, present=(0, 1)):
    voices = Voices(4, 2, sync_width=6, dims=BANK)
    fill_bank(voices, source, MOVING, encode, torch.tensor(present))
    return voices


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
        assert (loud.amin(1) > 0.5 * loud.amax(1)).all()
        assert (loud.mean(1) / loud[0].mean()).tolist() == pytest.approx(list(DRIVES), rel=0.05)
    assert (voices.energy[HUMS].diff(dim=-1) < 0).all()
    assert (voices.energy[HUMS] > 0.2).all()


def test_of_a_class_different_sounds_are_kept(voices):
    for row in (BEEPS, HUMS):
        assert (voices.bank[row, 0] - voices.bank[row, 1]).abs().max() > 1e-3


def test_sounds_that_lie_among_another_class_are_left_out():
    generator = torch.Generator().manual_seed(0)
    own, other = (torch.randn(8, 3, generator=generator) * 0.1 for _ in range(2))
    other = other + torch.tensor([3.0, 0.0, 0.0])
    own[[1, 4, 6]] += torch.tensor([2.8, 0.0, 0.0])
    chosen = _plain([own, other], 0)
    assert len(chosen) == 4
    assert not set(chosen.tolist()) & {1, 4, 6}
    assert len(_plain([other, own], 0)) == 4
    assert len(_plain([own], 0)) == 4


def test_classes_are_counted_from_several_to_none():
    samples = SimpleNamespace(
        label=torch.tensor([SILENT, 0, 1, SILENT, SILENT]),
        kind=torch.tensor([KINDS.index(kind) for kind in ("several", "one", "revoiced", "null", "one")]),
    )
    assert classes_of(samples, count=4).tolist() == [SEVERAL, LOW, HIGH, NONE, NONE]


@pytest.mark.parametrize(("kind", "row"), [(LOW, BEEPS), (HIGH, HUMS)])
def test_the_voice_nearest_to_a_sound_is_the_one_that_made_it(voices, kind, row):
    made = voices.silence.repeat(2, 30, 1)
    made[:, 5 : 5 + BANK.positions] = voices.bank[row, :, 0]
    assert nearest_voice(voices, torch.tensor([kind, kind]), made).tolist() == [0, 1]
    assert nearest_voice(voices, torch.tensor([kind, kind]), made.flip(0)).tolist() == [1, 0]


def test_the_right_class_and_the_nearest_voice_cost_least():
    classes, nearest = torch.tensor([LOW, HIGH, LOW]), torch.tensor([0, 1, 1])
    sure = torch.full((3, 4), -9.0).index_put((torch.arange(3), classes), torch.tensor(9.0))
    each = torch.zeros(3, 4, 2).index_put((torch.arange(3), classes, nearest), torch.tensor(9.0))
    right = choice_loss((sure, each), classes, nearest)
    assert right < 0.01
    assert choice_loss((-sure, each), classes, nearest) > 10
    assert right + 1 < choice_loss((sure, -each), classes, nearest)
    # what the other classes' voices are does not matter
    spoilt = each.clone()
    spoilt[:, [SEVERAL, NONE]] = torch.randn(3, 2, 2)
    assert torch.equal(choice_loss((sure, spoilt), classes, nearest), right)


def test_true_curves_cost_least():
    true = torch.zeros(2, 12, 3)
    true[:, 4, 0], true[:, 5, 0] = 1.0, 0.3
    true[..., 1] = torch.linspace(0, 1, 12)
    true[:, :8, 2] = -0.6
    found = true.clone()
    found[..., 0] = torch.where(true[..., 0] > 0, 6.0, -9.0)
    found[:, 5, 0] = float(np.log(4 * 0.3 / 0.7))  # where the weight of a missed onset balances
    best = curve_losses(found, true)
    assert set(best) == {"onset", "energy", "strike"}
    assert best["energy"] == best["strike"] == 0
    for channel, name in enumerate(("onset", "energy", "strike")):
        for change in (0.4, -0.4):
            off = found.clone()
            off[:, 5, channel] += change
            losses = curve_losses(off, true)
            assert losses[name] > best[name], name
            assert all(losses[other] == best[other] for other in best if other != name)
    elsewhere = found.clone()
    elsewhere[:, 7:, 2] += 5
    assert curve_losses(elsewhere, true)["strike"] == 0


def test_to_miss_an_onset_costs_more_than_to_find_one_too_many():
    one, none = torch.zeros(1, 1, 3), torch.zeros(1, 1, 3)
    one[..., 0] = 1
    sure = torch.zeros(1, 1, 3)
    sure[..., 0] = 3
    assert curve_losses(-sure, one)["onset"] > 3 * curve_losses(sure, none)["onset"]


def test_a_bank_that_is_there_stays(make, moving, tmp_path):
    bank_path(tmp_path).parent.mkdir()
    save_file({"bank": torch.ones(2)}, bank_path(tmp_path))
    write_bank(make(), moving, tmp_path, torch.device("cpu"))
    assert load_file(bank_path(tmp_path)).keys() == {"bank"}


def test_sizes_without_a_bank_get_none(make, squares, tmp_path):
    write_bank(make(), squares, tmp_path, torch.device("cpu"))
    assert not bank_path(tmp_path).exists()
