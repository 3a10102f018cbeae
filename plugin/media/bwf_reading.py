"""Broadcast WAV headers, read back to verify what was written."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from plugin.media.bwf import BEXT, CHUNK, UNKNOWN_LEVEL
from plugin.media.containers import require_file, undecodable
from plugin.media.loudness import Loudness


@dataclass(frozen=True, slots=True)
class BroadcastWave:
    """What a wave file says about itself; empty texts and None where it has no bext chunk.

    Attributes:
        frames: samples per channel that are really in the file.
        channels: how many channels.
        sample_rate: samples per second.
        bits: bits per sample.
        time_reference: samples since midnight, None without bext.
        description: bext description.
        originator: bext originator.
        date: bext origination date.
        time: bext origination time.
        loudness: bext version 2 figures.
        ixml: the iXML document, "" without one.
    """

    frames: int
    channels: int
    sample_rate: int
    bits: int
    time_reference: int | None
    description: str
    originator: str
    date: str
    time: str
    loudness: Loudness
    ixml: str


def read_broadcast_wave(path: Path) -> BroadcastWave:
    """The header of a WAV, Broadcast WAV or RF64 file; sound is not read.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: not a wave file, or cut short before its sound.
    """
    require_file(path)
    try:
        with path.open("rb") as file:
            chunks, data_bytes = _read_chunks(file)
        return _wave_of(chunks, data_bytes)
    except (OSError, KeyError, struct.error) as error:
        raise undecodable(path, "is not a whole WAV file", detail=str(error)) from error


def _read_chunks(file: BinaryIO) -> tuple[dict[str, bytes], int]:
    """Contents of the small chunks, and the number of bytes of sound that are there."""
    total = file.seek(0, os.SEEK_END)
    file.seek(0)
    kind, _, form = struct.unpack("<4sI4s", file.read(12))
    if kind not in {b"RIFF", b"RF64"} or form != b"WAVE":
        raise KeyError("RIFF")
    chunks: dict[str, bytes] = {}
    data_bytes: int | None = None
    while file.tell() + CHUNK.size <= total:
        name, size = CHUNK.unpack(file.read(CHUNK.size))
        if name == b"data":
            if size == 0xFFFFFFFF and "ds64" in chunks:
                size = struct.unpack_from("<QQ", chunks["ds64"])[1]
            data_bytes = min(size, total - file.tell())
            file.seek(size + size % 2, os.SEEK_CUR)
        else:
            chunks[name.decode("latin-1")] = file.read(min(size, 1 << 24))
            file.seek(size % 2, os.SEEK_CUR)
    if data_bytes is None:
        raise KeyError("data")
    return chunks, data_bytes


def _wave_of(chunks: dict[str, bytes], data_bytes: int) -> BroadcastWave:
    _, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", chunks["fmt "])
    fields: tuple[Any, ...] = (b"",) * 5
    reference, loudness = None, Loudness()
    if "bext" in chunks:
        bext = BEXT.unpack_from(chunks["bext"].ljust(BEXT.size, b"\0"))
        fields, reference = bext[:5], bext[5] | bext[6] << 32
        if bext[7] >= 2:
            loudness = Loudness(*(None if level == UNKNOWN_LEVEL else level / 100 for level in bext[9:14]))
    description, originator, _, date, time = (field.split(b"\0")[0].decode("latin-1") for field in fields)
    return BroadcastWave(
        frames=data_bytes // max(1, block),
        channels=channels,
        sample_rate=rate,
        bits=bits,
        time_reference=reference,
        description=description,
        originator=originator,
        date=date,
        time=time,
        loudness=loudness,
        ixml=chunks.get("iXML", b"").rstrip(b"\0").decode("utf-8", "replace"),
    )
