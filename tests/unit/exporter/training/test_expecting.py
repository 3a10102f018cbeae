"""A flow network with a bank: first it learns what to expect alone, then its layers learn beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from exporter import sizes
from exporter.checkpoints import load_strictly, read_checkpoint
from exporter.models.flow import DEVIATION, FlowNetwork, euler_steps
from exporter.training.checkpoint import Checkpoint
from exporter.training.filling import bank_path
from exporter.training.flow_stage import FlowTraining, Matching
from exporter.training.frozen import Encoders
from exporter.training.gathering import gather_weights
from exporter.training.motion_stage import CURVES
from exporter.training.stages import run_named
from tests.unit.exporter.training.conftest import MOVING, BlinkingSquares, mini_config

CPU = torch.device("cpu")
CONFIG = {"sync": {"shrink": 1}, "flow": {"optimisation": {"batch": 8}}}
PHASE = {"loss", "choice", "onset", "energy", "swell", "strike", "accent"}


def never():
    return False


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The stages before the flow, as far as the flow needs them."""
    out = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sizes.SIZES, "mini", MOVING)
        source = BlinkingSquares(scale=4)
        for stage in ("sync", "motion", "towers", "vae", "vocoder", "features"):
            assert run_named(stage, mini_config(**CONFIG), out, stop=never, source=source)
    return out


@pytest.fixture
def build(moving, trained):
    """The stage with that many steps of expecting alone."""

    def make(expect):
        config = mini_config(**CONFIG)
        return FlowTraining(replace(config, flow=replace(config.flow, expect=expect)), trained, CPU)

    return make


def test_it_begins_with_the_bank_and_asks_as_the_motion_path_was_asked(build, trained):
    voices = build(1).network.eval().flow.voices
    bank = read_checkpoint(bank_path(trained))
    assert all(torch.equal(voices.state_dict()[key], value) for key, value in bank.items())
    assert voices.rows.tolist() == [2, 0, 1, 2]
    assert not any(value.any() for value in voices.curves.more.parameters())
    heads = read_checkpoint(trained / "motion" / "heads.safetensors")
    sync = torch.randn(1, 5, MOVING.synchformer.features)
    seen = sync[..., MOVING.synchformer.width :]
    asked = [seen @ heads[f"{name}.weight"].T + heads[f"{name}.bias"] for name in CURVES]
    wanted = torch.stack([one.flatten(1) for one in asked], -1)
    assert torch.allclose(voices.curves(sync), wanted, atol=1e-5)
    taken_for = seen @ heads["label.weight"].T + heads["label.bias"]
    assert torch.allclose(voices.seen(sync), taken_for, atol=1e-5)


def test_a_stage_goes_on_from_the_curves_of_another(build, trained, tmp_path):
    before = build(9)
    with torch.no_grad():
        for value in before.network.flow.voices.curves.parameters():
            value.add_(0.5)
    state = {key: value.clone() for key, value in before.network.state_dict().items()}
    Checkpoint(step=1, model=state, optimiser={}, averages={}, recipe="", random={}).write(tmp_path / "flow")
    begun = replace(before.config, flow=replace(before.config.flow, begin=str(tmp_path / "flow")))
    after = FlowTraining(begun, trained, CPU).network.state_dict()
    assert all(torch.equal(after[key], value) for key, value in state.items())


def test_the_expectation_is_trained_alone_then_beside_the_layers(build):
    training = build(1)
    assert set(training.losses(0)) == PHASE
    assert set(training.losses(1)) == PHASE | {"found"}
    optimiser = torch.optim.AdamW(list(training.trained().values()), lr=5e-3, weight_decay=0)
    bank = training.network.flow.voices.bank.clone()
    losses = []
    for _ in range(20):
        optimiser.zero_grad()
        loss = training.losses(0)["loss"]
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    assert torch.equal(training.network.flow.voices.bank, bank)
    with torch.no_grad():
        figures = training.check()
    assert PHASE - {"loss"} | {"class", "class without words", "velocity"} <= set(figures)


def test_trained_layers_are_delivered_as_they_are(build, tmp_path):
    training = build(1)
    training.losses(1)["loss"].backward()
    assert any(value.grad is not None and value.grad.any() for value in training.network.flow.layers())
    training.deliver(tmp_path)
    assert any(bool(value.any()) for value in training.network.flow.layers())


def test_layers_that_nothing_trained_are_silent(build, tmp_path):
    training = build(100)
    training.deliver(tmp_path)
    flow = FlowNetwork(MOVING.flow)
    load_strictly(flow, read_checkpoint(tmp_path / "flow.safetensors"), name="flow")
    assert not any(bool(value.any()) for value in flow.layers())
    batch = training._batch(training.samples, torch.arange(2), torch.Generator().manual_seed(1))
    with torch.no_grad():
        conditions = Matching(flow).conditions(batch)
        mean, _ = flow.expected(conditions)
        x0 = torch.randn(batch.x1.shape, generator=torch.Generator().manual_seed(2))
        *_, made = euler_steps(flow, x0, conditions, unconditional=None, steps=12)
    assert float((made - mean).abs().max()) < 8 * DEVIATION


def test_the_finished_model_is_gathered_with_its_path_and_its_bank(build, trained):
    build(100).deliver(trained / "flow")
    folder = gather_weights(trained, MOVING)
    sync = read_checkpoint(folder / "synchformer.safetensors")
    assert any(key.startswith("motion.") for key in sync)
    encoders = Encoders.load(trained, MOVING, CPU)
    assert all(torch.equal(value, sync[key]) for key, value in encoders.sync.state_dict().items())
    assert "voices.bank" in read_checkpoint(folder / "flow.safetensors")
