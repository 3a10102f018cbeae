"""What torch is measured with is the vocoder of the reference, and gives what ours gives."""

from __future__ import annotations

import pytest
import torch

from benchmarks.published import StuffedSnake, as_published
from exporter.models.bigvgan import GOLDEN_VOCODER, AntiAliasedSnake, Vocoder
from exporter.networks import RandomWeights
from exporter.sizes import SIZES


@torch.inference_mode()
def test_a_vocoder_by_the_definition_gives_the_same_sound() -> None:
    vocoder = RandomWeights().network("vocoder", SIZES["golden"]).double()
    mel = torch.randn(2, GOLDEN_VOCODER.mel_bands, 9, dtype=torch.float64)
    ours, parameters = vocoder(mel), dict(vocoder.named_parameters())
    theirs = as_published(vocoder)
    assert torch.linalg.vector_norm(theirs(mel) - ours) / torch.linalg.vector_norm(ours) < 1e-12
    assert {name: id(tensor) for name, tensor in theirs.named_parameters()} == {
        name: id(tensor) for name, tensor in parameters.items()
    }


def test_no_activation_is_left_as_it_was() -> None:
    kinds = [type(module) for module in as_published(Vocoder(GOLDEN_VOCODER)).modules()]
    assert AntiAliasedSnake not in kinds
    assert kinds.count(StuffedSnake) == len(GOLDEN_VOCODER.rates) * 2 * 2 * 2 + 1


@pytest.mark.parametrize("length", [1, 2, 11, 40])
@torch.inference_mode()
def test_every_length_keeps_its_samples(length: int) -> None:
    snake, x = AntiAliasedSnake(3).double(), torch.randn(1, 3, length, dtype=torch.float64)
    assert torch.allclose(StuffedSnake(snake)(x), snake(x), rtol=0, atol=1e-12)
