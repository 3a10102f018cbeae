"""The bank of sounds: which is chosen, and that it begins, goes on and ends where the curves say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from exporter import fill, lowering, verify
from exporter.graphs import graphs_of
from exporter.models.flow import ConditionsGraph, FlowNetwork
from exporter.models.voices import (
    APART,
    BINS,
    DRIVES,
    FADING,
    GAINS,
    LEAD,
    BankDims,
    Curves,
    Voices,
    unwanted,
)
from tests.unit.exporter.training.conftest import MOVING

CHANNELS, WIDTH, LASTS = 3, 4, 10
DIMS = BankDims(classes=5, kept=4, voices=2, positions=LASTS)
SEVERAL, BELL, ENGINE, UNKNOWN, NONE = range(5)
ROWS = {BELL: 0, ENGINE: 1}
SILENCE = torch.tensor([1.0, -2.0, 0.5])
ENERGIES = torch.tensor([0.9, 0.8, 0.6, 0.4])
EVERYWHERE = 60


@pytest.fixture
def voices():
    """A bell and an engine, two of each; every latent of the bank is another one."""
    torch.manual_seed(1)
    made = Voices(WIDTH, CHANNELS, sync_width=6, dims=DIMS)
    with torch.no_grad():
        made.size.fill_(1.0)
        made.silence.copy_(SILENCE)
        made.bank.copy_(torch.arange(made.bank.numel()).view_as(made.bank) / 10 + 3)
        made.bank[2:] = SILENCE
        made.rows.fill_(DIMS.kept - 1)
        for kind, row in ROWS.items():
            made.rows[kind] = row
        made.steady[ROWS[ENGINE]] = 1
        made.energy[ROWS[ENGINE]] = ENERGIES
    return made


def curves(onsets=(), *, moments=EVERYWHERE, strike=0.0, energy=0.0, height=9.0):
    """[1, moments, 3] with onsets at these moments; struck hard unless said otherwise."""
    result = torch.zeros(1, moments, 3)
    result[..., 0] = -9.0
    result[:, list(onsets), 0] = torch.as_tensor(height)
    result[..., 1], result[..., 2] = energy, strike
    return result


def placed(voices, told, *, kind=BELL, voice=0, count=EVERYWHERE):
    return voices.placed(torch.tensor([kind]), torch.tensor([voice]), told, count=count)[0]


def is_silent(latent):
    return bool(((latent - SILENCE).abs() < 1e-5).all())


# --- describing -----------------------------------------------------------------------------------


def stroke(*, loud, faint, at=5):
    """Silence, one loud frame, three faint ones."""
    latent = torch.zeros(1, 20, CHANNELS)
    latent[0, at] = torch.tensor(loud)
    latent[0, at + 1 : at + 4] = torch.tensor(faint)
    return latent


def test_a_sound_is_described_by_its_loud_and_its_fading_moments(voices):
    loud, faint = [2.0, 0.0, -1.0], [0.0, 0.5, 0.0]
    found = voices.describe(stroke(loud=loud, faint=faint) + SILENCE)
    assert torch.allclose(found, torch.tensor([[*loud, *faint]]), atol=1e-6)


def test_a_description_does_not_depend_on_when_or_how_often(voices):
    one = stroke(loud=[2.0, 0.0, -1.0], faint=[0.0, 0.5, 0.0])
    twice = one + stroke(loud=[2.0, 0.0, -1.0], faint=[0.0, 0.5, 0.0], at=12)
    assert torch.allclose(voices.describe(one + SILENCE), voices.describe(twice + SILENCE), atol=1e-6)


def test_silence_has_no_description(voices):
    assert not voices.describe(SILENCE.expand(2, 20, CHANNELS) + 0.01).any()


# --- choosing -------------------------------------------------------------------------------------


VOICES = torch.tensor([[[0.0, 0.0], [9.0, 0.0], [1.0, 3.0], [0.0, 0.0], [0.0, 0.0]]])
"""The likeliest of all is one of the bells; of the engines it is the second."""


def chosen(voices, kinds, against=(0.0,) * 5):
    kind, voice = voices.choose(torch.tensor([kinds]), VOICES, torch.tensor([against]))
    return int(kind), int(voice)


def test_the_likeliest_class_and_the_likeliest_of_its_voices_are_chosen(voices):
    assert chosen(voices, [0.0, 1.0, 2.0, 0.0, 1.0]) == (ENGINE, 1)
    assert chosen(voices, [0.0, 2.0, 1.0, 0.0, 1.0]) == (BELL, 0)
    assert chosen(voices, [0.0, 1.0, 2.0, 0.0, 5.0])[0] == NONE
    assert chosen(voices, [0.0, 1.0, 2.0, 0.0, 2.2])[0] == ENGINE, "nothing is not likelier than all else"
    assert chosen(voices, [0.0, 1.0, 2.0, 0.0, 2.2], (0.0, 0.0, -9.0, 0.0, 0.0))[0] == BELL


def test_of_several_things_one_is_heard_rather_one_that_is_struck(voices):
    assert chosen(voices, [5.0, 1.0, 2.0, 0.0, 4.0])[0] == BELL
    assert chosen(voices, [5.0, -3.0, 2.0, 0.0, 4.0])[0] == ENGINE
    assert chosen(voices, [1.0, 1.0, 2.0, 0.0, 0.0])[0] == ENGINE


@torch.no_grad()
def test_words_count_beside_what_is_seen(voices):
    with torch.no_grad():
        for layer in (voices.ask, voices.kind, voices.which, voices.named, voices.seen):
            layer.weight.zero_()
            layer.bias.zero_()
        voices.named.weight[ENGINE, 0] = 2.0
    words = torch.zeros(1, 3, WIDTH)
    words[:, 1, 0] = 3.0
    asked = (torch.zeros(1, 7, WIDTH), torch.zeros(1, WIDTH))
    kinds, _ = voices.logits(*asked, words, features=torch.zeros(1, 4, 6))
    assert (kinds[0] - kinds[0, BELL]).tolist()[1:] == pytest.approx([0.0, 2.0, 0.0, 0.0])
    with torch.no_grad():
        voices.seen.weight[BELL - 1, 0] = 1.0
    features = torch.zeros(1, 4, 6)
    features[:, :2, 0] = 9.0
    likelier, _ = voices.logits(*asked, words, features=features)
    assert likelier[0, BELL] - likelier[0, NONE] == pytest.approx(4.5, abs=0.01)


def test_each_row_chooses_for_itself(voices):
    kinds, each = 9 * torch.randn(6, DIMS.classes), torch.randn(6, DIMS.classes, DIMS.voices)
    kinds[:, -1] = -9
    rows = (kinds, each, torch.zeros_like(kinds))
    together = torch.stack(voices.choose(*rows), 1)
    alone = [torch.stack(voices.choose(*(one[k : k + 1] for one in rows)), 1) for k in range(6)]
    assert torch.equal(together, torch.cat(alone))
    assert len(together.unique(dim=0)) > 1


def test_negative_words_speak_against_what_they_name_alone():
    usual = torch.zeros(2, DIMS.classes)
    named = torch.tensor([[0.0, 9.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 9.0]])
    against = unwanted(named, usual)
    assert float(against[0, BELL]) < -20
    assert (against[0, [ENGINE, UNKNOWN]] > -1e-3).all()
    assert not against[:, [SEVERAL, NONE]].any()
    assert not unwanted(usual, usual).any()


@torch.no_grad()
def test_a_network_with_a_bank_leaves_out_what_negative_words_name(monkeypatch):
    network = FlowNetwork(MOVING.flow).eval()
    fill.fill_module(network)
    dims, voices = MOVING.flow, network.voices
    voices.rows.copy_(torch.arange(dims.bank.classes) % dims.bank.kept)
    voices.bank.normal_()
    clip, sync = torch.randn(1, 3, dims.clip_width), torch.randn(1, 16, dims.sync_width)
    words = torch.randn(1, dims.text_length, dims.text_width)
    seen = (clip, sync, words, torch.arange(16))
    said = network.unvoiced(*seen).text_condition

    def first_class(conditions, _features):
        """By picture and words alike; no words say nothing."""
        kinds = torch.zeros(1, dims.bank.classes)
        kinds[:, 1] = 9.0 * torch.equal(conditions.text_condition, said)
        return kinds, torch.zeros(1, dims.bank.classes, dims.bank.voices)

    monkeypatch.setattr(network, "logits", first_class)
    told = network.conditions(*seen).sync_condition
    nothing = network.empty_string_feat[None]
    assert torch.equal(network.conditions(*seen, nothing).sync_condition, told)
    assert not torch.equal(network.conditions(*seen, words).sync_condition, told)


def test_a_feature_says_what_happens_at_its_moments_one_after_the_other():
    reader = Curves(6).eval()
    with torch.no_grad():
        for value in reader.parameters():
            value.zero_()
        reader.plain.bias.copy_(torch.arange(3.0 * BINS))
    found = reader(torch.zeros(1, 2, 6))
    assert found.shape == (1, 2 * BINS, 3)
    assert found[0, :, 0].tolist() == [*range(BINS), *range(BINS)]
    assert found[0, :BINS, 2].tolist() == [2 * BINS + one for one in range(BINS)]


# --- placing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "voice"), [(BELL, 0), (BELL, 1)])
def test_an_onset_begins_the_chosen_voice_a_little_before_it(voices, kind, voice):
    found = placed(voices, curves([20]), kind=kind, voice=voice)
    first = 20 - LEAD
    assert is_silent(found[:first])
    assert torch.allclose(found[first : first + LASTS], voices.bank[ROWS[kind], voice, 0], atol=1e-5)
    assert is_silent(found[first + LASTS :])


@pytest.mark.parametrize("moment", [0, 1, LEAD, EVERYWHERE - 1])
def test_an_onset_at_either_end_sounds_as_far_as_there_is_room(voices, moment):
    found = placed(voices, curves([moment]))
    first, last = moment - LEAD, min(moment - LEAD + LASTS, EVERYWHERE)
    begun = max(first, 0)
    assert torch.allclose(found[begun:last], voices.bank[0, 0, 0, begun - first : last - first], atol=1e-5)
    assert is_silent(found[last:])
    assert is_silent(found[:begun])


def test_the_next_onset_cuts_what_sounds(voices):
    found = placed(voices, curves([20, 26]))
    sound = voices.bank[0, 0, 0]
    assert is_silent(found[:18])
    assert torch.allclose(found[18:24], sound[:6], atol=1e-5)
    assert torch.allclose(found[24:34], sound, atol=1e-5)
    assert is_silent(found[34:])


def test_of_peaks_close_together_only_the_highest_is_an_onset(voices):
    near = curves([20, 20 + APART], height=[3.0, 9.0])
    assert torch.equal(placed(voices, near), placed(voices, curves([20 + APART])))
    apart = placed(voices, curves([20, 21 + APART], height=[3.0, 9.0]))
    assert not torch.equal(apart, placed(voices, curves([21 + APART])))


def test_a_plateau_is_one_onset_and_what_is_unlikely_is_none(voices):
    assert torch.allclose(placed(voices, curves([20, 21])), placed(voices, curves([20])))
    assert is_silent(placed(voices, curves([20], height=-0.5)))


@pytest.mark.parametrize("effort", range(len(GAINS)))
def test_a_known_effort_is_played_as_it_is(voices, effort):
    found = placed(voices, curves([20], strike=float(np.log10(GAINS[effort]))))
    assert torch.allclose(found[18:28], voices.bank[0, 0, effort], atol=1e-4)


def test_efforts_between_are_blends_and_those_beyond_the_nearest(voices):
    sound = voices.bank[0, 0]
    between = 0.25 * np.log10(GAINS[1]) + 0.75 * np.log10(GAINS[2])
    found = placed(voices, curves([20], strike=between))
    assert torch.allclose(found[18:28], 0.25 * sound[1] + 0.75 * sound[2], atol=1e-4)
    assert torch.allclose(placed(voices, curves([20], strike=0.7))[18:28], sound[0], atol=1e-5)
    assert torch.allclose(placed(voices, curves([20], strike=-3.0))[18:28], sound[-1], atol=1e-5)


def test_a_clip_may_be_shorter_than_a_voice(voices):
    found = placed(voices, curves([1], moments=3), count=3)
    assert torch.allclose(found, voices.bank[0, 0, 0, 1:4], atol=1e-5)


def test_how_hard_is_read_at_the_onset_alone(voices):
    told = curves([20], strike=-3.0)
    told[:, 20, 2] = 0.0
    assert torch.allclose(placed(voices, told)[18:28], voices.bank[0, 0, 0], atol=1e-5)


def test_what_sounds_throughout_goes_round_and_follows_the_energy(voices):
    engine = voices.bank[ROWS[ENGINE], 1]
    rounds = engine.repeat(1, EVERYWHERE // LASTS, 1)
    found = placed(voices, curves([20], energy=0.8), kind=ENGINE, voice=1)
    assert torch.allclose(found, rounds[1], atol=1e-4)
    told = curves(energy=torch.linspace(1.1, 0.4, EVERYWHERE))
    found = placed(voices, told, kind=ENGINE, voice=1)
    assert torch.allclose(found[:10], rounds[0, :10], atol=1e-4)
    assert torch.allclose(found[-1], rounds[-1, -1], atol=1e-4)
    middle = int(((told[0, :, 1] < 0.8) & (told[0, :, 1] > 0.6)).nonzero()[0])
    share = (told[0, middle, 1] - 0.6) / 0.2
    wanted = share * rounds[1, middle] + (1 - share) * rounds[2, middle]
    assert torch.allclose(found[middle], wanted, atol=1e-4)


def test_below_its_softest_drive_a_steady_voice_fades_to_silence(voices):
    softest = float(ENERGIES[-1])
    half = placed(voices, curves(energy=softest - FADING / 2), kind=ENGINE)
    sound = voices.bank[ROWS[ENGINE], 0, len(DRIVES) - 1].repeat(EVERYWHERE // LASTS, 1)
    assert torch.allclose(half, SILENCE + (sound - SILENCE) / 2, atol=1e-4)
    assert is_silent(placed(voices, curves(energy=softest - FADING), kind=ENGINE))


@pytest.mark.parametrize("kind", [SEVERAL, UNKNOWN, NONE])
def test_a_class_without_a_voice_is_silent(voices, kind):
    for told in (curves([5, 20, 40]), curves([20], strike=-0.3, energy=0.7)):
        assert is_silent(placed(voices, told, kind=kind, voice=1))


def test_rows_do_not_mix(voices):
    told = torch.cat([curves([3, 30], strike=-0.2), curves(energy=0.7), curves([11]), curves([40])])
    kinds, chosen = torch.tensor([BELL, ENGINE, NONE, BELL]), torch.tensor([0, 1, 0, 1])
    together = voices.placed(kinds, chosen, told, count=EVERYWHERE)
    for row in range(4):
        alone = voices.placed(kinds[[row]], chosen[[row]], told[[row]], count=EVERYWHERE)
        assert torch.allclose(together[row], alone[0], atol=1e-6), row


@pytest.mark.parametrize(("moments", "count"), [(256, 221), (3008, 2584), (120, 240)])
def test_latents_and_moments_may_differ_in_number(voices, moments, count):
    """The times are the same ones however many positions there are; the longest is a minute."""
    asked = [moments // 10, moments // 2, moments - moments // 8]
    told = curves(asked, moments=moments)
    told[..., 0] = -9 + 18 * torch.exp(
        -0.5 * ((torch.arange(moments)[:, None] - torch.tensor(asked)) / 1.2).square()
    ).amax(1)
    found = placed(voices, told, count=count)
    assert found.shape == (count, CHANNELS)
    first = voices.bank[0, 0, 0, 0]
    begun = ((found - first).abs().amax(1) < 1e-4).nonzero().flatten() + LEAD
    wanted = torch.tensor([(one + 0.5) * count / moments - 0.5 for one in asked])
    assert len(begun) == len(asked)
    assert (begun - wanted).abs().max() <= 1


# --- as a graph -----------------------------------------------------------------------------------


def test_the_exported_conditions_are_those_of_torch_at_any_length(tmp_path):
    # voices that last longer than the shortest pass
    bank = replace(MOVING.flow.bank, positions=200)
    network = FlowNetwork(replace(MOVING.flow, bank=bank))
    fill.fill_module(network)
    with torch.no_grad():
        network.voices.rows.copy_(torch.arange(bank.classes) % bank.kept)
        network.voices.steady.copy_(torch.arange(bank.kept) % 2)
    network = network.eval().requires_grad_(requires_grad=False)
    graph = next(one for one in graphs_of(MOVING) if one.role == "conditions")
    inputs = verify.references(graph, ConditionsGraph(network), MOVING, ((64, 2), (240, 1), (16, 3)))
    example = [torch.from_numpy(array) for array in inputs[0].inputs]
    lowering.save(lowering.lower(ConditionsGraph(network), graph.spec, example, compact=True), tmp_path / "g")
    session = onnxruntime.InferenceSession(str(tmp_path / "g"), providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in graph.spec.inputs]
    told = [tensor.name for tensor in graph.spec.outputs].index("sync_condition")
    for one in inputs:
        found = session.run(None, dict(zip(names, one.inputs, strict=True)))
        for got, wanted in zip(found, one.outputs, strict=True):
            assert verify.relative_l2(got, wanted) < verify.TOLERANCE
        latents = one.outputs[told][..., MOVING.flow.hidden :]
        assert latents.shape[-1] == MOVING.flow.latent_channels
        assert latents.std(1).max() > 0.01
