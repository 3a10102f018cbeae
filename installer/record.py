"""The record of an installation: every file and folder that is ours, written down before it is made.

A kill at any moment leaves a record that names at least what is there. Even the first folder is made so:
under a name of its own together with the record inside it, and renamed into place.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from faults import InstallError, write_error

NAME = "installed.json"
SCHEMA = 1
_SCRATCH = ".sagafoley-beginning"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of ours.

    Attributes:
        kind: "file"; "folder", removed when it is empty; "tree", an environment or what is being made.
        hashes: sha256 of what a file may hold: what was written last, and before it while that is replaced.
        state: of a tree: "making" (all of it is ours), or "whole" (what its listing names is ours).
    """

    kind: str
    hashes: tuple[str, ...] = ()
    state: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is installed.

    Attributes:
        version: of the product.
        key: names the environment in use.
        runtime: name of its onnxruntime.
        panel: "yes" or "no".
        resolve: "yes" or "no".
        python: what the environment was made with.
    """

    version: str = ""
    key: str = ""
    runtime: str = ""
    panel: str = "yes"
    resolve: str = "yes"
    python: str = ""


@dataclass(slots=True)
class Record:
    """What is ours, on disk after every change.

    Attributes:
        root: the folder of the installation.
        entries: by absolute path, in the order in which they were made.
    """

    root: Path
    facts: Facts = field(default_factory=Facts)
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> Record | None:
        """The record in a folder; None where there is none.

        Raises:
            InstallError: it cannot be read or is not one.
        """
        path = root / NAME
        try:
            document = json.loads(path.read_text("utf-8"))
            entries = {name: _entry(fields) for name, fields in document["entries"].items()}
            facts = Facts(**document["facts"])
            schema = document["schema"]
        except FileNotFoundError:
            return None
        except OSError as error:
            remedy = "Make it readable for you."
            raise InstallError(f"{path} cannot be read: {error.strerror}.", remedy=remedy) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            remedy = f"Remove {root} and what the guide lists under 'Where it puts things' by hand."
            raise InstallError(f"{path} is damaged ({error}).", remedy=remedy) from None
        if schema != SCHEMA:
            raise InstallError(
                f"{path} was written by another version (schema {schema}).",
                remedy="Use the installer of that version.",
            )
        return cls(root, facts, entries)

    @classmethod
    def begin(cls, root: Path) -> Record:
        """A new record, on disk, in a folder that is made if it is missing, with all folders above it.

        Raises:
            InstallError: the folder cannot be made.
        """
        missing = _missing(root)
        record = cls(root, Facts(), {str(folder): Entry("folder") for folder in missing})
        try:
            if missing:
                _make_with_record(missing[0], root, record.text())
            else:
                record.save()
        except OSError as error:
            raise write_error(root, error) from error
        return record

    def text(self) -> str:
        """The record as it is on disk."""
        entries = {path: asdict(entry) for path, entry in self.entries.items()}
        document = {"schema": SCHEMA, "facts": asdict(self.facts), "entries": entries}
        return json.dumps(document, indent=1, ensure_ascii=True) + "\n"

    def save(self) -> None:
        """Put it on disk, whole or not at all.

        Raises:
            InstallError: it cannot be written.
        """
        path = self.root / NAME
        try:
            write_whole(path, self.text().encode("utf-8"))
        except OSError as error:
            raise write_error(path, error) from error

    def add(self, path: Path, entry: Entry) -> None:
        """Write down what is about to be made."""
        self.add_all({path: entry})

    def drop(self, path: Path) -> None:
        """Forget what has been removed."""
        self.add_all({path: None})

    def add_all(self, entries: Mapping[Path, Entry | None]) -> None:
        """Write down much at once; None forgets."""
        before = dict(self.entries)
        for path, entry in entries.items():
            if entry is None:
                self.entries.pop(str(path), None)
            else:
                self.entries[str(path)] = entry
        if self.entries != before:
            self.save()

    def get(self, path: Path) -> Entry | None:
        """What is known of a path."""
        return self.entries.get(str(path))

    def settle(self, **facts: str) -> None:
        """Write down what is installed now."""
        settled = replace(self.facts, **facts)
        if settled != self.facts:
            self.facts = settled
            self.save()

    def paths(self, kind: str) -> tuple[Path, ...]:
        """Everything of one kind, the last made first."""
        return tuple(Path(path) for path, entry in reversed(self.entries.items()) if entry.kind == kind)


def clear_beginning(root: Path) -> None:
    """Remove what a kill left between making the first folder and giving it its name, or at the very end."""
    for parent in root.parents:
        scratch = parent / _SCRATCH
        if scratch.is_dir() and not scratch.is_symlink():
            shutil.rmtree(scratch, ignore_errors=True)


def remove_with_record(record: Record) -> None:
    """Remove the record and the folders above it that were made for it and are empty but for it.

    Raises:
        OSError: a folder cannot be removed.
    """
    made = {Path(path) for path, entry in record.entries.items() if entry.kind == "folder"}
    top: Path | None = None
    lonely, wanted = record.root, {NAME}
    while lonely in made and {entry.name for entry in lonely.iterdir()} <= wanted:
        top, wanted, lonely = lonely, {lonely.name}, lonely.parent
    if top is None:
        (record.root / NAME).unlink(missing_ok=True)
        return
    scratch = top.with_name(_SCRATCH)
    top.rename(scratch)
    shutil.rmtree(scratch)


def hash_of(path: Path) -> str:
    """sha256 of a file, or of where a link points; "" when nothing can be read there."""
    try:
        if path.is_symlink():
            return digest(os.fsencode(path.readlink()))
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def digest(content: bytes) -> str:
    """sha256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def part_of(path: Path) -> Path:
    """What a file is called until it is whole."""
    return path.with_name(f"{path.name}.sagafoley-part")


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write beside and rename; an `OSError` passes through, with nothing left."""
    part = part_of(path)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(mode)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _entry(fields: dict[str, Any]) -> Entry:
    return Entry(str(fields["kind"]), tuple(map(str, fields["hashes"])), str(fields["state"]))


def _missing(folder: Path) -> list[Path]:
    """The folder and those above it that do not exist, the highest first."""
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    return missing[::-1]


def _make_with_record(top: Path, root: Path, text: str) -> None:
    scratch = top.with_name(_SCRATCH)
    if scratch.is_dir():
        shutil.rmtree(scratch)
    inner = scratch / root.relative_to(top)
    inner.mkdir(parents=True)
    write_whole(inner / NAME, text.encode("utf-8"))
    scratch.rename(top)
