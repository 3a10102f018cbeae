"""One short name for what a media source holds, to know when something cached still belongs to it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from plugin.cues import ImageSequence, MediaSource
from plugin.media.containers import require_file, undecodable

_MIB = 1 << 20
WHOLE_FILE_LIMIT = 64 * _MIB
"""Files up to this size are read whole."""

WHOLE_IMAGE_LIMIT = 1 * _MIB
"""The same for one image of a sequence, of which there may be thousands."""

_BLOCKS = 8


def fingerprint(source: MediaSource) -> str:
    """64 hexadecimal digits that change when the source does; the same on every machine for small files.

    SHA-256 over size and content. A file above 64 MiB (an image of a sequence: above 1 MiB) is
    sampled: its first and last block and six between, with its size and modification time in
    nanoseconds, so copying a large file without its time gives another fingerprint. A sequence is
    the numbers it spans, its rate and hole policy, and every image or hole in order. Names and
    folders do not count.

    Raises:
        MediaMissing: nothing is there.
        UndecodableMedia: the file may not be read or is empty.
    """
    digest = hashlib.sha256(b"sagafoley media 1\n")
    if isinstance(source, ImageSequence):
        digest.update(f"{source.first} {source.last} {source.step} {source.rate} {source.missing}".encode())
        for number in range(source.first, source.last + 1, max(1, source.step)):
            path = source.path_of(number)
            digest.update(_file_digest(path, WHOLE_IMAGE_LIMIT) if path.is_file() else b"hole")
    else:
        require_file(source.path)
        digest.update(_file_digest(source.path, WHOLE_FILE_LIMIT))
    return digest.hexdigest()


def _file_digest(path: Path, whole_limit: int) -> bytes:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            status = path.stat()
            digest.update(f"{status.st_size}\n".encode())
            if status.st_size > whole_limit:
                digest.update(f"{status.st_mtime_ns}\n".encode())
                _add_samples(digest, file, size=status.st_size, block=whole_limit // _BLOCKS)
            else:
                while data := file.read(_MIB):
                    digest.update(data)
    except OSError as error:
        raise undecodable(
            path, "may not be read", remedy="Give yourself permission to read the file.", detail=str(error)
        ) from error
    return digest.digest()


def _add_samples(digest: hashlib._Hash, file: BinaryIO, *, size: int, block: int) -> None:
    """Eight blocks, evenly spread, the first at the head and the last at the tail."""
    block = min(block, _MIB)
    for index in range(_BLOCKS):
        file.seek((size - block) * index // (_BLOCKS - 1))
        digest.update(file.read(block))
