"""The file through which a panel finds the menu script: only the user's own is believed."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from plugin.errors import HostNotRunning, HostRefused
from resolve_bridge.inside import private_files
from resolve_bridge.loopback_channel import LoopbackChannel
from tests.bridge.loopback_server import GREETING, Running, head, new_body, sent


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
    body = new_body()
    data = head(running, body) + body
    answer = sent(running, data)
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


def test_windows_closes_the_folder_to_others() -> None:
    variables = {"SYSTEMROOT": r"D:\Windows", "USERDOMAIN": "STUDIO", "USERNAME": "Ada Byron"}
    command = private_files._access_command("C:\\bridge", variables.get)
    assert command[0] == r"D:\Windows\System32\icacls.exe"
    assert command[1:4] == ["C:\\bridge", "/inheritance:r", "/grant:r"]
    assert command[4] == r"STUDIO\Ada Byron:(OI)(CI)F"
