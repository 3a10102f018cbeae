"""One file from a local folder: verified while it is copied, whole or not there at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from models_onnx.catalog import PublishedFile
from models_onnx.fetching import FetchFailed, Progress, alone, finish
from models_onnx.parts import Digests, Part, copy_of, fault_of, part_of

_PIECE = 1 << 20


def copy_file(file: PublishedFile, source: Path, target: Path, progress: Progress) -> Digests:
    """Put a file of a local folder at `target`; what came of it from the network stays until then.

    Raises:
        FetchFailed: it is not there, not what was published, cannot be read or written, or another run
            fetches it.
    """
    with alone(file, target):
        part, fetched = Part(copy_of(target)), part_of(target)
        try:
            with _opened(source) as read:
                part.begin(str(source))
                _fill(part, read, source, lambda done: progress(file.name, done, file.size))
            fault = fault_of(file, part.digests())
            if fault:
                raise FetchFailed(f"{source} {fault}.", reason="damaged")
            finish(part, target)
            Part(fetched).discard()
        finally:
            part.discard()
            if fetched.is_file() and not fetched.stat().st_size:  # it was made to be held
                Part(fetched).discard()
    return part.digests()


def _fill(part: Part, read: BinaryIO, source: Path, progress: Callable[[int], None]) -> None:
    with part.path.open("ab") as written:
        for piece in _pieces(read, source):
            part.append(written, piece)
            progress(part.size)


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    try:
        file = source.open("rb")
    except FileNotFoundError:
        raise FetchFailed(f"There is no {source}.", reason="refused") from None
    except OSError as error:
        raise _unreadable(source, error) from error
    with file:
        yield file


def _pieces(read: BinaryIO, source: Path) -> Iterator[bytes]:
    while True:
        try:
            piece = read.read(_PIECE)
        except OSError as error:
            raise _unreadable(source, error) from error
        if not piece:
            return
        yield piece


def _unreadable(source: Path, error: OSError) -> FetchFailed:
    return FetchFailed(f"{source} cannot be read: {error.strerror or error}.", reason="refused")
