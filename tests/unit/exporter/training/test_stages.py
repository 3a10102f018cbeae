"""Each stage goes downhill on a fixed batch, checks itself and delivers what the exporter loads."""

from dataclasses import replace

import pytest
import torch

from exporter.checkpoints import load_strictly, read_checkpoint
from exporter.errors import ExportError
from exporter.models.flow import FlowNetwork
from exporter.models.synchformer import Synchformer
from exporter.training import gathering
from exporter.training.checkpoint import Checkpoint
from exporter.training.features import KINDS, load_features
from exporter.training.flow_stage import Batch, FlowTraining, with_nulls
from exporter.training.stages import run_named
from exporter.training.sync_stage import SyncTraining
from exporter.training.towers_stage import TowersTraining
from exporter.training.vae_stage import VaeTraining
from exporter.training.vocoder_stage import VocoderTraining
from tests.unit.exporter.training.conftest import MINI, descend

CPU = torch.device("cpu")


def never():
    return False


@pytest.mark.parametrize(
    ("stage", "rate", "share"),
    [
        (SyncTraining, 5e-3, 0.8),
        (TowersTraining, 5e-3, 0.9),
        (VaeTraining, 2e-2, 0.9),
        (VocoderTraining, 1e-2, 0.95),
    ],
)
def test_loss_falls_on_a_fixed_batch(stage, rate, share, make, squares):
    training = stage(make(), squares, CPU)
    first, last = descend(training, rate=rate)
    assert last < share * first


def test_the_context_pass_learns_too(make, squares):
    training = SyncTraining(make(sync={"single_pass": 0}), squares, CPU)
    training.losses(0)["loss"].backward()
    gates = {key: value.grad for key, value in training.trained().items() if key.endswith("_factor")}
    assert gates
    assert all(grad is not None and float(grad) != 0 for grad in gates.values())


def test_a_sync_stage_goes_on_from_the_averages_of_another(make, squares, tmp_path):
    assert run_named("sync", make(), tmp_path, stop=never, source=squares)
    trained = read_checkpoint(tmp_path / "sync" / "heads.safetensors")
    later = SyncTraining(make(sync={"begin": str(tmp_path / "sync")}), squares, CPU).network
    for key, value in trained.items():
        assert torch.equal(later.state_dict()[key], value)


def test_a_sync_stage_says_what_it_cannot_go_on_from(make, squares, tmp_path):
    config = make(sync={"begin": str(tmp_path)})
    with pytest.raises(ExportError, match="no checkpoint of a stage sync to begin from"):
        SyncTraining(config, squares, CPU)
    training = VaeTraining(make(), squares, CPU)
    state = dict(training.network.state_dict())
    Checkpoint(step=0, model=state, optimiser={}, averages={}, recipe="", random={}).write(tmp_path)
    with pytest.raises(ExportError, match="trained with other sizes"):
        SyncTraining(config, squares, CPU)


def test_batches_are_functions_of_the_step(make, squares):
    one, other = (VaeTraining(make(), squares, CPU) for _ in range(2))
    assert torch.equal(one.losses(3)["loss"], other.losses(3)["loss"])
    assert not torch.equal(one.losses(3)["loss"], one.losses(4)["loss"])


@pytest.fixture
def run(make, squares, tmp_path):
    config = make(flow={"optimisation": {"batch": 8}})
    for stage in ("sync", "towers", "vae", "vocoder", "features"):
        assert run_named(stage, config, tmp_path, stop=never, source=squares)
    return config, tmp_path


def test_from_scenes_to_a_folder_for_the_exporter(run, squares):
    config, out = run
    samples, held_out = load_features(out)
    own = [one.kind != KINDS.index("revoiced") for one in (samples, held_out)]
    assert [int(one.sum()) for one in own] == [2 * 2, 2 * 2]
    assert all(len(one) >= 4 for one in own)
    assert samples.sync.shape[1:] == (MINI.lengths(64, batch=1)["sync_frames"], MINI.synchformer.width)
    assert samples.mean.shape[1:] == (MINI.lengths(64, batch=1)["latents"], MINI.vae.latent_channels)
    first, last = descend(FlowTraining(config, out, CPU), rate=5e-3)
    assert last < 0.9 * first
    assert run_named("flow", config, out, stop=never)
    folder = gathering.gather_weights(out, MINI)
    from exporter.networks import CheckpointFolder

    weights = CheckpointFolder.open(folder, MINI)
    for name in ("clip_text", "clip_image", "synchformer", "flow", "vae", "vocoder"):
        weights.network(name, MINI)
    flow = weights.network("flow", MINI)
    assert float(flow.empty_string_feat.norm(dim=1).mean()) == pytest.approx(1.0, abs=1e-4)


def test_a_flow_stage_goes_on_from_another_with_its_gates_as_they_were(run):
    config, out = run
    before = replace(
        config, flow=replace(config.flow, optimisation=replace(config.flow.optimisation, rate=1e-2))
    )
    assert run_named("flow", before, out, stop=never)
    trained = read_checkpoint(out / "flow" / "flow.safetensors")
    later = FlowTraining(replace(config, flow=replace(config.flow, begin=str(out / "flow"))), out, CPU)
    kept = later.network.flow.state_dict()
    assert any(bool(value.any()) for key, value in trained.items() if "adaLN_modulation" in key)
    assert all(torch.equal(kept[key], value) for key, value in trained.items())


def test_missing_stages_are_named(make, tmp_path):
    with pytest.raises(ExportError, match=r"The stage sync is not finished.* exporter.training sync. first"):
        run_named("features", make(), tmp_path, stop=never, source=object())
    with pytest.raises(ExportError, match="has no features"):
        run_named("flow", make(), tmp_path, stop=never)


def test_features_go_on_where_they_were(make, squares, tmp_path):
    config = make(
        features={"revoiced": 0.3, "null_mask": 0.15, "full_mask": 0.15, "several": 0.2, "per_object": 6}
    )
    for stage in ("sync", "towers", "vae"):
        run_named(stage, config, tmp_path, stop=never, source=squares)
    asked = iter([False, False, False, True])
    assert not run_named("features", config, tmp_path, stop=lambda: next(asked), source=squares)
    first = read_checkpoint(tmp_path / "features" / "shard_00000.safetensors")
    squares.drawn.clear()
    assert run_named("features", config, tmp_path, stop=never, source=squares)
    assert min(squares.drawn) == 40_000_002
    again = read_checkpoint(tmp_path / "features" / "shard_00000.safetensors")
    assert all(torch.equal(first[key], again[key]) for key in first)
    samples, held_out = load_features(tmp_path)
    kinds = torch.cat([samples.kind, held_out.kind])
    assert {KINDS[kind] for kind in kinds.tolist()} == set(KINDS)
    revoiced = kinds == KINDS.index("revoiced")
    labels = torch.cat([samples.label, held_out.label])
    things = torch.cat([samples.thing, held_out.thing])
    assert torch.equal(labels[revoiced], 1 - things[revoiced])


def test_an_object_is_heard_in_as_many_other_voices_as_asked(make, squares, tmp_path):
    config = make(
        features={
            "scenes": 2,
            "shard": 2,
            "revoiced": 0,
            "voices": 3,
            "null_mask": 0,
            "full_mask": 0,
            "several": 0,
        }
    )
    for stage in ("sync", "towers", "vae", "features"):
        assert run_named(stage, config, tmp_path, stop=never, source=squares)
    kinds = torch.cat([one.kind for one in load_features(tmp_path)])
    counts = torch.bincount(kinds, minlength=len(KINDS))
    assert counts[KINDS.index("revoiced")] == 3 * counts[KINDS.index("one")] > 0


def test_null_features_replace_whole_rows(make):
    flow = FlowNetwork(MINI.flow)
    batch = Batch(
        *(torch.ones(2, 3, width) for width in (6, 6, 6)),
        x1=torch.zeros(2, 3, 4),
        kinds=torch.zeros(2),
        curves=torch.zeros(2, 12, 3),
        present=torch.zeros(2, 2),
    )
    batch = batch._replace(text=torch.ones(2, MINI.flow.text_length, 6))
    changed = with_nulls(
        flow, batch, no_video=torch.tensor([True, False]), no_text=torch.tensor([False, True])
    )
    assert not changed.clip[0].any()
    assert not changed.sync[0].any()
    assert changed.text[0].all()
    assert changed.sync[1].all()
    assert not changed.text[1].any()


def test_the_delivered_encoder_is_the_trained_one_at_canvas_size(make, squares, tmp_path):
    config = make()
    training = SyncTraining(config, squares, CPU)
    training.deliver(tmp_path)
    full = Synchformer(MINI.synchformer)
    load_strictly(full, read_checkpoint(tmp_path / "synchformer.safetensors"), name="sync")
    canvas = [torch.rand(1, 16, channels, 16, 16) for channels in (3, 1, 3, 1)]
    small = [one.unflatten(-1, (8, 2)).mean(-1).unflatten(-2, (8, 2)).mean(-2) for one in canvas]
    with torch.no_grad():
        assert torch.allclose(full(*canvas), training.network.encoder(*small), atol=1e-5)
