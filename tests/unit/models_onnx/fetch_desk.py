"""A file that is published, and a desk that fetches it from servers that behave as they are told."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from models_onnx.catalog import PublishedFile, WeightsLicence
from models_onnx.fetching import Fetcher, FetchFailed, Patience, Session
from models_onnx.parts import Digests
from tests.unit.models_onnx.bad_server import Behaviour, serving


def noise(seed: int) -> bytes:
    pieces = (hashlib.sha256(b"%d %d" % (seed, number)).digest() for number in range(9375))
    return b"".join(pieces)


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


CONTENT, OTHER = noise(1), noise(2)
PIECE = 1 << 16  # the most that is read at once
MIT = WeightsLicence("mit", "MIT", "yes", "https://example.org", "Free.")
QUICK = Patience(attempts=4, connect=5, read=0.3, worthwhile=10_000)


def published(content: bytes = CONTENT, **changes: object) -> PublishedFile:
    file = PublishedFile(
        name="saganet.pth",
        address="https://example.org/saganet.pth",
        licence=MIT,
        purpose="a test",
        about=len(content),
        md5=md5(content),
    )
    return replace(file, **changes)  # type: ignore[arg-type]


class Desk:
    def __init__(self, folder: Path) -> None:
        self.target = folder / "ckpts ö" / "saganet.pth"
        self.pauses: list[float] = []
        self.seen: list[tuple[int, int]] = []
        self.session = Session()
        self.fetcher = Fetcher(
            self.session,
            progress=lambda _name, done, total: self.seen.append((done, total)),
            patience=QUICK,
            pause=self.pauses.append,
        )

    def fetch(self, told: Behaviour, file: PublishedFile | None = None) -> Digests:
        with serving(told) as address:
            return self.fetcher.fetch(file or published(), f"{address}/saganet.pth", self.target)

    def is_right(self) -> bool:
        return self.target.read_bytes() == CONTENT and [
            each.name for each in self.target.parent.iterdir()
        ] == ["saganet.pth"]


def refused(desk: Desk, told: Behaviour, file: PublishedFile | None = None) -> FetchFailed:
    with pytest.raises(FetchFailed) as raised:
        desk.fetch(told, file)
    assert not desk.target.exists()
    return raised.value
