"""`sagafoley models fetch|list|remove`: published checkpoints from servers, mirrors and folders."""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from models_onnx import fetching
from models_onnx.catalog import Catalog, CheckpointSet, PublishedFile, WeightsLicence
from models_onnx.fetching import Fetcher, Patience
from tests.unit.models_onnx.bad_server import Behaviour, serving

MIT = WeightsLicence("mit", "MIT", "yes", "https://example.org/mit", "Free for any use.")
NC = WeightsLicence("nc", "CC-BY-NC-4.0", "no", "https://example.org/nc", "Not for paid work.")
CONTENTS = {"small.pth": b"small" * 1000, "vae.pth": b"vae" * 2000}


def published(name: str, licence: WeightsLicence) -> PublishedFile:
    content = CONTENTS[name]
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return PublishedFile(name, f"https://example.org/{name}", licence, "a test", about=len(content), md5=md5)


SMALL = CheckpointSet(
    "test-small", "A small test", (published("small.pth", NC), published("vae.pth", MIT)), "small_44k_sa"
)
OTHER = CheckpointSet("test-other", "Another test", (published("vae.pth", MIT),), "")


@pytest.fixture(autouse=True)
def own_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = {each.id: each for each in (SMALL, OTHER)}
    monkeypatch.setattr(Catalog, "load", classmethod(lambda cls: cls(sets)))
    monkeypatch.setattr("plugin.checkpoints.Fetcher", impatient)


def impatient(session: object, progress: object) -> Fetcher:
    patience = Patience(attempts=2, connect=5, read=5)
    return Fetcher(session, progress, patience, pause=lambda _seconds: None)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "by hand"
    made.mkdir()
    for name, content in CONTENTS.items():
        (made / name).write_bytes(content)
    return made


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "home/.local/share/sagafoley/checkpoints"


Run = Callable[..., object]


def test_fetch_from_a_folder(sagafoley, folder: Path, shelf: Path) -> None:
    ran = sagafoley("models", "fetch", "test-small", "--from", folder, "--accept-licence")
    assert ran.code == 0
    assert {path.name: path.read_bytes() for path in shelf.glob("*.pth")} == CONTENTS
    assert f"sagafoley-export small_44k_sa --checkpoints '{shelf}'" in ran.out
    assert "small.pth: there, verified" in ran.err
    for shown in ("Not for paid work.", "https://example.org/nc", "small.pth", "to fetch", "free in"):
        assert shown in ran.err


def test_without_acceptance_nothing_is_fetched(sagafoley, folder: Path, shelf: Path) -> None:
    ran = sagafoley("models", "fetch", "test-small", "--from", folder)
    assert ran.code == 2
    assert ran.told("CC-BY-NC-4.0, MIT not accepted", "--accept-licence")
    assert "Not for paid work." in ran.err
    assert not shelf.exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("yes\n", 0), ("\n", 2), ("n\n", 2), ("", 2)])
def test_on_a_terminal_it_asks_once(
    sagafoley, folder: Path, typed: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    ran = sagafoley("models", "fetch", "test-small", "--from", folder)
    assert ran.code == code
    assert ran.err.count("Do you accept these licences? [y/N]") == 1


def test_what_was_accepted_is_not_asked_again(sagafoley, folder: Path, shelf: Path) -> None:
    assert sagafoley("models", "fetch", "test-small", "--from", folder, "--accept-licence").code == 0
    (shelf / "small.pth").unlink()
    assert sagafoley("models", "fetch", "test-small", "--from", folder).code == 0


def test_what_is_there_is_not_fetched_again(sagafoley, folder: Path, shelf: Path) -> None:
    sagafoley("models", "fetch", "test-small", "--from", folder, "--accept-licence")
    shutil.rmtree(folder)
    ran = sagafoley("models", "fetch", "test-small", "--json")
    assert ran.code == 0
    assert ran.document["folder"] == str(shelf)
    assert [file["sha256"] for file in ran.document["files"]] == [
        hashlib.sha256(CONTENTS[name]).hexdigest() for name in ("small.pth", "vae.pth")
    ]


def test_from_a_mirror(sagafoley, tmp_path: Path) -> None:
    told = Behaviour(CONTENTS["vae.pth"])
    with serving(told) as address:
        ran = sagafoley(
            "models",
            "fetch",
            "test-other",
            "--from",
            f"{address}/mirror/",
            "--accept-licence",
            "-o",
            tmp_path / "here",
        )
    assert ran.code == 0, ran.err
    assert told.requests[0]["path"] == "/mirror/vae.pth"
    assert (tmp_path / "here/vae.pth").read_bytes() == CONTENTS["vae.pth"]


def test_a_mirror_that_gives_something_else(sagafoley, tmp_path: Path) -> None:
    with serving(Behaviour(b"<html>")) as address:
        ran = sagafoley(
            "models", "fetch", "test-other", "--from", address, "--accept-licence", "-o", tmp_path / "x"
        )
    assert ran.code == 2
    assert ran.told("is not the published file")
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["receipts.json"]


@pytest.mark.parametrize("scheme", ["http", "HTTP", "Http"])
def test_a_plain_http_mirror_must_prove_what_it_gives(
    sagafoley, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    unproven = PublishedFile("clip.bin", "https://example.org/clip.bin", MIT, "a test", about=10)
    sets = {"bare": CheckpointSet("bare", "", (unproven,), "")}
    monkeypatch.setattr(Catalog, "load", classmethod(lambda cls: cls(sets)))
    ran = sagafoley("models", "fetch", "bare", "--from", f"{scheme}://mirror.example", "--accept-licence")
    assert ran.code == 2
    assert ran.told("no published digest", "https mirror")


@pytest.mark.parametrize("source", ["ftp://mirror/x", "file:///etc", "https://", "https://[bad"])
def test_other_mirrors_are_refused(sagafoley, source: str) -> None:
    ran = sagafoley("models", "fetch", "test-other", "--from", source, "--accept-licence")
    assert ran.code == 2
    assert ran.told("no address" if "[" in source else "not an address to fetch from", "https mirror")


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"about": 10}, "clip.bin: there; nothing published to compare it with"),
        ({"bytes": 10}, "clip.bin: there; its size is the published one, but no digest"),
    ],
)
def test_what_could_not_be_compared_is_not_called_verified(
    sagafoley, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, int], said: str
) -> None:
    unproven = PublishedFile("clip.bin", "https://example.org/clip.bin", MIT, "a test", **known)
    sets = {"bare": CheckpointSet("bare", "", (unproven,), "")}
    monkeypatch.setattr(Catalog, "load", classmethod(lambda cls: cls(sets)))
    (tmp_path / "clip.bin").write_bytes(b"0123456789")
    ran = sagafoley("models", "fetch", "bare", "--from", tmp_path, "--accept-licence")
    assert ran.code == 0
    assert said in ran.err
    assert "verified" not in ran.err
    (tmp_path / "clip.bin").write_bytes(b"012345")
    ran = sagafoley(
        "models", "fetch", "bare", "--from", tmp_path, "-o", tmp_path / "other", "--accept-licence"
    )
    assert ran.code == 2
    assert ran.told("has 6 bytes")


def test_failures_say_what_to_do(sagafoley, folder: Path) -> None:
    (folder / "vae.pth").unlink()
    ran = sagafoley("models", "fetch", "test-other", "--from", folder, "--accept-licence")
    assert ran.code == 2
    assert ran.told(f"There is no {folder}/vae.pth", "--from FOLDER")
    with serving(Behaviour(b"", statuses=[503] * 9)) as address:
        ran = sagafoley("models", "fetch", "test-other", "--from", address)
    assert ran.code == 2
    assert ran.told("answered 503", "goes on where it was")


def test_too_little_room_is_told_before_anything_comes(
    sagafoley, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    ran = sagafoley("models", "fetch", "test-small", "--from", folder, "--accept-licence")
    assert ran.code == 2
    assert ran.told("needs about 0.0 MB more", "-o FOLDER")


def test_a_file_that_was_put_there_is_verified(sagafoley, folder: Path) -> None:
    ran = sagafoley("models", "fetch", "test-small", "-o", folder, "--accept-licence")
    assert ran.code == 0, ran.err
    assert (folder / "receipts.json").is_file()
    (folder / "vae.pth").write_bytes(b"something else")
    ran = sagafoley("models", "fetch", "test-small", "-o", folder)
    assert ran.code == 2
    assert ran.told("is not the published file", "Move it elsewhere")
    assert (folder / "vae.pth").read_bytes() == b"something else"


def test_a_fetched_set_is_hashed_again(sagafoley, folder: Path, shelf: Path) -> None:
    sagafoley("models", "fetch", "test-small", "--from", folder, "--accept-licence")
    ran = sagafoley("models", "verify", "test-small")
    assert ran.code == 0
    assert ran.lines == ["small.pth: there, verified", "vae.pth: there, verified"]
    document = sagafoley("models", "verify", "test-small", "--json").document
    assert document["files"] == [{"name": name, "fault": ""} for name in CONTENTS]
    (shelf / "small.pth").write_bytes(b"S" + CONTENTS["small.pth"][1:])
    (shelf / "vae.pth").unlink()
    ran = sagafoley("models", "verify", "test-small")
    assert ran.code == 2
    assert ran.told(
        "small.pth is not the published file (its MD5 is another), vae.pth is missing",
        "sagafoley models fetch test-small",
    )


def test_an_empty_source_is_a_slip(sagafoley) -> None:
    ran = sagafoley("models", "fetch", "test-small", "--from", "", "--accept-licence")
    assert ran.code == 2
    assert ran.told("--from names nothing")


def test_a_publisher_who_replaced_a_file_is_not_asked_again_and_again(
    sagafoley, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no digest was published the first one that came counts."""
    unproven = replace(published("vae.pth", MIT), md5="", bytes=len(CONTENTS["vae.pth"]))
    chosen = CheckpointSet("test-unproven", "A test", (unproven,), "")
    monkeypatch.setattr(Catalog, "load", classmethod(lambda cls: cls({chosen.id: chosen})))
    for content in (CONTENTS["vae.pth"], b"V" + CONTENTS["vae.pth"][1:]):
        (tmp_path / "from").mkdir(exist_ok=True)
        (tmp_path / "from/vae.pth").write_bytes(content)
        (tmp_path / "to/vae.pth").unlink(missing_ok=True)
        line = ("models", "fetch", chosen.id, "--from", tmp_path / "from", "-o", tmp_path / "to")
        ran = sagafoley(*line, "--accept-licence")
    assert ran.code == 2
    assert ran.told("another file than was fetched before", "remove receipts.json")
    assert not (tmp_path / "to/vae.pth").exists()


def test_a_wrong_name(sagafoley) -> None:
    assert sagafoley("models", "fetch", "test-smal").told("Did you mean test-small?")
    assert sagafoley("models", "fetch").told("needs a name", "test-small, test-other")
    assert sagafoley("models", "remove", "zzz").told("no bundle or published set 'zzz'")


def test_list_says_what_can_be_fetched_and_what_is_here(sagafoley, folder: Path) -> None:
    listed = sagafoley("models", "list")
    assert listed.code == 0
    assert "test-small  not here" in listed.out
    sagafoley("models", "fetch", "test-other", "--from", folder, "--accept-licence")
    listed = sagafoley("models", "list").out
    assert "test-small  1 of 2" in listed
    assert "test-other  fetched" in listed
    document = sagafoley("models", "list", "--json").document
    assert document["bundles"]
    small, other = document["sets"]
    assert (small["id"], small["state"], small["paid_work"]) == ("test-small", "1 of 2", "no")
    assert (other["state"], other["licences"], other["export"]) == ("fetched", ["MIT"], "")
    assert {file["name"]: file["state"] for file in small["files"]} == {
        "small.pth": "missing",
        "vae.pth": "fetched",
    }
    assert "sets" not in sagafoley("models", "verify", "--json").document


def test_remove_a_set(sagafoley, folder: Path, shelf: Path) -> None:
    sagafoley("models", "fetch", "test-small", "--from", folder, "--accept-licence")
    ran = sagafoley("models", "remove", "test-small")
    assert ran.code == 0
    assert ran.lines == [str(shelf / "small.pth")], "the other file belongs to another whole set"
    ran = sagafoley("models", "remove", "test-other", "--json")
    assert ran.document == {"removed": [str(shelf / "vae.pth")]}
    assert not shelf.exists()
    ran = sagafoley("models", "remove", "test-other")
    assert ran.code == 0
    assert "nothing was changed" in ran.err


def test_remove_a_bundle_of_the_users(sagafoley, shelf: Path) -> None:
    own = shelf.with_name("bundles") / "golden"
    shutil.copytree(Path(__file__).parents[1] / "golden" / "bundle", own)
    ran = sagafoley("models", "remove", "golden")
    assert ran.code == 0
    assert ran.lines == [str(own)]
    assert list(own.parent.iterdir()) == []
    assert sagafoley("models", "remove", "embedded").told("not removed")
