"""What can be fetched: every published file, from where, how large, under which licence, what for."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATALOG = Path(__file__).with_name("catalog.toml")

TOLERANCE = 0.2
"""How far the size of a file may be off its `about`, as a share, where nothing else can be compared."""

MOST_TIMES = 3
"""How many times its `about` a file with a digest may have: more than its tensors may lie in it."""


@dataclass(frozen=True, slots=True)
class WeightsLicence:
    """Terms of published weights.

    Attributes:
        id: key of the catalog.
        name: short name.
        paid_work: "yes", "no" or "read it".
        address: where its text is.
        text: one or two sentences.
    """

    id: str
    name: str
    paid_work: str
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file as its makers published it.

    Attributes:
        name: under which it is kept and under which the exporter looks for it.
        address: where it is published.
        bytes: exact size, 0 when not known.
        about: size that follows from its tensors, where the exact one is not known.
        md5, sha256: published digests, "" where there is none.
        purpose: what it is for.
    """

    name: str
    address: str
    licence: WeightsLicence
    purpose: str
    bytes: int = 0
    about: int = 0
    md5: str = ""
    sha256: str = ""

    @property
    def size(self) -> int:
        """Bytes, about."""
        return self.bytes or self.about

    @property
    def compared(self) -> str:
        """What was published to compare the file with: "digest", "size" or "nothing"."""
        return "digest" if self.md5 or self.sha256 else "size" if self.bytes else "nothing"

    @property
    def most(self) -> int:
        """Bytes beyond which it cannot be the published file; 0 where that is not known."""
        return self.bytes or int(self.about * (1 + TOLERANCE if self.compared == "nothing" else MOST_TIMES))

    @property
    def least(self) -> int:
        """Bytes below which it cannot be the published file."""
        return self.bytes or (int(self.about * (1 - TOLERANCE)) if self.compared == "nothing" else 0)


@dataclass(frozen=True, slots=True)
class CheckpointSet:
    """The files that one bundle is made from.

    Attributes:
        export: what to name to `sagafoley-export`, "" where there is none yet.
    """

    id: str
    title: str
    files: tuple[PublishedFile, ...]
    export: str

    @property
    def licences(self) -> tuple[WeightsLicence, ...]:
        """Every licence of its files, once."""
        return tuple(dict.fromkeys(file.licence for file in self.files))


@dataclass(frozen=True, slots=True)
class Catalog:
    """All sets, by id, in the order of the file."""

    sets: dict[str, CheckpointSet]

    @classmethod
    def load(cls, path: Path = CATALOG) -> Catalog:
        """The catalog that ships with the code."""
        document = tomllib.loads(path.read_text("utf-8"))
        licences = {key: WeightsLicence(id=key, **fields) for key, fields in document["licences"].items()}
        files = {name: _file(name, fields, licences) for name, fields in document["files"].items()}
        return cls(
            {
                key: CheckpointSet(
                    key, fields["title"], tuple(files[name] for name in fields["files"]), fields["export"]
                )
                for key, fields in document["sets"].items()
            }
        )


def _file(name: str, fields: dict[str, Any], licences: dict[str, WeightsLicence]) -> PublishedFile:
    return PublishedFile(name=name, **{**fields, "licence": licences[fields["licence"]]})
