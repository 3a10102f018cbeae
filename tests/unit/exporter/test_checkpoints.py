"""Checkpoint files, and the networks they do or do not fit, in the published nesting and names."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from exporter import fill
from exporter.__main__ import main
from exporter.checkpoints import (
    WrongCheckpoint,
    load_strictly,
    mismatch_table,
    mismatches,
    read_checkpoint,
)
from exporter.errors import ExportError
from exporter.models.clip import Clip
from exporter.models.flow import FlowNetwork
from exporter.models.lora import merge_lora
from exporter.models.synchformer import Synchformer
from exporter.models.vae import Vae
from exporter.networks import BUILD, CheckpointFolder, RandomWeights
from exporter.sizes import GOLDEN, SIZES, SMALL_PLAIN
from exporter.weight_norm import weight_norm_shapes

Tensors = dict[str, Tensor]
DATA_MEAN = -4.0
DATA_STD = 2.0


def _drawn(module: nn.Module) -> Tensors:
    shapes = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    return fill.weights(shapes) | {
        key: value.clone() for key, value in module.state_dict().items() if fill.is_architecture_constant(key)
    }


def _vae() -> Tensors:
    tensors = _drawn(Vae(GOLDEN.vae))
    tensors["data_mean"].fill_(DATA_MEAN)
    tensors["data_std"].fill_(DATA_STD)
    return tensors


def _flow() -> Tensors:
    tensors = _drawn(FlowNetwork(GOLDEN.flow))
    for name in ("clip_input_proj.0.weight", "text_input_proj.0.weight"):
        tensors[name] *= (GOLDEN.flow.clip_width / 1024) ** 0.5
    return tensors


def _vocoder() -> Tensors:
    module = BUILD["vocoder"](GOLDEN)
    filters = {key: value for key, value in module.state_dict().items() if key.endswith("filter")}
    return fill.weights(weight_norm_shapes(module)) | filters


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The published files, of golden sizes: nested, wrapped, and with what has to be left out."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    sync = _drawn(Synchformer(GOLDEN.synchformer))
    base = {key: value for key, value in sync.items() if "cross_attn" not in key and "mask" not in key}
    tuned = {key: value for key, value in sync.items() if key not in base}
    layer, width = "fused_blocks.0.attn.qkv", GOLDEN.flow.hidden
    extra = {f"{layer}.lora_A": torch.ones(4, width), f"{layer}.lora_B": torch.ones(2 * width, 2)}
    extra["latent_rot"] = torch.ones(3)
    torch.save({"network": _flow() | extra, "synchformer": tuned, "lora": {}}, folder / "saganet.pth")
    torch.save({**base, "afeat_extractor.x": torch.ones(1)}, folder / "synchformer_state_dict.pth")
    torch.save({f"module.{key}": value for key, value in _vae().items()}, folder / "v1-44.pth")
    torch.save({"generator": _vocoder()}, folder / "bigvgan_generator.pt")
    torch.save(_drawn(Clip(GOLDEN.clip)), folder / "open_clip_pytorch_model.bin")
    return folder


@pytest.mark.parametrize("name", BUILD)
def test_published_files_give_the_network_they_were_drawn_for(published: Path, name: str) -> None:
    found = CheckpointFolder.open(published, GOLDEN).network(name, GOLDEN).state_dict()
    wanted = RandomWeights().network(name, GOLDEN).state_dict()
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-7, msg=key)


def test_sources_carry_the_hash_of_each_file_once(published: Path) -> None:
    sources = CheckpointFolder.open(published, GOLDEN).sources()
    assert sorted(source.file for source in sources) == sorted(path.name for path in published.iterdir())
    assert all(len(source.sha256) == 64 for source in sources)


def test_old_weight_norm_and_folded_vocoders_are_taken(published: Path, tmp_path: Path) -> None:
    wanted = RandomWeights().network("vocoder", GOLDEN).state_dict()
    old = {
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for key, value in _vocoder().items()
    }
    for tensors in (old, wanted):
        torch.save({"generator": tensors}, published / "bigvgan_generator.pt")
        found = CheckpointFolder.open(published, GOLDEN).network("vocoder", GOLDEN).state_dict()
        for key, value in wanted.items():
            torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-7)


G, V = (f"conv_pre.parametrizations.weight.original{number}" for number in (0, 1))
"""Magnitude and direction of one layer of the vocoder."""


def _vocoder_faults(published: Path, changes: dict[str, Tensor | None]) -> dict[str, str]:
    """By key, what is wrong with a vocoder of which some tensors were changed, or taken away (None)."""
    tensors = {key: value for key, value in (_vocoder() | changes).items() if value is not None}
    torch.save({"generator": tensors}, published / "bigvgan_generator.pt")
    with pytest.raises(WrongCheckpoint, match=r"vocoder in bigvgan_generator\.pt") as caught:
        CheckpointFolder.open(published, GOLDEN).network("vocoder", GOLDEN)
    return {row.key: row.problem for row in caught.value.mismatches}


@pytest.mark.parametrize("shape", [(), (1, 1, 1), (8,), (9, 1, 1), (8, 8, 7)])
def test_a_magnitude_of_another_shape_is_refused(published: Path, shape: tuple[int, ...]) -> None:
    """Several of these would be stretched over the layer without a word."""
    assert _vocoder_faults(published, {G: torch.ones(shape)}) == {G: "shape"}


def test_a_direction_of_another_shape_is_refused(published: Path) -> None:
    assert _vocoder_faults(published, {V: torch.tensor(1.0)}) == {V: "shape"}


@pytest.mark.parametrize("half", [G, V])
def test_half_a_weight_norm_is_refused(published: Path, half: str) -> None:
    other = _vocoder_faults(published, {half: None, "conv_post.bias": torch.ones(1)})
    assert other[half] == "missing"
    assert other["conv_post.bias"] in {"unexpected", "shape"}, "told together"


def test_a_layer_that_is_there_twice_is_refused(published: Path) -> None:
    stored = _vocoder()
    plain = {"conv_pre.weight": torch.ones_like(stored[V])}
    assert _vocoder_faults(published, plain) == {"conv_pre.weight": "unexpected"}
    old = {"conv_pre.weight_g": stored[G] * 3, "conv_pre.weight_v": stored[V]}
    assert _vocoder_faults(published, old) == dict.fromkeys(old, "unexpected")
    assert _vocoder_faults(published, old | {G: None}) == {V: "unexpected"}


def test_a_vocoder_stored_in_halves_is_folded_in_float32(published: Path) -> None:
    stored = {key: value.half() for key, value in _vocoder().items()}
    torch.save({"generator": stored}, published / "bigvgan_generator.pt")
    found = CheckpointFolder.open(published, GOLDEN).network("vocoder", GOLDEN).state_dict()
    v = stored[V].double()
    wanted = stored[G].double() * v / v.flatten(1).norm(dim=1)[:, None, None]
    torch.testing.assert_close(found["conv_pre.weight"].double(), wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", [torch.int64, torch.int8, torch.bool, torch.complex64])
def test_tensors_that_are_no_floats_are_refused(published: Path, kind: torch.dtype) -> None:
    bias = torch.ones_like(_vocoder()["conv_pre.bias"]).to(kind)
    assert _vocoder_faults(published, {"conv_pre.bias": bias}) == {"conv_pre.bias": "type"}
    assert _vocoder_faults(published, {V: torch.ones_like(_vocoder()[V]).to(kind)}) == {V: "type"}
    content = _vae()
    key = next(key for key in content if key.startswith("decoder.") and key.endswith(".weight"))
    torch.save(content | {key: torch.ones_like(content[key]).to(kind)}, published / "v1-44.pth")
    with pytest.raises(WrongCheckpoint, match="vae in") as caught:
        CheckpointFolder.open(published, GOLDEN).network("vae", GOLDEN)
    assert [(row.key, row.problem) for row in caught.value.mismatches] == [(key, "type")]


def test_a_missing_context_layer_is_refused(published: Path) -> None:
    content = torch.load(published / "saganet.pth", weights_only=True)
    key = "vfeat_extractor.cross_attn_layers.0.attn_factor"
    del content["synchformer"][key]
    torch.save(content, published / "saganet.pth")
    with pytest.raises(WrongCheckpoint, match="synchformer") as caught:
        CheckpointFolder.open(published, GOLDEN).network("synchformer", GOLDEN)
    assert [row.key for row in caught.value.mismatches] == [key]
    assert "missing" in caught.value.table


def test_all_missing_files_are_named_at_once(published: Path, tmp_path: Path) -> None:
    (published / "v1-44.pth").unlink()
    (published / "bigvgan_generator.pt").unlink()
    with pytest.raises(ExportError, match=r"vae \(vae or v1-44\); vocoder"):
        CheckpointFolder.open(published, GOLDEN)
    with pytest.raises(ExportError, match="no folder"):
        CheckpointFolder.open(tmp_path / "none", GOLDEN)


def _with_lora(*, merged: bool) -> tuple[Tensors, Tensors]:
    """A fine-tuned network, its delta added or forgotten, and the base it came from."""
    layer, width = "fused_blocks.0.attn.qkv", GOLDEN.flow.hidden
    base = _flow()
    factors = {f"{layer}.lora_A": torch.ones(4, width), f"{layer}.lora_B": torch.ones(2 * width, 2)}
    tuned = base | factors
    return (merge_lora(tuned) if merged else tuned), base


@pytest.mark.parametrize("merged", [False, True])
def test_a_forgotten_lora_delta_is_added_once(
    published: Path, caplog: pytest.LogCaptureFixture, *, merged: bool
) -> None:
    tuned, base = _with_lora(merged=merged)
    content = torch.load(published / "saganet.pth", weights_only=True)
    torch.save({**content, "network": tuned}, published / "saganet.pth")
    torch.save(base, published / "mmaudio_small_44k.pth")
    found = CheckpointFolder.open(published, GOLDEN).network("flow", GOLDEN).state_dict()
    wanted, _ = _with_lora(merged=True)
    torch.testing.assert_close(
        found["fused_blocks.0.attn.qkv.weight"], wanted["fused_blocks.0.attn.qkv.weight"]
    )
    assert ("LoRA delta is added" in caplog.text) is not merged


def test_every_kind_of_difference_is_in_the_table() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    tensors = dict(module.state_dict())
    tensors["0.weight"] = torch.zeros(3, 4)
    tensors["0.bias"] = torch.tensor([0.0, float("nan"), 1.0])
    del tensors["1.bias"]
    tensors["2.bias"] = torch.zeros(1)
    found = {row.key: row.problem for row in mismatches(module, tensors)}
    assert found == {"0.weight": "shape", "0.bias": "not finite", "1.bias": "missing", "2.bias": "unexpected"}
    before = module[1].weight.detach().clone()
    with pytest.raises(WrongCheckpoint, match="4 tensors") as caught:
        load_strictly(module, tensors, name="net")
    assert torch.equal(module[1].weight, before)
    lines = caught.value.table.splitlines()
    assert lines[0].split() == ["key", "problem", "wanted", "found"]
    assert lines[1].split() == ["0.weight", "shape", "[3,", "2]", "[3,", "4]"]


def test_long_tables_are_cut() -> None:
    rows = mismatches(nn.Linear(1, 1), {f"key{index}": torch.zeros(1) for index in range(100)})
    assert mismatch_table(rows).splitlines()[-1] == "... and 72 more"


def test_half_precision_weights_become_float32() -> None:
    module = nn.Linear(2, 2)
    load_strictly(module, {key: value.bfloat16() for key, value in module.state_dict().items()}, name="net")
    assert module.weight.dtype == torch.float32


def test_safetensors_and_flat_keys_with_a_prefix(tmp_path: Path) -> None:
    save_file({"network.a": torch.ones(2), "lora.b": torch.ones(1)}, tmp_path / "x.safetensors")
    assert list(read_checkpoint(tmp_path / "x.safetensors", part="network")) == ["a"]
    assert sorted(read_checkpoint(tmp_path / "x.safetensors")) == ["lora.b", "network.a"]


class Payload:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_files_that_are_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"a": torch.ones(1000)}, path)
    whole = path.read_bytes()
    for content in (b"", b"PK\x03\x04 but no zip", whole[: len(whole) // 2], b"\x80\x02 nonsense"):
        path.write_bytes(content)
        with pytest.raises(ExportError, match=r"x\.pth"):
            read_checkpoint(path)
    (tmp_path / "y.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(ExportError, match=r"y\.safetensors"):
        read_checkpoint(tmp_path / "y.safetensors")
    torch.save([torch.ones(1)], path)
    with pytest.raises(ExportError, match="checkpoint"):
        read_checkpoint(path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(ExportError, match="no tensors"):
        read_checkpoint(path)


def test_code_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    torch.save({"a": Payload(tmp_path / "touched")}, tmp_path / "x.pth")
    with pytest.raises(ExportError):
        read_checkpoint(tmp_path / "x.pth")
    assert not (tmp_path / "touched").exists()


# -- a trainer's checkpoint, and the model without masks ------------------------------------------


def test_what_holds_more_than_tensors_is_told_apart_from_what_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"args": Namespace(rate=1), "w": torch.ones(2)}, path)
    with pytest.raises(ExportError, match="holds more than tensors") as caught:
        read_checkpoint(path)
    assert caught.value.detail == "GLOBAL argparse.Namespace"
    path.write_text("<html>", "utf-8")
    with pytest.raises(ExportError, match="cannot be read as a checkpoint") as caught:
        read_checkpoint(path)
    assert "weights_only" not in caught.value.detail[:40]


def test_a_lora_part_that_is_no_mapping_is_told(tmp_path: Path) -> None:
    path = tmp_path / "saganet.pth"
    network = RandomWeights().network("flow", GOLDEN).state_dict()
    torch.save({"network": network, "lora": [torch.ones(1)]}, path)
    with pytest.raises(ExportError, match="no tensors by name under 'lora', but a list"):
        CheckpointFolder({"flow": (path, "network")}).network("flow", GOLDEN)


def test_statistics_without_a_spread_are_refused(published: Path) -> None:
    path = published / "v1-44.pth"
    tensors = torch.load(path, weights_only=True)
    key = next(key for key in tensors if key.endswith("data_std"))
    torch.save(tensors | {key: torch.zeros_like(tensors[key])}, path)
    with pytest.raises(WrongCheckpoint) as caught:
        CheckpointFolder.open(published, GOLDEN).network("vae", GOLDEN)
    assert [row.problem for row in caught.value.mismatches] == ["not positive"]


def test_a_packed_archive_is_not_read_as_numbers(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(1000)}, tmp_path / "plain.pth")
    with ZipFile(tmp_path / "plain.pth") as plain, ZipFile(tmp_path / "a.pth", "w", ZIP_DEFLATED) as packed:
        for each in plain.infolist():
            packed.writestr(each.filename, plain.read(each))
    with pytest.raises(ExportError, match="is a packed archive"):
        read_checkpoint(tmp_path / "a.pth")


def test_reading_says_nothing_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"w": torch.ones(2)}, path, pickle_protocol=4)
    with warnings.catch_warnings(action="error"), contextlib.suppress(ExportError):
        read_checkpoint(path)


def test_what_is_too_large_for_float32_is_not_finite() -> None:
    layer = nn.Linear(2, 1, bias=False)
    with pytest.raises(WrongCheckpoint) as caught:
        load_strictly(layer, {"weight": torch.full((1, 2), 1e300, dtype=torch.float64)}, name="test")
    assert [row.problem for row in caught.value.mismatches] == ["not finite"]


def test_names_in_a_table_are_harmless() -> None:
    with pytest.raises(WrongCheckpoint) as caught:
        load_strictly(
            nn.Linear(2, 1, bias=False),
            {"weight": torch.ones(1, 2), "a\x1b[31m\nb": torch.ones(1), "x" * 500: torch.ones(1)},
            name="test",
        )
    assert "a\\x1b[31m\\nb" in caught.value.table
    assert max(map(len, caught.value.table.splitlines())) < 200


def test_a_trainers_checkpoint_gives_its_network(published: Path) -> None:
    wanted = RandomWeights().network("flow", GOLDEN).state_dict()
    content = torch.load(published / "saganet.pth", weights_only=True)
    trainer = {"it": 7, "weights": content, "optimizer": {"state": {0: torch.ones(2)}}, "ema": None}
    torch.save(trainer, published / "saganet.pth")
    found = CheckpointFolder.open(published, GOLDEN).network("flow", GOLDEN).state_dict()
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-7, msg=key)


def _repacked(published: Path, pack: Callable[[dict[str, Any]], object], name: str = "flow") -> Tensors:
    """A network of saganet.pth whose content was packed in another way."""
    content = torch.load(published / "saganet.pth", weights_only=True)
    torch.save(pack(content), published / "saganet.pth")
    return CheckpointFolder.open(published, GOLDEN).network(name, GOLDEN).state_dict()


def _prefixed(tensors: Tensors, prefix: str) -> Tensors:
    return {f"{prefix}{key}": value for key, value in tensors.items()}


@pytest.mark.parametrize(
    "pack",
    [
        lambda content: {"model": content["network"], "ema": {"a": torch.ones(3)}, "step": torch.tensor(5)},
        lambda content: {"step": torch.ones(1), "model": content["network"]},
        lambda content: {**content, "network": _prefixed(content["network"], "_orig_mod.")},
        lambda content: {**content, "network": _prefixed(content["network"], "module._orig_mod.")},
        lambda content: {**content, "network": _prefixed(content["network"], "_orig_mod.module.")},
        lambda content: _prefixed(content["network"], "module.network."),
    ],
    ids=["step", "step of one", "compiled", "compiled in a wrapper", "wrapper compiled", "wrapped whole"],
)
def test_other_ways_to_pack_a_network(published: Path, pack: Callable[[dict[str, Any]], object]) -> None:
    found, wanted = _repacked(published, pack), RandomWeights().network("flow", GOLDEN).state_dict()
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, rtol=1e-6, atol=1e-7, msg=key)


def test_unknown_tensors_of_the_sync_part_are_refused(published: Path) -> None:
    """What the base has beside the encoder of pictures is known and left out; here nothing is."""
    with pytest.raises(WrongCheckpoint, match="synchformer in") as caught:
        _repacked(
            published,
            lambda content: {**content, "synchformer": {**content["synchformer"], "junk": torch.ones(1)}},
            "synchformer",
        )
    assert [(row.key, row.problem) for row in caught.value.mismatches] == [("junk", "unexpected")]


@pytest.mark.parametrize(
    ("tensor", "word"),
    [
        (torch.ones(4).to(torch.float8_e4m3fn), "float8_e4m3fn"),
        (torch.ones(4).to_sparse(), "sparse"),
        (torch.empty(4, device="meta"), "no values"),
    ],
    ids=["float8", "sparse", "meta"],
)
def test_tensors_that_are_no_plain_arrays_are_refused(published: Path, tensor: Tensor, word: str) -> None:
    for part in ("network", "lora"):
        with pytest.raises(ExportError, match=rf"saganet\.pth holds .*odd \({word}\)"):
            _repacked(
                published, lambda content, part=part: {**content, part: {**content[part], "odd": tensor}}
            )
        (published / "saganet.pth").unlink()
        torch.save({"network": _flow(), "synchformer": {}, "lora": {}}, published / "saganet.pth")


def test_a_file_with_keys_that_are_no_names_is_refused(published: Path) -> None:
    with pytest.raises(ExportError, match="cannot be read as a checkpoint") as caught:
        _repacked(published, lambda content: {0: torch.ones(3), **content})
    assert "no name is 0" in caught.value.detail


@pytest.mark.parametrize("file", ["saganet.pth", "v1-44.pth", "bigvgan_generator.pt"])
def test_every_file_is_looked_at_before_the_first_graph(
    published: Path, file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SIZES, "small_44k_sa", dataclasses.replace(GOLDEN, name="small_44k_sa"))
    torch.save(_flow(), published / "mmaudio_small_44k.pth")
    CheckpointFolder.open(published, GOLDEN).check(GOLDEN)
    content = torch.load(published / file, weights_only=True)
    inner = content.get("network", content.get("generator", content))
    inner["module.surplus" if file == "v1-44.pth" else "surplus"] = torch.ones(1)
    torch.save(content, published / file)
    asked = ["saganet-small", "--checkpoints", str(published), "-o", str(published.parent / "bundle")]
    assert main(asked) == 2
    shown = capsys.readouterr()
    assert "exporting" not in shown.out
    assert f"in {file}: 1 tensors do not fit" in shown.err
    assert "surplus" in shown.err


def test_looking_at_the_files_reads_no_values(published: Path) -> None:
    """The same of a model without masks; that a value is not finite is told when its network is loaded."""
    torch.save(
        _flow() | {"latent_mean": torch.full((1, 1, 4), torch.nan)}, published / "mmaudio_small_44k.pth"
    )
    weights = CheckpointFolder.open(published, PLAIN)
    weights.check(PLAIN)
    with pytest.raises(WrongCheckpoint, match="flow in"):
        weights.network("flow", PLAIN)


PLAIN = dataclasses.replace(GOLDEN, name="small_44k", masked=False)


def test_without_masks_the_base_files_are_enough(published: Path) -> None:
    (published / "saganet.pth").unlink()
    torch.save(_flow(), published / "mmaudio_small_44k.pth")
    weights = CheckpointFolder.open(published, PLAIN)
    found = weights.network("synchformer", PLAIN)
    frames = fill.network_input("frames", (2, 16, 3, 16, 16), kind="image11")
    # the model with masks gives the same when its gates are closed and it looks at the whole frame
    masked = Synchformer(GOLDEN.synchformer)
    state = masked.state_dict() | found.state_dict()
    for key, value in state.items():
        if "patch_embed_3d_mask" in key or key.endswith("_factor"):
            state[key] = torch.zeros_like(value)
    masked.load_state_dict(state)
    mask = torch.ones(2, 16, 1, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(found(frames), masked.eval()(frames, mask, frames, mask))
    assert weights.network("flow", PLAIN).state_dict().keys() == FlowNetwork(GOLDEN.flow).state_dict().keys()


def test_the_plain_sync_encoder_has_the_published_keys() -> None:
    path = Path(__file__).parents[2] / "parity" / "state_dicts" / "synchformer_base_vfeat.tsv"
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    published = {row[0]: row[1] for row in rows if row[0].startswith("vfeat_extractor.")}
    with torch.device("meta"):
        ours = BUILD["synchformer"](SMALL_PLAIN).state_dict()
    assert {key: str(list(value.shape)) for key, value in ours.items()} == published
