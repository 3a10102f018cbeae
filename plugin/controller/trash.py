"""Deleted takes: moved into the trash folder and back, so that what is on disk is what the book says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from plugin.controller.book import Book
from plugin.controller.shelf import Shelf
from plugin.errors import OutputError, SagafoleyError
from plugin.render.stemfolder import TRASH
from plugin.wholefile import discard, output_error

_SUFFIXES = (".json", ".wav")


def trashed(book: Book) -> frozenset[str]:
    """Names of the takes that the book has in the trash."""
    return frozenset(name for name, note in book.notes.items() if note.trashed)


def settle(folder: Path, before: Book, after: Book, shelf: Shelf | None) -> Iterator[SagafoleyError]:
    """Moves the files of takes that came into the trash or out of it; why some could not be moved."""
    if shelf is None:
        return
    was, now = trashed(before), trashed(after)
    bin_ = folder / TRASH
    for name in sorted(now - was):
        yield from _move(name, folder, bin_, suffixes=_SUFFIXES)
    for name in sorted(was - now):
        yield from _move(name, bin_, folder, suffixes=_SUFFIXES[::-1])


def _move(name: str, source: Path, target: Path, *, suffixes: tuple[str, ...]) -> Iterator[SagafoleyError]:
    """The sidecar leaves first and comes back last: a take is there with its sound or not at all."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        for suffix in suffixes:
            _rename(source / f"{name}{suffix}", target / f"{name}{suffix}")
    except OSError as error:
        yield output_error(target / name, error)
    except OutputError as error:
        yield error


def _rename(old: Path, new: Path) -> None:
    if not old.exists():
        return
    if new.exists():
        raise OutputError(
            f"{old.name} cannot be moved: {new.parent} has a file of that name.",
            remedy="Move that file away, then try again.",
            detail=str(new),
        )
    old.rename(new)


def empty(folder: Path) -> tuple[str, ...]:
    """Removes what is in the trash folder for good; names of the takes that were there."""
    names = set()
    for path in (folder / TRASH).glob("*"):
        if path.suffix in _SUFFIXES:
            discard(path)
            names.add(path.stem)
    return tuple(sorted(names))
