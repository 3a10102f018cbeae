"""From SAM 2.1's weights to a mask bundle: command line, comparison, verification, the host on its graphs."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from exporter.__main__ import main
from exporter.apache import LICENCE_FILE
from exporter.checkpoints import WrongCheckpoint
from exporter.errors import ExportError
from exporter.models.sam2 import Sam2
from exporter.sam2_filling import fill_sam2
from exporter.sam2_graphs import SAM2_SIZES, graphs_of
from exporter.sam2_weights import Sam2Folder
from models_onnx.bundle import describe_files, sha256_of
from models_onnx.mask_manifest import MASK_ROLES, MaskBundle
from plugin.engine.bundle_errors import refuse_unknown
from plugin.errors import BundleCorrupt, BundleTooNew, UnexpectedOutput
from plugin.masks.prompts import Click, FramePrompts
from plugin.masks.sam2_graphs import Sam2Constants, Sam2Graphs
from plugin.masks.sam2_model import Sam2Model
from plugin.masks.sam2_segmenter import Sam2Segmenter
from tests.parity.sam2_hosts import (
    TorchGraphs,
    constants_of,
    manifest_of,
    run_golden_correction,
    run_golden_story,
    session_of,
)

GOLDEN = SAM2_SIZES["sam2-golden"]
SIDE = GOLDEN.dims.image_size


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, by the command that a user types."""
    target = tmp_path_factory.mktemp("sam2") / "bundle"
    assert main(["sam2-golden", "-o", str(target)]) == 0
    return target


@pytest.fixture(scope="module")
def bundle(folder: Path) -> MaskBundle:
    return MaskBundle.open(folder)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture(scope="module")
def network() -> Sam2:
    return fill_sam2(Sam2(GOLDEN.dims))


def images(frame: int) -> np.ndarray:
    small = np.random.default_rng(frame).normal(size=(1, 3, 8, 8)).astype(np.float32)
    return small.repeat(SIDE // 8, 2).repeat(SIDE // 8, 3)


# -- the bundle -----------------------------------------------------------------------------------


def test_the_manifest_tells_all_the_host_needs(bundle: MaskBundle) -> None:
    made = bundle.manifest
    wanted = manifest_of(GOLDEN)
    assert (made.kind, made.id, made.architecture) == ("sam2", "sam2_golden", "sam2_golden")
    assert (made.picture, made.memory, made.graphs) == (wanted.picture, wanted.memory, wanted.graphs)
    assert (made.opset, made.onnxruntime_min, made.onnxruntime_below) == (18, "1.20", "2")
    assert set(made.parity) == set(MASK_ROLES)
    assert max(made.parity.values()) < 1e-5


def test_the_licences_text_travels_along(bundle: MaskBundle) -> None:
    assert bundle.manifest.licence.name == "Apache-2.0"
    assert bundle.manifest.licence.commercial_use
    text = bundle.path_of(LICENCE_FILE).read_text("utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_only_memories_pointers_and_points_are_free(bundle: MaskBundle) -> None:
    free = set()
    for role in MASK_ROLES:
        model = onnx.load(bundle.path_of(role))
        assert [opset.version for opset in model.opset_import if not opset.domain] == [18]
        assert {opset.domain for opset in model.opset_import} <= {""}
        for value in (*model.graph.input, *model.graph.output):
            free |= {side.dim_param for side in value.type.tensor_type.shape.dim if side.dim_param}
    assert free == {"memories", "pointers", "points"}


def test_constants_are_the_networks(bundle: MaskBundle, network: Sam2) -> None:
    made, wanted = Sam2Constants.load(bundle), constants_of(network)
    assert np.array_equal(made.no_mem_embed, wanted.no_mem_embed)
    assert np.array_equal(made.no_obj_ptr, wanted.no_obj_ptr)
    assert np.array_equal(made.mask_kernel, wanted.mask_kernel)
    assert made.mask_bias == wanted.mask_bias


# -- the host on the graphs, against torch -----------------------------------------------------------


def test_click_forward_reverse_and_correction_agree_with_torch(bundle: MaskBundle, network: Sam2) -> None:
    graphs = Sam2Graphs.open(bundle, provider="cpu", threads=1)
    ours = lambda: session_of(graphs, Sam2Constants.load(bundle), bundle.manifest, images)  # noqa: E731
    torch_graphs = TorchGraphs(network, GOLDEN)
    theirs = lambda: session_of(torch_graphs, constants_of(network), manifest_of(GOLDEN), images)  # noqa: E731
    for run in (run_golden_story, run_golden_correction):
        found, wanted = run(ours(), side=SIDE), run(theirs(), side=SIDE)
        assert found.keys() == wanted.keys()
        for name in wanted:
            one, other = (getattr(each[name], "chosen", each[name]) for each in (found, wanted))
            distance = np.linalg.norm(one.logits - other.logits) / np.linalg.norm(other.logits)
            assert distance < 1e-4, name
            assert ((one.logits > 0) != (other.logits > 0)).sum() <= 2, name
            assert one.score == pytest.approx(other.score, rel=1e-4)


def test_a_segmenter_opens_from_the_bundle(bundle: MaskBundle) -> None:
    model = Sam2Model.open(bundle, provider="cpu", threads=1)
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    found = Sam2Segmenter(model).segment(picture, FramePrompts(0, (Click((20, 10)),)))
    assert found.mask.shape == (30, 40)
    assert model.words.endswith(", CPU")
    assert model.version == f"1-{bundle.digest[:16]}"


def test_values_that_are_no_numbers_name_the_graph(bundle: MaskBundle) -> None:
    graphs = Sam2Graphs.open(bundle, provider="cpu", threads=1)
    with pytest.raises(UnexpectedOutput, match="image graph of sam2_golden"):
        graphs.run("image", {"image": np.full((1, 3, SIDE, SIDE), np.nan, np.float32)})


def test_a_damaged_graph_or_constants_are_told(copy: Path) -> None:
    opened = MaskBundle.open(copy)
    for name in ("constants.npz", "image.onnx"):
        content = bytearray((copy / name).read_bytes())
        content[-1] ^= 1
        (copy / name).write_bytes(content)
    with pytest.raises(BundleCorrupt, match=r"constants\.npz is damaged"):
        Sam2Constants.load(opened)
    with pytest.raises(BundleCorrupt, match=r"image\.onnx is damaged"):
        Sam2Graphs.open(opened, provider="cpu").run("image", {})


@pytest.mark.parametrize(("installed", "fits"), [("1.19.2", False), ("1.20.0", True), ("2.0.0", False)])
def test_the_range_of_runtimes_is_held(bundle: MaskBundle, installed: str, fits: bool) -> None:
    if fits:
        refuse_unknown(bundle, runtime=installed)
    else:
        with pytest.raises(BundleTooNew, match=r"ONNX Runtime 1\.20 or newer and older than 2"):
            refuse_unknown(bundle, runtime=installed)


# -- verify ---------------------------------------------------------------------------------------


def test_verify_prints_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(folder), "--random-weights"]) == 0
    printed = capsys.readouterr().out
    for role in MASK_ROLES:
        assert f"| {role} |" in printed
    assert "at export, ONNX to torch" in printed


def test_verify_refuses_other_weights(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(folder), "--random-weights", "--salt", "x"]) == 2
    assert "differs too much" in capsys.readouterr().err


def test_verify_refuses_a_bundle_that_was_out_of_tolerance(copy: Path, capsys) -> None:
    path = copy / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    document["parity"]["heads"] = 0.5
    path.write_text(json.dumps(document), "utf-8")
    assert main(["verify", str(copy)]) == 2
    assert "heads (at export) by 5.0e-01" in capsys.readouterr().err


def test_verify_refuses_claims_that_cannot_be(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    for change, words in (
        ({"parity": {}}, "has no parity for image, memory_attention"),
        ({"parity": document["parity"] | {"heads": -1.0}}, "no distance (heads: -1.0)"),
        ({"opset": 99}, "opset 99; this version runs"),
        ({"onnxruntime_min": "99.0"}, "needs ONNX Runtime 99.0 or newer"),
    ):
        path.write_text(json.dumps(document | change), "utf-8")
        assert main(["verify", str(copy)]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("picture", "mean", [0.4, 0.456, 0.406]),
        ("picture", "std", [1.0, 1.0, 1.0]),
        ("memory", "pointers", 8),
        ("memory", "previous", 3),
    ],
)
def test_verify_refuses_a_manifest_that_is_of_no_such_size(
    copy: Path, capsys: pytest.CaptureFixture[str], part: str, field: str, value: list[float] | int
) -> None:
    path = copy / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    document[part][field] = value
    path.write_text(json.dumps(document), "utf-8")
    assert main(["verify", str(copy)]) == 2
    told = capsys.readouterr().err
    assert f"is not what an export of sam2_golden writes: {part}.{field}. Export the bundle again." in told
    assert f"| {part}.{field} | " in told


def test_verify_refuses_constants_that_the_host_does_not_read(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(copy / "constants.npz", no_mem_embed=np.zeros(1))
    document = json.loads((copy / "manifest.json").read_text("utf-8"))
    files = {name: asdict(file) for name, file in describe_files(copy).items()}
    (copy / "manifest.json").write_text(json.dumps(document | {"files": files}), "utf-8")
    assert main(["verify", str(copy)]) == 2
    assert "constants.npz does not hold the arrays it should" in capsys.readouterr().err


def test_verify_refuses_a_changed_file(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray((copy / "heads.onnx").read_bytes())
    content[100] ^= 1
    (copy / "heads.onnx").write_bytes(content)
    assert main(["verify", str(copy)]) == 2
    assert "heads.onnx is damaged" in capsys.readouterr().err


def test_verify_refuses_an_unknown_size(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    document["architecture"] = "sam9"
    path.write_text(json.dumps(document), "utf-8")
    assert main(["verify", str(copy)]) == 2
    assert "architecture sam9, which is unknown here" in capsys.readouterr().err


# -- weights and wrong usage ----------------------------------------------------------------------


def test_a_published_checkpoint_is_found_and_loaded(tmp_path: Path, network: Sam2) -> None:
    path = tmp_path / "sam2_golden.pt"
    torch.save({"model": network.state_dict()}, path)
    loaded = Sam2Folder(tmp_path).network(GOLDEN)
    for key, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], tensor), key
    (source,) = Sam2Folder(tmp_path).sources(GOLDEN)
    assert (source.file, source.sha256) == ("sam2_golden.pt", sha256_of(path))


def test_a_checkpoint_of_another_size_is_refused(tmp_path: Path, network: Sam2) -> None:
    torch.save({"model": network.state_dict()}, tmp_path / "sam2.1_hiera_tiny.pt")
    with torch.device("meta"):
        wanted = len(Sam2(SAM2_SIZES["sam2-tiny"].dims).state_dict())
    with pytest.raises(WrongCheckpoint, match=r"sam2-tiny in sam2\.1_hiera_tiny\.pt") as caught:
        Sam2Folder(tmp_path).network(SAM2_SIZES["sam2-tiny"])
    assert 0 < len(caught.value.mismatches) >= wanted - len(network.state_dict())


def test_a_checkpoint_that_runs_code_is_not_read(tmp_path: Path) -> None:
    torch.save({"model": Path("x")}, tmp_path / "sam2_golden.pt")
    with pytest.raises(ExportError, match="holds more than tensors"):
        Sam2Folder(tmp_path).network(GOLDEN)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sam2-tiny", "--checkpoints", "nowhere"], "There is no folder nowhere"),
        (["sam2-tiny", "--checkpoints", "."], "has no checkpoint sam2.1_hiera_tiny"),
        (["sam2-golden", "--size", "100"], "Pictures of 100 pixels cannot be exported"),
        (["sam2-golden", "--id", "No Id"], "'No Id' titled"),
    ],
)
def test_wrong_usage_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "-o", "out"]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_the_same_weights_serve_smaller_pictures() -> None:
    small = SAM2_SIZES["sam2-tiny"].at(512).dims
    shapes = {graph.role: graph.spec.inputs[0].shape for graph in graphs_of(small)}
    assert shapes["image"] == (1, 3, 512, 512)
    assert shapes["heads"] == (1, 256, 32, 32)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "precision"), [("1024", "fp32"), ("512", "fp16")])
def test_the_published_tiny_is_exported_at_full_size(tmp_path: Path, size: str, precision: str) -> None:
    """Some 5 minutes and 2 GB; drawn weights have the shapes of the published ones."""
    target = tmp_path / "tiny"
    arguments = ["sam2-tiny", "--random-weights", "--size", size, "--precision", precision]
    assert main([*arguments, "-o", str(target)]) == 0
    bundle = MaskBundle.open(target)
    limit = 1e-5 if precision == "fp32" else 5e-3
    assert max(bundle.manifest.parity.values()) <= limit
    total = sum(file.bytes for file in bundle.manifest.files.values())
    assert total < (210e6 if precision == "fp32" else 105e6)
