"""What a fetch leaves to the next one, to another run, and to the disk."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Self
from unittest.mock import patch

import pytest

from models_onnx import fetching
from models_onnx.copying import copy_file
from models_onnx.fetching import FetchFailed
from models_onnx.parts import copy_of, held, part_of
from models_onnx.shelf import RECEIPTS, Shelf
from tests.unit.models_onnx.bad_server import Behaviour, serving
from tests.unit.models_onnx.fetch_desk import CONTENT, OTHER, PIECE, Desk, published, refused


def _quiet(*_said: object) -> None:
    """Progress."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "from" / "saganet.pth"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def _begun(desk: Desk) -> Path:
    refused(desk, Behaviour(CONTENT, cut_after=[PIECE, 0, 0, 0, 0]))
    return part_of(desk.target)


# -- of one another --------------------------------------------------------------------------------


def test_a_copy_and_a_fetch_do_not_write_the_same_file(desk: Desk, source: Path) -> None:
    part = part_of(desk.target)
    with held(part):
        part.write_bytes(CONTENT[:100])
        with pytest.raises(FetchFailed) as raised:
            copy_file(published(), source, desk.target, _quiet)
    assert raised.value.reason == "busy"
    assert part.read_bytes() == CONTENT[:100]
    assert not desk.target.exists()


def test_who_waited_for_a_part_that_became_the_file_does_not_hold_it(tmp_path: Path) -> None:
    part = tmp_path / "a.part"

    def another(*_locked: int) -> None:
        part.unlink()
        part.touch()

    with patch("models_onnx.parts.fcntl.flock", another), pytest.raises(BlockingIOError), held(part):
        pass


@pytest.mark.parametrize("damage", ["missing", "another", "folder"])
def test_a_wrong_folder_leaves_what_came_from_the_network(desk: Desk, source: Path, damage: str) -> None:
    part = _begun(desk)
    source.unlink()
    if damage == "another":
        source.write_bytes(OTHER)
    elif damage == "folder":
        source.mkdir()
    with pytest.raises(FetchFailed) as raised:
        copy_file(published(), source, desk.target, _quiet)
    assert str(source) in str(raised.value)
    assert "could not be written" not in str(raised.value)
    assert part.read_bytes() == CONTENT[:PIECE]
    assert not copy_of(desk.target).exists()


def test_a_right_folder_makes_what_came_from_the_network_needless(desk: Desk, source: Path) -> None:
    _begun(desk)
    copy_file(published(), source, desk.target, _quiet)
    assert desk.is_right()


def test_another_mirror_goes_on_where_a_digest_proves_the_whole(desk: Desk) -> None:
    _begun(desk)
    told = Behaviour(CONTENT, etag='"other mirror"')
    desk.fetch(told)
    assert told.requests[0]["range"] == "bytes=65536-"
    assert "if-range" not in told.requests[0]
    assert desk.is_right()


def test_without_a_digest_another_mirror_begins_again(desk: Desk) -> None:
    file = published(md5="", bytes=len(CONTENT))
    refused(desk, Behaviour(CONTENT, cut_after=[PIECE, 0, 0, 0, 0]), file)
    told = Behaviour(CONTENT)
    desk.fetch(told, file)
    assert "range" not in told.requests[0]


# -- servers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [1, -1])
def test_a_server_that_always_begins_elsewhere_is_given_up(desk: Desk, shift: int) -> None:
    """Each answer to a range throws away what was there, and brings as much again."""
    told = Behaviour(CONTENT, cut_after=[100_000] * 50, shift=shift)
    assert refused(desk, told).reason == "network"
    assert len(told.requests) <= 12


def test_a_server_that_changes_its_mind_each_time_is_given_up(desk: Desk) -> None:
    told = Behaviour(CONTENT, etag="", cut_after=[100_000] * 50, no_ranges="yes")
    assert refused(desk, told).reason == "network"
    assert len(told.requests) <= 8


@pytest.mark.parametrize("chunked", ["framed", "yes"])
def test_a_file_with_a_digest_has_an_end_too(desk: Desk, chunked: str) -> None:
    fault = refused(desk, Behaviour(CONTENT * 5, chunked=chunked))
    assert fault.reason == "damaged"
    assert part_of(desk.target).stat().st_size <= 3 * len(CONTENT) + PIECE


def test_what_does_not_fit_on_the_disk_is_not_begun(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "room_in", lambda _folder: len(CONTENT) - 1)
    fault = refused(desk, Behaviour(CONTENT))
    assert fault.reason == "full"
    assert f"needs {len(CONTENT)} bytes more" in str(fault)
    assert list(desk.target.parent.iterdir()) == []


def test_a_validator_that_cannot_be_sent_back_is_not_kept(desk: Desk) -> None:
    told = Behaviour(CONTENT, etag="\xa0odd", cut_after=[PIECE])
    desk.fetch(told)
    assert desk.is_right()
    assert "if-range" not in told.requests[1]


def test_a_date_says_how_long_to_wait(desk: Desk) -> None:
    when = formatdate(time.time() + 30, usegmt=True)
    desk.fetch(Behaviour(CONTENT, statuses=[503], headers={"Retry-After": when}))
    assert 20 < desk.pauses[0] <= 31


def test_a_password_is_not_written_down(desk: Desk) -> None:
    with serving(Behaviour(CONTENT, cut_after=[PIECE, 0, 0, 0, 0])) as address:
        named = address.replace("http://", "http://user:secret@") + "/saganet.pth"
        with pytest.raises(FetchFailed) as raised:
            desk.fetcher.fetch(published(), named, desk.target)
    assert "secret" not in str(raised.value)
    assert all(b"secret" not in path.read_bytes() for path in desk.target.parent.iterdir())


# -- places ----------------------------------------------------------------------------------------


def test_a_folder_in_the_place_of_the_file_is_told_before_anything_is_asked(desk: Desk, source: Path) -> None:
    desk.target.mkdir(parents=True)
    told = Behaviour(CONTENT)
    with pytest.raises(FetchFailed, match="is a folder"):
        desk.fetch(told)
    assert told.requests == []
    with pytest.raises(FetchFailed, match="is a folder"):
        copy_file(published(), source, desk.target, _quiet)


def test_a_link_in_the_place_of_a_part_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    part = part_of(desk.target)
    part.parent.mkdir(parents=True)
    part.symlink_to(victim)
    desk.fetch(Behaviour(CONTENT))
    assert desk.is_right()
    assert not desk.target.is_symlink()
    assert victim.read_bytes() == b"mine"


def test_a_source_that_fails_while_it_is_read_is_blamed_itself(desk: Desk, source: Path) -> None:
    class Failing:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_error: object) -> None:
            """Closed."""

        def read(self, _size: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with (
        patch("models_onnx.copying._opened", lambda _source: Failing()),
        pytest.raises(FetchFailed, match=r"from.saganet\.pth cannot be read: Input/output error"),
    ):
        copy_file(published(), source, desk.target, _quiet)


# -- receipts --------------------------------------------------------------------------------------


def _shelf(folder: Path, *names: str) -> Shelf:
    folder.mkdir(exist_ok=True)
    shelf = Shelf.open(folder)
    for name in names:
        (folder / name).write_bytes(CONTENT)
        assert shelf.verify(replace(published(), name=name)) == ""
    return shelf


def test_two_runs_keep_each_others_receipts_and_licences(tmp_path: Path) -> None:
    one, two = Shelf.open(tmp_path), Shelf.open(tmp_path)
    for shelf, name in ((one, "a.pth"), (two, "b.pth")):
        shelf.accept([f"licence of {name}"])
        (tmp_path / name).write_bytes(CONTENT)
        assert shelf.verify(replace(published(), name=name)) == ""
    found = Shelf.open(tmp_path)
    assert set(found.receipts) == {"a.pth", "b.pth"}
    assert found.accepted == {"licence of a.pth", "licence of b.pth"}


def test_a_file_that_was_changed_since_is_not_taken_for_whole(tmp_path: Path) -> None:
    file, shelf = replace(published(), name="a.pth"), _shelf(tmp_path, "a.pth")
    assert shelf.state_of(file) == Shelf.open(tmp_path).state_of(file) == "fetched"
    path = tmp_path / "a.pth"
    path.write_bytes(b"x" + CONTENT[1:])
    os.utime(path, (1, 1))
    assert Shelf.open(tmp_path).state_of(file) == "unknown"
    assert "MD5" in Shelf.open(tmp_path).verify(file)


def test_receipts_of_an_older_version_are_taken(tmp_path: Path) -> None:
    file = replace(published(), name="a.pth")
    _shelf(tmp_path, "a.pth")
    document = json.loads((tmp_path / RECEIPTS).read_text("utf-8"))
    del document["changed"]
    (tmp_path / RECEIPTS).write_text(json.dumps(document), "utf-8")
    assert Shelf.open(tmp_path).state_of(file) == "fetched"


def test_receipts_that_are_nested_without_end_are_none(tmp_path: Path) -> None:
    (tmp_path / RECEIPTS).write_text("[" * 200_000, "utf-8")
    assert Shelf.open(tmp_path).receipts == {}


def test_removing_takes_what_was_begun_along(tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    file, shelf = replace(published(), name="a.pth"), _shelf(folder, "a.pth")
    copy_of(folder / "a.pth").write_bytes(b"begun")
    shelf.remove([file])
    assert not folder.exists()
