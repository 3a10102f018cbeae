"""A stranger on the loopback gets nothing and breaks nothing; the panel is answered all the while."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from plugin.errors import HostNotRunning, HostRefused
from resolve_bridge.channels import result_of
from resolve_bridge.inside import asking, loopback_guard, private_files, proofs, serve_loopback
from resolve_bridge.inside.serve_loopback import Server
from resolve_bridge.loopback_channel import LoopbackChannel
from tests.bridge.bridge_machine import wait_for

GREETING = {"protocol": 1, "product": "DaVinci Resolve", "version": "21.0", "studio": False, "python": "3.6"}


class Running:
    """A server with a thread that works its requests off, as a menu script's main thread does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: list[dict[str, Any]] = []
        self.seen: list[int] = []
        self.hold = threading.Event()
        self.hold.set()
        self.server = Server(GREETING, self._perform, seen=self.seen.append, path=str(path))
        self._ended = threading.Event()
        self._worker = threading.Thread(target=self._work)

    def start(self) -> Running:
        self.server.start()
        self._worker.start()
        return self

    def stop(self) -> None:
        self.hold.set()
        self._ended.set()
        self._worker.join(60)
        self.server.stop()

    def _work(self) -> None:
        while not self._ended.is_set():
            self.server.work(0.05)

    def _perform(self, request: dict[str, Any]) -> dict[str, Any]:
        self.hold.wait(60)
        self.done.append(request)
        return {"ok": True, "result": {"echo": request.get("value")}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bridge" / "server.json"


@pytest.fixture
def running(path: Path) -> Iterator[Running]:
    running = Running(path).start()
    yield running
    running.stop()


@pytest.fixture
def channel(running: Running) -> LoopbackChannel:
    return LoopbackChannel.open(running.path)


def _body(request: dict[str, Any] | None = None) -> bytes:
    return asking.new_envelope(request or {"op": "place"}, 5.0)


def _head(running: Running, body: bytes, *, token: str | None = None, **changed: str | None) -> bytes:
    """A request as the panel sends it; changes by header name with underscores, None leaves one out."""
    nonce, digest = proofs.new_nonce(), proofs.digest_of(body)
    headers: dict[str, str | None] = {
        "host": f"127.0.0.1:{running.server.port}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        proofs.NONCE_HEADER: nonce,
        proofs.DIGEST_HEADER: digest,
        proofs.PROOF_HEADER: proofs.request_proof(token or running.server.token, nonce, digest),
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(["POST /sagafoley HTTP/1.1", *lines, "", ""]).encode("latin-1")


def _sent(running: Running, data: bytes, *, finish: bool = False) -> bytes:
    """What comes back for some bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=60) as line:
        with suppress(OSError):
            line.sendall(data)
            if finish:
                line.shutdown(socket.SHUT_WR)
        return _rest(line)


def _rest(line: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionError):
        while part := line.recv(65536):
            answer += part
    return answer


def _assert_well(running: Running, channel: LoopbackChannel) -> None:
    before = len(running.done)
    assert result_of(channel.ask({"op": "place", "value": before}, timeout=60)) == {"echo": before}
    assert len(running.done) == before + 1


def test_the_panel_is_answered_and_known_by_its_number(running: Running, channel: LoopbackChannel) -> None:
    _assert_well(running, channel)
    assert (channel.greeting.product, channel.greeting.studio) == ("DaVinci Resolve", False)
    assert set(running.seen) == {os.getpid()}


def test_our_own_request_made_by_hand_is_answered(running: Running) -> None:
    """The other tests change one thing of it; so it must be right as it is."""
    body = _body()
    answer = _sent(running, _head(running, body) + body)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(running.done) == 1


STRANGERS: dict[str, Callable[[Running, bytes], bytes]] = {
    "wrong token": lambda running, body: _head(running, body, token="0" * 64) + body,
    "no proof": lambda running, body: _head(running, body, x_sagafoley_proof=None) + body,
    "empty proof": lambda running, body: _head(running, body, x_sagafoley_proof="") + body,
    "proof not ascii": lambda running, body: _head(running, body, x_sagafoley_proof="\xff" * 64) + body,
    "token sent plainly": lambda running, body: (
        _head(running, body, x_sagafoley_proof=None, authorization=f"Bearer {running.server.token}") + body
    ),
    "no nonce": lambda running, body: _head(running, body, x_sagafoley_nonce=None) + body,
    "page, by origin": lambda running, body: _head(running, body, origin="https://example.com") + body,
    "page without origin": lambda running, body: _head(running, body, origin="null") + body,
    "page, by fetch metadata": lambda running, body: _head(running, body, sec_fetch_site="cross-site") + body,
    "page, by referer": lambda running, body: _head(running, body, referer="http://127.0.0.1/") + body,
    "name of another host": lambda running, body: _head(running, body, host="evil.example") + body,
    "localhost by name": lambda running, body: (
        _head(running, body, host=f"localhost:{running.server.port}") + body
    ),
    "form post": lambda running, body: _head(running, body, content_type="text/plain") + body,
    "chunked": lambda running, body: _head(running, body, transfer_encoding="chunked") + body,
    "header twice": lambda running, body: (
        _head(running, body).replace(b"\r\n\r\n", b"\r\ncontent-type: application/json\r\n\r\n") + body
    ),
    "another path": lambda running, body: _head(running, body).replace(b"/sagafoley", b"/") + body,
    "preflight": lambda running, _: (
        f"OPTIONS /sagafoley HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\nOrigin: https://a.example\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n"
    ).encode(),
    "browser": lambda running, _: (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{running.server.port}\r\nUser-Agent: Mozilla/5.0\r\n\r\n"
    ).encode(),
    "no length": lambda running, body: _head(running, body, content_length=None) + body,
    "negative length": lambda running, body: _head(running, body, content_length="-1") + body,
    "length with a sign": lambda running, body: _head(running, body, content_length="+9") + body,
    "a gigabyte announced": lambda running, body: _head(running, body, content_length=str(10**9)) + body,
    "endless head": lambda _running, _body: b"POST /sagafoley HTTP/1.1\r\n" + b"a: b\r\n" * 20000,
    "endless line": lambda _running, _body: b"x" * 200_000,
    "garbage": lambda _running, _body: bytes(range(256)) * 64 + b"\r\n\r\n",
    "nothing but blank lines": lambda _running, _body: b"\r\n\r\n\r\n\r\n",
    "TLS": lambda _running, _body: bytes.fromhex("16030100c8010000c40303") + b"\0" * 200 + b"\r\n\r\n",
    "another body than proved": lambda running, body: _head(running, body) + body[:-3] + b"9}}",
    "more than announced": lambda running, body: _head(running, body) + body + b"more",
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_gets_no_byte(running: Running, channel: LoopbackChannel, kind: str) -> None:
    assert _sent(running, STRANGERS[kind](running, _body())) == b""
    assert running.done == []
    _assert_well(running, channel)


def test_less_than_announced(running: Running, channel: LoopbackChannel) -> None:
    body = _body()
    assert _sent(running, _head(running, body) + body[:-1], finish=True) == b""
    assert running.done == []
    _assert_well(running, channel)


def test_a_gigabyte_is_not_read(running: Running, channel: LoopbackChannel) -> None:
    """Whoever sends it is cut off after a few socket buffers."""
    sent, block = 0, b"\0" * 1_000_000
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=60) as line:
        line.sendall(_head(running, b"", content_length=str(10**9), x_sagafoley_proof="0" * 64))
        with suppress(ConnectionError):
            while sent < 10**9:
                sent += line.send(block)
    assert sent < 10**8
    _assert_well(running, channel)


def test_a_gigabyte_of_the_panel_is_refused_before_it_is_sent(channel: LoopbackChannel) -> None:
    with pytest.raises(HostRefused, match="'place' is too large"):
        channel.ask({"op": "place", "value": "x" * (loopback_guard.BODY_LIMIT + 1)}, timeout=5)


def test_a_slow_loris_is_cut_off_however_it_drips(
    running: Running, channel: LoopbackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then does not buy more time."""
    monkeypatch.setattr(serve_loopback, "HEAD_SECONDS", 0.5)
    data, sent, began = _head(running, b""), 0, time.monotonic()
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=60) as line:
        line.settimeout(0.1)
        while sent < 40:
            with suppress(TimeoutError):
                if line.recv(1) == b"":
                    break
            sent += line.send(data[sent : sent + 1])
    assert sent < 40, f"still served after {time.monotonic() - began:.1f} s"
    _assert_well(running, channel)


def test_a_body_that_drips_is_cut_off(
    running: Running, channel: LoopbackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_loopback, "BODY_SECONDS", 0.3)
    body = _body()
    assert _sent(running, _head(running, body) + body[:5]) == b""
    assert running.done == []
    _assert_well(running, channel)


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
    _assert_well(running, channel)
    wait_for(lambda: threading.active_count() <= before + serve_loopback.CONNECTIONS)
    for line in lines:
        line.close()


def test_who_has_proved_itself_is_not_sent_away_for_strangers(running: Running) -> None:
    running.hold.clear()
    body, answers = _body({"op": "place", "value": 5}), []
    panel = threading.Thread(target=lambda: answers.append(_sent(running, _head(running, body) + body)))
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
                assert _sent(running, _head(running, b"{}", token="1" * 64) + b"{}") == b""

    floods = [threading.Thread(target=flood) for _ in range(4)]
    for each in floods:
        each.start()
    for _ in range(5):
        _assert_well(running, channel)
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
    _assert_well(running, LoopbackChannel.open(running.path))
    assert len(lost) == 2


def test_threads_do_not_pile_up(running: Running, channel: LoopbackChannel) -> None:
    before = threading.active_count()
    for _ in range(60):
        _sent(running, b"garbage\r\n\r\n")
    wait_for(lambda: threading.active_count() <= before + 1)
    _assert_well(running, channel)


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
    answer = _sent(running, _head(running, body) + body).partition(b"\r\n\r\n")[2]
    assert json.loads(answer)["error"]["message"] == "The request has no meaning."
    assert running.done == []
    _assert_well(running, channel)


def test_the_server_listens_on_the_loopback_only(running: Running) -> None:
    listening = running.server._socket
    assert listening is not None
    assert listening.getsockname()[0] == "127.0.0.1"


def test_every_start_has_a_port_and_a_token_of_its_own(tmp_path: Path) -> None:
    tokens = set()
    for name in ("a", "b"):
        running = Running(tmp_path / name / "server.json").start()
        tokens.add(running.server.token)
        assert len(running.server.token) == 64
        running.stop()
    assert len(tokens) == 2


def test_the_file_is_the_users_alone_and_goes_with_the_server(running: Running) -> None:
    path = running.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["server.json"]
    running.stop()
    assert list(path.parent.iterdir()) == []


def test_the_token_is_never_sent(running: Running, channel: LoopbackChannel) -> None:
    body = _body()
    data = _head(running, body) + body
    answer = _sent(running, data)
    assert running.server.token.encode() not in data + answer


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o777])
def test_a_file_that_others_can_read_or_write_is_not_believed(running: Running, mode: int) -> None:
    running.path.chmod(mode)
    with pytest.raises(HostRefused, match="can be read or changed by other users") as caught:
        LoopbackChannel.open(running.path)
    assert caught.value.remedy.startswith(f"Delete {running.path}, ")


def test_a_file_of_another_user_is_not_believed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.getuid()
    monkeypatch.setattr(private_files.os, "getuid", lambda: me + 1)
    with pytest.raises(HostRefused, match="belongs to another user"):
        LoopbackChannel.open(running.path)


def test_a_link_or_a_pipe_in_its_place_is_not_followed(running: Running, tmp_path: Path) -> None:
    real = running.path.rename(tmp_path / "elsewhere.json")
    running.path.symlink_to(real)
    with pytest.raises(HostNotRunning):
        LoopbackChannel.open(running.path)
    running.path.unlink()
    os.mkfifo(running.path, 0o600)
    with pytest.raises(HostRefused, match="not a plain file"):
        LoopbackChannel.open(running.path)
    running.path.unlink()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"port": 80}',
        '{"port": 99999, "token": "a", "pid": 1, "greeting": {}, "protocol": 1}',
        '{"port": "x", "token": "a", "pid": 1, "greeting": {}, "protocol": 1}',
        '{"port": 80, "token": "a", "pid": 1, "greeting": {}, "protocol": 2}',
        "\udcff",
    ],
)
def test_a_damaged_file_is_nobody(path: Path, text: str) -> None:
    private_files.write_private(str(path), "")
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(HostNotRunning, match="not running") as caught:
        LoopbackChannel.open(path)
    assert caught.value.remedy == "In DaVinci Resolve choose Workspace > Scripts > Sagafoley."


def test_the_file_of_a_dead_server(path: Path) -> None:
    running = Running(path).start()
    text = path.read_text("utf-8")
    running.stop()
    private_files.write_private(str(path), text)
    with pytest.raises(HostNotRunning, match="not running"):
        LoopbackChannel.open(path)


def test_another_program_on_a_dead_servers_port_is_not_believed(path: Path) -> None:
    """It cannot prove that it holds the token, whatever it says; and it is not told it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        facts = {"protocol": 1, "port": port, "token": "ab" * 32, "pid": 1, "greeting": GREETING}
        private_files.write_private(str(path), json.dumps(facts))
        heard: list[bytes] = []

        def pretend() -> None:
            line, _ = listener.accept()
            with line:
                heard.append(line.recv(65536))
                answer = b'{"ok": true, "result": {}}'
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

        thread = threading.Thread(target=pretend)
        thread.start()
        with pytest.raises(HostNotRunning):
            LoopbackChannel.open(path)
        thread.join(60)
    assert b"ab" * 32 not in heard[0]


def test_a_request_is_done_once_however_often_it_is_sent(running: Running) -> None:
    body = _body({"op": "place", "value": 7})
    answers = [_sent(running, _head(running, body) + body) for _ in range(3)]
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
    _assert_well(running, channel)
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
    _assert_well(newer, channel)
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


def test_windows_closes_the_folder_to_others() -> None:
    variables = {"SYSTEMROOT": r"D:\Windows", "USERDOMAIN": "STUDIO", "USERNAME": "Ada Byron"}
    command = private_files._access_command("C:\\bridge", variables.get)
    assert command[0] == r"D:\Windows\System32\icacls.exe"
    assert command[1:4] == ["C:\\bridge", "/inheritance:r", "/grant:r"]
    assert command[4] == r"STUDIO\Ada Byron:(OI)(CI)F"
