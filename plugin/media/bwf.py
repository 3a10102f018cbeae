"""Broadcast WAV files, written whole or not at all (EBU Tech 3285 v2, 3306).

Samples are 24-bit PCM in the plain `fmt ` form that every reader knows, rounded to nearest without
dither: at 24 bits the rounding error is 40 dB below any converter's noise, and the same samples
always give the same bytes. Dates come from the caller for the same reason.
"""

from __future__ import annotations

import os
import struct
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from plugin.errors import OutputError
from plugin.media.ixml import Production, SoundFormat, ixml_document
from plugin.media.loudness import Loudness
from plugin.timebase import STEM_RATE
from plugin.wholefile import discard, output_error, sync_folder

BITS = 24
_BYTES = 3
_FULL_SCALE = 1 << 23
UNKNOWN_LEVEL = 0x7FFF
"""A bext loudness field that says nothing."""

_RIFF_LIMIT = 0xFFFFFFFF
_DS64_BYTES = 28
BEXT = struct.Struct("<256s32s32s10s8sIIH64s5h180s")
CHUNK = struct.Struct("<4sI")


@dataclass(frozen=True, slots=True)
class Bext:
    """The texts of the bext chunk; bext is ASCII, so other letters lose their marks or become `?`.

    Attributes:
        time_reference: samples since midnight of the first sample.
        recorded: date and time of origination, as local time.
        description: at most 256 letters.
        originator: at most 32 letters.
        originator_reference: at most 32 letters, unique for the file.
        coding_history: lines that end in CR LF; "" writes one line that states the PCM format.
    """

    time_reference: int
    recorded: datetime
    description: str = ""
    originator: str = "Sagafoley"
    originator_reference: str = ""
    coding_history: str = ""

    @property
    def date(self) -> str:
        """`yyyy-mm-dd`."""
        return self.recorded.strftime("%Y-%m-%d")

    @property
    def time(self) -> str:
        """`hh:mm:ss`."""
        return self.recorded.strftime("%H:%M:%S")


@dataclass(frozen=True, slots=True)
class WrittenWave:
    """A finished file: where, how many samples per channel, how many of them were clipped."""

    path: Path
    frames: int
    clipped: int


class BroadcastWriter:
    """Streams samples into a Broadcast WAV; make it with `open`, end it with `finish`.

    The file is `<name>.<process>.part` until `finish` gives it its name. Leaving a `with` block
    without `finish` removes it.
    """

    def __init__(self, path: Path, *, bext: Bext, production: Production | None, sound: SoundFormat) -> None:
        self._path = path
        self._bext = bext
        self._sound = sound
        self._ixml = b"" if production is None else _ixml_of(production, sound, bext)
        self._part = path.with_name(f"{path.name}.{os.getpid()}.part")
        self._file: BinaryIO | None = None
        self._frames = 0
        self._clipped = 0

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        bext: Bext,
        production: Production | None = None,
        channels: int = 1,
        sample_rate: int = STEM_RATE,
    ) -> BroadcastWriter:
        """A writer for `path`, whose folder is made where needed.

        Raises:
            OutputError: the name is taken, or the folder refuses.
        """
        writer = cls(path, bext=bext, production=production, sound=SoundFormat(channels, sample_rate, BITS))
        writer._begin()
        return writer

    def write(self, samples: NDArray[np.float32]) -> None:
        """Appends float samples, -1..1, `[n]` for mono or `[n, channels]`; louder ones are clipped.

        Raises:
            OutputError: the disk is full or refuses; the part is removed.
            ValueError: not finite, the wrong shape, or already finished.
        """
        shaped = samples.reshape(-1, 1) if samples.ndim == 1 else samples
        if shaped.ndim != 2 or shaped.shape[1] != self._sound.channels:
            raise ValueError(f"expected {self._sound.channels} channels, got shape {samples.shape}")
        if not np.isfinite(shaped).all():
            raise ValueError("samples must be finite")
        scaled = np.rint(shaped.astype(np.float64) * _FULL_SCALE)
        bounded = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1)
        self._put(bounded.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :_BYTES].tobytes())
        self._frames += len(shaped)
        self._clipped += int(np.count_nonzero(np.abs(shaped) > 1))

    def finish(self, *, loudness: Loudness | None = None) -> WrittenWave:
        """Completes the header, waits for the disk and gives the file its name.

        Raises:
            OutputError: the disk is full or refuses, or the name was taken meanwhile.
        """
        if self._data_bytes() % 2:
            self._put(b"\0")
        file = self._opened()
        try:
            file.seek(0)
            file.write(self._header(loudness or Loudness()))
            file.flush()
            os.fsync(file.fileno())
            file.close()
            _name_for_good(self._part, self._path)
        except OSError as error:
            self.discard()
            raise output_error(self._path, error) from error
        self._file = None
        return WrittenWave(self._path, self._frames, self._clipped)

    def discard(self) -> None:
        """Gives up: the part is removed. Does nothing after `finish`."""
        if self._file is None:
            return
        with suppress(OSError):  # what is still buffered may not fit the disk either
            self._file.close()
        self._file = None
        discard(self._part)

    def _begin(self) -> None:
        if self._path.exists():
            raise _taken(self._path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb")
        except OSError as error:
            raise output_error(self._path, error) from error
        self._put(self._header(Loudness()))

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise ValueError(f"{self._path.name} is already finished")
        return self._file

    def _put(self, data: bytes) -> None:
        try:
            self._opened().write(data)
        except OSError as error:
            self.discard()
            raise output_error(self._path, error) from error

    def _data_bytes(self) -> int:
        return self._frames * self._sound.channels * _BYTES

    def _header(self, loudness: Loudness) -> bytes:
        """Everything up to the first sample; its length does not depend on sizes or loudness."""
        sound = self._sound
        block = sound.channels * _BYTES
        form = struct.pack(
            "<HHIIHH", 1, sound.channels, sound.sample_rate, sound.sample_rate * block, block, BITS
        )
        chunks = _chunk(b"bext", _bext_bytes(self._bext, sound, loudness))
        chunks += _chunk(b"iXML", self._ixml) if self._ixml else b""
        chunks += _chunk(b"fmt ", form)
        data = self._data_bytes()
        riff = 4 + CHUNK.size + _DS64_BYTES + len(chunks) + CHUNK.size + data + data % 2
        if riff <= _RIFF_LIMIT:
            head = CHUNK.pack(b"RIFF", riff) + b"WAVE" + _chunk(b"JUNK", bytes(_DS64_BYTES))
            return head + chunks + CHUNK.pack(b"data", data)
        sizes = struct.pack("<QQQI", riff, data, self._frames, 0)
        head = CHUNK.pack(b"RF64", 0xFFFFFFFF) + b"WAVE" + _chunk(b"ds64", sizes)
        return head + chunks + CHUNK.pack(b"data", 0xFFFFFFFF)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def _taken(path: Path) -> OutputError:
    return OutputError(
        f"{path.name} exists already in {path.parent} and is never overwritten.",
        remedy="Choose another name or folder, or move the file away.",
        detail=str(path),
    )


def _name_for_good(part: Path, path: Path) -> None:
    """Renames without ever replacing a file that is there."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:  # the disk has no hard links (exFAT, some shares): look, then rename
        if path.exists():
            raise _taken(path) from None
        part.rename(path)
    else:
        part.unlink()
    sync_folder(path.parent)


def _chunk(name: bytes, content: bytes) -> bytes:
    return CHUNK.pack(name, len(content)) + content + b"\0" * (len(content) % 2)


def _ascii(text: str, size: int) -> bytes:
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return plain.encode("ascii", "replace")[:size]


def _hundredths(level: float | None) -> int:
    """A loudness figure as bext stores it; 0x7FFF says unknown (0 would be a loudness)."""
    return UNKNOWN_LEVEL if level is None else max(-9999, min(9999, round(level * 100)))


def _coding_history(bext: Bext, sound: SoundFormat) -> str:
    mode = {1: "mono", 2: "stereo"}.get(sound.channels, "multichannel")
    return bext.coding_history or f"A=PCM,F={sound.sample_rate},W={sound.bits},M={mode},T=Sagafoley\r\n"


def _bext_bytes(bext: Bext, sound: SoundFormat, loudness: Loudness) -> bytes:
    levels = (
        loudness.integrated,
        loudness.range,
        loudness.true_peak,
        loudness.momentary_max,
        loudness.short_term_max,
    )
    fixed = BEXT.pack(
        _ascii(bext.description, 256),
        _ascii(bext.originator, 32),
        _ascii(bext.originator_reference, 32),
        bext.date.encode("ascii"),
        bext.time.encode("ascii"),
        bext.time_reference & 0xFFFFFFFF,
        bext.time_reference >> 32,
        2,
        b"",
        *(_hundredths(level) for level in levels),
        b"",
    )
    history = _ascii(_coding_history(bext, sound), 1 << 16)
    return fixed + history + b"\0" * (len(history) % 2)  # some RF64 readers lose their place at odd sizes


def _ixml_of(production: Production, sound: SoundFormat, bext: Bext) -> bytes:
    mirror = (
        ("BWF_DESCRIPTION", bext.description),
        ("BWF_ORIGINATOR", bext.originator),
        ("BWF_ORIGINATOR_REFERENCE", bext.originator_reference),
        ("BWF_ORIGINATION_DATE", bext.date),
        ("BWF_ORIGINATION_TIME", bext.time),
        ("BWF_TIME_REFERENCE_LOW", str(bext.time_reference & 0xFFFFFFFF)),
        ("BWF_TIME_REFERENCE_HIGH", str(bext.time_reference >> 32)),
        ("BWF_VERSION", "2"),
        ("BWF_CODING_HISTORY", _coding_history(bext, sound)),
    )
    return ixml_document(production, sound, time_reference=bext.time_reference, bext=mirror)
