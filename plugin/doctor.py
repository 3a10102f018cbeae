"""What a render needs from this machine, looked at one thing after the other."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Literal

from models_onnx.store import Store
from plugin import __version__
from plugin.bundles import list_bundles, list_mask_bundles, verify_bundle
from plugin.engine.memory import physical_memory
from plugin.errors import EngineError
from plugin.folders import Folders
from resolve_bridge.diagnosis import diagnose

_PACKAGES = ("numpy", "av", "opentimelineio", "soundfile", "soxr", "tokenizers", "ftfy")
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")
_CODECS: tuple[tuple[str, Literal["r", "w"]], ...] = (
    ("h264", "r"),
    ("prores", "r"),
    ("png", "r"),
    ("aac", "w"),
)
_READERS = {"otio_json": "OTIO", "cmx_3600": "EDL", "fcp_xml": "Final Cut 7 XML", "AAF": "AAF"}
_FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
    "C:/Windows/Fonts",
)
_LOW_DISK = 2 * 10**9
_LITTLE_MEMORY = 7 * 10**9
"""Bytes; half of it holds the image encoder and the flow at full size in float32, one at a time."""


class State(StrEnum):
    """How one thing was found."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        state: a note does not hinder a render, a bad finding does.
        found: what was found.
        remedy: one imperative sentence, "" when nothing is to be done.
    """

    subject: str
    state: State
    found: str
    remedy: str = ""


def examine(*, folders: Folders, store: Store, output: Path) -> Iterator[Finding]:
    """Findings in the order in which a person would look; slow ones (hashing, providers) come as they end.

    Args:
        folders: the product's own.
        store: where bundles are looked for.
        output: the folder whose disk will take stems.
    """
    yield _python()
    yield _memory()
    yield from _packages()
    yield from _providers()
    yield from _video()
    yield from _readers()
    yield from _bundles(store)
    for name, folder in (("output", output), ("cache", folders.cache), ("config", folders.config)):
        yield _folder(name, folder)
    yield _fonts()
    yield from _editor()


def _python() -> Finding:
    found = f"sagafoley {__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    return Finding("program", State.GOOD, f"{found}, {os.cpu_count()} cores")


def _memory() -> Finding:
    physical = physical_memory()
    found = "size unknown" if physical is None else f"{physical / 1e9:.1f} GB"
    if physical is not None and physical < _LITTLE_MEMORY:
        remedy = "Close other programs before a render with a full-size bundle."
        return Finding("memory", State.NOTE, found, remedy)
    return Finding("memory", State.GOOD, found)


def _packages() -> Iterator[Finding]:
    versions = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, version in versions.items() if not version]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if missing:
        remedy = f"Install Sagafoley again; {', '.join(missing)} is missing."
        yield Finding("packages", State.BAD, listed, remedy)
    else:
        yield Finding("packages", State.GOOD, listed)
    yield _runtime({name: _version(name) for name in _RUNTIMES})


def _runtime(builds: dict[str, str]) -> Finding:
    present = [f"{name} {version}" for name, version in builds.items() if version]
    found = ", ".join(present) or "none"
    if not present:
        remedy = "Run the installer again, or pip install 'sagafoley[cpu]' or 'sagafoley[cuda]'."
        return Finding("onnxruntime", State.BAD, found, remedy)
    if len(present) > 1:
        remedy = "Remove both and install one again; together they overwrite each other's files."
        return Finding("onnxruntime", State.NOTE, found, remedy)
    return Finding("onnxruntime", State.GOOD, found)


def _providers() -> Iterator[Finding]:
    try:
        from plugin.engine.providers import Provider, provider_fault  # noqa: PLC0415 (see `_video`)
    except ImportError as error:
        yield Finding("providers", State.BAD, str(error), "Install Sagafoley again.")
        return
    for provider in Provider:
        subject = f"provider {provider.value}"
        try:
            fault = provider_fault(provider)
        except EngineError as error:
            yield Finding(subject, State.BAD, error.message, error.remedy)
            continue
        if fault is None:
            yield Finding(subject, State.GOOD, "a small graph ran on it with the right result")
        elif provider is Provider.CPU:
            yield Finding(subject, State.BAD, fault, "Install onnxruntime again.")
        else:
            remedy = "For an NVIDIA GPU run the installer with --gpu yes; without one the CPU renders."
            yield Finding(subject, State.NOTE, fault.splitlines()[0], remedy)


def _video() -> Iterator[Finding]:
    try:
        import av  # noqa: PLC0415 (a broken installation is a finding, not a crash)
    except (ImportError, OSError) as error:
        yield Finding("video", State.BAD, str(error), "Install the av package again.")
        return
    libraries = {name: ".".join(map(str, numbers)) for name, numbers in av.library_versions.items()}
    listed = ", ".join(f"{name} {libraries[name]}" for name in ("libavcodec", "libavformat", "libswscale"))
    missing = [name for name, mode in _CODECS if not _has_codec(name, mode)]
    if missing:
        remedy = "Install the av package from its wheel; a system build lacks these."
        yield Finding("video", State.NOTE, f"{listed}; without {', '.join(missing)}", remedy)
    else:
        yield Finding("video", State.GOOD, f"{listed}; H.264, ProRes, PNG, AAC")


def _has_codec(name: str, mode: Literal["r", "w"]) -> bool:
    from av.codec import Codec  # noqa: PLC0415 (see `_video`)

    try:
        Codec(name, mode)
    except ValueError:  # av's UnknownCodecError is one
        return False
    return True


def _readers() -> Iterator[Finding]:
    try:
        import opentimelineio as otio  # noqa: PLC0415 (see `_video`)
    except (ImportError, OSError) as error:
        yield Finding("timelines", State.BAD, str(error), "Install the opentimelineio package again.")
        return
    known = set(otio.adapters.available_adapter_names())
    missing = [title for name, title in _READERS.items() if name not in known]
    found = ", ".join(title for name, title in _READERS.items() if name in known)
    if missing:
        remedy = f"Install Sagafoley again to read {', '.join(missing)}."
        yield Finding("timelines", State.NOTE, found, remedy)
    else:
        yield Finding("timelines", State.GOOD, found)


def _bundles(store: Store) -> Iterator[Finding]:
    states = list_bundles(store)
    if not states:
        yield Finding("bundles", State.BAD, "none", "Install Sagafoley again, or set SAGAFOLEY_BUNDLES.")
    for state in map(verify_bundle, (*states, *list_mask_bundles(store))):
        subject = f"bundle {state.name}"
        if state.bundle is None or state.fault is not None:
            fault = state.fault
            yield Finding(subject, State.BAD, fault.message if fault else "", fault.remedy if fault else "")
            continue
        licence = state.bundle.manifest.licence
        use = "paid work allowed" if licence.commercial_use else "not for paid work"
        found = f"verified, {state.size}, {licence.name} ({use}), {state.folder}"
        yield Finding(subject, State.GOOD, found)


def _folder(name: str, folder: Path) -> Finding:
    """Whether files can be made in a folder, or its nearest ancestor that exists, and what room is left."""
    subject, present = f"{name} folder", _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=present):
            free = shutil.disk_usage(present).free
    except OSError as error:
        found = f"{folder}: {error.strerror or error}"
        return Finding(subject, State.BAD, found, f"Make {present} writable for you.")
    found = f"{folder}, {free / 1e9:.1f} GB free"
    if free < _LOW_DISK:
        return Finding(subject, State.NOTE, found, "Free some space before a long render.")
    return Finding(subject, State.GOOD, found)


def _nearest(folder: Path) -> Path:
    """The folder itself, or its nearest ancestor that exists."""
    for candidate in (folder, *folder.parents):
        if candidate.exists():
            return candidate
    return Path.cwd()


def _fonts() -> Finding:
    count = sum(1 for folder in _FONT_FOLDERS for _ in _font_files(Path(folder).expanduser()))
    if count:
        return Finding("fonts", State.GOOD, f"{count} font files")
    remedy = "Install fonts (Debian: apt-get install fonts-dejavu-core); the panel has no letters without."
    return Finding("fonts", State.NOTE, "none", remedy)


def _font_files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.rglob("*") if path.suffix.lower() in {".ttf", ".otf", ".ttc"})


def _editor() -> Iterator[Finding]:
    """DaVinci Resolve, and the ways to it; none of them hinders a render."""
    for row in diagnose():
        yield Finding(row.subject, State.GOOD if row.fine else State.NOTE, row.found, row.remedy)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
