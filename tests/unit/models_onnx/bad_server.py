"""A server on the loopback that serves one file, and misbehaves as told."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """What the server does, changed by tests between and during requests.

    Attributes:
        content: of the file.
        etag: "" sends none.
        cut_after: bytes after which the connection is closed, one entry for each answer.
        stall_after: bytes after which an answer waits until `go_on`, one entry for each answer.
        drips: bytes at a time and seconds between them, one entry for each answer.
        statuses: instead of an answer, one entry for each request.
        claimed: a Content-Length that is not true.
        chunked: "yes" sends no length; "framed" sends chunks with their lengths.
        redirects: Location headers, one entry for each request.
        redirects_stall: "yes" begins a body of each redirect and waits until `go_on`.
        headers: more of them.
        no_ranges: "yes" answers 200 to everything.
        shift: added to the start that a 206 claims and sends.
        change_to: what the content becomes after the first answer, by the name of the state.
    """

    content: bytes
    etag: str = '"one"'
    cut_after: list[int] = field(default_factory=list)
    stall_after: list[int] = field(default_factory=list)
    drips: list[tuple[int, float]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    claimed: int | None = None
    chunked: str = "no"
    redirects: list[str] = field(default_factory=list)
    redirects_stall: str = "no"
    headers: dict[str, str] = field(default_factory=dict)
    no_ranges: str = "no"
    shift: int = 0
    change_to: bytes | None = None
    ignores_if_range: str = "no"
    requests: list[dict[str, str]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # type: ignore[assignment]

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        told = self.server.behaviour
        self.close_connection = True
        told.requests.append(
            {"path": self.path, **{key.lower(): value for key, value in self.headers.items()}}
        )
        if told.redirects:
            self.send_response(302)
            self.send_header("Location", told.redirects.pop(0))
            self.send_header("Connection", "close")  # or the next request races with the closing
            self._more(told)
            self.send_header("Content-Length", "1000" if told.redirects_stall == "yes" else "0")
            self.end_headers()
            if told.redirects_stall == "yes":
                self.wfile.flush()
                told.go_on.wait(20)
        elif told.statuses:
            status = told.statuses.pop(0)
            self.send_response(status)
            self.send_header("Connection", "close")
            self._more(told)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._answer(told)
            if told.change_to is not None:
                told.content, told.change_to = told.change_to, None
                told.etag = '"two"' if told.etag else ""

    def _answer(self, told: Behaviour) -> None:
        content, etag = told.content, told.etag
        start = self._start(told)
        if start >= len(content) > 0 and start:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        sent = content[start + told.shift if start else 0 :]
        if start:
            first = start + told.shift
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if etag:
            self.send_header("ETag", etag)
        self._more(told)
        if told.chunked == "yes":
            self.send_header("Connection", "close")
        elif told.chunked == "framed":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(told.claimed or len(sent)))
        self.end_headers()
        self._send(told, sent)

    def _start(self, told: Behaviour) -> int:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        changed = self.headers.get("If-Range", told.etag) != told.etag and told.ignores_if_range == "no"
        return int(wanted[1]) if wanted and not changed and told.no_ranges == "no" else 0

    def _send(self, told: Behaviour, sent: bytes) -> None:
        cut = told.cut_after.pop(0) if told.cut_after else len(sent)
        stall = told.stall_after.pop(0) if told.stall_after else len(sent)
        if told.drips:
            size, pause = told.drips.pop(0)
            for start in range(0, len(sent), size):
                self._write(told, sent[start : start + size])
                time.sleep(pause)
            return
        if told.chunked == "framed":
            self._write(told, sent[:cut])
            if cut >= len(sent):
                self.wfile.write(b"0\r\n\r\n")
            return
        self.wfile.write(sent[: min(cut, stall)])
        if stall < min(cut, len(sent)):
            self.wfile.flush()
            told.go_on.wait(20)
            self.wfile.write(sent[stall:cut])

    def _write(self, told: Behaviour, piece: bytes) -> None:
        framed = b"%x\r\n%s\r\n" % (len(piece), piece)
        self.wfile.write(framed if told.chunked == "framed" else piece)

    def _more(self, told: Behaviour) -> None:
        for name, value in told.headers.items():
            self.send_header(name, value)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    behaviour: Behaviour

    def handle_error(self, *_words: object) -> None:
        """A client that went away is no news."""


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """The server's address while it runs."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.behaviour = behaviour
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        behaviour.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
