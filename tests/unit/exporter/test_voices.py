from __future__ import annotations

import pytest
import torch

from exporter.models.voices import Voices

CHANNELS, WIDTH = 3, 4


@pytest.fixture
def voices():
    torch.manual_seed(1)
    made = Voices(WIDTH, CHANNELS, classes=3, voices=2)
    with torch.no_grad():
        made.size.fill_(1.0)
        made.bank.copy_(torch.arange(3 * 2 * 2 * CHANNELS).view_as(made.bank))
    return made


def strike(*, loud, faint, at=5):
    """Silence, one loud frame, three faint ones."""
    latent = torch.zeros(1, 20, CHANNELS)
    latent[0, at] = torch.tensor(loud)
    latent[0, at + 1 : at + 4] = torch.tensor(faint)
    return latent


def test_a_sound_is_described_by_its_loud_and_its_fading_moments(voices):
    loud, faint = [2.0, 0.0, -1.0], [0.0, 0.5, 0.0]
    found = voices.describe(strike(loud=loud, faint=faint))
    assert torch.allclose(found, torch.tensor([[*loud, *faint]]))


def test_a_description_does_not_depend_on_when_or_how_often(voices):
    one = strike(loud=[2.0, 0.0, -1.0], faint=[0.0, 0.5, 0.0])
    twice = one + strike(loud=[2.0, 0.0, -1.0], faint=[0.0, 0.5, 0.0], at=12)
    assert torch.allclose(voices.describe(one), voices.describe(twice))


def test_silence_has_no_description(voices):
    with torch.no_grad():
        voices.silence.copy_(torch.tensor([1.0, -2.0, 0.5]))
    quiet = voices.silence.detach().expand(2, 20, CHANNELS) + 0.01
    assert not voices.describe(quiet).any()


def test_the_likeliest_voice_of_the_likeliest_class_is_chosen(voices):
    with torch.no_grad():
        for layer in (voices.ask, voices.kind, voices.which):
            layer.weight.zero_()
            layer.bias.zero_()
        voices.kind.bias.copy_(torch.tensor([0.0, 2.0, 1.0]))
        # the likeliest voice of all is one of another class
        voices.which.bias.copy_(torch.tensor([0.0, 0.0, 1.0, 3.0, 9.0, 0.0]))
    chosen = voices.choose(torch.zeros(2, 7, WIDTH), torch.zeros(2, WIDTH))
    assert torch.equal(chosen, voices.bank[1, 1].expand(2, -1))


def test_each_row_has_a_voice_of_its_own(voices):
    sync, everywhere = torch.randn(6, 7, WIDTH), 9 * torch.randn(6, WIDTH)
    together = voices.choose(sync, everywhere)
    alone = torch.cat([voices.choose(sync[k : k + 1], everywhere[k : k + 1]) for k in range(6)])
    assert torch.equal(together, alone)
    assert len(together.unique(dim=0)) > 1
