"""A stranger on the loopback gets nothing and breaks nothing; the panel is answered all the while."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from plugin.errors import HostRefused
from resolve_bridge.inside import loopback_guard, serve_loopback
from resolve_bridge.loopback_channel import LoopbackChannel
from tests.bridge.bridge_machine import wait_for
from tests.bridge.loopback_server import Running, assert_well, head, new_body, sent


def test_the_panel_is_answered_and_known_by_its_number(running: Running, channel: LoopbackChannel) -> None:
    assert_well(running, channel)
    assert (channel.greeting.product, channel.greeting.studio) == ("DaVinci Resolve", False)
    assert set(running.seen) == {os.getpid()}


def test_our_own_request_made_by_hand_is_answered(running: Running) -> None:
    """The other tests change one thing of it; so it must be right as it is."""
    body = new_body()
    answer = sent(running, head(running, body) + body)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(running.done) == 1


STRANGERS: dict[str, Callable[[Running, bytes], bytes]] = {
    "wrong token": lambda running, body: head(running, body, token="0" * 64) + body,
    "no proof": lambda running, body: head(running, body, x_sagafoley_proof=None) + body,
    "empty proof": lambda running, body: head(running, body, x_sagafoley_proof="") + body,
    "proof not ascii": lambda running, body: head(running, body, x_sagafoley_proof="\xff" * 64) + body,
    "token sent plainly": lambda running, body: (
        head(running, body, x_sagafoley_proof=None, authorization=f"Bearer {running.server.token}") + body
    ),
    "no nonce": lambda running, body: head(running, body, x_sagafoley_nonce=None) + body,
    "page, by origin": lambda running, body: head(running, body, origin="https://example.com") + body,
    "page without origin": lambda running, body: head(running, body, origin="null") + body,
    "page, by fetch metadata": lambda running, body: head(running, body, sec_fetch_site="cross-site") + body,
    "page, by referer": lambda running, body: head(running, body, referer="http://127.0.0.1/") + body,
    "name of another host": lambda running, body: head(running, body, host="evil.example") + body,
    "localhost by name": lambda running, body: (
        head(running, body, host=f"localhost:{running.server.port}") + body
    ),
    "form post": lambda running, body: head(running, body, content_type="text/plain") + body,
    "chunked": lambda running, body: head(running, body, transfer_encoding="chunked") + body,
    "header twice": lambda running, body: (
        head(running, body).replace(b"\r\n\r\n", b"\r\ncontent-type: application/json\r\n\r\n") + body
    ),
    "another path": lambda running, body: head(running, body).replace(b"/sagafoley", b"/") + body,
    "preflight": lambda running, _: (
        f"OPTIONS /sagafoley HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\nOrigin: https://a.example\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n"
    ).encode(),
    "browser": lambda running, _: (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\nUser-Agent: Mozilla/5.0\r\n\r\n"
    ).encode(),
    "no length": lambda running, body: head(running, body, content_length=None) + body,
    "negative length": lambda running, body: head(running, body, content_length="-1") + body,
    "length with a sign": lambda running, body: head(running, body, content_length="+9") + body,
    "a gigabyte announced": lambda running, body: head(running, body, content_length=str(10**9)) + body,
    "endless head": lambda _running, _body: b"POST /sagafoley HTTP/1.1\r\n" + b"a: b\r\n" * 20000,
    "endless line": lambda _running, _body: b"x" * 200_000,
    "garbage": lambda _running, _body: bytes(range(256)) * 64 + b"\r\n\r\n",
    "nothing but blank lines": lambda _running, _body: b"\r\n\r\n\r\n\r\n",
    "TLS": lambda _running, _body: bytes.fromhex("16030100c8010000c40303") + b"\0" * 200 + b"\r\n\r\n",
    "another body than proved": lambda running, body: head(running, body) + body[:-3] + b"9}}",
    "more than announced": lambda running, body: head(running, body) + body + b"more",
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_gets_no_byte(running: Running, channel: LoopbackChannel, kind: str) -> None:
    assert sent(running, STRANGERS[kind](running, new_body())) == b""
    assert running.done == []
    assert_well(running, channel)


def test_less_than_announced(running: Running, channel: LoopbackChannel) -> None:
    body = new_body()
    assert sent(running, head(running, body) + body[:-1], finish=True) == b""
    assert running.done == []
    assert_well(running, channel)


def test_a_gigabyte_is_not_read(running: Running, channel: LoopbackChannel) -> None:
    """Whoever sends it is cut off after a few socket buffers."""
    sent, block = 0, b"\0" * 1_000_000
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=60) as line:
        line.sendall(head(running, b"", content_length=str(10**9), x_sagafoley_proof="0" * 64))
        with suppress(ConnectionError):
            while sent < 10**9:
                sent += line.send(block)
    assert sent < 10**8
    assert_well(running, channel)


def test_a_gigabyte_of_the_panel_is_refused_before_it_is_sent(channel: LoopbackChannel) -> None:
    with pytest.raises(HostRefused, match="'place' is too large"):
        channel.ask({"op": "place", "value": "x" * (loopback_guard.BODY_LIMIT + 1)}, timeout=5)


def test_a_slow_loris_is_cut_off_however_it_drips(
    running: Running, channel: LoopbackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then does not buy more time."""
    monkeypatch.setattr(serve_loopback, "HEAD_SECONDS", 0.5)
    data, sent, began = head(running, b""), 0, time.monotonic()
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=60) as line:
        line.settimeout(0.1)
        while sent < 40:
            with suppress(TimeoutError):
                if line.recv(1) == b"":
                    break
            sent += line.send(data[sent : sent + 1])
    assert sent < 40, f"still served after {time.monotonic() - began:.1f} s"
    assert_well(running, channel)


def test_a_body_that_drips_is_cut_off(
    running: Running, channel: LoopbackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_loopback, "BODY_SECONDS", 0.3)
    body = new_body()
    assert sent(running, head(running, body) + body[:5]) == b""
    assert running.done == []
    assert_well(running, channel)


def _strangers(running: Running, count: int) -> list[socket.socket]:
    """Connections that begin to say something and never end."""
    lines = [socket.create_connection(("127.0.0.1", running.server.port), timeout=60) for _ in range(count)]
    for line in lines:
        with suppress(OSError):
            line.send(b"POST ")
    return lines


def test_many_open_connections_make_room_for_the_panel(
    running: Running, channel: LoopbackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by waiting until they are cut off, and without a thread for each of them."""
    monkeypatch.setattr(serve_loopback, "HEAD_SECONDS", 3600.0)
    before = threading.active_count()
    lines = _strangers(running, 100)
    assert_well(running, channel)
    wait_for(lambda: threading.active_count() <= before + serve_loopback.CONNECTIONS)
    for line in lines:
        line.close()


def test_who_has_proved_itself_is_not_sent_away_for_strangers(running: Running) -> None:
    running.hold.clear()
    body, answers = new_body({"op": "place", "value": 5}), []
    panel = threading.Thread(target=lambda: answers.append(sent(running, head(running, body) + body)))
    panel.start()
    wait_for(running.server._jobs.busy_with)
    lines = _strangers(running, 2 * serve_loopback.CONNECTIONS)
    wait_for(lambda: running.server._open >= serve_loopback.CONNECTIONS)
    running.hold.set()
    panel.join(60)
    assert answers[0].endswith(b'{"ok": true, "result": {"echo": 5}}')
    for line in lines:
        line.close()


@pytest.mark.parametrize(
    ("length", "allowed"),
    [("0", True), (str(loopback_guard.BODY_LIMIT), True), (str(loopback_guard.BODY_LIMIT + 1), False)],
)
def test_the_longest_body(length: str, allowed: bool) -> None:
    if allowed:
        assert loopback_guard._length({"content-length": length}) == int(length)
    else:
        with pytest.raises(loopback_guard.Stranger):
            loopback_guard._length({"content-length": length})


def test_a_flood_of_requests_with_a_wrong_token(running: Running, channel: LoopbackChannel) -> None:
    def flood() -> None:
        for _ in range(100):
            with suppress(OSError):
                assert sent(running, head(running, b"{}", token="1" * 64) + b"{}") == b""

    floods = [threading.Thread(target=flood) for _ in range(4)]
    for each in floods:
        each.start()
    for _ in range(5):
        assert_well(running, channel)
    for each in floods:
        each.join(60)
    assert len(running.done) == 5


def test_a_panel_can_connect_amid_a_crowd(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first connections are lost; it is not told that nobody is there."""
    send, lost = serve_loopback._send, []

    def lose_two(*args: Any) -> None:
        if len(lost) < 2:
            lost.append(args)
            raise ConnectionResetError
        send(*args)

    monkeypatch.setattr(serve_loopback, "_send", lose_two)
    assert_well(running, LoopbackChannel.open(running.path))
    assert len(lost) == 2


def test_threads_do_not_pile_up(running: Running, channel: LoopbackChannel) -> None:
    before = threading.active_count()
    for _ in range(60):
        sent(running, b"garbage\r\n\r\n")
    wait_for(lambda: threading.active_count() <= before + 1)
    assert_well(running, channel)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"id": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": "a", "request": [], "timeout": 5, "process": 1}',
        b'{"id": "a", "request": {"op": "x"}, "timeout": -1, "process": 1}',
        b'{"id": "a", "request": {"op": "x"}, "timeout": 1e9, "process": 1}',
        b'{"id": "a", "request": {"op": "x"}, "timeout": NaN, "process": 1}',
        b'{"id": "a", "request": {"op": "x"}, "timeout": 5, "process": "me"}',
    ],
)
def test_a_proved_body_without_meaning_is_refused_in_words(
    running: Running, channel: LoopbackChannel, body: bytes
) -> None:
    answer = sent(running, head(running, body) + body).partition(b"\r\n\r\n")[2]
    assert json.loads(answer)["error"]["message"] == "The request has no meaning."
    assert running.done == []
    assert_well(running, channel)


def test_the_server_listens_on_the_loopback_only(running: Running) -> None:
    listening = running.server._socket
    assert listening is not None
    assert listening.getsockname()[0] == "127.0.0.1"
