"""What is installed, what could be added, and under which licences: for the first page and About."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from models_onnx.catalog import Catalog, CheckpointSet
from plugin import __version__
from plugin.bundles import BundleState
from plugin.controller.takerows import licence_words
from plugin.controller.views import AdditionRow, BundleRow, FactRow, FirstRun, LicenceRow

_LIBRARIES = (
    "PySide6-Essentials",
    "av",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "opentimelineio",
    "soundfile",
    "soxr",
    "tokenizers",
    "ftfy",
    "filelock",
    "sounddevice",
    "platformdirs",
    "requests",
)


def bundle_rows(
    states: tuple[BundleState, ...], used: str, used_folder: Path | None
) -> tuple[BundleRow, ...]:
    """The bundles of this machine.

    Args:
        states: as found.
        used: what the settings name.
        used_folder: where the bundle in use is, None when there is none.
    """
    return tuple(
        BundleRow(
            name=state.name,
            title=f"{state.name} ({state.size})" if state.bundle else state.name,
            licence=_bundle_licence(state),
            condition=state.condition,
            used=state.folder == used_folder or state.name == used,
            folder=state.folder,
        )
        for state in states
    )


def _bundle_licence(state: BundleState) -> str:
    if state.bundle is None:
        return ""
    licence = state.bundle.manifest.licence
    return licence_words(licence.name, allowed=licence.commercial_use)


def first_run(states: tuple[BundleState, ...], masks: tuple[BundleState, ...] = ()) -> FirstRun:
    """The first-run page.

    Args:
        states: the bundles that make sound.
        masks: those that make masks.
    """
    usable = [state for state in states if state.bundle is not None and state.fault is None]
    installed = [FactRow("Sagafoley", f"version {__version__}")]
    installed += [
        FactRow(f"Model '{state.name}'", f"{state.size}, {_bundle_licence(state)}") for state in usable
    ]
    if not usable:
        installed.append(FactRow("Model", "none that can be used"))
    return FirstRun(tuple(installed), (_gpu(), *_published((*states, *masks))), licences(states))


def _gpu() -> AdditionRow:
    return AdditionRow(
        title="NVIDIA GPU",
        adds="Renders run on the graphics card, many times faster than on the processor.",
        how="Run the installer again with --gpu yes; it finds the pack that fits (1.3 to 2 GB).",
        licence="onnxruntime-gpu is MIT; NVIDIA's libraries come under NVIDIA's own terms.",
        present=_version("onnxruntime-gpu") != "",
    )


def _published(states: tuple[BundleState, ...]) -> tuple[AdditionRow, ...]:
    """Published models that a bundle can be made of.

    A bundle has an id of its own, so that one is there is told by the checkpoint it was made from: the
    first file of the set, which is the model itself.
    """
    bundles = (state.bundle for state in states if state.bundle is not None)
    made_from = {source.file for bundle in bundles for source in bundle.manifest.sources}
    exportable = (each for each in Catalog.load().sets.values() if each.export)
    return tuple(_published_row(each, present=each.files[0].name in made_from) for each in exportable)


def _published_row(each: CheckpointSet, *, present: bool) -> AdditionRow:
    gigabytes = sum(file.bytes or file.about for file in each.files) / 1e9
    terms = {file.licence.name: file.licence for file in each.files}
    worst = [f"{name}: {licence.text}" for name, licence in terms.items() if licence.paid_work == "no"]
    return AdditionRow(
        title=each.title,
        adds=f"The published weights at full size, {gigabytes:.1f} GB to fetch.",
        how=f"Run `sagafoley models fetch {each.id}`, then make a bundle with sagafoley-export.",
        licence=" ".join(worst) or f"{', '.join(terms)}: paid work allowed.",
        present=present,
    )


def licences(states: tuple[BundleState, ...]) -> tuple[LicenceRow, ...]:
    """Of the program, of every bundle's weights, of the libraries."""
    rows = [LicenceRow(f"Sagafoley {__version__}", _licence_of("sagafoley") or "see LICENSE", _own_licence())]
    for state in states:
        if state.bundle is not None:
            terms = state.bundle.manifest.licence
            text = " ".join(part for part in (terms.text, terms.attribution) if part)
            rows.append(LicenceRow(f"Weights of '{state.name}'", _bundle_licence(state), text))
    for name in _LIBRARIES:
        version = _version(name)
        if version:
            rows.append(
                LicenceRow(f"{name} {version}", _licence_of(name) or "see its package", _home_of(name))
            )
    return tuple(rows)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _licence_of(package: str) -> str:
    """The short name of a package's licence, "" where its metadata does not say."""
    try:
        facts = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return ""
    named = _first(facts, "License-Expression")
    classifiers = [each for each in facts.get_all("Classifier") or () if each.startswith("License ::")]
    text = _first(facts, "License").strip()
    short = text if "\n" not in text and len(text) < 60 else ""
    return named or short or (classifiers[0].rpartition("::")[2].strip() if classifiers else "")


def _home_of(package: str) -> str:
    facts = metadata.metadata(package)
    addresses = [each.partition(",")[2].strip() for each in facts.get_all("Project-URL") or ()]
    return _first(facts, "Home-page") or (addresses[0] if addresses else "")


def _first(facts: metadata.PackageMetadata, name: str) -> str:
    """The first value of a field, "" where there is none."""
    values = facts.get_all(name)
    return str(values[0]) if values else ""


def _own_licence() -> str:
    """The text of the program's licence."""
    for file in metadata.files("sagafoley") or ():
        if file.name in {"LICENSE", "LICENSE.txt"}:
            return file.read_text()
    beside = Path(__file__).parents[2] / "LICENSE"
    return beside.read_text("utf-8") if beside.is_file() else ""
