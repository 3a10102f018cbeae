"""The menu script's server: 127.0.0.1 only, a port of the system's choice, a token of its own at each start.

Connections are read in threads of their own; Resolve is spoken to by the thread that calls
`Server.work`. A stranger's connection is closed without a byte, and when too many are open the oldest
that has proved nothing makes room.
"""

import contextlib
import hmac
import json
import os
import socket
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from .greeting import PROTOCOL
from .jobs import Jobs, TooMany
from .loopback_guard import BODY_SECONDS, HEAD_SECONDS, Stranger, read_body, read_head
from .own_files import server_file
from .private_files import Exposed, read_private, write_private
from .proofs import PROOF_HEADER, answer_proof, digest_of, new_token

CONNECTIONS = 32
"""Open at a time; each costs a thread."""
QUEUE = 128
"""Connections that the system holds until we take them; a panel that finds it full waits for seconds."""
SEND_SECONDS = 30.0
AFTER = 2.0
"""Seconds that we wait longer than the client, who tells its person more than we can."""
LAST_ANSWERS = 3.0
"""Seconds in which answers may still go out before the script, and with it every thread, ends."""
LONGEST_WAIT = 3600.0
"""Seconds; what a client may ask us to wait at most."""

Answer = Dict[str, Any]
Operation = Callable[[int], Answer]
"""Answered at once, without Resolve; takes the process number of whoever asks."""


class Server:
    """Answers whoever holds the token; `start`, then `work` again and again, then `stop`.

    Args:
        greeting: what `inside.greeting.greet` gave.
        perform: takes a request, gives its answer; called in the thread that calls `work` only.
        seen: told the process number of whoever asked.
        path: where port and token are written.
    """

    def __init__(
        self,
        greeting: "Dict[str, Any]",
        perform: "Callable[[Dict[str, Any]], Answer]",
        seen: "Callable[[int], None]",
        path: str = "",
    ) -> None:
        self.greeting = greeting
        self.port = 0
        self.token = new_token()
        self.operations: "Dict[str, Operation]" = {"ping": self._ping}
        self._perform = perform
        self._seen = seen
        self._path = path or server_file()
        self._jobs = Jobs()
        self._socket: "Optional[socket.socket]" = None
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)
        self._accepting = threading.Thread()
        self._strangers: "List[socket.socket]" = []
        self._open = 0

    def start(self) -> None:
        """Listen, then tell this user's programs where.

        Raises:
            OSError: no port can be had, or the file cannot be written.
        """
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform == "win32":  # nobody else may listen on the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        try:
            listener.bind(("127.0.0.1", 0))
            listener.listen(QUEUE)
            self._socket, self.port = listener, listener.getsockname()[1]
            write_private(self._path, json.dumps(self._facts()))
        except OSError:
            listener.close()
            raise
        self._accepting = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        self._accepting.start()

    def work(self, patience: float) -> bool:
        """Do one request in this thread, waiting `patience` seconds for it; whether there was one."""
        return self._jobs.work(self._perform, patience)

    def is_current(self) -> bool:
        """Whether the file still names this server; a newer one has taken over otherwise."""
        try:
            return bool(json.loads(read_private(self._path)).get("token") == self.token)
        except (OSError, ValueError, AttributeError, Exposed):
            return False

    def stop(self) -> None:
        """Close, answer what still waits, and take our file away; may be called again."""
        if self._socket is not None:
            self._socket = None
            _knock(self.port)
            self._accepting.join(LAST_ANSWERS)
        self._jobs.abandon(
            dict(
                _refusal("HostNotRunning", "Sagafoley's script in DaVinci Resolve has ended.", _START),
                undone=True,
            )
        )
        with self._left:
            self._left.wait_for(lambda: not self._open, LAST_ANSWERS)
        if self.is_current():
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def _facts(self) -> "Dict[str, Any]":
        return {
            "protocol": PROTOCOL,
            "port": self.port,
            "token": self.token,
            "pid": os.getpid(),
            "greeting": self.greeting,
        }

    def _accept(self, listener: socket.socket) -> None:
        while self._socket is listener:
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.05)  # out of file handles for a moment
                continue
            if self._socket is not listener or not self._admit(connection):
                connection.close()
                continue
            try:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
            except RuntimeError:  # no thread to be had
                self._leave(connection)
        listener.close()

    def _admit(self, connection: socket.socket) -> bool:
        """Make room for a connection at the cost of the oldest stranger; False when all are known."""
        with self._lock:
            crowded = self._open >= CONNECTIONS
            if crowded and not self._strangers:
                return False
            oldest = self._strangers.pop(0) if crowded else None
            self._strangers.append(connection)
            self._open += 1
        if oldest is not None:
            _hang_up(oldest)
        return True

    def _know(self, connection: socket.socket) -> None:
        with self._lock:
            if connection in self._strangers:
                self._strangers.remove(connection)

    def _leave(self, connection: socket.socket) -> None:
        self._know(connection)
        connection.close()
        with self._lock:
            self._open -= 1
            self._left.notify_all()

    def _serve(self, connection: socket.socket) -> None:
        """One connection, one request; silence for strangers."""
        try:
            head = read_head(connection, self.token, time.monotonic() + HEAD_SECONDS)
            self._know(connection)
            body = read_body(connection, head, time.monotonic() + BODY_SECONDS)
            if not hmac.compare_digest(digest_of(body), head.digest):
                return
            answer = json.dumps(self._answer(body)).encode("utf-8")
            _send(connection, answer, answer_proof(self.token, head.nonce, answer))
        except (Stranger, OSError):
            pass
        finally:
            self._leave(connection)

    def _answer(self, body: bytes) -> Answer:
        try:
            identity, request, timeout, process = _envelope(body)
        except (ValueError, KeyError, TypeError, RecursionError):
            return _refusal("HostRefused", "The request has no meaning.", "Install Sagafoley again.")
        self._seen(process)
        operation = self.operations.get(str(request.get("op")))
        if operation is not None:
            return operation(process)
        try:
            job = self._jobs.submit(identity, request, timeout)
        except TooMany:
            return _refusal(
                "HostRefused", "Too many requests wait for DaVinci Resolve.", "Try again in a minute."
            )
        if not job.done.wait(timeout + AFTER):
            return _refusal(
                "HostNotRunning", "DaVinci Resolve did not answer in time.", "Close any dialog it shows."
            )
        return job.answer

    def _ping(self, _process: int) -> Answer:
        return {"ok": True, "result": {"greeting": self.greeting, "busy": self._jobs.busy_with()}}


_START = "Start Sagafoley in DaVinci Resolve again: Workspace > Scripts > Sagafoley."


def _envelope(body: bytes) -> "Tuple[str, Dict[str, Any], float, int]":
    content = json.loads(body.decode("utf-8"))
    identity, request, process = content["id"], content["request"], int(content["process"])
    timeout = float(content["timeout"])
    if not isinstance(identity, str) or not isinstance(request, dict) or not 0 < timeout <= LONGEST_WAIT:
        raise ValueError("not an envelope")
    return identity, request, timeout, process


def _send(connection: socket.socket, body: bytes, proof: str) -> None:
    lines = (
        "HTTP/1.1 200 OK",
        "Content-Type: application/json",
        "Content-Length: {}".format(len(body)),
        "{}: {}".format(PROOF_HEADER, proof),
        "Connection: close",
    )
    connection.settimeout(SEND_SECONDS)
    connection.sendall("\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body)


def _hang_up(connection: socket.socket) -> None:
    """End a connection that another thread waits on; that thread closes it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _knock(port: int) -> None:
    """Wake a thread that waits for a connection; closing its socket does not, on every system."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()


def _refusal(kind: str, message: str, remedy: str) -> Answer:
    return {"ok": False, "error": {"kind": kind, "message": message, "remedy": remedy}}
