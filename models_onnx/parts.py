"""What is there of a file that is being fetched, and when a whole one is the one that was published."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from models_onnx.catalog import PublishedFile

if os.name == "posix":
    import fcntl


@dataclass(frozen=True, slots=True)
class Digests:
    """What a whole file turned out to be."""

    bytes: int
    md5: str
    sha256: str


@dataclass(slots=True)
class Part:
    """The part of a file that is there, and its running digests."""

    path: Path
    size: int = 0
    resumed: str = "no"
    linked: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    _md5: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    _sha256: hashlib._Hash = field(default_factory=hashlib.sha256)

    @classmethod
    def open(cls, path: Path, address: str, *, proven: bool = False) -> Part:
        """What an earlier run left, hashed again; else nothing.

        Args:
            path: of the part.
            address: where the rest will come from.
            proven: a digest will tell whether parts of two addresses fit; else only the same one's will do.
        """
        part = cls(path)
        facts = _facts(path)
        same = facts.get("address") == address
        if not path.is_file() or not (same or (proven and "address" in facts)):
            part.begin(address)
            return part
        part.facts = facts if same else {"address": address}
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                part._count(piece)
        part.resumed = "yes" if part.size else "no"
        return part

    def begin(self, address: str) -> None:
        """Forget what is there."""
        self.size, self.resumed, self.facts = 0, "no", {"address": address}
        self._md5, self._sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"")
        self._write_facts()

    def note_validator(self, validator: str) -> None:
        """Remember which version of the file this is."""
        if self.facts.get("validator", "") != validator:
            self.facts["validator"] = validator
            self._write_facts()

    def append(self, file: BinaryIO, piece: bytes) -> None:
        """Write and count a piece."""
        file.write(piece)
        self._count(piece)

    def digests(self) -> Digests:
        """Of what is there."""
        return Digests(self.size, self._md5.hexdigest(), self._sha256.hexdigest())

    def discard(self) -> None:
        """Leave nothing."""
        self.path.unlink(missing_ok=True)
        _facts_path(self.path).unlink(missing_ok=True)

    def _count(self, piece: bytes) -> None:
        self.size += len(piece)
        self._md5.update(piece)
        self._sha256.update(piece)

    def _write_facts(self) -> None:
        _facts_path(self.path).write_text(json.dumps(self.facts), "utf-8")


def hash_file(path: Path) -> Digests:
    """Size and digests of a file; an `OSError` passes through."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            md5.update(piece)
            sha256.update(piece)
            size += len(piece)
    return Digests(size, md5.hexdigest(), sha256.hexdigest())


def fault_of(file: PublishedFile, found: Digests, *, linked: str = "") -> str:
    """What is wrong with a whole file, as the end of a sentence; "" when it is the published one.

    Args:
        file: what was published of it.
        found: what it turned out to be.
        linked: the sha256 that the server itself told, used where none was published.
    """
    if file.bytes and found.bytes != file.bytes:
        return size_fault(file, found.bytes)
    if file.md5 and found.md5 != file.md5:
        return "is not the published file (its MD5 is another)"
    expected = file.sha256 or ("" if file.md5 else linked)
    if expected and found.sha256 != expected:
        return "is not the published file (its SHA-256 is another)"
    if not found.bytes:
        return "is empty"
    return size_fault(file, found.bytes)


def size_fault(file: PublishedFile, size: int) -> str:
    """What is wrong with so many bytes, as the end of a sentence; "" where it may be the published file."""
    if file.bytes and size != file.bytes:
        return f"has {size} bytes, not {file.bytes}"
    if size < file.least or 0 < file.most < size:
        return f"has {size} bytes; about {file.about} were published"
    return ""


def part_of(target: Path) -> Path:
    """Where what came so far lies."""
    return target.with_name(f"{target.name}.part")


def copy_of(target: Path) -> Path:
    """Where a copy of a local file lies while it is made; what came from the network stays beside it."""
    return target.with_name(f"{target.name}.copy.part")


def leavings(target: Path) -> tuple[Path, ...]:
    """Everything but the file itself that fetching it can leave behind."""
    parts = (part_of(target), copy_of(target))
    return tuple(path for part in parts for path in (part, _facts_path(part)))


@contextmanager
def held(part: Path) -> Iterator[None]:
    """While entered no other run writes this part; on Windows the digest alone protects it.

    Raises:
        BlockingIOError: another run holds it, or has just made a file of it.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    if part.is_symlink():  # what it leads to is not ours to write
        part.unlink()
    if os.name != "posix":
        yield
        return
    with part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not part.exists() or not os.path.samestat(part.stat(), os.fstat(file.fileno())):
            raise BlockingIOError
        yield


def _facts_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _facts(part: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        document = json.loads(_facts_path(part).read_text("utf-8"))
        if isinstance(document, dict):
            return {str(key): str(value) for key, value in document.items()}
    return {}
