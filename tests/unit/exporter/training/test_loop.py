"""Kill and go on: the same parameters as without interruption, for every stage that has a loop."""

import math

import pytest
import torch

from exporter.errors import ExportError
from exporter.training import checkpoint as checkpoint_module
from exporter.training import loop
from exporter.training.averaging import Averages
from exporter.training.checkpoint import CHECKPOINT, Checkpoint
from exporter.training.config import Optimisation
from exporter.training.record import read_log
from exporter.training.schedule import rate_at
from exporter.training.stages import run_named


def stop_after(steps):
    left = iter(range(steps))
    return lambda: next(left, None) is None


def never():
    return False


@pytest.mark.parametrize("stage", ["sync", "towers", "vae", "vocoder"])
def test_an_interrupted_stage_ends_with_the_same_parameters(stage, make, squares, tmp_path):
    config = make()
    assert run_named(stage, config, tmp_path / "whole", stop=never, source=squares)
    assert not run_named(stage, config, tmp_path / "cut", stop=stop_after(2), source=squares)
    assert Checkpoint.load(tmp_path / "cut" / stage).step == 2
    torch.rand(5)
    assert run_named(stage, config, tmp_path / "cut", stop=never, source=squares)
    whole, cut = (Checkpoint.load(tmp_path / name / stage) for name in ("whole", "cut"))
    assert whole.step == cut.step == 4
    for part in ("model", "averages"):
        for key, value in getattr(whole, part).items():
            assert torch.equal(value, getattr(cut, part)[key]), key
    steps = [row[0] for row in read_log(tmp_path / "cut" / stage / "log.csv") if row[2] == "loss"]
    assert steps == [1, 2, 3, 4]


def test_weights_are_the_averages_and_the_checkpoint_the_last(make, squares, tmp_path):
    config = make(vae={"optimisation": {"ema": 0.9}})
    run_named("vae", config, tmp_path, stop=never, source=squares)
    kept = Checkpoint.load(tmp_path / "vae")
    from exporter.checkpoints import read_checkpoint

    delivered = read_checkpoint(tmp_path / "vae" / "vae.safetensors")
    key = "encoder.conv_in.weight"
    assert torch.equal(delivered[key], kept.averages[f"vae.{key}"])
    assert not torch.equal(delivered[key], kept.model[f"vae.{key}"])


def test_a_run_may_be_lengthened_but_not_changed(make, squares, tmp_path):
    run_named("vae", make(), tmp_path, stop=stop_after(1), source=squares)
    run_named("vae", make(vae={"optimisation": {"steps": 5}}), tmp_path, stop=never, source=squares)
    assert Checkpoint.load(tmp_path / "vae").step == 5
    with pytest.raises(ExportError, match="checkpoint of stage vae made by another configuration"):
        run_named("vae", make(vae={"kl": 0.5}), tmp_path, stop=never, source=squares)


def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    state = Checkpoint(1, {"a": torch.ones(2)}, {}, {}, "r", {})
    state.write(tmp_path)

    def half(content, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(checkpoint_module.torch, "save", half)
    with pytest.raises(OSError, match="disk full"):
        Checkpoint(2, {}, {}, {}, "r", {}).write(tmp_path)
    assert Checkpoint.load(tmp_path).step == 1


def test_a_damaged_checkpoint_is_told(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"PK nothing")
    with pytest.raises(ExportError, match=r"is damaged\. Remove it to begin again"):
        Checkpoint.load(tmp_path)


def test_a_loss_that_is_no_number_changes_nothing_and_ends_the_stage(make, squares, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "LOST_STEPS", 3)
    from exporter.training.vae_stage import VaeTraining

    losses = VaeTraining.losses
    monkeypatch.setattr(
        VaeTraining, "losses", lambda self, step: {"loss": losses(self, step)["loss"] * math.nan}
    )
    with pytest.raises(ExportError, match="The stage vae lost its way before step 2"):
        run_named("vae", make(), tmp_path, stop=never, source=squares)


def test_averages_start_fast_and_end_slow():
    value = torch.nn.Parameter(torch.zeros(1))
    averages = Averages({"v": value}, decay=0.9)
    value.data.fill_(1.0)
    averages.update(1)
    assert float(averages.values["v"]) == pytest.approx(1 - 1 / 11)
    with averages.in_place():
        assert value.item() == pytest.approx(1 - 1 / 11)
    assert value.item() == 1.0


def test_schedules():
    steps = Optimisation(rate=1.0, warm_up=2500, schedule="steps", milestones=(60_000, 65_000))
    assert rate_at(0, steps) == pytest.approx(1 / 2501)
    assert rate_at(2500, steps) == 1.0
    assert rate_at(62_499, steps) == 1.0
    assert rate_at(62_500, steps) == pytest.approx(0.1)
    assert rate_at(67_500, steps) == pytest.approx(0.01)
    cosine = Optimisation(rate=2.0, warm_up=0, steps=10, floor=0.1)
    assert rate_at(0, cosine) == 2.0
    assert rate_at(5, cosine) == pytest.approx(1.1)
    assert rate_at(10, cosine) == pytest.approx(0.2)


def test_an_unknown_device_is_told(make, squares, tmp_path):
    with pytest.raises(ExportError, match="There is no device abacus here"):
        run_named("vae", make(running={"device": "abacus"}), tmp_path, stop=never, source=squares)
