"""What the tests of the loopback share: a server at work, and bytes sent to it by hand."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from resolve_bridge.channels import result_of
from resolve_bridge.inside import asking, proofs
from resolve_bridge.inside.serve_loopback import Server
from resolve_bridge.loopback_channel import LoopbackChannel

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


def new_body(request: dict[str, Any] | None = None) -> bytes:
    return asking.new_envelope(request or {"op": "place"}, 5.0)


def head(running: Running, body: bytes, *, token: str | None = None, **changed: str | None) -> bytes:
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


def sent(running: Running, data: bytes, *, finish: bool = False) -> bytes:
    """What comes back for some bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", running.server.port), timeout=60) as line:
        with suppress(OSError):
            line.sendall(data)
            if finish:
                line.shutdown(socket.SHUT_WR)
        return rest(line)


def rest(line: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionError):
        while part := line.recv(65536):
            answer += part
    return answer


def assert_well(running: Running, channel: LoopbackChannel) -> None:
    before = len(running.done)
    assert result_of(channel.ask({"op": "place", "value": before}, timeout=60)) == {"echo": before}
    assert len(running.done) == before + 1
