"""A candidate is heard as what it is, or as another: at its worst effort."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from exporter.evaluation.likeness import description
from exporter.likeness import Likeness
from exporter.models.voices import DRIVES, BankDims, Voices
from exporter.training.trials import DRIVEN, EXAMPLES, STRIKES, TIMES, Trials, tried
from tests.unit.exporter.training.conftest import MOVING

RATE = 44100
NAMES = ("low", "high")
PITCHES = {"low": 180.0, "high": 3200.0}


def strokes(pitch, *, level=0.3):
    """Three decaying tones in a second and a half, [samples]."""
    t = np.arange(RATE // 2) / RATE
    one = level * np.exp(-t / 0.05) * np.sin(2 * np.pi * pitch * t)
    return np.tile(one, 3).astype(np.float32)


def test_the_margin_is_that_of_the_worst_effort():
    known = [
        (name, description(strokes(pitch * (1 + 0.05 * k)), rate=RATE))
        for name, pitch in PITCHES.items()
        for k in range(5)
    ]
    sounds = {"good": (190, 200), "changing": (190, 3300), "wrong": (3300, 3400)}
    waves = np.stack([np.stack([strokes(one) for one in two]) for two in sounds.values()])
    judges = Trials(Likeness.learn(known), decode=lambda latents: latents, rate=RATE, names=NAMES)
    good, changing, wrong = judges.margins(0, torch.from_numpy(waves)).tolist()
    assert good > 0.3
    assert changing < -0.3
    assert wrong < -0.3
    assert judges.margins(1, torch.from_numpy(waves))[2] > 0.3


def test_the_judge_has_heard_every_class(moving):
    judges = Trials.prepared(moving, MOVING, decode=lambda latents: latents)
    assert set(judges.judge.names) == set(moving.labels)
    assert len(judges.judge.known) == EXAMPLES * len(moving.labels)
    assert judges.rate == MOVING.sample_rate


@pytest.mark.parametrize("steady", [False, True])
def test_every_candidate_is_tried_at_all_efforts(steady):
    dims = BankDims(classes=3, kept=1, voices=2, positions=8)
    voices = Voices(1, 4, sync_width=1, dims=dims)
    with torch.no_grad():
        voices.bank.copy_(torch.arange(2.0).view(1, 2, 1, 1, 1) + 1)
        voices.bank.mul_(torch.tensor(DRIVES).view(1, 1, -1, 1, 1))
        voices.energy.copy_(torch.tensor([0.8, 0.7, 0.5, 0.3]).expand(1, 2, 4))
        voices.steady.fill_(float(steady))
    found = tried(voices, MOVING)
    assert found.shape[:2] == (2, len(STRIKES))
    assert len(STRIKES) == len(DRIVEN)
    assert torch.allclose(found[1], 2 * found[0])
    loud = found[0].square().mean(-1)
    assert (loud.amax(1).diff() < 0).all()
    begins = (loud[0] > 0).float().diff().clamp(min=0).sum()
    assert int(begins) == (0 if steady else len(TIMES))
