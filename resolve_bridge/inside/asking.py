"""One request to the menu script's server, from whoever may read its file: the panel, or a newer script."""

import http.client
import json
import os
import secrets
import socket
import time
from typing import Any, Dict, List, Tuple

from .greeting import PROTOCOL
from .loopback_guard import BODY_LIMIT, TARGET
from .own_files import server_file
from .private_files import read_private
from .proofs import (
    DIGEST_HEADER,
    NONCE_HEADER,
    PROOF_HEADER,
    answer_proof,
    digest_of,
    new_nonce,
    request_proof,
    same,
)

ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes."""
CONNECT_SECONDS = 2.0


class NoServer(Exception):
    """No script serves: no file, a damaged one, or nobody behind it."""


class Broken(NoServer):
    """The connection ended after the request had gone out: a server may have taken it."""


class NoAnswer(Exception):
    """The server took the request; its answer did not come in time."""


class Address:
    """Where a server listens and what it expects."""

    def __init__(self, port: int, token: str, process: int, greeting: "Dict[str, Any]") -> None:
        self.port = port
        self.token = token
        self.process = process
        self.greeting = greeting


def find_server(path: str = "") -> Address:
    """The address in the server's file; nobody need be there.

    Raises:
        NoServer: there is no such file, or it says nothing of use.
        private_files.Exposed: others could have written it.
    """
    try:
        content = json.loads(read_private(path or server_file()))
        port, process = int(content["port"]), int(content["pid"])
        token, greeting = content["token"], content["greeting"]
    except (OSError, ValueError, KeyError, TypeError):
        raise NoServer("no script serves") from None
    if not (0 < port < 65536 and isinstance(token, str) and isinstance(greeting, dict)):
        raise NoServer("the file has no meaning")
    if content.get("protocol") != PROTOCOL:
        raise NoServer("a script of another version serves")
    return Address(port, token, process, greeting)


def new_envelope(request: "Dict[str, Any]", timeout: float) -> bytes:
    """A request with an identity; sent twice, it is done once.

    Raises:
        ValueError: larger than a server takes.
    """
    envelope = {"id": secrets.token_hex(16), "process": os.getpid(), "request": request, "timeout": timeout}
    body = json.dumps(envelope).encode("utf-8")
    if len(body) > BODY_LIMIT:
        raise ValueError("a request of {} bytes is too large".format(len(body)))
    return body


def ask(address: Address, body: bytes, timeout: float) -> "Dict[str, Any]":
    """The proved answer to an envelope.

    Raises:
        NoServer: nobody is there, or somebody else is.
        Broken: the server went away, or does not know us; the same server does an envelope only once.
        NoAnswer: see there.
    """
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=CONNECT_SECONDS)
    try:
        connection.connect()
    except OSError:
        raise NoServer("nobody listens") from None
    try:
        return _exchange(connection, address.token, body, timeout)
    finally:
        connection.close()


def _exchange(
    connection: http.client.HTTPConnection, token: str, body: bytes, timeout: float
) -> "Dict[str, Any]":
    nonce, digest = new_nonce(), digest_of(body)
    headers = {
        "Content-Type": "application/json",
        NONCE_HEADER: nonce,
        DIGEST_HEADER: digest,
        PROOF_HEADER: request_proof(token, nonce, digest),
    }
    connection.sock.settimeout(timeout)
    try:
        connection.request("POST", TARGET, body=body, headers=headers)
        answer, proof = _read(connection.getresponse(), time.monotonic() + timeout)
    except socket.timeout:
        raise NoAnswer("no answer in time") from None
    except (OSError, http.client.HTTPException):
        raise Broken("the connection was closed") from None
    if not same(proof, answer_proof(token, nonce, answer)):
        raise NoServer("somebody else listens there")
    return _object(answer)


def _read(response: http.client.HTTPResponse, until: float) -> "Tuple[bytes, str]":
    parts: "List[bytes]" = []
    size = 0
    while True:
        part = response.read(65536)
        size += len(part)
        if not part:
            return b"".join(parts), response.getheader(PROOF_HEADER) or ""
        if size > ANSWER_LIMIT or time.monotonic() > until:
            raise socket.timeout
        parts.append(part)


def _object(answer: bytes) -> "Dict[str, Any]":
    try:
        content = json.loads(answer.decode("utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise NoServer("the answer has no meaning")
    return content
