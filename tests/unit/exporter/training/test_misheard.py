"""A voice that is taken for another class in scenes gives its place to the best of its class."""

from __future__ import annotations

import torch

from exporter.likeness import Likeness
from exporter.models.voices import LEAD
from exporter.training.misheard import EACH, heard_right, replace_misheard, scene_curves
from exporter.training.trials import Trials
from tests.unit.exporter.training.conftest import MOVING, BlinkingSquares
from tests.unit.exporter.training.small_bank import BANK, BEEPS, HUMS, filled

COUNT = MOVING.lengths(MOVING.train_frames, batch=1)["latents"]


def bank():
    return filled(BlinkingSquares(humming=(1,)))


def told(*shares):
    return lambda _label, _curves: torch.tensor(shares)


def test_a_voice_that_is_heard_too_seldom_is_replaced_by_the_best():
    voices, before = bank(), bank()
    shares = torch.linspace(1.0, 0.2, BANK.voices).tolist()
    replace_misheard(voices, {0: [torch.zeros(1, 4, 3)]}, told(*shares))
    bad = [number for number, share in enumerate(shares) if share < 0.75]
    assert bad
    for number in range(BANK.voices):
        source = 0 if number in bad else number
        assert torch.equal(voices.bank[BEEPS, number], before.bank[BEEPS, source])
        assert torch.equal(voices.energy[BEEPS, number], before.energy[BEEPS, source])
    assert torch.equal(voices.bank[HUMS], before.bank[HUMS])


def test_where_none_is_heard_well_the_best_stays_with_its_equals():
    voices, before = bank(), bank()
    replace_misheard(voices, {0: [torch.zeros(1, 4, 3)]}, told(*[0.5] * BANK.voices))
    assert torch.equal(voices.bank, before.bank)


def test_a_class_that_no_scene_shows_keeps_its_voices():
    voices, before = bank(), bank()
    replace_misheard(voices, {0: []}, told(*[0.0] * BANK.voices))
    assert torch.equal(voices.bank, before.bank)


def test_curves_are_those_of_the_scenes_sounds(make, moving):
    played = scene_curves(moving, make(), (0,))
    assert len(played[0]) == EACH
    curves = played[0][0]
    assert curves.shape == (1, MOVING.lengths(MOVING.train_frames, batch=1)["sync_frames"] * 4, 3)
    assert curves[..., 0].max() > 1 > -1 > curves[..., 0].min()


def test_every_voice_is_heard_at_the_times_of_the_scene():
    voices, heard = bank(), []

    def decode(latents):
        heard.append(latents)
        return torch.zeros(len(latents), 8)

    class OddOnes(Trials):
        def right(self, label, sounds):
            self.decode(sounds)
            return torch.arange(len(sounds)) % 2 == label

    trials = OddOnes(Likeness((), *[torch.zeros(0).numpy()] * 4), decode, 44100, ("beep", "hum"))
    curves = torch.zeros(1, 4 * COUNT, 3)
    curves[..., 0] = -9
    curves[:, 2 * COUNT : 2 * COUNT + 4, 0] = 9
    shares = heard_right(voices, trials, count=COUNT)(0, [curves, curves])
    assert shares.tolist() == [float(one % 2 == 0) for one in range(BANK.voices)]
    first = heard[0] - voices.silence
    assert first.shape[0] == BANK.voices
    loud = first.square().mean(-1).amax(0) > 1e-6
    assert COUNT // 2 - LEAD <= int(torch.nonzero(loud)[0, 0]) <= COUNT // 2 + 1
