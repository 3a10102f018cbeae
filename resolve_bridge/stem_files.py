"""The files that Resolve is given: a take under a name of its own, begun and ended on whole frames.

Every placement has files of its own, because Resolve answers a path that it knows already in different
ways, and keeps the length that it saw first. A file that fits as it is shares its bytes with the take (a
hard link where the disk has them); one that does not is written again with silence around the sound.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from plugin.errors import MediaMissing, OutputError
from plugin.timebase import STEM_RATE
from plugin.wholefile import discard, output_error, part_of, sync_folder
from resolve_bridge.layouts import FramedPiece

FOLDER = "placed"
"""Folder beside the takes that holds what Resolve plays."""

_CHUNK = struct.Struct("<4sI")
_TIME_REFERENCE = 338
"""Where bext keeps it: after description, originator, reference, date and time."""
_RIFF_LIMIT = 0xFFFFFFFF
_BLOCK = 1 << 20
_FORMS = {1, 0xFFFE}


@dataclass(frozen=True, slots=True)
class _Wave:
    """A WAV file taken apart.

    Attributes:
        chunks: name and content of what comes before the sound.
        offset: of the first sample's bytes.
        size: bytes of sound.
        block: bytes of one sample of all channels.
    """

    chunks: tuple[tuple[bytes, bytes], ...]
    offset: int
    size: int
    block: int


def placed_path(piece: FramedPiece, placement: str) -> Path:
    """What the file of a piece is called."""
    take = piece.piece.path
    return take.parent / FOLDER / f"{take.stem}_{placement}{take.suffix}"


def make_file(framed: FramedPiece, placement: str) -> Path:
    """The file of a piece, whole and under its final name.

    Raises:
        MediaMissing: the take is not there.
        OutputError: it is no 48 kHz WAV of the right length, or the file cannot be written.
    """
    source, target = framed.piece.path, placed_path(framed, placement)
    if not source.is_file():
        raise MediaMissing(
            f"The file of the take is not there: {source.name}.",
            remedy="Render its cue again.",
            detail=str(source),
        )
    wave = _read(source)
    if wave.size != framed.piece.samples * wave.block:
        raise _not_a_stem(source, "does not have the length of its cue")
    part = part_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if framed.is_fitted:
            _write_fitted(source, part, wave, framed)
            part.replace(target)
        else:
            _share(source, target, part)
        sync_folder(target.parent)
    except OSError as error:
        discard(part)
        raise output_error(target, error) from error
    return target


def remove_file(path: Path) -> None:
    """Take away a file that `make_file` made, and its folder when it is empty; anything else stays."""
    if path.parent.name != FOLDER:
        return
    discard(path)
    try:
        path.parent.rmdir()
    except OSError:
        return  # it holds the files of other placements


def _share(source: Path, target: Path, part: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # no hard links on this disk, or too many
        shutil.copyfile(source, part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)


def _read(path: Path) -> _Wave:
    try:
        with path.open("rb") as file:
            wave = _taken_apart(file)
    except (OSError, struct.error, ValueError) as error:
        raise _not_a_stem(path, "is not a whole 48 kHz WAV file", detail=str(error)) from error
    return wave


def _not_a_stem(path: Path, reason: str, *, detail: str = "") -> OutputError:
    return OutputError(f"{path.name} {reason}.", remedy="Render its cue again.", detail=detail or str(path))


def _taken_apart(file: BinaryIO) -> _Wave:
    kind, _, form = struct.unpack("<4sI4s", file.read(12))
    if kind not in {b"RIFF", b"RF64"} or form != b"WAVE":
        raise ValueError("no RIFF header")
    chunks: list[tuple[bytes, bytes]] = []
    while True:
        name, size = _CHUNK.unpack(file.read(_CHUNK.size))
        if name == b"data":
            break
        chunks.append((name, file.read(size + size % 2)[:size]))
    known = dict(chunks)
    if size == _RIFF_LIMIT and b"ds64" in known:
        size = struct.unpack_from("<QQ", known[b"ds64"])[1]
    form_tag, _, rate, _, block = struct.unpack_from("<HHIIH", known.get(b"fmt ", b""))
    offset = file.tell()
    if form_tag not in _FORMS or rate != STEM_RATE or os.fstat(file.fileno()).st_size < offset + size:
        raise ValueError(f"format {form_tag}, {rate} Hz, {size} bytes")
    return _Wave(tuple(chunks), offset, size, block)


def _write_fitted(source: Path, target: Path, wave: _Wave, framed: FramedPiece) -> None:
    """The sound with silence before and after it, and its time stamp moved along."""
    data = framed.samples * wave.block
    with source.open("rb") as old, target.open("wb") as new:
        new.write(_header(wave, data, head=framed.head))
        old.seek(wave.offset)
        _write_silence(new, framed.head * wave.block)
        for block in _blocks(old, wave.size):
            new.write(block)
        _write_silence(new, data - framed.head * wave.block - wave.size + data % 2)
        new.flush()
        os.fsync(new.fileno())


def _header(wave: _Wave, data: int, *, head: int) -> bytes:
    kept = [(name, content) for name, content in wave.chunks if name not in {b"JUNK", b"ds64"}]
    if head:
        kept = [(name, content) for name, content in kept if name != b"iXML"]  # it says the old time
    body = b"".join(_chunk(name, _earlier(name, content, head)) for name, content in kept)
    riff = 4 + _CHUNK.size + 28 + len(body) + _CHUNK.size + data + data % 2
    if riff <= _RIFF_LIMIT:
        start = _CHUNK.pack(b"RIFF", riff) + b"WAVE" + _chunk(b"JUNK", bytes(28))
        return start + body + _CHUNK.pack(b"data", data)
    sizes = struct.pack("<QQQI", riff, data, data // wave.block, 0)
    start = _CHUNK.pack(b"RF64", _RIFF_LIMIT) + b"WAVE" + _chunk(b"ds64", sizes)
    return start + body + _CHUNK.pack(b"data", _RIFF_LIMIT)


def _chunk(name: bytes, content: bytes) -> bytes:
    return _CHUNK.pack(name, len(content)) + content + b"\0" * (len(content) % 2)


def _earlier(name: bytes, content: bytes, head: int) -> bytes:
    """A bext chunk whose time stamp is `head` samples earlier; other chunks as they are."""
    if name != b"bext" or not head or len(content) < _TIME_REFERENCE + 8:
        return content
    stamp = struct.unpack_from("<Q", content, _TIME_REFERENCE)[0]
    moved = struct.pack("<Q", max(0, stamp - head))
    return content[:_TIME_REFERENCE] + moved + content[_TIME_REFERENCE + 8 :]


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        block = file.read(min(size, _BLOCK))
        if not block:
            raise OSError("the file ends early")
        size -= len(block)
        yield block


def _write_silence(file: BinaryIO, size: int) -> None:
    while size > 0:
        file.write(bytes(min(size, _BLOCK)))
        size -= _BLOCK
