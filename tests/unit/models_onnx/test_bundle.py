"""Opening, hashing and refusing bundles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models_onnx.bundle import Bundle, InvalidBundle, describe_files, write_manifest
from models_onnx.manifest_json import format_manifest, is_plain_path, parse_manifest
from tests.unit.models_onnx.graph_bytes import tiny_graph


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document), "utf-8")


def _refusal(folder: Path) -> InvalidBundle:
    with pytest.raises(InvalidBundle) as caught:
        Bundle.open(folder)
    return caught.value


def test_open_gives_the_manifest_and_its_digest(folder: Path) -> None:
    bundle = Bundle.open(folder)
    assert bundle.manifest.latent.std == (1.0, 2.0)
    assert bundle.manifest.graphs["flow"].inputs[0].shape == ("batch", 4)
    assert bundle.digest == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert bundle.path_of("flow") == folder / "graphs/flow.onnx"
    assert bundle.path_of("tokenizer.json") == folder / "tokenizer.json"
    assert Bundle.open(folder / "manifest.json") == bundle


def test_written_and_read_manifests_are_equal(folder: Path) -> None:
    manifest = Bundle.open(folder).manifest
    content = format_manifest(manifest)
    assert parse_manifest(content, path=folder) == manifest
    write_manifest(folder, manifest)
    assert (folder / "manifest.json").read_bytes() == content
    assert sorted(p.name for p in folder.iterdir()) == [
        "graphs",
        "manifest.json",
        "null.npz",
        "tokenizer.json",
    ]


def test_unknown_names_are_key_errors(folder: Path) -> None:
    bundle = Bundle.open(folder)
    for name in ("nothing", "../secret", "manifest.json"):
        with pytest.raises(KeyError):
            bundle.path_of(name)


def test_missing_folder_and_missing_manifest(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none", tmp_path / "empty", tmp_path / ("x" * 5000), Path("a\0b")):
        assert _refusal(path).reason == "missing"


def test_newer_schema_wins_over_everything_else_that_changed(folder: Path) -> None:
    _edit(folder, lambda document: (document.clear(), document.update(schema=2, surprise=1)))
    error = _refusal(folder)
    assert error.reason == "newer"
    assert "schema 2" in str(error)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema": 1, "schema": 1}', b"[" * 10**5]
)
def test_what_is_not_a_manifest(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    assert _refusal(folder).reason == "corrupt"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.pop("latent"), "lacks latent"),
        (lambda m: m.update(extra=1), "unknown extra"),
        (lambda m: m["picture"].update(clip_rate="8"), "picture.clip_rate"),
        (lambda m: m["picture"].update(clip_rate=True), "picture.clip_rate"),
        (lambda m: m["picture"].update(clip_size=0), "picture.clip_size"),
        (lambda m: m["picture"].update(resize="stretch"), "stretch"),
        (lambda m: m["licence"].update(commercial_use="yes"), "commercial_use"),
        (lambda m: m["latent"].update(mean=[0.0]), "one value per channel"),
        (lambda m: m["latent"].update(std=[0.0, 1.0]), "above 0"),
        (lambda m: m["latent"].update(std=[float("nan"), 1.0]), "NaN"),
        (lambda m: m["latent"].update(mean=[10**400, 1.0]), "too large"),
        (lambda m: m["graphs"].pop("flow"), "graphs are"),
        (lambda m: m["graphs"]["flow"].update(file="other.onnx"), "other.onnx"),
        (lambda m: m["graphs"]["flow"]["inputs"][0].update(dtype="float64"), "float64"),
        (lambda m: m["graphs"]["flow"]["inputs"][0].update(shape=[0]), "shape"),
        (lambda m: m["graphs"]["flow"]["inputs"][0].update(name="y"), "different names"),
        (lambda m: m["files"]["null.npz"].update(sha256="abc"), "sha256"),
        (lambda m: m["files"]["null.npz"].update(bytes=-1), "size"),
        (lambda m: m["window"].update(min_frames=4), "window"),
        (lambda m: m["text"].update(length=1), "text.length"),
        (lambda m: m.update(sample_rate=10**30), "sample_rate is too large"),
        (lambda m: m["picture"].update(clip_rate=10**12), "picture.clip_rate is too large"),
        (lambda m: m["vocoder"].update(mel_bands=10**30), "vocoder.mel_bands is too large"),
        (lambda m: m["vocoder"].update(halo=10**12), "vocoder.halo"),
        (lambda m: m["window"].update(multiple_frames=10**30), "window.multiple_frames is too large"),
        (lambda m: m["text"].update(length=10**30), "text.length is too large"),
        (lambda m: m["text"].update(pad_id=10**30), "token ids"),
        (lambda m: m["latent"].update(std=[1e38, 1.0]), "within"),
        (lambda m: m["sampling"].update(guidance=1e300), "guidance"),
        (lambda m: m.update(schema=0), "schema"),
        (lambda m: m.update(schema=True), "schema"),
        (lambda m: m.update(id="../x"), "id"),
        (lambda m: m.update(title="red \x1b[31m"), "control"),
        (lambda m: m.update(title="\ud800"), "control"),
        (lambda m: m.update(precision="int4"), "precision"),
        (lambda m: m.update(text="x"), "manifest.text"),
        (lambda m: m.update(text=[1]), "manifest.text"),
    ],
)
def test_a_wrong_value_is_named(folder: Path, change: Callable[[dict[str, Any]], object], words: str) -> None:
    _edit(folder, change)
    error = _refusal(folder)
    assert error.reason == "corrupt"
    assert words in str(error)


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "a/../b", "a//b", "a\\b", "C:x", "", ".", "nul.txt", "a.", ".git", "x\0y", "é"],
)
def test_paths_that_leave_the_folder_are_refused(folder: Path, name: str) -> None:
    assert not is_plain_path(name)
    _edit(folder, lambda m: m["files"].update({name: m["files"]["null.npz"]}))
    assert "plain path" in str(_refusal(folder))


def test_two_names_for_one_file_on_some_systems(folder: Path) -> None:
    _edit(folder, lambda m: m["files"].update({"NULL.npz": m["files"]["null.npz"]}))
    assert "upper and lower" in str(_refusal(folder))


def test_a_file_of_another_size_or_none(folder: Path) -> None:
    (folder / "null.npz").write_bytes(b"more than null")
    assert "14 bytes instead of 4" in str(_refusal(folder))
    (folder / "null.npz").unlink()
    assert "missing" in str(_refusal(folder))


def test_links_are_refused_even_to_the_right_bytes(folder: Path, tmp_path: Path) -> None:
    (folder / "null.npz").rename(tmp_path / "outside")
    (folder / "null.npz").symlink_to(tmp_path / "outside")
    assert "plain file" in str(_refusal(folder))
    (folder / "null.npz").unlink()
    (folder / "null.npz").write_bytes(b"null")
    (folder / "graphs").rename(tmp_path / "graphs")
    (folder / "graphs").symlink_to(tmp_path / "graphs")
    assert "plain file" in str(_refusal(folder))


def test_checked_path_finds_a_flipped_byte(folder: Path) -> None:
    bundle = Bundle.open(folder)
    assert bundle.checked_path("decoder") == folder / "graphs/decoder.onnx"
    (folder / "graphs/decoder.onnx").write_bytes(tiny_graph("DECODER"))
    with pytest.raises(InvalidBundle, match=r"decoder\.onnx is damaged"):
        bundle.checked_path("decoder")


def test_checked_path_covers_external_weights(folder: Path) -> None:
    (folder / "graphs/flow.onnx.data").write_bytes(b"WEIGHTS" * 100)
    with pytest.raises(InvalidBundle, match=r"flow\.onnx\.data"):
        Bundle.open(folder).checked_path("flow")


def test_checked_path_hashes_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.open(folder)
    bundle.checked_path("decoder")
    monkeypatch.setattr("models_onnx.bundle.sha256_of", lambda path: "never")
    assert bundle.checked_path("decoder").is_file()
    with pytest.raises(InvalidBundle):
        bundle.verify()


def _put(folder: Path, name: str, content: bytes) -> Bundle:
    """The bundle with another file, of which the manifest knows the right hash."""
    manifest = Bundle.open(folder).manifest
    (folder / name).write_bytes(content)
    write_manifest(folder, replace(manifest, files=describe_files(folder)))
    return Bundle.open(folder)


@pytest.mark.parametrize(
    "location",
    [
        "weights.bin",
        "decoder.onnx.data",
        "flow.onnx.data",
        "../graphs/flow.onnx.data",
        "./decoder.onnx.data",
        "../../outside.bin",
        "/etc/passwd",
        "C:\\weights",
        "",
        "*/_ORT_MEM_ADDR_/*",
    ],
)
def test_a_graph_takes_weights_from_its_own_file_only(folder: Path, location: str) -> None:
    (folder / "graphs/weights.bin").write_bytes(b"weights")
    bundle = _put(folder, "graphs/decoder.onnx", tiny_graph("decoder", location=location))
    for check in (lambda: bundle.checked_path("decoder"), bundle.verify):
        with pytest.raises(
            InvalidBundle, match=r"decoder\.onnx takes weights from .* not its own file"
        ) as caught:
            check()
        assert caught.value.reason == "corrupt"
        assert repr(location) in str(caught.value)


def test_a_file_of_the_right_name_counts_only_in_the_manifest(folder: Path) -> None:
    bundle = _put(folder, "graphs/decoder.onnx", tiny_graph("decoder", location="decoder.onnx.data"))
    (folder / "graphs/decoder.onnx.data").write_bytes(b"weights")
    with pytest.raises(InvalidBundle, match=r"decoder\.onnx takes weights"):
        bundle.checked_path("decoder")
    listed = _put(folder, "graphs/decoder.onnx.data", b"weights")
    assert listed.checked_path("decoder").is_file()
    (folder / "graphs/decoder.onnx.data").write_bytes(b"WEIGHTS")
    with pytest.raises(InvalidBundle, match=r"decoder\.onnx\.data is damaged"):
        Bundle.open(folder).checked_path("decoder")


def test_a_form_for_cuda_shares_the_weights_of_its_own_role_only(folder: Path) -> None:
    bundle = _put(folder, "graphs/flow.gpu.onnx", tiny_graph("flow", location="flow.onnx.data"))
    for role, whole in (("flow", True), ("decoder", False)):
        manifest = replace(bundle.manifest, gpu_graphs={role: "graphs/flow.gpu.onnx"})
        write_manifest(folder, manifest)
        made = Bundle.open(folder)
        if whole:
            assert made.checked_path("graphs/flow.gpu.onnx").is_file()
            made.verify()
            continue
        with pytest.raises(InvalidBundle, match=r"flow\.gpu\.onnx takes weights"):
            made.checked_path("graphs/flow.gpu.onnx")


def test_what_is_no_graph_is_refused_before_it_is_loaded(folder: Path) -> None:
    for content in (b"", b"graph decoder", tiny_graph("decoder")[:-1]):
        with pytest.raises(InvalidBundle, match=r"decoder\.onnx is no ONNX graph"):
            _put(folder, "graphs/decoder.onnx", content).checked_path("decoder")


def test_a_graph_of_a_newer_opset_than_the_manifest_says_is_refused(folder: Path) -> None:
    assert _put(folder, "graphs/decoder.onnx", tiny_graph("decoder", opset=17)).checked_path("decoder")
    bundle = _put(folder, "graphs/decoder.onnx", tiny_graph("decoder", opset=21))
    for check in (lambda: bundle.checked_path("decoder"), bundle.verify):
        with pytest.raises(InvalidBundle, match=r"decoder\.onnx is of ONNX opset 21; the manifest says 18"):
            check()


def test_a_file_in_the_format_of_the_runtime_is_refused(folder: Path) -> None:
    """ONNX Runtime goes by the name, so that other bytes than those looked at could count."""
    bundle = _put(folder, "graphs/decoder.ORT", tiny_graph("decoder"))
    graph = replace(bundle.manifest.graphs["decoder"], file="graphs/decoder.ORT")
    write_manifest(folder, replace(bundle.manifest, graphs={**bundle.manifest.graphs, "decoder": graph}))
    with pytest.raises(InvalidBundle, match="not in the format of ONNX"):
        Bundle.open(folder).checked_path("decoder")


def test_a_graph_is_looked_into_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.open(folder)
    bundle.checked_path("flow")
    monkeypatch.delattr("models_onnx.bundle.read_graph_file")
    assert bundle.checked_path("flow").is_file()


def test_verify_names_every_fault(folder: Path) -> None:
    bundle = Bundle.open(folder)
    seen: list[str] = []
    bundle.verify(seen.append)
    assert seen == list(bundle.manifest.files)
    (folder / "null.npz").write_bytes(b"NULL")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InvalidBundle, match=r"null\.npz is damaged.*tokenizer\.json is missing"):
        bundle.verify()


def test_describe_files_refuses_names_that_would_not_open(folder: Path) -> None:
    assert describe_files(folder) == Bundle.open(folder).manifest.files
    (folder / "two words.bin").write_bytes(b"")
    with pytest.raises(InvalidBundle, match="two words"):
        describe_files(folder)
