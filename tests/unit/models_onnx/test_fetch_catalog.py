"""The catalog of published files, and the shelf of fetched ones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from models_onnx.addresses import check_address
from models_onnx.catalog import Catalog, CheckpointSet, PublishedFile, WeightsLicence
from models_onnx.parts import part_of
from models_onnx.shelf import RECEIPTS, Shelf, only_needed_by

PUBLISHED_MD5 = {
    "saganet.pth": "4f3a0ebe86bdf956db289894ec531f5e",
    "saganet_no_lora.pth": "c9fe7b24c6c72574feac27731575d99e",
    "v1-44.pth": "fab020275fa44c6589820ce025191600",
    "synchformer_state_dict.pth": "5b2f5594b0730f70e41e549b7c94390c",
    "mmaudio_small_44k.pth": "babd74c884783d13701ea2820a5f5b6d",
    "mmaudio_medium_44k.pth": "5a56b6665e45a1e65ada534defa903d0",
}
BIGVGAN = "d9fe7ec6bd0b44ed9d66973d5012d8181c1570b01e5c72df51973e241dccd357"
OWLV2 = "owlv2-base-patch16-ensemble.safetensors"
"""Published under a name that says nothing."""
MIT = WeightsLicence("mit", "MIT", "yes", "https://example.org", "Free.")


def files() -> dict[str, PublishedFile]:
    return {file.name: file for each in Catalog.load().sets.values() for file in each.files}


def test_every_published_digest_is_the_published_one() -> None:
    known = files()
    assert {name: known[name].md5 for name in PUBLISHED_MD5} == PUBLISHED_MD5
    assert known["bigvgan_generator.pt"].sha256 == BIGVGAN
    without = {name for name, file in known.items() if not (file.md5 or file.sha256)}
    assert without == {"open_clip_pytorch_model.bin", OWLV2}


def test_every_file_can_be_asked_for_and_has_a_size() -> None:
    for file in files().values():
        assert check_address(file.address) == file.address
        assert file.address.endswith("/model.safetensors" if file.name == OWLV2 else file.name)
        assert bool(file.bytes) != bool(file.about), "exact or about, not both"
        assert file.purpose
        assert len(file.md5) in {0, 32}
        assert len(file.sha256) in {0, 64}


def test_weights_that_come_from_mmaudio_are_not_for_paid_work() -> None:
    for name in PUBLISHED_MD5:
        assert files()[name].licence.name == "CC-BY-NC-4.0"
        assert files()[name].licence.paid_work == "no"


def test_every_set_that_makes_sound_has_a_flow_network_and_what_all_need() -> None:
    for chosen in Catalog.load().sets.values():
        if chosen.export.startswith(("sam2", "owlv2")):
            continue
        names = {file.name for file in chosen.files}
        shared = {
            "v1-44.pth",
            "synchformer_state_dict.pth",
            "bigvgan_generator.pt",
            "open_clip_pytorch_model.bin",
        }
        assert shared <= names
        assert len(names & {"saganet.pth", "saganet_no_lora.pth"} | {n for n in names if "mmaudio" in n}) == 1
        assert {licence.id for licence in chosen.licences} == {"cc-by-nc-4", "apple", "mit"}


def test_every_set_names_what_the_exporter_calls_it() -> None:
    from exporter.__main__ import OTHER_NAMES, SIZE_NAMES
    from exporter.places import VARIANTS, parts_of
    from exporter.sizes import SIZES

    for chosen in Catalog.load().sets.values():
        if chosen.export.startswith(("sam2", "owlv2")):
            continue
        assert chosen.export in {*SIZE_NAMES, *OTHER_NAMES}
        sizes = SIZES[OTHER_NAMES.get(chosen.export, chosen.export)]
        places = parts_of(sizes, only=VARIANTS.get(chosen.export, ""))
        flow, fetched = {stem for stem, _ in places["flow"]}, {Path(file.name).stem for file in chosen.files}
        assert len(flow & fetched) == 1
        assert not flow & ({"saganet", "saganet_no_lora"} - fetched), "another file could be taken"


def test_sets_that_make_masks_are_one_file_each_and_free_for_paid_work() -> None:
    from exporter.sam2_graphs import SAM2_SIZES

    sets = {key: chosen for key, chosen in Catalog.load().sets.items() if chosen.export.startswith("sam2")}
    assert set(sets) == {"sam2-tiny", "sam2-small", "sam2-base-plus"}
    for key, chosen in sets.items():
        (file,) = chosen.files
        assert chosen.export == key
        assert file.name == f"{SAM2_SIZES[key].checkpoint}.pt"
        assert file.sha256
        assert (file.licence.name, file.licence.paid_work) == ("Apache-2.0", "yes")
    assert files()["sam2.1_hiera_tiny.pt"].bytes == 156_008_466


def test_the_exporter_finds_the_files_by_these_names() -> None:
    """Names that the exporter looks for, as its own table has them."""
    from exporter.checkpoints import SUFFIXES

    for name in files():
        assert name.endswith((*SUFFIXES, ".gz"))


# -- the shelf ------------------------------------------------------------------------------------


def made(name: str, content: bytes) -> PublishedFile:
    digest = hashlib.sha256(content).hexdigest()
    return PublishedFile(
        name, f"https://example.org/{name}", MIT, "a test", bytes=len(content), sha256=digest
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "checkpoints ö"
    folder.mkdir()
    return Shelf.open(folder)


def test_states(shelf: Shelf) -> None:
    file = made("a.pth", b"content")
    assert shelf.state_of(file) == "missing"
    assert shelf.remaining(file) == 7
    part_of(shelf.path_of(file)).write_bytes(b"con")
    assert shelf.state_of(file) == "begun"
    assert shelf.remaining(file) == 4
    part_of(shelf.path_of(file)).unlink()
    shelf.path_of(file).write_bytes(b"content")
    assert shelf.state_of(file) == "unknown"
    assert shelf.verify(file) == ""
    assert shelf.state_of(file) == "fetched"
    assert Shelf.open(shelf.folder).state_of(file) == "fetched"
    shelf.path_of(file).write_bytes(b"changed length")
    assert shelf.state_of(file) == "unknown"
    assert "bytes" in shelf.verify(file)


def test_what_was_learned_once_must_stay(shelf: Shelf) -> None:
    """A file without a published digest: the second one must be the first one."""
    file = replace(made("a.bin", b"first"), sha256="")
    shelf.path_of(file).write_bytes(b"first")
    assert shelf.verify(file) == ""
    shelf.path_of(file).write_bytes(b"other")
    assert "fetched before" in Shelf.open(shelf.folder).verify(file)


@pytest.mark.parametrize("text", ["{", "[]", '{"files": {"a": 3}, "accepted": []}', '{"files": {}}', '"x"'])
def test_damaged_receipts_are_no_receipts(shelf: Shelf, text: str) -> None:
    (shelf.folder / RECEIPTS).write_text(text)
    opened = Shelf.open(shelf.folder)
    assert opened.receipts == {}
    assert opened.accepted == set()


def test_accepted_licences_are_remembered(shelf: Shelf) -> None:
    shelf.accept(["mit"])
    shelf.accept(["apple"])
    assert Shelf.open(shelf.folder).accepted == {"mit", "apple"}


def test_removing_leaves_what_another_set_needs(shelf: Shelf) -> None:
    own, shared, other = (made(name, name.encode()) for name in ("own", "shared", "other"))
    first = CheckpointSet("first", "", (own, shared), "")
    second = CheckpointSet("second", "", (shared, other), "")
    for file in (own, shared, other):
        shelf.path_of(file).write_bytes(file.name.encode())
        assert shelf.verify(file) == ""
    assert only_needed_by(first, (first, second), shelf) == (own,)
    assert shelf.remove(only_needed_by(first, (first, second), shelf)) == (shelf.path_of(own),)
    assert shelf.path_of(shared).is_file()
    shelf.remove(only_needed_by(second, (first, second), shelf))
    assert not shelf.folder.exists(), "an empty shelf goes"


def test_removing_takes_what_was_only_begun(shelf: Shelf) -> None:
    file = made("a.pth", b"content")
    part = part_of(shelf.path_of(file))
    part.write_bytes(b"con")
    part.with_name(part.name + ".json").write_text("{}")
    assert shelf.remove([file]) == (part,)
    assert not shelf.folder.exists()
