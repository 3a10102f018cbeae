"""Masks on disk, frame by frame as they are made, so that nothing is tracked twice.

What cannot be read is not there, and is made again. A file is put there whole or not at all, so a run that
is killed loses the frame it was working on and no other; several processes may share the folder, and one
may read what another is making.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import tempfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plugin.errors import OutputError
from plugin.masks.makers import Mask
from plugin.wholefile import is_disk_full

DEFAULT_LIMIT = 1024**3
"""Bytes of masks that are kept: some hundred thousand of them."""

_LAYOUT = 1
_SUFFIX = ".mask"
_NUMBERS = "numbers.json"
_NOTE = ".note"
_PART = ".part"
_HEAD = struct.Struct("<4sdIIIIIII")
_MAGIC = b"SGM1"
_LARGEST_SIDE = 1 << 16


def result_key(**parts: Any) -> str:
    """A name for everything that decides a result; equal parts (plain JSON) give equal names."""
    text = json.dumps({"layout": _LAYOUT, **parts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def mask_digest(mask: Mask) -> str:
    """A name for what a mask holds."""
    shape = f"{mask.shape[0]} {mask.shape[1]} ".encode()
    return hashlib.sha256(shape + np.ascontiguousarray(mask).tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptMask:
    """A mask and how sure its maker was, 0..1."""

    mask: Mask
    confidence: float


@dataclass(frozen=True, slots=True)
class MaskStore:
    """A folder of results: a folder for each key, a file for each frame.

    Attributes:
        folder: made when first written to.
        limit: bytes it may hold; the least recently used keys leave.
    """

    folder: Path
    limit: int = DEFAULT_LIMIT

    def frames(self, key: str) -> frozenset[int]:
        """The frames that are there under a key, by their names."""
        try:
            names = [path.name for path in (self.folder / key).iterdir()]
        except OSError:
            return frozenset()
        stems = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        return frozenset(int(stem) for stem in stems if stem.isascii() and stem.isdigit())

    def load(self, key: str, frame: int) -> KeptMask | None:
        """The mask of a frame; None where there is none, or it is damaged."""
        try:
            return _decoded(self._path(key, frame).read_bytes())
        except (OSError, ValueError, struct.error, zlib.error):
            return None

    def confidence(self, key: str, frame: int) -> float | None:
        """Only how sure the maker of a frame's mask was."""
        try:
            with self._path(key, frame).open("rb") as file:
                magic, confidence = _HEAD.unpack(file.read(_HEAD.size))[:2]
        except (OSError, struct.error):
            return None
        return float(confidence) if magic == _MAGIC else None

    def store(self, key: str, frame: int, kept: KeptMask) -> None:
        """Puts a mask there.

        Raises:
            OutputError: the disk is full or refuses.
        """
        self._put(self._path(key, frame), _encoded(kept))

    def numbers(self, key: str) -> tuple[int, ...] | None:
        """The numbers kept under a key; None where there are none."""
        try:
            found = json.loads((self.folder / key / _NUMBERS).read_bytes())
        except (OSError, ValueError):
            return None
        whole = isinstance(found, list) and all(type(one) is int for one in found)
        return tuple(found) if whole else None

    def store_numbers(self, key: str, numbers: tuple[int, ...]) -> None:
        """Keeps some numbers under a key.

        Raises:
            OutputError: the disk is full or refuses.
        """
        self._put(self.folder / key / _NUMBERS, json.dumps(numbers).encode())

    def note(self, key: str, name: str) -> bytes | None:
        """What was noted under a key; None where nothing was."""
        try:
            return (self.folder / key / f"{name}{_NOTE}").read_bytes()
        except OSError:
            return None

    def store_note(self, key: str, name: str, data: bytes) -> None:
        """Notes something under a key, in the place of what was noted by that name.

        Raises:
            OutputError: the disk is full or refuses.
        """
        self._put(self.folder / key / f"{name}{_NOTE}", data)

    def clear_notes(self, key: str) -> None:
        """Removes what was noted under a key."""
        with suppress(OSError):
            for path in (self.folder / key).glob(f"*{_NOTE}"):
                path.unlink(missing_ok=True)

    def prune(self, *, keeping: frozenset[str] = frozenset()) -> None:
        """Removes the least recently used keys over the limit, but none of `keeping`."""
        try:
            found = [(entry.stat().st_mtime_ns, Path(entry)) for entry in os.scandir(self.folder)]
        except OSError:
            return
        sizes = [(age, folder, _size(folder)) for age, folder in sorted(found)]
        excess = sum(size for _, _, size in sizes) - self.limit
        for _, folder, size in sizes:
            if excess <= 0:
                return
            if folder.name not in keeping:
                shutil.rmtree(folder, ignore_errors=True)
                excess -= size

    def _put(self, path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, data)
        except OSError as error:
            raise _unkept(self.folder, error) from error

    def _path(self, key: str, frame: int) -> Path:
        return self.folder / key / f"{frame:08d}{_SUFFIX}"


def _unkept(folder: Path, error: OSError) -> OutputError:
    why = "the disk is full" if is_disk_full(error) else error.strerror or str(error)
    return OutputError(
        f"Masks cannot be kept in {folder}: {why}.",
        remedy="Make room there or allow writing, then go on; what was tracked so far stays.",
        detail=str(error),
    )


def _size(folder: Path) -> int:
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder))
    except OSError:
        return 0


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=_PART)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _encoded(kept: KeptMask) -> bytes:
    """The rectangle that is not black, packed; a check sum tells a damaged one."""
    height, width = kept.mask.shape
    rows, columns = np.flatnonzero(kept.mask.any(axis=1)), np.flatnonzero(kept.mask.any(axis=0))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 0)
    packed = zlib.compress(np.ascontiguousarray(kept.mask[top:bottom, left:right]).tobytes(), 1)
    place = (width, height, left, top, right, bottom)
    head = _HEAD.pack(_MAGIC, kept.confidence, *place, 0)
    return _HEAD.pack(_MAGIC, kept.confidence, *place, zlib.crc32(packed, zlib.crc32(head))) + packed


def _decoded(data: bytes) -> KeptMask:
    magic, confidence, *place, check = _HEAD.unpack_from(data)
    packed = data[_HEAD.size :]
    head = _HEAD.pack(magic, confidence, *place, 0)
    width, height, left, top, right, bottom = place
    if magic != _MAGIC or zlib.crc32(packed, zlib.crc32(head)) != check or max(place) > _LARGEST_SIDE:
        raise ValueError("damaged")
    mask = np.zeros((height, width), np.uint8)
    inside = np.frombuffer(zlib.decompress(packed), np.uint8)
    mask[top:bottom, left:right] = inside.reshape(bottom - top, right - left)
    return KeptMask(mask, float(confidence))
