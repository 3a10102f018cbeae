"""From weights to bundle: lowering, comparison, assembly, command line."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from exporter import export, lowering, verify
from exporter.__main__ import SIZE_NAMES, main
from exporter.bundle_parity import NOT_COMPARED
from exporter.errors import ExportError
from exporter.graphs import Graph, example_inputs, graphs_of
from exporter.labels import checkpoint_label, random_label
from exporter.networks import BUILD, RandomWeights
from exporter.sizes import EMBEDDED, GOLDEN, SIZES, SMALL, TINY, Sizes
from models_onnx.bundle import ROLES, Bundle, describe_files, write_manifest
from tests.unit.models_onnx.graph_bytes import tiny_graph

GOLDEN_BUNDLE = Path(__file__).parents[2] / "golden" / "bundle"
GRAPHS = {graph.role: graph for graph in graphs_of(GOLDEN)}


def _copy(target: Path) -> Path:
    return shutil.copytree(GOLDEN_BUNDLE, target)


# -- sizes and interfaces ------------------------------------------------------------------------


def test_networks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="sync feature: 12 and 6"):
        dataclasses.replace(GOLDEN, synchformer=dataclasses.replace(GOLDEN.synchformer, width=12))


@pytest.mark.parametrize(("frames", "latents", "clip", "sync"), [(125, 216, 40, 112), (124, 214, 39, 112)])
def test_lengths_of_the_published_sizes(frames: int, latents: int, clip: int, sync: int) -> None:
    lengths = SMALL.lengths(frames, batch=1)
    assert (lengths["latents"], lengths["clip_frames"], lengths["sync_frames"]) == (latents, clip, sync)
    assert lengths["samples"] == latents * 1024
    assert SMALL.lengths(16, batch=1)["segments"] == 1
    assert SMALL.lengths(200, batch=1)["segments"] == 24


def test_the_embedded_bundle_has_the_interface_of_tiny() -> None:
    for name in ("sample_rate", "clip_rate", "sync_rate", "crop_min", "train_frames", "multiple_frames"):
        assert getattr(EMBEDDED, name) == getattr(TINY, name)
    assert EMBEDDED.clip.image_size == TINY.clip.image_size
    assert EMBEDDED.clip.text_length == TINY.clip.text_length
    assert EMBEDDED.synchformer.image_size == TINY.synchformer.image_size
    assert EMBEDDED.latent_hop == TINY.latent_hop


def test_every_size_has_a_graph_for_every_role() -> None:
    assert set(SIZE_NAMES) == set(SIZES)
    for sizes in SIZES.values():
        graphs = graphs_of(sizes)
        assert [graph.role for graph in graphs] == list(ROLES)
        assert {graph.network for graph in graphs} == set(BUILD)


# -- the committed graphs against torch -----------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_graph_agrees_with_torch_from_shortest_to_12_seconds(role: str) -> None:
    graph = GRAPHS[role]
    module = graph.wrap(RandomWeights().network(graph.network, GOLDEN))
    passes = (*verify.PASSES, (17, 3), (199, 1))
    known = verify.references(graph, module, GOLDEN, passes)
    rows = verify.differences(GOLDEN_BUNDLE / graph.spec.file, graph.spec, known, role=role)
    shapes = {tuple(array.shape for array in one.inputs) for one in known}
    assert len(rows) == len(shapes) >= 3
    verify.refuse_large(rows)


def test_a_large_vocoder_is_compared_up_to_the_length_the_model_was_trained_at() -> None:
    def passes(sizes: Sizes) -> list[tuple[int, int]]:
        graph = next(graph for graph in graphs_of(sizes) if graph.role == "vocoder")
        found = (verify.pass_lengths(graph, sizes, frames=f, batch=b) for f, b in verify.PASSES)
        return [(lengths["batch"], lengths["mel_frames"]) for lengths in found]

    assert passes(SMALL) == [(1, 56), (2, 166), (1, 432), (1, 432)]
    assert passes(TINY)[-1] == (2, 1034)


def test_other_weights_are_noticed() -> None:
    graph = GRAPHS["image_encoder"]
    module = graph.wrap(RandomWeights(salt="other").network(graph.network, GOLDEN))
    known = verify.references(graph, module, GOLDEN, ((16, 1),))
    rows = verify.differences(GOLDEN_BUNDLE / graph.spec.file, graph.spec, known, role=graph.role)
    with pytest.raises(ExportError, match=r"image_encoder by \d"):
        verify.refuse_large(rows)


def test_an_output_of_another_shape_is_noticed() -> None:
    graph = GRAPHS["image_encoder"]
    module = graph.wrap(RandomWeights().network(graph.network, GOLDEN))
    (known,) = verify.references(graph, module, GOLDEN, ((16, 1),))
    cut = dataclasses.replace(known, outputs=(known.outputs[0][:, :3],))
    with pytest.raises(ExportError, match="shape"):
        verify.differences(GOLDEN_BUNDLE / graph.spec.file, graph.spec, (cut,), role=graph.role)


def test_relative_l2() -> None:
    one = np.array([3.0, 4.0], np.float32)
    assert verify.relative_l2(one * 1.5, one) == pytest.approx(0.5)
    assert verify.relative_l2(one * 0, one * 0) == 0
    assert verify.relative_l2(one * np.nan, one) == np.inf


# -- lowering -------------------------------------------------------------------------------------


def _small_graph(tmp_path: Path, *, compact: bool) -> tuple[Graph, Path]:
    graph = GRAPHS["text_encoder"]
    module = graph.wrap(RandomWeights().network(graph.network, GOLDEN))
    inputs = example_inputs(graph, GOLDEN, GOLDEN.lengths(48, batch=2))
    path = tmp_path / "graph.onnx"
    lowering.save(lowering.lower(module, graph.spec, inputs, compact=compact), path)
    return graph, path


def test_lowering_again_gives_the_committed_graph(tmp_path: Path) -> None:
    graph, path = _small_graph(tmp_path, compact=True)
    assert path.read_bytes() == (GOLDEN_BUNDLE / graph.spec.file).read_bytes()


def test_large_weights_go_beside_the_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowering, "LARGEST_WHOLE", 1000)
    _, path = _small_graph(tmp_path, compact=False)
    assert sorted(file.name for file in tmp_path.glob("graph*")) == ["graph.onnx", "graph.onnx.data"]
    assert path.stat().st_size < 12_000
    tokens = np.zeros((1, GOLDEN.clip.text_length), np.int64)
    (whole,) = _run(GOLDEN_BUNDLE / "text_encoder.onnx", tokens)
    np.testing.assert_array_equal(_run(path, tokens)[0], whole)


def _run(path: Path, tokens: np.ndarray) -> list[Any]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"tokens": tokens}))


@pytest.mark.parametrize("rank", [3, 4])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_of_any_rank(tmp_path: Path, rank: int, *, causal: bool) -> None:
    class Attend(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=causal)

    x = torch.randn((2, 3, 5, 4)[-rank:] if rank == 4 else (3, 5, 4))
    spec = dataclasses.replace(
        GRAPHS["decoder"].spec,
        inputs=(dataclasses.replace(GRAPHS["decoder"].spec.inputs[0], name="x", shape=tuple(x.shape)),),
        outputs=(dataclasses.replace(GRAPHS["decoder"].spec.outputs[0], name="y", shape=tuple(x.shape)),),
    )
    lowering.save(lowering.lower(Attend(), spec, (x,), compact=True), tmp_path / "a.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "a.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": x.numpy()})
    np.testing.assert_allclose(found, Attend()(x).numpy(), atol=1e-6)


# -- assembly -------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the committed graphs instead of lowering them again: seconds instead of a minute."""

    def lowered(graph: Graph, module: torch.nn.Module, growing: Any, *, form: lowering.Form) -> Graph:
        return graph

    def save(graph: Graph, path: Path) -> None:
        shutil.copyfile(GOLDEN_BUNDLE / graph.spec.file, path)

    monkeypatch.setattr(export, "_lowered", lowered)
    monkeypatch.setattr(lowering, "save", save)


@pytest.mark.usefixtures("quick")
def test_the_command_makes_the_committed_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "new" / "bundle"
    assert main(["golden", "-o", str(output)]) == 0
    made, committed = Bundle.open(output).manifest, Bundle.open(GOLDEN_BUNDLE).manifest
    measured = {"parity.json", "MODEL_CARD.md"}
    same = {
        name: spec
        for name, spec in committed.files.items()
        if name not in {*measured, committed.null_conditions}
    }
    assert {name: made.files[name] for name in same} == same
    # Of an .npz only the arrays count: Pythons before 3.11.4 write other zip headers.
    with (
        np.load(output / made.null_conditions) as new,
        np.load(GOLDEN_BUNDLE / committed.null_conditions) as old,
    ):
        assert {name: new[name].tobytes() for name in new} == {name: old[name].tobytes() for name in old}
    assert made.files.keys() == committed.files.keys()
    assert dataclasses.replace(made, files={}, parity={}) == dataclasses.replace(
        committed, files={}, parity={}
    )
    assert "| flow |" in capsys.readouterr().out
    assert [path.name for path in output.parent.iterdir()] == ["bundle"]


@pytest.mark.usefixtures("quick")
def test_an_older_bundle_is_replaced_whole(tmp_path: Path) -> None:
    output = _copy(tmp_path / "bundle")
    (output / "flow.gpu.onnx").write_bytes(b"old")
    export.export_bundle(
        GOLDEN, RandomWeights(), random_label(GOLDEN, id="mine", title=""), output=output, say=lambda _: None
    )
    assert Bundle.open(output).manifest.id == "mine"
    assert not (output / "flow.gpu.onnx").exists()
    assert [path.name for path in tmp_path.glob("*bundle*")] == ["bundle"]


@pytest.mark.usefixtures("quick")
def test_a_graph_that_differs_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = _copy(tmp_path / "bundle")
    before = Bundle.open(output).digest
    assert main(["golden", "--random-weights", "--salt", "other", "-o", str(output)]) == 2
    shown = capsys.readouterr()
    assert "(at most 1e-05)" in shown.err
    assert "Traceback" not in shown.err
    assert Bundle.open(output).digest == before
    assert [path.name for path in tmp_path.glob("*bundle*")] == ["bundle"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"jpg")
    assert main(["golden", "-o", str(tmp_path)]) == 2
    assert "no bundle" in capsys.readouterr().err
    assert main(["golden", "-o", str(tmp_path / "holiday.jpg")]) == 2
    assert main(["golden", "-o", str(tmp_path / "holiday.jpg" / "bundle")]) == 2
    assert (tmp_path / "holiday.jpg").read_bytes() == b"jpg"


@pytest.mark.parametrize("label", [["--id", "My Bundle"], ["--title", "bell \a"], ["--id", "../x"]])
def test_names_a_manifest_would_refuse_are_refused_at_once(
    label: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["golden", "-o", str(tmp_path / "bundle"), *label]) == 2
    assert "id and title" in capsys.readouterr().err


# -- command line -----------------------------------------------------------------------------------


def test_wrong_weights_are_shown_as_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("clip", "synchformer", "flow", "vae", "vocoder"):
        torch.save({"nothing.weight": torch.zeros(2)}, folder / f"{name}.pth")
    assert main(["golden", "--checkpoints", str(folder), "-o", str(tmp_path / "bundle")]) == 2
    shown = capsys.readouterr().err
    assert "clip_text in clip.pth" in shown
    assert "token_embedding.weight" in shown
    assert "unexpected" in shown
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    "arguments",
    [["small_44k_sa", "-o", "x"], ["golden"], [], ["huge", "-o", "x"], ["verify"]],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_failure_nobody_foresaw_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(lowering, "lower", fail)
    assert main(["golden", "-o", str(tmp_path / "bundle")]) == 2
    shown = capsys.readouterr().err
    assert "out of luck" in shown
    assert "Traceback" not in shown
    assert list(tmp_path.glob(".bundle*")) == []
    with pytest.raises(RuntimeError):
        main(["--verbose", "golden", "-o", str(tmp_path / "bundle")])


def test_missing_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["small_44k_sa", "--checkpoints", str(tmp_path), "-o", str(tmp_path / "x")]) == 2
    shown = capsys.readouterr().err
    assert "saganet" in shown
    assert "v1-44" in shown


def test_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = _copy(tmp_path / "bundle")
    assert main(["verify", str(output)]) == 0
    shown = capsys.readouterr().out
    assert "whole" in shown
    assert NOT_COMPARED in shown
    content = bytearray((output / "flow.onnx").read_bytes())
    content[5000] ^= 1
    (output / "flow.onnx").write_bytes(content)
    assert main(["verify", str(output)]) == 2
    assert "flow.onnx is damaged" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "none")]) == 2


def test_verify_finds_a_graph_with_another_interface(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = _copy(tmp_path / "bundle")
    document = json.loads((output / "manifest.json").read_text("utf-8"))
    document["graphs"]["decoder"]["outputs"][0]["shape"] = ["batch", 9, "mel_frames"]
    (output / "manifest.json").write_text(json.dumps(document), "utf-8")
    assert main(["verify", str(output)]) == 2
    assert "The graph decoder" in capsys.readouterr().err


def test_verify_prints_how_far_each_stage_is_from_torch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(GOLDEN_BUNDLE), "--random-weights"]) == 0
    shown = capsys.readouterr().out
    assert NOT_COMPARED not in shown
    rows = [line for line in shown.splitlines() if line.startswith("| ")][1:]
    assert [row.split()[1] for row in rows] == list(ROLES)
    for row in rows:
        recorded, now = (float(cell) for cell in row.split("|")[2:4])
        assert 0 < recorded < verify.TOLERANCE
        assert 0 < now < verify.TOLERANCE


def test_verify_refuses_a_bundle_of_other_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(GOLDEN_BUNDLE), "--random-weights", "--salt", "other"]) == 2
    shown = capsys.readouterr().err
    assert "flow (now) by" in shown
    assert "Export it again" in shown


def test_verify_refuses_what_was_out_of_tolerance_at_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = _copy(tmp_path / "bundle")
    document = json.loads((output / "manifest.json").read_text("utf-8"))
    document["parity"]["flow"] = 2e-5
    (output / "manifest.json").write_text(json.dumps(document), "utf-8")
    assert main(["verify", str(output)]) == 2
    assert "flow (at export) by 2.0e-05, at most 1e-05" in capsys.readouterr().err


def test_verify_finds_a_graph_that_onnxruntime_does_not_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = _copy(tmp_path / "bundle")
    (output / "decoder.onnx").write_bytes(tiny_graph("decoder"))
    manifest = Bundle.open(GOLDEN_BUNDLE).manifest
    write_manifest(output, dataclasses.replace(manifest, files=describe_files(output)))
    assert main(["verify", str(output)]) == 2
    assert "onnxruntime does not take the graph decoder" in capsys.readouterr().err


def test_verify_says_when_a_graph_takes_other_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = _copy(tmp_path / "bundle")
    text = (output / "manifest.json").read_text("utf-8")
    (output / "manifest.json").write_text(text.replace('"name": "tokens"', '"name": "words"'), "utf-8")
    assert main(["verify", str(output)]) == 2
    assert "takes ['words'], not ['tokens']" in capsys.readouterr().err


def test_verify_says_of_an_unknown_architecture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = _copy(tmp_path / "bundle")
    document = json.loads((output / "manifest.json").read_text("utf-8"))
    document["architecture"] = "huge"
    (output / "manifest.json").write_text(json.dumps(document), "utf-8")
    assert main(["verify", str(output)]) == 2
    assert "architecture huge, which is unknown here" in capsys.readouterr().err


def test_licences_say_what_paid_work_may_use() -> None:
    assert not checkpoint_label(SMALL, id="", title="").licence.commercial_use
    assert checkpoint_label(TINY, id="", title="").licence.commercial_use
    assert random_label(SMALL, id="", title="").licence.commercial_use
    assert checkpoint_label(SMALL, id="", title="").id == "saganet_small"


def test_the_two_published_files_of_one_size_get_names_of_their_own() -> None:
    with_lora, without = (
        checkpoint_label(SMALL, id="", title="", file=file) for file in ("saganet", "saganet_no_lora")
    )
    assert (with_lora.id, without.id) == ("saganet_small", "saganet_small_no_lora")
    assert without.title == "SAGANet, small_44k_sa, trained without LoRA"
    assert checkpoint_label(SMALL, id="mine", title="", file="saganet_no_lora").id == "mine"


@pytest.mark.slow
def test_the_whole_export_makes_the_committed_bundle(tmp_path: Path) -> None:
    assert main(["golden", "-o", str(tmp_path / "bundle")]) == 0
    made, committed = Bundle.open(tmp_path / "bundle"), Bundle.open(GOLDEN_BUNDLE)
    for role in ROLES:
        ours, theirs = (onnx.load(bundle.path_of(role)).graph for bundle in (made, committed))
        assert list(ours.node) == list(theirs.node)
        for one, other in zip(ours.initializer, theirs.initializer, strict=True):
            found, wanted = (onnx.numpy_helper.to_array(tensor) for tensor in (one, other))
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-8)
