"""Fetching from servers that truncate, stall, lie, change and redirect: whole and right, or not there."""

from __future__ import annotations

import errno
import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from models_onnx.copying import copy_file
from models_onnx.fetching import (
    FetchFailed,
    room_in,
    write_failure,
)
from models_onnx.parts import Digests, fault_of, held, part_of
from tests.unit.models_onnx.bad_server import Behaviour, serving
from tests.unit.models_onnx.fetch_desk import (
    CONTENT,
    OTHER,
    PIECE,
    QUICK,
    Desk,
    md5,
    published,
    refused,
)


def test_a_whole_file(desk: Desk) -> None:
    digests = desk.fetch(Behaviour(CONTENT))
    assert desk.is_right()
    assert digests == Digests(len(CONTENT), md5(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert desk.seen[-1] == (len(CONTENT), len(CONTENT))
    assert desk.pauses == []


def test_what_a_truncating_server_kept_back_is_asked_for(desk: Desk) -> None:
    told = Behaviour(CONTENT, cut_after=[PIECE, 2 * PIECE, PIECE])
    desk.fetch(told)
    assert desk.is_right()
    assert [request.get("range") for request in told.requests] == [
        None,
        "bytes=65536-",
        "bytes=196608-",
        "bytes=262144-",
    ]
    assert all(request.get("if-range") == '"one"' for request in told.requests[1:])
    assert all(request["accept-encoding"] == "identity" for request in told.requests)


def test_a_stalled_server_is_left_and_asked_again(desk: Desk) -> None:
    told = Behaviour(CONTENT, stall_after=[PIECE])
    desk.fetch(told)
    assert desk.is_right()
    assert told.requests[1]["range"] == "bytes=65536-"


def test_a_trickle_counts_as_a_stall(desk: Desk) -> None:
    """Every piece seems to take a second: the clock is ours."""
    times = iter(range(10_000))
    desk.fetcher = replace(
        desk.fetcher,
        clock=lambda: float(next(times)),
        patience=replace(QUICK, window=2.0, slowest=10**9, worthwhile=1),
    )
    told = Behaviour(CONTENT)
    desk.fetch(told)
    assert desk.is_right()
    assert len(told.requests) > 1


@pytest.mark.parametrize("chunked", ["no", "framed", "yes"])
def test_a_drip_is_left_after_the_window(desk: Desk, chunked: str) -> None:
    """2000 bytes a second, never a second without one: far below what counts as alive, on the real clock."""
    patience = replace(QUICK, read=5, window=0.5, slowest=30_000, worthwhile=1)
    desk.fetcher = replace(desk.fetcher, patience=patience)
    told = Behaviour(CONTENT, drips=[(100, 0.05)], chunked=chunked)
    began = time.monotonic()
    desk.fetch(told, published(bytes=len(CONTENT)))
    assert time.monotonic() - began < 10
    assert desk.is_right()
    kept = int(told.requests[1]["range"].removeprefix("bytes=").removesuffix("-"))
    assert 100 <= kept < 30_000


def test_a_slow_connection_that_is_fast_enough_is_kept(desk: Desk) -> None:
    patience = replace(QUICK, read=5, window=0.2, slowest=10_000)
    desk.fetcher = replace(desk.fetcher, patience=patience)
    told = Behaviour(CONTENT, drips=[(30_000, 0.05)])
    desk.fetch(told)
    assert desk.is_right()
    assert len(told.requests) == 1


def test_a_whole_piece_after_a_long_time_is_a_stall_too(desk: Desk) -> None:
    """What came is held against the time it took, however much it is: a read seems to take 1000 seconds."""
    times = iter(range(0, 10**7, 1000))
    desk.fetcher = replace(
        desk.fetcher,
        clock=lambda: float(next(times)),
        patience=replace(QUICK, window=60.0, slowest=30_000, worthwhile=1),
    )
    told = Behaviour(CONTENT)
    desk.fetch(told)
    assert desk.is_right()
    assert len(told.requests) > 1


@pytest.mark.parametrize("chunked", ["no", "framed"])
def test_what_came_before_a_cut_inside_a_piece_is_kept(desk: Desk, chunked: str) -> None:
    told = Behaviour(CONTENT, cut_after=[1000, PIECE + 7], chunked=chunked)
    desk.fetch(told, published(bytes=len(CONTENT)))
    assert desk.is_right()
    assert [request.get("range") for request in told.requests] == [None, "bytes=1000-", "bytes=66543-"]


def test_a_run_goes_on_from_the_last_one(desk: Desk, tmp_path: Path) -> None:
    told = Behaviour(CONTENT, cut_after=[PIECE, 0, 0, 0, 0])
    with serving(told) as address:
        with pytest.raises(FetchFailed) as raised:
            desk.fetcher.fetch(published(), f"{address}/saganet.pth", desk.target)
        assert raised.value.reason == "network"
        assert "65536 bytes are kept" in str(raised.value)
        assert part_of(desk.target).read_bytes() == CONTENT[:PIECE]
        told.requests.clear()
        told.cut_after.clear()
        desk.fetcher.fetch(published(), f"{address}/saganet.pth", desk.target)
    assert told.requests[0]["range"] == "bytes=65536-"
    assert desk.is_right()


def test_a_part_of_another_address_is_not_gone_on_with(desk: Desk) -> None:
    refused(desk, Behaviour(OTHER, cut_after=[100_000, 0, 0, 0, 0]))
    desk.fetch(Behaviour(CONTENT))
    assert desk.is_right()


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"address": 3}', None])
def test_a_part_whose_note_is_damaged_is_begun_again(desk: Desk, damage: bytes | None) -> None:
    part = part_of(desk.target)
    part.parent.mkdir(parents=True)
    part.write_bytes(OTHER[:1000])
    if damage is not None:
        part.with_name(part.name + ".json").write_bytes(damage)
    desk.fetch(Behaviour(CONTENT))
    assert desk.is_right()


@pytest.mark.parametrize("etag", ['"one"', "", 'W/"weak"'])
@pytest.mark.parametrize("ignores", ["yes", "no"])
def test_content_that_changes_between_two_ranges(desk: Desk, etag: str, ignores: str) -> None:
    """The first piece was of an older file: never a mixture, whatever the server says of it."""
    told = Behaviour(OTHER, etag=etag, cut_after=[100_000], change_to=CONTENT, ignores_if_range=ignores)
    desk.fetch(told)
    assert desk.is_right()


def test_a_server_without_ranges_is_asked_from_the_beginning(desk: Desk) -> None:
    told = Behaviour(CONTENT, no_ranges="yes", cut_after=[100_000, 200_000])
    desk.fetch(told)
    assert desk.is_right()


def test_a_range_that_begins_elsewhere_is_not_joined(desk: Desk) -> None:
    told = Behaviour(CONTENT, cut_after=[100_000], shift=5)
    desk.fetch(told)
    assert desk.is_right()


def test_a_length_that_is_too_long_does_no_harm(desk: Desk) -> None:
    """Every byte has come and is kept; the server is asked once more and says that this is all."""
    told = Behaviour(CONTENT, claimed=len(CONTENT) + 7)
    desk.fetch(told)
    assert desk.is_right()
    assert len(told.requests) == 2
    desk.target.unlink()
    assert refused(desk, told, published(OTHER)).reason == "damaged"


def test_a_length_that_is_too_short_gives_no_file(desk: Desk) -> None:
    fault = refused(desk, Behaviour(CONTENT, claimed=1000))
    assert fault.reason == "damaged"
    assert "MD5" in str(fault)
    assert not part_of(desk.target).exists()


def test_a_length_other_than_the_published_one_is_refused_at_once(desk: Desk) -> None:
    fault = refused(desk, Behaviour(CONTENT), published(bytes=len(CONTENT) + 1))
    assert fault.reason == "damaged"
    assert "offers 300000 bytes" in str(fault)


def test_no_length_at_all(desk: Desk) -> None:
    desk.fetch(Behaviour(CONTENT, chunked="yes"))
    assert desk.is_right()


def test_without_a_length_nobody_sends_more_than_was_published(desk: Desk) -> None:
    fault = refused(desk, Behaviour(CONTENT + b"more" * 10**5, chunked="yes"), published(bytes=len(CONTENT)))
    assert fault.reason == "damaged"
    assert "more than 300000 bytes" in str(fault)


def test_without_a_length_a_cut_is_found_by_the_published_one(desk: Desk) -> None:
    told = Behaviour(CONTENT, chunked="yes", cut_after=[200_000])
    desk.fetch(told, published(bytes=len(CONTENT)))
    assert desk.is_right()
    assert len(told.requests) == 2


def test_another_file_is_refused_and_not_kept(desk: Desk) -> None:
    fault = refused(desk, Behaviour(b"<html>Please log in</html>"))
    assert fault.reason == "damaged"
    assert list(desk.target.parent.iterdir()) == []


def test_a_part_that_is_whole_already_is_only_verified(desk: Desk) -> None:
    part = part_of(desk.target)
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    told = Behaviour(CONTENT)
    with serving(told) as address:
        note = {"address": f"{address}/saganet.pth", "validator": '"one"'}
        part.with_name(part.name + ".json").write_text(json.dumps(note))
        desk.fetcher.fetch(published(), note["address"], desk.target)
    assert desk.is_right()
    assert len(told.requests) == 1


def test_a_part_that_is_longer_than_the_file_is_begun_again(desk: Desk) -> None:
    part = part_of(desk.target)
    part.parent.mkdir(parents=True)
    part.write_bytes(OTHER + OTHER)
    with serving(Behaviour(CONTENT)) as address:
        part.with_name(part.name + ".json").write_text(json.dumps({"address": f"{address}/saganet.pth"}))
        desk.fetcher.fetch(published(), f"{address}/saganet.pth", desk.target)
    assert desk.is_right()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_a_busy_server_is_asked_again_later(desk: Desk, status: int) -> None:
    desk.fetch(Behaviour(CONTENT, statuses=[status, status]))
    assert desk.is_right()
    assert len(desk.pauses) == 2
    assert desk.pauses[1] > desk.pauses[0]


def test_a_server_says_how_long_to_wait(desk: Desk) -> None:
    told = Behaviour(CONTENT, statuses=[503, 503], headers={"Retry-After": "7"})
    desk.fetch(told)
    assert desk.pauses == [7.0, 7.0]
    desk.target.unlink()
    desk.pauses.clear()
    desk.fetch(Behaviour(CONTENT, statuses=[503], headers={"Retry-After": "86400"}))
    assert desk.pauses == [60.0]


def test_a_server_that_stays_busy_is_given_up(desk: Desk) -> None:
    fault = refused(desk, Behaviour(CONTENT, statuses=[503] * 20))
    assert fault.reason == "network"
    assert "answered 503 (4 attempts" in str(fault)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_no_is_a_no(desk: Desk, status: int) -> None:
    told = Behaviour(CONTENT, statuses=[status])
    fault = refused(desk, told)
    assert fault.reason == "refused"
    assert str(status) in str(fault)
    assert len(told.requests) == 1


def test_nobody_there(desk: Desk) -> None:
    with serving(Behaviour(CONTENT)) as address:
        pass
    with pytest.raises(FetchFailed, match="no connection") as raised:
        desk.fetcher.fetch(published(), f"{address}/saganet.pth", desk.target)
    assert raised.value.reason == "network"
    assert len(desk.pauses) == QUICK.attempts - 1


def test_the_servers_own_hash_counts_where_none_was_published(desk: Desk) -> None:
    linked = {"X-Linked-Etag": f'"{hashlib.sha256(CONTENT).hexdigest()}"'}
    desk.fetch(Behaviour(CONTENT, redirects=["/there"], headers=linked), published(md5=""))
    assert desk.is_right()
    desk.target.unlink()
    wrong = Behaviour(OTHER, redirects=["/there"], headers=linked)
    assert "SHA-256" in str(refused(desk, wrong, published(md5="")))


@pytest.mark.parametrize("size", [6, 79_000, 121_000])
def test_a_size_far_off_is_refused_where_there_is_nothing_else_to_compare(
    desk: Desk, tmp_path: Path, size: int
) -> None:
    file, content = published(md5="", about=100_000), CONTENT[:size]
    assert f"offers {size} bytes; saganet.pth was published with about 100000" in str(
        refused(desk, Behaviour(content), file)
    )
    assert refused(desk, Behaviour(content, chunked="framed"), file).reason == "damaged"
    source = tmp_path / "saganet.pth"
    source.write_bytes(content)
    with pytest.raises(FetchFailed, match=f"has {size} bytes; about 100000 were published"):
        copy_file(file, source, desk.target, lambda *_said: None)
    assert not desk.target.exists()


def test_a_server_that_does_not_end_is_left_at_the_most_there_can_be(desk: Desk) -> None:
    told = Behaviour(CONTENT * 20, chunked="framed")
    assert "more than 360000 bytes" in str(refused(desk, told, published(md5="")))
    assert desk.seen[-1][0] <= 360_000


@pytest.mark.parametrize("size", [81_000, 119_000])
def test_a_size_that_is_about_right_is_taken(desk: Desk, size: int) -> None:
    desk.fetch(Behaviour(CONTENT[:size]), published(md5="", about=100_000))
    assert desk.target.stat().st_size == size
    assert fault_of(published(b"abc", about=1000), Digests(3, md5(b"abc"), "")) == "", "the digest decides"


def test_a_proxy_of_the_environment_is_used(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Behaviour(CONTENT)
    with serving(told) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        desk.fetcher.fetch(published(), "http://mirror.example/saganet.pth", desk.target)
    assert told.requests[0]["path"] == "http://mirror.example/saganet.pth"
    assert desk.is_right()


def test_a_full_disk_is_told_and_the_part_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from models_onnx.parts import Part

    real = Part.append

    def full(self: Part, file: object, piece: bytes) -> None:
        if self.size > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, file, piece)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Part, "append", full)
        assert refused(desk, Behaviour(CONTENT)).reason == "full"
    assert part_of(desk.target).stat().st_size > 100_000


def test_two_runs_do_not_fetch_the_same_file(desk: Desk) -> None:
    with held(part_of(desk.target)):
        fault = refused(desk, Behaviour(CONTENT))
    assert fault.reason == "busy"
    desk.fetch(Behaviour(CONTENT))
    assert desk.is_right()


def test_what_a_failed_write_means() -> None:
    assert write_failure(Path("/a/b"), OSError(errno.ENOSPC, "x")).reason == "full"
    assert write_failure(Path("/a/b"), OSError(errno.EACCES, "Permission denied")).reason == "write"


def test_room_in_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert room_in(tmp_path / "a" / "b") == room_in(tmp_path) > 0


def test_a_file_of_a_folder_is_verified_on_the_way(tmp_path: Path) -> None:
    source, target = tmp_path / "from" / "saganet.pth", tmp_path / "to" / "saganet.pth"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    copy_file(published(), source, target, lambda *_said: None)
    assert target.read_bytes() == CONTENT
    target.unlink()
    source.write_bytes(OTHER)
    with pytest.raises(FetchFailed, match="not the published file"):
        copy_file(published(), source, target, lambda *_said: None)
    source.unlink()
    with pytest.raises(FetchFailed, match="There is no"):
        copy_file(published(), source, target, lambda *_said: None)
    assert list(target.parent.iterdir()) == []


def test_faults() -> None:
    whole = Digests(3, md5(b"abc"), hashlib.sha256(b"abc").hexdigest())
    assert fault_of(published(b"abc"), whole) == ""
    assert "bytes" in fault_of(published(b"abc", bytes=4), whole)
    assert "MD5" in fault_of(published(b"abd"), whole)
    assert "SHA-256" in fault_of(published(b"abc", sha256="0" * 64), whole)
    assert fault_of(published(b"abc", md5=""), replace(whole, bytes=0)) == "is empty"
