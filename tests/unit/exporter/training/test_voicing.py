from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from exporter.models.voices import Voices
from exporter.training.features import KINDS
from exporter.training.scenes import SILENT
from exporter.training.voicing import choice_loss, classes_of, fill_bank

SEVERAL, BELL, NONE = 0, 1, 2


def sound(colour, *, noise=0.0, seed=0):
    latent = torch.zeros(12, 2)
    latent[3] = torch.tensor(colour) + noise * torch.randn(2, generator=torch.Generator().manual_seed(seed))
    return latent


@pytest.fixture
def filled():
    low = [sound([2.0, 0.0], noise=0.05, seed=k) for k in range(6)]
    high = [sound([0.0, 2.0], noise=0.05, seed=k) for k in range(3)]
    latents = torch.stack([*low, *high, *(torch.zeros(12, 2) for _ in range(2)), sound([1.0, 1.0])])
    classes = torch.tensor([BELL] * 9 + [NONE] * 2 + [SEVERAL])
    voices = Voices(4, 2, classes=3, voices=2)
    fill_bank(voices, latents, classes)
    return voices, latents, classes


def test_a_bank_keeps_real_sounds_of_every_kind_of_bell(filled):
    voices, latents, _ = filled
    described = voices.describe(latents[:9])
    for kept in voices.bank[BELL]:
        assert (described - kept).abs().amax(1).min() < 1e-5
    colours = voices.bank[BELL][:, :2].argmax(1)
    assert sorted(colours.tolist()) == [0, 1]


def test_a_class_with_fewer_sounds_repeats_them_and_none_is_nothing(filled):
    voices, latents, _ = filled
    assert torch.equal(voices.bank[SEVERAL][0], voices.bank[SEVERAL][1])
    assert torch.allclose(voices.bank[SEVERAL][:1], voices.describe(latents[-1:]))
    assert not voices.bank[NONE].any()


def test_classes_are_counted_from_several_to_none():
    samples = SimpleNamespace(
        label=torch.tensor([SILENT, 0, 1, SILENT, SILENT]),
        kind=torch.tensor([KINDS.index(kind) for kind in ("several", "one", "revoiced", "null", "one")]),
    )
    assert classes_of(samples, count=4).tolist() == [0, 1, 2, 3, 3]


def test_the_right_class_and_the_nearest_voice_cost_least(filled):
    voices, latents, classes = filled
    rows = classes == BELL
    described, asked = voices.describe(latents[rows]), classes[rows]
    nearest = torch.cdist(described, voices.bank[BELL]).argmin(1)
    sure = torch.full((9, 3), -9.0).index_fill(1, torch.tensor([BELL]), 9.0)
    each = torch.zeros(9, 3, 2)
    each[torch.arange(9), BELL, nearest] = 9.0
    right = choice_loss(voices, (sure, each), asked, described)
    assert right < 0.01
    assert choice_loss(voices, (-sure, each), asked, described) > 10
    assert right + 1 < choice_loss(voices, (sure, -each), asked, described)
