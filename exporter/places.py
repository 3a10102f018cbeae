"""Which file of a folder each part of a model is in.

The two published SAGANet files have the same tensors, and `sagafoley models fetch` puts every set into one
folder: which of the two is meant has to be said, and is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from exporter.checkpoints import SUFFIXES, find_checkpoint
from exporter.errors import ExportError
from exporter.sizes import Sizes
from models_onnx.bundle import Source

Places = tuple[tuple[str, str], ...]
"""Files without their endings, and the part of each."""

PARTS: Mapping[str, Places] = {
    "clip": (("clip", ""), ("open_clip_pytorch_model", "")),
    "synchformer_base": (("synchformer_state_dict", ""),),
    "synchformer": (("synchformer", ""), ("saganet", "synchformer"), ("saganet_no_lora", "synchformer")),
    "flow_base": (("mmaudio_small_44k", ""), ("mmaudio_medium_44k", "")),
    "flow": (("flow", ""), ("saganet", "network"), ("saganet_no_lora", "network")),
    "vae": (("vae", ""), ("v1-44", "")),
    "vocoder": (("vocoder", ""), ("bigvgan_generator", "generator")),
}
"""Of each part of a model, the files it may be in, without their endings, and the part of the file."""

OPTIONAL_PARTS = frozenset({"synchformer_base", "flow_base"})
"""Bases of fine-tuned networks: not needed where the network's own file is complete, as it should be."""

VARIANTS: Mapping[str, str] = {"saganet-small": "saganet", "saganet-small-no-lora": "saganet_no_lora"}
"""What names one of the published SAGANet files, and that file without its ending."""


def parts_of(sizes: Sizes, *, only: str = "") -> Mapping[str, Places]:
    """`PARTS` as a model of these sizes has them: without masks the base files are all there is.

    A base belongs to one size.

    Args:
        sizes: of the model.
        only: the one file of `VARIANTS` that is wanted, without its ending; "" takes any.
    """
    if not sizes.masked:
        plain: dict[str, Places] = {
            "synchformer": (("synchformer", ""), ("synchformer_state_dict", "")),
            "flow": (("flow", ""), (f"mmaudio_{sizes.name}", "")),
        }
        return {part: plain.get(part, PARTS[part]) for part in PARTS if part not in OPTIONAL_PARTS}
    size = "medium" if sizes.name.startswith("medium") else "small"
    wanted: dict[str, Places] = {"flow_base": ((f"mmaudio_{size}_44k", ""),)}
    for part in ("synchformer", "flow") if only else ():
        wanted[part] = tuple(place for place in PARTS[part] if place[0] == only)
    return {part: wanted.get(part, places) for part, places in PARTS.items()}


def find_parts(folder: Path, sizes: Sizes, *, only: str = "") -> dict[str, tuple[Path, str]]:
    """By the name of the part of the model, the file and the part of it.

    Args:
        folder: of the checkpoints.
        sizes: of the model.
        only: see `parts_of`.

    Raises:
        ExportError: naming every file that is not there, or both where either might be meant.
    """
    parts = parts_of(sizes, only=only)
    files = {part: found for part in parts if (found := _find(folder, parts[part])) is not None}
    missing = [part for part in parts if part not in files and part not in OPTIONAL_PARTS]
    if missing:
        wanted = "; ".join(f"{part} ({' or '.join(stem for stem, _ in parts[part])})" for part in missing)
        raise ExportError(
            f"{folder} has no checkpoint for {wanted}.", remedy=_other_variant(folder, missing, only=only)
        )
    if sizes.masked and not only:
        _refuse_either(folder, files, sizes)
    return files


def variant_of(sources: Iterable[Source]) -> str:
    """The file of `VARIANTS` that a bundle was made of, without its ending; "" when it was another."""
    stems = {Path(source.file).stem for source in sources}
    return next((stem for stem in VARIANTS.values() if stem in stems), "")


def _find(folder: Path, places: Places) -> tuple[Path, str] | None:
    for stem, nesting in places:
        path = find_checkpoint(folder, stem)
        if path is not None:
            return path, nesting
    return None


def _other_variant(folder: Path, missing: list[str], *, only: str) -> str:
    """What to do where files are missing: perhaps the other published file is there."""
    if only and "flow" in missing:
        for name, stem in VARIANTS.items():
            path = find_checkpoint(folder, stem)
            if path is not None:
                return f"Say {name} to make a bundle of {path.name}, which is there."
    return f"Put them there, each ending with one of {', '.join(SUFFIXES)}."


def _refuse_either(folder: Path, files: Mapping[str, tuple[Path, str]], sizes: Sizes) -> None:
    """Both published files are there, and one of them would be taken."""
    found = {name: path for name, stem in VARIANTS.items() if (path := find_checkpoint(folder, stem))}
    taken = {files[part][0] for part in ("synchformer", "flow")}
    if len(found) < len(VARIANTS) or taken.isdisjoint(found.values()):
        return
    both = " and ".join(path.name for path in found.values())
    if sizes.name == "small_44k_sa":
        say = " or ".join(f"{name} for {path.name}" for name, path in found.items())
        remedy = f"Say {say}."
    else:
        remedy = "Move the one that is not meant to another folder."
    raise ExportError(f"{folder} has {both}; {sizes.name} may be made of either.", remedy=remedy)
