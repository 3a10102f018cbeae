"""Putting files and folders where they belong, and taking them away: what is ours, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from faults import is_refusal, write_error
from record import Entry, Record, digest, hash_of, part_of, write_whole


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that should be there."""

    path: Path
    content: bytes
    executable: str = "no"

    @property
    def mode(self) -> int:
        """Permission bits."""
        return 0o755 if self.executable == "yes" else 0o644


class Put(StrEnum):
    """What became of a wanted file."""

    SAME = "as it should be"
    NEW = "put"
    REPLACED = "brought up to date"
    ASIDE = "put; what you had changed there was kept beside it"
    FOREIGN = "left alone: another file, not ours, is there"
    REFUSED = "left out: the folder does not allow it"


def state_of(record: Record | None, wanted: Wanted) -> Put:
    """What `put_all` would do now."""
    entry = record.get(wanted.path) if record else None
    if not os.path.lexists(wanted.path):
        return Put.NEW
    present = hash_of(wanted.path)
    if present == digest(wanted.content):
        return Put.SAME if _runs_as(wanted) else Put.REPLACED
    if entry is None:
        return Put.FOREIGN
    return Put.REPLACED if present in entry.hashes else Put.ASIDE


def put_all(record: Record, files: Sequence[Wanted]) -> tuple[tuple[Wanted, Put], ...]:
    """Make files what they should be, once the record says so; given is what became of each.

    Raises:
        InstallError: one lies inside our own folder and cannot be written.
    """
    states = [(wanted, state_of(record, wanted)) for wanted in files]
    changing = [(wanted, state) for wanted, state in states if state not in {Put.SAME, Put.FOREIGN}]
    earlier = {wanted.path: record.get(wanted.path) for wanted, _ in changing}
    record.add_all({wanted.path: Entry("file", _hashes(wanted, state)) for wanted, state in changing})
    refused = [wanted for wanted, state in changing if not _is_put(record, wanted, state)]
    final = {wanted.path: Entry("file", (digest(wanted.content),)) for wanted, _ in changing}
    record.add_all(final | {wanted.path: earlier[wanted.path] for wanted in refused})
    return tuple((wanted, Put.REFUSED if wanted in refused else state) for wanted, state in states)


def _hashes(wanted: Wanted, state: Put) -> tuple[str, ...]:
    """What the file may hold from now on, until it is put."""
    before = (hash_of(wanted.path),) if state is Put.REPLACED else ()
    return (digest(wanted.content), *before)


def _is_put(record: Record, wanted: Wanted, state: Put) -> bool:
    """Write it; False where the folder, which is not our own, does not allow it."""
    try:
        if state is Put.ASIDE:
            wanted.path.rename(_free_name(wanted.path))
        make_folder(record, wanted.path.parent)
        write_whole(wanted.path, wanted.content, mode=wanted.mode)
    except OSError as error:
        if is_refusal(error) and not wanted.path.is_relative_to(record.root):
            return False
        raise write_error(wanted.path, error) from error
    return True


def make_folder(record: Record, folder: Path) -> None:
    """Make a folder and those above it; each is written down first. An `OSError` passes through."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()][::-1]
    known = {each for each in missing if record.get(each)}
    record.add_all({each: Entry("folder") for each in missing})
    try:
        for each in missing:
            each.mkdir(exist_ok=True)
    except OSError:
        record.add_all({each: None for each in missing if each not in known and not each.exists()})
        raise


def take_away(record: Record, path: Path) -> bool:
    """Remove a file of ours; False when it was changed since and stays. An `OSError` passes through."""
    entry = record.get(path)
    part_of(path).unlink(missing_ok=True)
    if entry is None or not os.path.lexists(path):
        return True
    if hash_of(path) not in entry.hashes:
        return False
    path.unlink()
    return True


def remove_empty_folders(record: Record) -> tuple[Path, ...]:
    """Remove folders that were made here and are empty now; those that hold something else are given."""
    kept = []
    for folder in sorted(record.paths("folder"), key=lambda path: len(path.parts), reverse=True):
        if folder == record.root or folder in record.root.parents:
            continue
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            kept.append(folder)
    return tuple(kept)


# -- trees: environments, and what is needed while installing --------------------------------------


def listing_of(tree: Path) -> Path:
    """The file beside a tree that names all that was put into it."""
    return tree.with_name(f"{tree.name}.files")


def list_tree(tree: Path) -> bytes:
    """The listing: one line a file, its sha256 and its path; compiled Python is left out."""
    lines = (
        f"{hash_of(path)} {path.relative_to(tree).as_posix()}\n"
        for path in sorted(_files(tree))
        if not _is_compiled(path)
    )
    return "".join(lines).encode("utf-8", "surrogateescape")


def missing_of_tree(tree: Path) -> tuple[str, ...]:
    """Files that the listing names and that are gone; the listing itself when it is gone."""
    listing = listing_of(tree)
    if not listing.is_file():
        return (listing.name,)
    return tuple(name for name in _listed(listing) if not os.path.lexists(tree / name))


def remove_tree(record: Record, tree: Path) -> tuple[Path, ...]:
    """Remove a tree of ours; given are files that stay: changed since, or never ours. `OSError` passes."""
    entry = record.get(tree)
    if entry is None or not tree.is_dir():
        return ()
    if entry.state != "whole" or not listing_of(tree).is_file():
        shutil.rmtree(tree)
        return ()
    listed = _listed(listing_of(tree))
    kept = []
    for path in list(_files(tree)):
        name = path.relative_to(tree).as_posix()
        if _is_compiled(path) or (name in listed and hash_of(path) == listed[name]):
            path.unlink()
        else:
            kept.append(path)
    _remove_hollow(tree)
    return tuple(kept)


def summary(paths: Iterable[Path], *, most: int = 5) -> tuple[str, ...]:
    """Paths for people: all of a few, else the first ones and how many more."""
    names = [str(path) for path in paths]
    if len(names) <= most:
        return tuple(names)
    return (*names[:most], f"and {len(names) - most} more there")


def holds_nothing(path: Path) -> bool:
    """Whether it is a folder with no file in it, nor in any folder below."""
    return path.is_dir() and not path.is_symlink() and next(_files(path), None) is None


def _files(tree: Path) -> Iterator[Path]:
    """Everything but folders; links are not followed."""
    for folder, folders, files in os.walk(tree):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        yield from (Path(folder, name) for name in (*files, *links))


def _is_compiled(path: Path) -> bool:
    return path.suffix == ".pyc" and path.parent.name == "__pycache__"


def _listed(listing: Path) -> dict[str, str]:
    text = listing.read_bytes().decode("utf-8", "surrogateescape")
    pairs = (line.partition(" ") for line in text.split("\n") if line)
    return {name: sha256 for sha256, _, name in pairs}


def _remove_hollow(tree: Path) -> None:
    """Remove every folder of the tree that holds no file, the tree itself included."""
    for folder, _, _ in os.walk(tree, topdown=False):
        if not any(Path(folder).iterdir()):
            Path(folder).rmdir()


def _free_name(path: Path) -> Path:
    """A name beside it that is not taken."""
    names = (path.with_name(f"{path.name}.kept{number or ''}") for number in range(1000))
    return next(name for name in names if not os.path.lexists(name))


def _runs_as(wanted: Wanted) -> bool:
    return wanted.executable == "no" or os.access(wanted.path, os.X_OK)
