"""What an ONNX file says of itself, before it is loaded: its opset, and the files it takes weights from.

The bytes are walked as protobuf, without the `onnx` package. Only the messages that can lead to a tensor are
entered; weights are stepped over, so a walk costs by the number of nodes, not by the size of the file. What
ONNX Runtime would read in another way than is read here (groups, oversized tags) is refused.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from models_onnx.manifest import InvalidBundle

MOST_FIELDS = 4_000_000
"""Of one file; the largest published graph has a hundred thousand. A walk of as many takes some seconds."""
DEEPEST = 100
"""Messages inside one another; protobuf's own limit."""
DEFAULT_DOMAINS = ("", "ai.onnx")

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
_LARGEST_TAG = (1 << 32) - 1

_ENTERED: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
"""Fields of each message of onnx.proto that lead to a tensor's external data, by number."""

_Field = tuple[int, int, int, int]
"""Number, wire type, and from where to where its value is; for a varint the first of the two is its value."""


class _Malformed(Exception):
    """The bytes are not those of an ONNX file."""


@dataclass(frozen=True, slots=True)
class GraphFile:
    """What a file says.

    Attributes:
        opset: highest of the default domain, of the graph and its functions; 0 where it says none.
        locations: external data, as written, each once: paths relative to the file's folder, if it is honest.
    """

    opset: int
    locations: tuple[str, ...]


def read_graph_file(path: Path) -> GraphFile:
    """What the ONNX file `path` says.

    Raises:
        InvalidBundle: "corrupt": it cannot be read, or is no ONNX file.
    """
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Walk(data).result()
    except _Malformed as error:
        message = f"{path} is no ONNX graph: {error}"
    except ValueError:
        message = f"{path} is no ONNX graph: it is empty"
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror or error})"
    raise InvalidBundle(message, reason="corrupt", path=path)


class _Walk:
    """One pass over a file."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._left = MOST_FIELDS
        self._opset = 0
        self._has_graph = False
        self._locations: dict[str, None] = {}

    def result(self) -> GraphFile:
        pending = [("model", 0, len(self._data), 1)]
        while pending:
            kind, start, end, depth = pending.pop()
            if kind == "entry":
                self._note_entry(start, end)
            elif kind == "opset":
                self._note_opset(start, end)
            else:
                self._has_graph = self._has_graph or kind == "graph"
                inner = self._inner(_ENTERED[kind], start, end)
                if inner and depth >= DEEPEST:
                    _refuse("it is nested too deeply")
                pending += [(name, first, last, depth + 1) for name, first, last in inner]
        if not self._has_graph:
            _refuse("it holds none")
        return GraphFile(self._opset, tuple(self._locations))

    def _inner(self, entered: dict[int, str], start: int, end: int) -> list[tuple[str, int, int]]:
        return [
            (entered[number], first, last)
            for number, wire, first, last in self._fields(start, end)
            if wire == _BYTES and number in entered
        ]

    def _note_entry(self, start: int, end: int) -> None:
        """A key and its value; of keys or values that are repeated, each counts."""
        texts: dict[int, list[bytes]] = {1: [], 2: []}
        for number, wire, first, last in self._fields(start, end):
            if wire == _BYTES and number in texts:
                texts[number].append(self._data[first:last])
        if b"location" in texts[1]:
            self._locations |= dict.fromkeys(map(_text, texts[2] or [b""]))

    def _note_opset(self, start: int, end: int) -> None:
        domains: list[str] = []
        versions = [0]
        for number, wire, first, last in self._fields(start, end):
            if number == 1 and wire == _BYTES:
                domains.append(_text(self._data[first:last]))
            elif number == 2 and wire == _VARINT:
                versions.append(first)
        if not domains or any(domain in DEFAULT_DOMAINS for domain in domains):
            self._opset = max(self._opset, *versions)

    def _fields(self, start: int, end: int) -> Iterator[_Field]:
        """The fields of the message between `start` and `end`, in order."""
        position = start
        while position < end:
            self._left -= 1
            if self._left < 0:
                _refuse(f"it has more than {MOST_FIELDS} parts")
            tag, position = self._varint(position, end)
            number, wire = tag >> 3, tag & 7
            if not number or tag > _LARGEST_TAG:
                _refuse("a field has no number")
            if wire == _VARINT:
                value, position = self._varint(position, end)
                yield number, wire, value, position
                continue
            if wire == _BYTES:
                size, position = self._varint(position, end)
            elif wire in _WIDTHS:
                size = _WIDTHS[wire]
            else:
                _refuse(f"a field is of the unknown kind {wire}")
            if size > end - position:
                _refuse("a part is longer than what holds it")
            yield number, wire, position, position + size
            position += size

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        """A number, and where it ends."""
        value, limit = 0, min(end, position + _LONGEST_VARINT)
        for place in range(position, limit):
            byte = self._data[place]
            value |= (byte & 0x7F) << (7 * (place - position))
            if byte < 0x80:
                return value, place + 1
        return _refuse("a number does not end")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("a name is no text")


def _refuse(what: str) -> NoReturn:
    raise _Malformed(what)
