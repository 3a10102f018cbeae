"""What is asked over the loopback is done once, and told to whoever still waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from plugin.errors import HostNotRunning, HostRefused
from resolve_bridge.channels import result_of
from resolve_bridge.inside import serve_loopback
from resolve_bridge.inside.serve_loopback import Server
from resolve_bridge.loopback_channel import LoopbackChannel
from tests.bridge.bridge_machine import wait_for
from tests.bridge.loopback_server import Running, assert_well, head, new_body, sent


def test_a_request_is_done_once_however_often_it_is_sent(running: Running) -> None:
    body = new_body({"op": "place", "value": 7})
    answers = [sent(running, head(running, body) + body) for _ in range(3)]
    assert all(answer.endswith(b'{"ok": true, "result": {"echo": 7}}') for answer in answers)
    assert len(running.done) == 1


def test_a_broken_connection_is_made_again_and_the_work_not(
    running: Running, channel: LoopbackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost on its way; the second sending gets it."""
    send, lost = serve_loopback._send, []

    def lose_one(*args: Any) -> None:
        if not lost:
            lost.append(args)
            raise ConnectionResetError
        send(*args)

    monkeypatch.setattr(serve_loopback, "_send", lose_one)
    assert_well(running, channel)
    assert len(lost) == 1


def test_a_busy_resolve_is_told_by_what_it_does(running: Running, channel: LoopbackChannel) -> None:
    running.hold.clear()
    slow = threading.Thread(target=lambda: channel.ask({"op": "place"}, timeout=60))
    slow.start()
    wait_for(running.server._jobs.busy_with)
    second = LoopbackChannel.open(running.path)
    with pytest.raises(HostNotRunning) as caught:
        second.ask({"op": "status"}, timeout=0.3)
    message = "DaVinci Resolve did not answer 'status' within 0.3 seconds. It is still busy with 'place'."
    assert caught.value.message == message
    unheard = running.server._jobs._waiting[0]
    wait_for(lambda: time.monotonic() > unheard.until)
    running.hold.set()
    slow.join(60)
    wait_for(unheard.done.is_set)
    assert [request["op"] for request in running.done] == ["place"], "nobody waited for the other any more"


def test_two_panels_at_once_are_both_answered(running: Running) -> None:
    found: list[object] = []

    def panel(name: str) -> None:
        own = LoopbackChannel.open(running.path)
        found.extend(own.ask({"op": "x", "value": f"{name}{n}"}, timeout=60)["result"] for n in range(10))

    panels = [threading.Thread(target=panel, args=(name,)) for name in "ab"]
    for each in panels:
        each.start()
    for each in panels:
        each.join(60)
    assert sorted(each["echo"] for each in found) == sorted(f"{p}{n}" for p in "ab" for n in range(10))  # type: ignore[index]


def test_too_many_waiting_are_sent_away(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from resolve_bridge.inside import jobs

    monkeypatch.setattr(jobs, "WAITING", 0)
    with pytest.raises(HostRefused, match="Too many requests"):
        result_of(LoopbackChannel.open(running.path).ask({"op": "x"}, timeout=60))


def test_a_panel_follows_to_a_newer_script(path: Path) -> None:
    older = Running(path).start()
    channel = LoopbackChannel.open(path)
    newer = Running(path).start()
    older.stop()
    assert_well(newer, channel)
    assert path.exists(), "the older one does not take the newer one's file away"
    newer.stop()


def test_work_that_an_older_script_took_is_not_given_to_a_newer_one(path: Path) -> None:
    """A newer script knows nothing of it, and could place the same stems a second time."""
    older = Running(path).start()
    channel = LoopbackChannel.open(path)
    older.hold.clear()
    failures: list[HostNotRunning] = []

    def place() -> None:
        try:
            channel.ask({"op": "place"}, timeout=60)
        except HostNotRunning as error:
            failures.append(error)

    placing = threading.Thread(target=place)
    placing.start()
    wait_for(older.server._jobs.busy_with)
    newer = Running(path).start()
    for connection in list(_connections(older.server)):
        connection.shutdown(socket.SHUT_RDWR)
    placing.join(60)
    assert "broke while 'place' was under way" in failures[0].message
    assert newer.done == []
    older.stop()
    newer.stop()


def _connections(server: Server) -> Iterator[socket.socket]:
    """The connections that the server's threads hold; found as a crash would cut them."""
    import gc

    for each in gc.get_objects():  # `isinstance` would ask objects of other libraries, and some warn
        if (
            issubclass(type(each), socket.socket) and each.fileno() >= 0
        ):  # other libraries' `__class__` may warn
            with suppress(OSError):
                if each.getsockname()[1] == server.port and each.getpeername():
                    yield each


def test_what_waits_when_a_script_ends_is_done_by_the_next(path: Path) -> None:
    older = Running(path).start()
    channel = LoopbackChannel.open(path)
    older.hold.clear()
    busy = threading.Thread(target=lambda: channel.ask({"op": "first"}, timeout=60))
    busy.start()
    wait_for(older.server._jobs.busy_with)
    waiting = LoopbackChannel.open(path)
    found: list[object] = []
    second = threading.Thread(target=lambda: found.append(waiting.ask({"op": "second"}, timeout=60)["ok"]))
    second.start()
    wait_for(lambda: older.server._jobs._waiting)
    older._ended.set()
    newer = Running(path).start()
    older.stop()
    busy.join(60)
    second.join(60)
    assert found == [True]
    assert [request["op"] for request in older.done + newer.done] == ["first", "second"]
    newer.stop()
