"""Which file of a folder a model is made of, where it could be one of several."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from exporter.__main__ import main
from exporter.errors import ExportError
from exporter.networks import CheckpointFolder
from exporter.places import find_parts, parts_of, variant_of
from exporter.sizes import GOLDEN, MEDIUM, SIZES, SMALL, SMALL_PLAIN
from models_onnx.bundle import Source

SHARED = ("open_clip_pytorch_model.bin", "v1-44.pth", "bigvgan_generator.pt", "synchformer_state_dict.pth")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What fetching both published sets leaves."""
    for name in (*SHARED, "saganet.pth", "saganet_no_lora.pth"):
        (tmp_path / name).write_bytes(b"not looked into here")
    return tmp_path


@pytest.mark.parametrize("only", ["saganet", "saganet_no_lora"])
def test_the_named_file_alone_is_taken(folder: Path, only: str) -> None:
    for own in ("flow.safetensors", "synchformer.safetensors"):
        (folder / own).touch()
    files = find_parts(folder, SMALL, only=only)
    assert files["flow"] == (folder / f"{only}.pth", "network")
    assert files["synchformer"] == (folder / f"{only}.pth", "synchformer")
    assert files["vae"] == (folder / "v1-44.pth", "")


def test_either_is_refused_with_what_to_say(folder: Path) -> None:
    with pytest.raises(ExportError, match=r"has saganet\.pth and saganet_no_lora\.pth; small_44k_sa") as told:
        find_parts(folder, SMALL)
    assert "Say saganet-small for saganet.pth or saganet-small-no-lora for saganet_no_lora.pth." in str(
        told.value
    )
    with pytest.raises(ExportError, match="Move the one"):
        find_parts(folder, MEDIUM)
    (folder / "flow.pth").touch()
    with pytest.raises(ExportError, match="may be made of either"):
        find_parts(folder, SMALL)  # the sync encoder would still be one of the two
    (folder / "synchformer.pth").touch()
    assert find_parts(folder, SMALL)["flow"] == (folder / "flow.pth", "")


@pytest.mark.parametrize("left", ["saganet", "saganet_no_lora"])
def test_one_of_them_is_taken_by_the_name_of_the_size(folder: Path, left: str) -> None:
    gone = {"saganet": "saganet_no_lora", "saganet_no_lora": "saganet"}[left]
    (folder / f"{gone}.pth").unlink()
    assert find_parts(folder, SMALL)["flow"] == (folder / f"{left}.pth", "network")
    with pytest.raises(ExportError, match=rf"flow \({gone}\).*to make a bundle of {left}\.pth") as told:
        find_parts(folder, SMALL, only=gone)
    assert f"Say {'saganet-small-no-lora' if left.endswith('lora') else 'saganet-small'} to" in str(
        told.value
    )


def test_a_model_without_masks_has_nothing_to_do_with_them(folder: Path) -> None:
    (folder / "mmaudio_small_44k.pth").touch()
    assert find_parts(folder, SMALL_PLAIN)["flow"] == (folder / "mmaudio_small_44k.pth", "")
    assert "flow_base" not in parts_of(SMALL_PLAIN)


def test_which_one_a_bundle_was_made_of() -> None:
    assert (
        variant_of([Source("v1-44.pth", ""), Source("saganet_no_lora.safetensors", "")]) == "saganet_no_lora"
    )
    assert variant_of([Source("saganet.pth", "")]) == "saganet"
    assert variant_of([Source("flow.pth", "")]) == ""


def test_every_part_is_told_with_its_file(folder: Path) -> None:
    weights = CheckpointFolder.open(folder, dataclasses.replace(GOLDEN, name="small_44k_sa"), only="saganet")
    assert "flow from saganet.pth" in weights.described()
    assert "vae from v1-44.pth" in weights.described()


def test_the_command_takes_what_was_fetched(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files hold nothing, so that the export ends at the first of them: after it has named all."""
    monkeypatch.setitem(SIZES, "small_44k_sa", dataclasses.replace(GOLDEN, name="small_44k_sa"))
    for name, file in (("saganet-small", "saganet.pth"), ("saganet-small-no-lora", "saganet_no_lora.pth")):
        assert main([name, "--checkpoints", str(folder), "-o", str(folder / "bundle")]) == 2
        shown = capsys.readouterr()
        assert f"synchformer from {file}" in shown.out
        assert f"flow from {file}" in shown.out
    assert main(["small_44k_sa", "--checkpoints", str(folder), "-o", str(folder / "bundle")]) == 2
    assert "may be made of either. Say saganet-small for" in capsys.readouterr().err
