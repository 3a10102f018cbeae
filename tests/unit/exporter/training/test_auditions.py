"""A candidate is heard as what it is, or as another: at its worst effort."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from exporter.likeness import Likeness
from exporter.models.voices import DRIVES, BankDims, Voices
from exporter.training.auditions import DRIVEN, STRIKES, TIMES, Auditions, described, tried
from tests.unit.exporter.training.conftest import MOVING

BANDS, FRAMES = 32, 60
NAMES = ("low", "high")


def mel(band, *, at=(10, 30), depth=6.0):
    """A sound in some bands at some times, natural logarithm of magnitudes."""
    made = np.full((BANDS, FRAMES), -11.0, np.float32)
    for time in at:
        made[band : band + 8, time : time + 6] = np.linspace(0, -depth, 6)
    return made


def test_a_description_does_not_depend_on_level_or_time():
    plain = described(mel(4))
    assert described(mel(4) + 0.7) == pytest.approx(plain, abs=0.1)
    assert described(mel(4, at=(20, 45))) == pytest.approx(plain)
    assert np.abs(described(mel(20)) - plain).max() > 1
    assert np.isfinite(described(np.full((BANDS, FRAMES), -11.5, np.float32))).all()


def test_the_margin_is_that_of_the_worst_effort():
    known = [(name, described(mel(band + k))) for name, band in (("low", 2), ("high", 18)) for k in range(4)]
    sounds = {"good": (2, 3), "changing": (2, 18), "wrong": (19, 20)}
    mels = torch.stack([torch.stack([torch.from_numpy(mel(one)) for one in two]) for two in sounds.values()])
    judges = Auditions(Likeness.learn(known), decode=lambda latents: latents, names=NAMES)
    good, changing, wrong = judges.margins(0, mels).tolist()
    assert good > 0.5
    assert changing < -0.5
    assert wrong < -0.5
    assert judges.margins(1, mels)[2] > 0.5


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
