"""What an export may take the place of: nothing, an empty folder, or a bundle and nothing besides.

A bundle is known by its manifest, of whatever kind, also by one that is damaged or of another version. To it
belong the files that the manifest names and those that every export writes. Anything else in its folder is
somebody's own: such a folder is not replaced.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from exporter.errors import ExportError
from models_onnx.bundle import EXTERNAL_DATA, MANIFEST_NAME, ROLES
from models_onnx.finder_manifest import FINDER_ROLES
from models_onnx.manifest_json import is_plain_path
from models_onnx.mask_manifest import MASK_ROLES

GRAPHS = frozenset(
    f"{role}{form}" for role in (*ROLES, *MASK_ROLES, *FINDER_ROLES) for form in (".onnx", ".gpu.onnx")
)
WRITTEN = frozenset(
    {
        MANIFEST_NAME,
        "MODEL_CARD.md",
        "LICENSE",
        "parity.json",
        "tokenizer.json",
        "null_conditions.npz",
        "constants.npz",
        *GRAPHS,
        *(f"{graph}{EXTERNAL_DATA}" for graph in GRAPHS),
    }
)
"""What exports of all kinds call their files."""

_LEFT_BY_SYSTEMS = re.compile(r"\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.manifest-[a-z0-9_]{8}\.part")
"""Notes of a file manager, and a manifest whose writing was killed: nobody's own."""

_LARGEST_MANIFEST = 4 << 20
_KEYS = frozenset({"schema", "id", "graphs"})
"""Every manifest of ours has had these together; a web page's or an extension's does not."""

_LONGEST_NAME = 255 - len(".-xxxxxxxx.part")
"""Bytes; while the bundle grows its folder's name is longer by what `growing` puts around it."""

_ELSEWHERE = "Name a new folder."


def refuse_foreign(output: Path) -> None:
    """Pass when a bundle can get the name `output`, and nothing but a bundle is replaced by it.

    Raises:
        ExportError: it cannot, or what is foreign there, by name; nothing was touched.
    """
    _refuse_name(output)
    try:
        _refuse_place(output)
        problem = foreign_in(output) if output.exists() else ""
    except OSError as error:
        message = f"{output} cannot be looked at ({error.strerror})."
        raise ExportError(message, remedy="Name a folder where you may read and write.") from None
    if problem:
        raise ExportError(f"{output} {problem}.", remedy=_ELSEWHERE)


def foreign_in(folder: Path) -> str:
    """What is somebody's own at a place, as the end of a sentence; "" where all of it may be replaced.

    An `OSError` passes through.
    """
    if not folder.is_dir():
        return "exists and is no bundle: it is no folder"
    manifest = folder / MANIFEST_NAME
    if not manifest.is_file():
        own = tuple(_others(folder, frozenset()))
        return f"exists and is no bundle: it has no manifest, but {_listed(own)}" if own else ""
    named = _named_files(manifest)
    if named is None:
        return f"exists and is no bundle: its {MANIFEST_NAME} is not of one"
    own = tuple(_others(folder, named | WRITTEN))
    return f"holds more than a bundle: {_listed(own)}" if own else ""


def _refuse_name(output: Path) -> None:
    size = len(os.fsencode(output.name))
    if size > _LONGEST_NAME:
        message = f"The name {output.name[:24]}... has {size} bytes; a bundle's folder has at most"
        raise ExportError(f"{message} {_LONGEST_NAME}.", remedy="Name a shorter one.")
    if output.name in {"", ".."}:
        raise ExportError(f"{output} is no name that a bundle could get.", remedy=_ELSEWHERE)


def _refuse_place(output: Path) -> None:
    if output.is_symlink() and not output.exists():
        message = f"{output} is a link to {output.readlink()}, which is not there."
        raise ExportError(message, remedy="Remove the link, or name a new folder.")
    if os.path.ismount(output):
        message = f"{output} is where a disk begins, which cannot be replaced by a bundle."
        raise ExportError(message, remedy="Name a new folder in it.")


def _named_files(path: Path) -> frozenset[str] | None:
    """The files that a manifest names; None where it is somebody else's.

    One that cannot be read any more, cut short or empty, names none; it is a bundle's beside a graph.
    """
    document = _document(path)
    if document is None:
        return frozenset() if any((path.parent / graph).is_file() for graph in GRAPHS) else None
    if not isinstance(document, dict) or not document.keys() >= _KEYS:
        return None
    files = document.get("files")
    if not isinstance(files, dict):
        return frozenset()
    return frozenset(
        name
        for name, file in files.items()
        if is_plain_path(name) and isinstance(file, dict) and "sha256" in file
    )


def _document(path: Path) -> Any:
    """What a JSON file says; None where it is none."""
    if path.stat().st_size > _LARGEST_MANIFEST:
        return {}
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None


def _others(folder: Path, known: frozenset[str]) -> Iterator[str]:
    """Names of what lies in a folder and is none of the known files; a foreign folder is not entered."""
    inside = {parent.as_posix() for name in known for parent in Path(name).parents}
    for at, folders, files in os.walk(folder, onerror=_raise):
        here = Path(at).relative_to(folder)
        for name in sorted(files):
            file = (here / name).as_posix()
            if file not in known and not _LEFT_BY_SYSTEMS.fullmatch(name):
                yield file
        for name in sorted(folders):
            path = (here / name).as_posix()
            if path not in inside or (folder / path).is_symlink():
                folders.remove(name)
                yield f"{path}/"


def _listed(names: Iterable[str]) -> str:
    listed = tuple(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


def _raise(error: OSError) -> NoReturn:
    raise error
