"""What teaches to choose from a bank, and when and how hard to play it, is right."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from exporter.training.features import KINDS
from exporter.training.scenes import SILENT
from exporter.training.voicing import SEVERAL_SHARE, choice_loss, classes_of, curve_losses, nearest_voice
from tests.unit.exporter.training.conftest import BlinkingSquares
from tests.unit.exporter.training.small_bank import BANK, BEEPS, HUMS, filled

SEVERAL, LOW, HIGH, NONE = range(4)


@pytest.fixture(scope="module")
def voices():
    """Low ones beep, high ones hum."""
    return filled(BlinkingSquares(humming=(1,)))


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
    present = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    right = choice_loss((sure, each), classes, nearest, present=present)
    assert right < 0.01
    assert choice_loss((-sure, each), classes, nearest, present=present) > 10
    assert right + 1 < choice_loss((sure, -each), classes, nearest, present=present)
    # what the other classes' voices are does not matter
    spoilt = each.clone()
    spoilt[:, [SEVERAL, NONE]] = torch.randn(3, 2, 2)
    assert torch.equal(choice_loss((sure, spoilt), classes, nearest, present=present), right)


def test_several_at_once_are_called_that_and_what_they_are():
    classes, present = torch.tensor([SEVERAL]), torch.tensor([[1.0, 1.0]])
    each, nearest = torch.zeros(1, 4, 2), torch.tensor([0])
    wanted = torch.tensor([[SEVERAL_SHARE, (1 - SEVERAL_SHARE) / 2, (1 - SEVERAL_SHARE) / 2, 1e-6]]).log()
    best = choice_loss((wanted, each), classes, nearest, present=present)
    alone = torch.tensor([[9.0, 0.0, 0.0, -9.0]])
    assert best + 1 < choice_loss((alone, each), classes, nearest, present=present)
    # where it is not known what sounds, it is several
    unknown = torch.zeros(1, 2)
    assert choice_loss((alone, each), classes, nearest, present=unknown) < best


def test_true_curves_cost_least():
    true = torch.zeros(2, 12, 3)
    true[:, 4, 0], true[:, 5, 0] = 1.0, 0.3
    true[..., 1] = torch.linspace(0, 1, 12)
    true[:, :8, 2] = -0.6
    found = true.clone()
    found[..., 0] = torch.where(true[..., 0] > 0, 6.0, -9.0)
    found[:, 5, 0] = float(np.log(4 * 0.3 / 0.7))  # where the weight of a missed onset balances
    best = curve_losses(found, true, driven=torch.ones(2))
    assert set(best) == {"onset", "energy", "swell", "strike", "accent"}
    assert best["energy"] == best["strike"] == 0
    assert best["swell"] == pytest.approx(0, abs=1e-5)
    for channel, name in enumerate(("onset", "energy", "strike")):
        for change in (0.4, -0.4):
            off = found.clone()
            off[:, 5, channel] += change
            losses = curve_losses(off, true, driven=torch.ones(2))
            assert losses[name] > best[name], name
            others = set(best) - {name} - ({"swell"} if name == "energy" else set())
            assert all(losses[other] == best[other] for other in others)
    elsewhere = found.clone()
    elsewhere[:, 7:, 2] += 5
    assert curve_losses(elsewhere, true, driven=torch.ones(2))["strike"] == 0


def test_energy_is_asked_of_what_sounds_throughout_alone():
    true, found = torch.zeros(2, 40, 3), torch.zeros(2, 40, 3)
    true[..., 1] = torch.linspace(0, 1, 40)
    found[1, :, 1] = 0.3 * true[1, :, 1] + 0.5
    first, second = (curve_losses(found, true, driven=torch.tensor(one)) for one in ([1.0, 0.0], [0.0, 1.0]))
    assert first["swell"] == pytest.approx(1)
    assert 0 < second["swell"] < 0.2, "a level is no swell, and amplitudes count as well as their logarithms"
    assert first["energy"] > second["energy"] > 0
    nobody = curve_losses(found, true, driven=torch.zeros(2))
    assert nobody["energy"] == nobody["swell"] == 0


def test_which_of_two_events_is_the_harder_one_counts():
    true, found = torch.zeros(3, 40, 3), torch.zeros(3, 40, 3)
    for moment, strike in ((4, -1.2), (15, -0.2), (30, -0.7)):
        true[:, moment : moment + 2, 0] = 1.0
        true[:, moment : moment + 2, 2] = strike
    found[0, :, 2] = 0.5 * true[0, :, 2] - 0.3
    found[1, :, 2] = -true[1, :, 2]

    def accent(row, driven=0.0):
        pair = found[row : row + 1], true[row : row + 1]
        return float(curve_losses(*pair, driven=torch.tensor([driven]))["accent"])

    assert accent(0) == pytest.approx(0, abs=1e-5)
    assert accent(1) == pytest.approx(2, abs=1e-5)
    assert accent(2) == pytest.approx(1, abs=1e-3), "all alike"
    assert accent(1, driven=1.0) == 0, "what sounds throughout has no events to the bank"
    true[..., 2] = -0.5
    assert accent(1) == 0, "events that do not differ"


def test_to_miss_an_onset_costs_more_than_to_find_one_too_many():
    one, none = torch.zeros(1, 1, 3), torch.zeros(1, 1, 3)
    one[..., 0] = 1
    sure = torch.zeros(1, 1, 3)
    sure[..., 0] = 3
    nobody = torch.zeros(1)
    missed, false = (curve_losses(*pair, driven=nobody)["onset"] for pair in ((-sure, one), (sure, none)))
    assert missed > 3 * false
