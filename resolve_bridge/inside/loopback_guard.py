"""Who may speak to the menu script's server: a request is a stranger's until it has proved otherwise.

Nothing of a body is read before the head has proved that its sender holds the token. Web pages fail
four times over: their requests name an origin, cannot carry our headers without asking first (which
is never answered), may name another host, and know no token.
"""

import re
import socket
import time
from typing import Callable, Dict, Tuple

from .proofs import DIGEST_HEADER, NONCE_HEADER, PROOF_HEADER, request_proof, same

TARGET = "/sagafoley"
HEAD_LIMIT = 8192
"""Bytes of request line and headers together."""
BODY_LIMIT = 4 * 1024 * 1024
HEAD_SECONDS = 3.0
"""From the connection to the end of its head; a client of ours needs milliseconds."""
BODY_SECONDS = 10.0

_CONTENT_TYPE = "application/json"
_HEX = re.compile(r"[0-9a-f]{32,64}")
_FROM_PAGES = ("origin", "referer", "cookie")


class Stranger(Exception):
    """Whoever this is, it is not the panel. It gets no answer."""


class Head:
    """The head of a request whose sender holds the token."""

    def __init__(self, length: int, nonce: str, digest: str, early: bytes) -> None:
        self.length = length
        self.nonce = nonce
        self.digest = digest
        self.early = early


def read_head(connection: socket.socket, token: str, until: float) -> Head:
    """The head of one request, proved.

    Args:
        connection: a new connection.
        token: what both sides hold.
        until: when to stop waiting, by `time.monotonic`.

    Raises:
        Stranger: too slow, too long, not ours.
        OSError: the other side has gone.
    """
    raw, early = _read_until_blank(connection, until)
    first, headers = _parse(raw)
    if first != "POST {} HTTP/1.1".format(TARGET):
        raise Stranger("not our request line")
    _check_origin(headers, connection.getsockname()[1])
    nonce, digest = headers.get(NONCE_HEADER, ""), headers.get(DIGEST_HEADER, "")
    if not (_HEX.fullmatch(nonce) and _HEX.fullmatch(digest)):
        raise Stranger("no nonce or digest")
    if not same(headers.get(PROOF_HEADER, ""), request_proof(token, nonce, digest)):
        raise Stranger("wrong proof")
    return Head(_length(headers), nonce, digest, early)


def read_body(connection: socket.socket, head: Head, until: float) -> bytes:
    """The body that the head announced, no byte more.

    Raises:
        Stranger: too slow or not of the announced length.
        OSError: the other side has gone.
    """
    if len(head.early) > head.length:
        raise Stranger("more than was announced")
    parts, missing = [head.early], head.length - len(head.early)
    while missing:
        part = receive(connection, min(missing, 65536), until)
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def receive(
    connection: socket.socket, most: int, until: float, clock: "Callable[[], float]" = time.monotonic
) -> bytes:
    """Some bytes, at least one, before a moment that does not move however slowly they drip.

    Raises:
        Stranger: nothing came in time, or nothing will.
        OSError: the other side has gone.
    """
    left = until - clock()
    if left <= 0:
        raise Stranger("too slow")
    connection.settimeout(left)
    try:
        part = connection.recv(most)
    except socket.timeout:
        raise Stranger("too slow") from None
    if not part:
        raise Stranger("ended early")
    return part


def _read_until_blank(connection: socket.socket, until: float) -> "Tuple[bytes, bytes]":
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) >= HEAD_LIMIT:
            raise Stranger("head too long")
        data += receive(connection, HEAD_LIMIT - len(data), until)
    raw, _, early = data.partition(b"\r\n\r\n")
    return raw, early


def _parse(raw: bytes) -> "Tuple[str, Dict[str, str]]":
    """The request line and the headers by their names in lower case; a name may stand once."""
    lines = raw.decode("latin-1").split("\r\n")
    headers: "Dict[str, str]" = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name in headers or not re.fullmatch(r"[a-z0-9-]{1,64}", name):
            raise Stranger("not a header")
        headers[name] = value.strip(" \t")
    return lines[0], headers


def _check_origin(headers: "Dict[str, str]", port: int) -> None:
    if headers.get("host") != "127.0.0.1:{}".format(port):
        raise Stranger("another host's name")
    if any(name in headers for name in _FROM_PAGES) or any(name.startswith("sec-") for name in headers):
        raise Stranger("sent by a web page")
    if headers.get("content-type") != _CONTENT_TYPE or "transfer-encoding" in headers:
        raise Stranger("another kind of body")


def _length(headers: "Dict[str, str]") -> int:
    text = headers.get("content-length", "")
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > BODY_LIMIT:
        raise Stranger("no length, or too long")
    return int(text)
