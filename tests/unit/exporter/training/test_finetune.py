"""The authors' way at golden sizes: what is trained, that it learns, and that LoRA ends in the weights."""

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file

from exporter import fill, lowering
from exporter.checkpoints import read_checkpoint
from exporter.errors import ExportError
from exporter.graphs import example_inputs, graphs_of
from exporter.models.clip import Clip
from exporter.models.flow import FlowNetwork
from exporter.models.synchformer import Synchformer
from exporter.models.vae import Vae
from exporter.networks import CheckpointFolder
from exporter.training.base import stems_of
from exporter.training.checkpoint import Checkpoint
from exporter.training.finetune_stage import FinetuneTraining
from exporter.training.flow_stage import Matching
from exporter.training.sms import decode_solo, read_solos
from exporter.training.stages import run_named
from tests.unit.exporter.training.conftest import MINI, descend
from tests.unit.exporter.training.solos import flashes, make_solos

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def solos(tmp_path_factory):
    return make_solos(tmp_path_factory.mktemp("sms") / "solos")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A base model of random weights: a sync encoder that never saw a mask, and its audio side."""
    folder = tmp_path_factory.mktemp("base")
    networks = {
        "synchformer_state_dict": Synchformer(MINI.synchformer),
        "clip": Clip(MINI.clip),
        "v1-44": Vae(MINI.vae),
        "mmaudio_small_44k": FlowNetwork(MINI.flow),
    }
    for name, network in networks.items():
        fill.fill_module(network)
        state = {key: value.detach().contiguous() for key, value in network.state_dict().items()}
        if name == "synchformer_state_dict":
            state = {
                key: value for key, value in state.items() if "cross_attn" not in key and "_mask" not in key
            }
            state["afeat_extractor.unused"] = torch.ones(2)
        save_file(state, folder / f"{name}.safetensors")
    return folder


@pytest.fixture
def config(make, solos, base):
    return make(
        data={"folder": str(solos)},
        finetune={
            "checkpoints": str(base),
            "lora_rank": 2,
            "lora_alpha": 4,
            "optimisation": {"batch": 2, "rate": 1e-3, "schedule": "steps", "steps": 3},
        },
    )


def test_solos_are_read_in_time(solos):
    (solo,) = read_solos(solos, split="val")
    assert (solo.name, solo.label) == ("clip3", "trumpet")
    clip = decode_solo(solo, frames=64, rate=25, side=16, samples=4096, sample_rate=1600)
    assert clip.frames.shape == (64, 16, 16, 3)
    assert clip.wave.shape == (4096,)
    bright = np.flatnonzero(clip.frames[:, 8, 8, 0] > 150)
    assert bright.tolist() == [frame for frame in flashes(3) if frame < 64]
    assert (clip.masks[:, 8, 8] > 230).all()
    assert clip.masks[:, 0, 0].max() < 20
    power = np.square(clip.wave).reshape(64, -1).mean(1)
    for frame in flashes(3)[:2]:
        assert power[frame] > 20 * power[frame - 2]


def test_a_longer_window_repeats_the_last_picture_and_ends_in_silence(solos):
    (solo,) = read_solos(solos, split="val")
    clip = decode_solo(solo, frames=90, rate=25, side=16, samples=8000, sample_rate=1600)
    assert (clip.frames[74:] == clip.frames[-1]).all()
    assert not clip.wave[5200:].any()


def test_what_a_folder_lacks_is_named(solos, tmp_path):
    with pytest.raises(ExportError, match="There is no data set in"):
        read_solos(tmp_path, split="train")
    (tmp_path / "metadata.csv").write_text("filename,split\na.mp4,train\n")
    with pytest.raises(ExportError, match="has no column redefined_label"):
        read_solos(tmp_path, split="train")
    (tmp_path / "metadata.csv").write_text("filename,redefined_label,split\na.mp4,x,train\n")
    with pytest.raises(ExportError, match=r"names a\.mp4, but .* has no a\.mp4\."):
        read_solos(tmp_path, split="train")
    with pytest.raises(ExportError, match="has no clip of the split test"):
        read_solos(solos, split="test")


def test_only_the_mask_parts_and_low_rank_updates_are_trained(config, tmp_path):
    training = FinetuneTraining(config, tmp_path, CPU)
    trained = training.trained()
    kinds = {key.rpartition(".")[2] if "qkv" in key else key.split(".")[2] for key in trained}
    assert kinds == {"cross_attn_layers", "patch_embed_3d_mask", "lora_A", "lora_B", "bias"}
    layers = {key.rpartition(".")[0] for key in trained if "qkv" in key}
    assert len(layers) == MINI.flow.joint_blocks + MINI.flow.fused_blocks
    frozen = [key for key, value in training.network.named_parameters() if not value.requires_grad]
    assert len(frozen) + len(trained) == len(dict(training.network.named_parameters()))


def test_the_start_is_the_base(config, tmp_path):
    training = FinetuneTraining(config, tmp_path, CPU)
    views = [torch.rand(1, 16, channels, 16, 16) for channels in (3, 1, 3, 1)]
    with torch.no_grad():
        sync = training.network.sync
        seen = sync(*views)
        blind = sync(views[0], torch.zeros_like(views[1]), views[2], torch.zeros_like(views[3]))
    assert torch.allclose(seen, blind)


@pytest.fixture
def tuned(config, tmp_path):
    """A few steps downhill on one batch, delivered: the training, its losses, what the exporter reads."""
    training = FinetuneTraining(config, tmp_path, CPU)
    losses = descend(training, rate=3e-2, steps=15)
    with torch.no_grad():
        training.deliver(tmp_path / "tuned")
    files = {part: (tmp_path / "tuned" / f"{part}.safetensors", "") for part in ("flow", "synchformer")}
    return training, losses, CheckpointFolder(files=files)


def _flow_inputs():
    graph = next(one for one in graphs_of(MINI) if one.role == "flow")
    return graph, example_inputs(graph, MINI, MINI.lengths(48, batch=2))


@torch.no_grad()
def test_it_learns_and_the_low_rank_updates_end_in_the_weights(tuned):
    training, (first, last), weights = tuned
    assert last < 0.97 * first
    sync = weights.network("synchformer", MINI).state_dict()
    assert sync["vfeat_extractor.patch_embed_3d_mask.proj.weight"].abs().max() > 0
    assert not any("lora" in key for key in read_checkpoint(weights.files["flow"][0]))
    solos = list(training.held_out)
    batch = training._batch(solos, torch.Generator().manual_seed(0))
    x, t = torch.randn(batch.x1.shape), torch.tensor([0.3])
    wanted = training._velocity(batch, x, t)
    assert torch.allclose(Matching(weights.network("flow", MINI))(batch, x, t), wanted, atol=1e-5)
    assert not torch.allclose(training.network.matching(batch, x, t), wanted, atol=1e-3)


@pytest.mark.slow
@torch.no_grad()
def test_the_tuned_network_is_exported(tuned, tmp_path):
    graph, inputs = _flow_inputs()
    module = graph.wrap(tuned[2].network("flow", MINI))
    lowering.save(lowering.lower(module, graph.spec, inputs, compact=True), tmp_path / "flow.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "flow.onnx", providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    (found,) = session.run(None, {name: value.numpy() for name, value in zip(names, inputs, strict=True)})
    wanted = module(*inputs).numpy()
    assert np.linalg.norm(found - wanted) < 1e-5 * np.linalg.norm(wanted)


def test_an_interrupted_run_ends_with_the_same_parameters(config, tmp_path):
    assert run_named("finetune", config, tmp_path / "whole", stop=lambda: False)
    left = iter([False])
    assert not run_named("finetune", config, tmp_path / "cut", stop=lambda: next(left, True))
    assert run_named("finetune", config, tmp_path / "cut", stop=lambda: False)
    whole, cut = (Checkpoint.load(tmp_path / name / "finetune").model for name in ("whole", "cut"))
    assert all(torch.equal(whole[key], cut[key]) for key in whole)


def test_a_base_without_a_file_is_told(config, tmp_path, make, solos):
    empty = make(data={"folder": str(solos)}, finetune={"checkpoints": str(tmp_path)})
    with pytest.raises(
        ExportError, match="has no checkpoint synchformer or synchformer_state_dict to begin with"
    ):
        FinetuneTraining(empty, tmp_path, CPU)


@pytest.mark.parametrize(
    ("size", "stems"),
    [
        ("small_44k_sa", ("flow", "mmaudio_small_44k")),
        ("medium_44k_sa", ("flow", "mmaudio_medium_44k")),
        ("tiny", ("flow", "mmaudio_small_44k", "mmaudio_medium_44k")),
    ],
)
def test_only_the_base_of_the_same_size_is_taken(size: str, stems: tuple[str, ...]) -> None:
    assert stems_of("flow", size) == stems
    assert stems_of("vae", size) == ("vae", "v1-44")
