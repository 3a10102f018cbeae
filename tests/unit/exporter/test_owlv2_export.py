"""From OWLv2's weights to a finder bundle: command line, comparison, verification, the host on its graphs."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import save_file

from exporter.__main__ import main
from exporter.checkpoints import WrongCheckpoint
from exporter.errors import ExportError
from exporter.owlv2_graphs import GREY, OWLV2_SIZES, example_inputs, graphs_of
from exporter.owlv2_weights import DrawnOwlv2, Owlv2Folder
from models_onnx.bundle import describe_files
from models_onnx.finder_manifest import FINDER_ROLES, FinderBundle, write_finder_manifest
from models_onnx.manifest import InvalidBundle
from models_onnx.mask_manifest import MaskBundle
from models_onnx.store import Store
from plugin.controller.masking.films import MakersFrames
from plugin.controller.masking.finding import Finding
from plugin.engine.text import Tokenizer
from plugin.errors import BadPrompt, BundleCorrupt
from plugin.masks.finders import finder_bundle, opened_finder
from plugin.masks.makers import Finder
from plugin.masks.owlv2_finder import Owlv2Finder
from plugin.masks.owlv2_pictures import network_picture
from tests.unit.masking_fakes import made_film

GOLDEN = OWLV2_SIZES["owlv2-golden"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, by the command that a user types."""
    target = tmp_path_factory.mktemp("owlv2") / "bundle"
    assert main(["owlv2-golden", "-o", str(target)]) == 0
    return target


@pytest.fixture(scope="module")
def bundle(folder: Path) -> FinderBundle:
    return FinderBundle.open(folder)


@pytest.fixture(scope="module")
def network() -> Any:
    return DrawnOwlv2().network(GOLDEN)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "copy")


def picture() -> np.ndarray:
    small = np.random.default_rng(5).integers(0, 256, (6, 10, 3))
    return np.kron(small, np.ones((20, 20, 1), np.int64)).astype(np.uint8)


# -- the bundle -----------------------------------------------------------------------------------


def test_the_manifest_tells_all_the_host_needs(bundle: FinderBundle) -> None:
    made = bundle.manifest
    assert (made.kind, made.id, made.architecture) == ("owlv2", "owlv2_golden", "owlv2_golden")
    assert (made.opset, made.onnxruntime_min, made.onnxruntime_below) == (18, "1.20", "2")
    assert (made.picture.size, made.picture.patch, made.picture.padding) == (96, 16, 0.5)
    assert (made.text.length, made.text.start_id, made.text.end_id, made.text.pad_id) == (16, 998, 999, 0)
    assert (made.finding.prompt, made.finding.least_score) == ("a photo of a {}", 0.1)
    assert set(made.graphs) == set(FINDER_ROLES) == set(made.parity)
    assert max(made.parity.values()) < 1e-5
    assert "Apache License" in (bundle.folder / made.licence_file).read_text("utf-8")


def test_the_graphs_are_plain_onnx_without_traces_of_this_machine(bundle: FinderBundle) -> None:
    for role in FINDER_ROLES:
        model = onnx.load(bundle.path_of(role))
        assert {entry.domain for entry in model.opset_import} == {""}
        assert [entry.version for entry in model.opset_import] == [18]
        assert b"site-packages" not in bundle.path_of(role).read_bytes()


def test_the_published_size_has_the_published_interface() -> None:
    text, detector = graphs_of(OWLV2_SIZES["owlv2-base"])
    assert text.spec.inputs[0].shape == ("words", 16)
    assert [tensor.shape for tensor in detector.spec.inputs] == [(1, 3, 960, 960), ("words", 512)]
    assert [tensor.shape for tensor in detector.spec.outputs] == [(1, 3600, "words"), (1, 3600, 4), (1, 3600)]


def test_no_kind_of_bundle_is_taken_for_another(folder: Path) -> None:
    store = Store((folder.parent,))
    assert store.list() == store.list_masks() == ()
    assert [one.bundle.manifest.id for one in store.list_finders() if one.bundle] == ["owlv2_golden"]
    with pytest.raises(InvalidBundle):
        MaskBundle.open(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "owl9"}, "kind 'owl9'"),
        ({"finding": {"prompt": "a photo", "least_score": 0.1, "most_overlap": 0.5}}, "finding.prompt"),
        ({"finding": {"prompt": "{}", "least_score": 0.0, "most_overlap": 0.5}}, "least_score"),
        ({"schema": 9}, "schema 9"),
    ],
)
def test_a_wrong_manifest_is_refused(copy: Path, changes: dict[str, Any], words: str) -> None:
    path = copy / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(InvalidBundle, match=words):
        FinderBundle.open(copy)


# -- against the publisher's library --------------------------------------------------------------


def test_the_modules_compute_what_the_library_does(network: Any) -> None:
    text, detector = graphs_of(GOLDEN)
    (tokens,), (image, _) = (example_inputs(graph, GOLDEN, 3) for graph in (text, detector))
    with torch.inference_mode():
        wanted = network(input_ids=tokens, pixel_values=image, attention_mask=(tokens > 0).long())
        queries = text.wrap(network)(tokens)
        logits, boxes, objectness = detector.wrap(network)(image, queries)
    assert torch.allclose(queries, wanted.text_embeds[0], atol=1e-6)
    assert torch.allclose(logits, wanted.logits, atol=1e-5)
    assert torch.allclose(boxes, wanted.pred_boxes, atol=1e-6)
    assert torch.allclose(objectness, wanted.objectness_logits, atol=1e-5)


def test_places_are_those_of_the_librarys_own_post_processing(bundle: FinderBundle, network: Any) -> None:
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

    frame, processor = picture(), Owlv2ImageProcessorPil(size={"height": 96, "width": 96})
    tokens = torch.from_numpy(Tokenizer.load(bundle).ids("a photo of a red drum"))
    square = np.full((200, 200, 3), GREY)
    square[:120] = frame / 255  # the library pads with black today, its makers with grey
    pixels = processor(square, do_rescale=False, do_pad=False, return_tensors="pt")["pixel_values"]
    assert np.abs(pixels.numpy() - network_picture(frame, bundle.manifest.picture)).max() < 1e-4
    with torch.inference_mode():
        outputs = network(input_ids=tokens, pixel_values=pixels.float())
    (wanted,) = processor.post_process_object_detection(outputs, 0.1, target_sizes=[(120, 200)])
    best = int(wanted["scores"].argmax())
    found = Owlv2Finder.open(bundle, provider="cpu", threads=1).find(frame, "the red drum")
    assert 1 <= len(found) <= 9
    assert found[0].score == pytest.approx(float(wanted["scores"][best]), abs=1e-4)
    left, top, right, bottom = (float(side) for side in wanted["boxes"][best])
    box = found[0].box
    assert box.left == pytest.approx(max(0, left), abs=0.1)
    assert box.top == pytest.approx(max(0, top), abs=0.1)
    assert box.right == pytest.approx(min(200, right), abs=0.1)
    assert box.bottom == pytest.approx(min(120, bottom), abs=0.1)
    assert box.words == "the red drum"


# -- the command line -----------------------------------------------------------------------------


def test_verify_compares_with_the_weights_and_finds_other_ones(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(folder), "--random-weights"]) == 0
    assert "| detector |" in capsys.readouterr().out
    assert main(["verify", str(folder), "--random-weights", "--salt", "other"]) == 2
    assert "detector by" in capsys.readouterr().err


def test_verify_refuses_what_the_finder_would_not_take(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(document | {"parity": {"text": 0.0}}), "utf-8")
    assert main(["verify", str(copy)]) == 2
    assert "has no parity for detector" in capsys.readouterr().err
    (copy / "tokenizer.json").write_text("{}")
    files = {name: asdict(file) for name, file in describe_files(copy).items()}
    path.write_text(json.dumps(document | {"files": files}), "utf-8")
    assert main(["verify", str(copy)]) == 2
    assert "tokenizer.json is no tokenizer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [("picture", "padding", 0.0), ("text", "start_id", 0), ("text", "length", 5), ("picture", "patch", 1)],
)
def test_verify_refuses_a_manifest_that_is_of_no_such_size(
    copy: Path, capsys: pytest.CaptureFixture[str], part: str, field: str, value: float
) -> None:
    path = copy / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    document[part][field] = value
    path.write_text(json.dumps(document), "utf-8")
    assert main(["verify", str(copy)]) == 2
    told = capsys.readouterr().err
    assert f"writes: {part}.{field}. Export the bundle again." in told
    assert f"| {part}.{field} | " in told


def test_verify_runs_every_graph_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(folder)]) == 0
    assert "detector: running" in capsys.readouterr().out


def test_a_published_file_is_read_strictly(network: Any, tmp_path: Path) -> None:
    state = {key: value.clone() for key, value in network.state_dict().items()}
    stored = state | {"owlv2.text_model.embeddings.position_ids": torch.arange(16)[None]}
    save_file(stored, tmp_path / "model.safetensors")
    source = Owlv2Folder(tmp_path)
    read = source.network(GOLDEN).state_dict()
    assert all(torch.equal(read[key], value) for key, value in state.items())
    assert source.sources(GOLDEN)[0].file == "model.safetensors"
    del stored["box_head.dense2.bias"]
    save_file(stored, tmp_path / "owlv2_golden.safetensors")
    with pytest.raises(WrongCheckpoint):
        source.network(GOLDEN)


def test_a_folder_without_the_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="sagafoley models fetch owlv2-golden"):
        Owlv2Folder(tmp_path).sources(GOLDEN)


# -- the host -------------------------------------------------------------------------------------


def test_the_finder_of_this_machine_is_the_installed_one(folder: Path, bundle: FinderBundle) -> None:
    store = Store((folder.parent,))
    found = finder_bundle(store)
    assert found is not None
    assert found.digest == bundle.digest
    with opened_finder(store, "drum", provider="cpu", threads=1) as finder:
        made: Finder = finder
        assert (made.name, made.version[:2]) == ("owlv2_golden", "1-")
        assert made.find(picture(), "drum") == made.find(picture(), "drum")
        with pytest.raises(BadPrompt, match="no word"):
            made.find(picture(), "  ")


def test_a_changed_graph_is_not_run(copy: Path) -> None:
    content = bytearray((copy / "detector.onnx").read_bytes())
    content[-1] ^= 1
    finder = Owlv2Finder.open(FinderBundle.open(copy), provider="cpu", threads=1)
    (copy / "detector.onnx").write_bytes(bytes(content))
    with pytest.raises(BundleCorrupt):
        finder.find(picture(), "drum")


def test_a_graph_that_was_changed_is_said_with_how_to_get_a_whole_one(copy: Path) -> None:
    content = bytearray((copy / "text.onnx").read_bytes())
    content[-1] ^= 1
    (copy / "text.onnx").write_bytes(bytes(content))
    with (
        pytest.raises(BundleCorrupt) as raised,
        opened_finder(Store((copy,)), "drum", provider="cpu", threads=1) as finder,
    ):
        finder.find(picture(), "drum")
    assert "text.onnx" in str(raised.value)
    assert "sagafoley models fetch owlv2-base" in raised.value.remedy


def test_mask_mode_numbers_what_real_graphs_find(copy: Path, tmp_path: Path) -> None:
    """Drawn weights are sure of nothing, so everything counts here."""
    manifest = FinderBundle.open(copy).manifest
    finding = dataclasses.replace(manifest.finding, least_score=1e-6)
    write_finder_manifest(copy, dataclasses.replace(manifest, finding=finding))
    film = made_film(tmp_path / "film", frames=3, draw=lambda _: picture())
    opened = partial(opened_finder, Store((copy,)), provider="cpu", threads=1)
    with opened("drum") as finder:
        expected = finder.find(MakersFrames(film).picture(1), "drum")
    looking = Finding(film, find=opened)
    looking.look("drum", frame=1)
    end = time.monotonic() + 60
    while looking.view.looking and time.monotonic() < end:
        looking.poll()
        time.sleep(0.01)
    looking.close()
    assert len(expected) > 1
    assert [(one.box, one.score) for one in looking.view.places] == [(one.box, one.score) for one in expected]
    assert [one.number for one in looking.view.places] == list(range(1, len(expected) + 1))
    assert looking.take(1, frame=1) == expected[0].box
