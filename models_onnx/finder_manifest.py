"""A finder bundle: OWLv2's two ONNX graphs, its tokenizer, its licence, and a manifest.

`manifest.json` says `"kind": "owlv2"`: neither a bundle that makes sound nor one that makes masks is taken
for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models_onnx.bundle import GraphFolder, manifest_in
from models_onnx.manifest import (
    MANIFEST_NAME,
    FileSpec,
    GraphSpec,
    InvalidBundle,
    Licence,
    Source,
    TextSpec,
)
from models_onnx.manifest_json import kind_of, read_manifest
from models_onnx.other_kinds import common_problems, write_checked

FINDER_KIND = "owlv2"
FINDER_SCHEMA = 1
FINDER_ROLES = ("text", "detector")
"""What the graphs of a finder bundle are called; every one has both."""

FINDER_RESIZE = "pad-smooth-bilinear"
"""The only way of resizing that is known: the picture is padded to a square at its right and lower side,
smoothed by as much as it will shrink, and taken bilinearly."""

PLACE_OF_WORDS = "{}"


@dataclass(frozen=True, slots=True)
class FinderPictureSpec:
    """How a frame becomes network input.

    Attributes:
        size: side of the square picture, pixels.
        patch: side of a patch; one box comes of each.
        resize: `FINDER_RESIZE`.
        padding: value of the padded part, 0..1.
        mean, std: of red, green and blue, of values in 0..1.
    """

    size: int
    patch: int
    resize: str
    padding: float
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FindingSpec:
    """Which boxes count.

    Attributes:
        prompt: the sentence around the words, with `{}` where they stand.
        least_score: boxes of a lower one are not told, 0..1.
        most_overlap: of two boxes that overlap by more than this, the better one counts; intersection over
            union, 0..1.
    """

    prompt: str
    least_score: float
    most_overlap: float


@dataclass(frozen=True, slots=True)
class FinderManifest:
    """Everything the runtime knows about a finder bundle.

    Attributes:
        kind: `FINDER_KIND`.
        id: short name ("owlv2_base").
        architecture: name of the checkpoint.
        precision: of the stored weights: "fp32" or "fp16".
        onnxruntime_min, onnxruntime_below: range of onnxruntime versions it was made for; "" for no end.
        licence_file: the licence's text, a file of the bundle.
        graphs: by role: text (tokens to queries of length 1), detector (picture and queries to scores,
            boxes, objectness).
        parity: relative L2 differences ONNX against torch measured at export, by graph.
        gpu_graphs: files of the same graphs for CUDA, by role; none so far.
    """

    schema: int
    kind: str
    id: str
    title: str
    version: str
    architecture: str
    precision: str
    opset: int
    onnxruntime_min: str
    onnxruntime_below: str
    licence: Licence
    licence_file: str
    sources: tuple[Source, ...]
    picture: FinderPictureSpec
    text: TextSpec
    finding: FindingSpec
    graphs: dict[str, GraphSpec]
    files: dict[str, FileSpec]
    parity: dict[str, float]
    gpu_graphs: dict[str, str]


@dataclass(frozen=True, slots=True)
class FinderBundle(GraphFolder):
    """An opened bundle that finds objects by words."""

    manifest: FinderManifest

    @classmethod
    def open(cls, path: Path | str) -> FinderBundle:
        """The bundle in folder `path` (or with the manifest `path`), sizes checked, hashes not yet.

        Raises:
            InvalidBundle: see its `reason`.
        """
        folder, content = manifest_in(path)
        manifest = parse_finder_manifest(content, path=folder / MANIFEST_NAME)
        bundle = cls(folder=folder, manifest=manifest, digest=hashlib.sha256(content).hexdigest())
        bundle.check_sizes()
        return bundle


def is_finder_bundle(folder: Path) -> bool:
    """Whether the manifest in a folder says that it is one; the bundle may still be damaged."""
    try:
        return kind_of(manifest_in(folder)[1]) == FINDER_KIND
    except InvalidBundle:
        return False


def parse_finder_manifest(content: bytes, *, path: Path) -> FinderManifest:
    """The manifest in `content`, every field checked.

    Raises:
        InvalidBundle: "newer" for a schema above `FINDER_SCHEMA`, "corrupt" for anything else.
    """
    return read_manifest(FinderManifest, content, path=path, newest=FINDER_SCHEMA, problems=_problems)


def write_finder_manifest(folder: Path, manifest: FinderManifest) -> Path:
    """Write `manifest.json` into `folder`, whole or not at all; its path.

    Raises:
        ValueError: the manifest would not be accepted by `FinderBundle.open`.
        OSError: the folder cannot be written.
    """
    return write_checked(folder, manifest, parse=parse_finder_manifest)


def _problems(manifest: FinderManifest) -> Iterator[str]:
    if manifest.kind != FINDER_KIND:
        yield f"kind {manifest.kind!r} is not {FINDER_KIND!r}"
    yield from common_problems(manifest, FINDER_ROLES, used=(manifest.text.tokenizer,))
    yield from _number_problems(manifest)


def _number_problems(manifest: FinderManifest) -> Iterator[str]:
    picture, text, finding = manifest.picture, manifest.text, manifest.finding
    if not 1 <= picture.patch <= picture.size <= 4096 or picture.size % picture.patch:
        yield f"picture.size {picture.size} is no multiple of picture.patch {picture.patch} up to 4096"
    if picture.resize != FINDER_RESIZE or not 0 <= picture.padding <= 1:
        yield f"picture.resize is not {FINDER_RESIZE!r} or picture.padding not in 0..1"
    if not len(picture.mean) == len(picture.std) == 3 or min(picture.std, default=0) <= 0:
        yield "picture.mean and picture.std need three values, std above 0"
    if not 3 <= text.length <= 1024 or not all(
        0 <= number < 1 << 31 for number in (text.start_id, text.end_id, text.pad_id)
    ):
        yield "text.length must be in 3..1024 and token ids not negative"
    if finding.prompt.count(PLACE_OF_WORDS) != 1 or len(finding.prompt) > 200:
        yield f"finding.prompt must hold {PLACE_OF_WORDS} once"
    if not (0 < finding.least_score < 1 and 0 < finding.most_overlap <= 1):
        yield "finding.least_score and finding.most_overlap must be in 0..1"
