"""A bank of two kinds of sounds, whose latents are written by hand."""

from __future__ import annotations

import numpy as np
import torch

from exporter.models.voices import Voices
from exporter.training.filling import BEFORE, fill_bank
from tests.unit.exporter.training.conftest import MOVING

BANK = MOVING.flow.bank
HOP = MOVING.latent_hop
PERIOD = BANK.positions + 4 * BEFORE
BEEPS, HUMS, SILENCE = range(3)


def indifferent(_label, sounds):
    """All are heard alike."""
    return torch.zeros(len(sounds))


def encode(wave):
    """How loud every latent position is, and how fast it turns; a little more than nothing everywhere."""
    blocks = torch.from_numpy(wave).unflatten(0, (-1, HOP))
    turns = torch.from_numpy(np.diff(wave, prepend=np.float32(0))).unflatten(0, (-1, HOP))
    return torch.stack([blocks.square().mean(1).sqrt(), turns.square().mean(1).sqrt()], -1) * 10 + 0.25


def filled(source, present=(0, 1), trial=indifferent):
    voices = Voices(4, 2, sync_width=6, dims=BANK)
    fill_bank(voices, source, MOVING, encode, torch.tensor(present), trial=trial)
    return voices
