"""The shelf: the folder of fetched checkpoints, a receipt for each, and the accepted licences."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from models_onnx.catalog import CheckpointSet, PublishedFile
from models_onnx.parts import Digests, fault_of, hash_file, leavings, part_of

if os.name == "posix":
    import fcntl

RECEIPTS = "receipts.json"


@dataclass(slots=True)
class Shelf:
    """Fetched checkpoints.

    Attributes:
        folder: need not exist.
        receipts: what each file was when it was whole, by name; a sha256 learned once must stay the same.
        accepted: ids of accepted licences.
        changed: when each file was last changed as its receipt was written, ns.
    """

    folder: Path
    receipts: dict[str, Digests] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    changed: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Shelf:
        """The shelf in a folder; without receipts where they are missing or damaged."""
        try:
            document = json.loads((folder / RECEIPTS).read_text("utf-8"))
            receipts = {name: Digests(**fields) for name, fields in document["files"].items()}
            changed = {str(name): int(moment) for name, moment in document.get("changed", {}).items()}
            return cls(folder, receipts, set(map(str, document["accepted"])), changed)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return cls(folder)

    def path_of(self, file: PublishedFile) -> Path:
        """Where a file is or will be."""
        return self.folder / file.name

    def state_of(self, file: PublishedFile) -> str:
        """One word: "fetched", "begun", "missing", or "unknown" (not verified, or changed since)."""
        path, receipt = self.path_of(file), self.receipts.get(file.name)
        if path.is_file():
            there = path.stat()
            changed = self.changed.get(file.name, there.st_mtime_ns)
            same = receipt is not None and (there.st_size, there.st_mtime_ns) == (receipt.bytes, changed)
            return "fetched" if same else "unknown"
        return "begun" if part_of(path).is_file() and part_of(path).stat().st_size else "missing"

    def remaining(self, file: PublishedFile) -> int:
        """Bytes still to be fetched, about."""
        if self.state_of(file) in {"fetched", "unknown"}:
            return 0
        part = part_of(self.path_of(file))
        return max(file.size - (part.stat().st_size if part.is_file() else 0), 0)

    def verify(self, file: PublishedFile) -> str:
        """Read and hash a file: what is wrong with it; "" when it is as published, and gets a receipt."""
        found = hash_file(self.path_of(file))
        fault = fault_of(file, found) or self.contradiction(file, found)
        if not fault:
            self.keep(file, found)
        return fault

    def contradiction(self, file: PublishedFile, found: Digests) -> str:
        """Why a whole file is not the one that was fetched before; "" when it is, or there was none."""
        receipt = self.receipts.get(file.name)
        if receipt is not None and receipt.sha256 != found.sha256:
            return "is another file than was fetched before (its SHA-256 is another)"
        return ""

    def keep(self, file: PublishedFile, found: Digests) -> None:
        """Write the receipt of a whole file; an `OSError` passes through."""
        with self._latest():
            self.receipts[file.name] = found
            self.changed[file.name] = self.path_of(file).stat().st_mtime_ns

    def accept(self, licences: Iterable[str]) -> None:
        """Remember accepted licences; an `OSError` passes through."""
        with self._latest():
            self.accepted |= set(licences)

    def remove(self, files: Iterable[PublishedFile]) -> tuple[Path, ...]:
        """Remove files and what was begun of them; given are those that were there. `OSError` passes."""
        removed = []
        for file in files:
            path = self.path_of(file)
            for each in (path, *leavings(path)):
                if each.is_file():
                    each.unlink()
                    removed.append(each)
        self._clear_when_empty()
        return tuple(path for path in removed if not path.name.endswith(".json"))

    @contextmanager
    def _latest(self) -> Iterator[None]:
        """What is added inside is added to what other runs have written by now, and written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with _alone(self.folder):
            there = Shelf.open(self.folder)
            self.receipts |= there.receipts
            self.changed |= there.changed
            self.accepted |= there.accepted
            yield
            self._save()

    def _save(self) -> None:
        """Write the receipts, whole or not at all."""
        files = {name: asdict(digests) for name, digests in sorted(self.receipts.items())}
        document = {"files": files, "accepted": sorted(self.accepted), "changed": self.changed}
        part = self.folder / f"{RECEIPTS}.{os.getpid()}.part"
        part.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
        part.replace(self.folder / RECEIPTS)

    def _clear_when_empty(self) -> None:
        if self.folder.is_dir() and {path.name for path in self.folder.iterdir()} <= {RECEIPTS}:
            (self.folder / RECEIPTS).unlink(missing_ok=True)
            self.folder.rmdir()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While entered no other run writes receipts there; on Windows the last one wins."""
    if os.name != "posix":
        yield
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def only_needed_by(
    chosen: CheckpointSet, sets: Iterable[CheckpointSet], shelf: Shelf
) -> tuple[PublishedFile, ...]:
    """Files of a set that no other set which is all there needs too."""
    others = (each for each in sets if each.id != chosen.id)
    there = {"fetched", "unknown"}
    whole = [each for each in others if all(shelf.state_of(file) in there for file in each.files)]
    needed = {file.name for each in whole for file in each.files}
    return tuple(file for file in chosen.files if file.name not in needed)
