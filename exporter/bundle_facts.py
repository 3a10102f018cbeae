"""What a manifest says, held against what an export of its architecture writes.

What the architecture decides must be equal. What comes of weights and training is held to what can be at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter import int8_images
from exporter.bundle_parity import sizes_of
from exporter.errors import ExportError
from exporter.export import picture_of, text_of, vocoder_of, window_of
from exporter.sizes import Sizes
from models_onnx.bundle import Manifest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RANGES: Mapping[str, tuple[float, float]] = {
    "latent.mean": (-1e4, 1e4),
    "latent.std": (1e-6, 1e4),
    "sampling.steps": (1, 1000),
    "sampling.guidance": (0, 50),
}
"""Least and most of what is trained. Latents are near 1; steps and guidance have the limits of a cue."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Fact:
    """A field of a manifest that says something else than it should, in words."""

    field: str
    expected: str
    found: str


class UntrueManifest(ExportError):
    """A manifest says what no export of its architecture writes. `table` shows where."""

    def __init__(self, path: Path, facts: tuple[Fact, ...], *, architecture: str) -> None:
        fields = ", ".join(fact.field for fact in facts[:4])
        more = f" and {len(facts) - 4} more" if len(facts) > 4 else ""
        rows = (f"| {fact.field} | {fact.expected} | {fact.found} |" for fact in facts)
        table = "\n".join(("| field | expected | found |", "|---|---|---|", *rows))
        super().__init__(
            f"{path} is not what an export of {architecture} writes: {fields}{more}.",
            remedy="Export the bundle again.",
            detail=table,
        )
        self.table = table


def refuse_untrue(path: Path, facts: Iterable[Fact], *, architecture: str) -> None:
    """Pass when there are none.

    Args:
        path: of the manifest.
        facts: where it says something else than it should.
        architecture: that it names.

    Raises:
        UntrueManifest: with a table of them.
    """
    listed = tuple(facts)
    if listed:
        raise UntrueManifest(path, listed, architecture=architecture)


def sound_facts(manifest: Manifest) -> tuple[Fact, ...]:
    """What the manifest of a bundle that makes sound should not say.

    Raises:
        ExportError: its architecture is unknown here.
    """
    fixed = other_values(manifest, _fixed(sizes_of(manifest)))
    return (*fixed, *_out_of_range(manifest), *_no_origin(manifest), *_far_from_float32(manifest))


def other_values(manifest: object, expected: Mapping[str, Any]) -> Iterator[Fact]:
    """Fields whose values are others than expected.

    Args:
        manifest: of any kind.
        expected: values by the name of their field, such as "picture.size".
    """
    for field, value in expected.items():
        found = attrgetter(field)(manifest)
        if found != value:
            yield Fact(field, str(value), str(found))


def values_of(name: str, part: DataclassInstance) -> dict[str, Any]:
    """The values of a part of a manifest by the name of their field, names of files left out."""
    return {f"{name}.{field}": value for field, value in asdict(part).items() if field != "tokenizer"}


def _fixed(sizes: Sizes) -> dict[str, Any]:
    return {
        "sample_rate": sizes.sample_rate,
        "latent.channels": sizes.flow.latent_channels,
        "latent.hop": sizes.latent_hop,
        **values_of("picture", picture_of(sizes)),
        **values_of("text", text_of(sizes)),
        **values_of("vocoder", vocoder_of(sizes)),
        **values_of("window", window_of(sizes)),
    }


def _out_of_range(manifest: Manifest) -> Iterator[Fact]:
    for field, (least, most) in RANGES.items():
        value = attrgetter(field)(manifest)
        named = (
            {f"{field}[{index}]": one for index, one in enumerate(value)}
            if isinstance(value, tuple)
            else {field: value}
        )
        for name, number in named.items():
            if not least <= number <= most:
                yield Fact(name, f"{least:g} to {most:g}", f"{number}")


def _no_origin(manifest: Manifest) -> Iterator[Fact]:
    for index, source in enumerate(manifest.sources):
        if _SHA256.fullmatch(source.sha256) is None:
            yield Fact(f"sources[{index}].sha256", "64 hexadecimal digits", repr(source.sha256))
    for field in ("title", "licence.name"):
        if not attrgetter(field)(manifest).strip():
            yield Fact(field, "a name", "nothing")


def _far_from_float32(manifest: Manifest) -> Iterator[Fact]:
    least = int8_images.LEAST_COSINE
    for role, cosine in manifest.eight_bit.items():
        if not least <= cosine <= 1:
            yield Fact(f"eight_bit.{role}", f"{least:g} to 1", f"{cosine}")
