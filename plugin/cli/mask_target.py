"""Where a matte of the command line goes: its name, its version, its form, its prompts."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from plugin.cli.mask_prompts import Sources
from plugin.errors import UnreadablePrompts, UsageError
from plugin.masks.document_files import SUFFIX, read_document
from plugin.masks.documents import PromptsDocument
from plugin.masks.matte_files import MatteForm, free_name, matte_base

_BY_SUFFIX = {".mkv": MatteForm.FFV1, ".mov": MatteForm.PRORES}


@dataclass(frozen=True, slots=True)
class Target:
    """The files of a matte.

    Attributes:
        matte: a folder of pictures or a movie; not there yet.
        prompts: the document beside it.
        form: how the matte is written.
    """

    matte: Path
    prompts: Path
    form: MatteForm


def target_of(
    options: argparse.Namespace, sources: Sources, document: PromptsDocument, *, label: str
) -> Target:
    """Where the matte goes: under the asked-for name, on where it was begun, or under the next version.

    Raises:
        UsageError: the asked-for name and form do not fit, or there is such a file.
    """
    asked: Path | None = None if options.output is None else options.output.absolute()
    by_name = None if asked is None else _BY_SUFFIX.get(asked.suffix.casefold())
    form = MatteForm(options.form) if options.form else by_name or MatteForm.PNG
    if asked is not None and by_name is not None:
        return _exactly(asked, form)
    begun = None if asked is not None else _begun(sources, form)
    if begun is not None:
        return begun
    folder = asked or sources.folder
    known = _same_again(folder, sources, document, label=label)
    name = known or free_name(folder, clip=sources.clip, label=label)
    return _named(folder, name, form)


def _named(folder: Path, name: str, form: MatteForm) -> Target:
    return Target(folder / f"{name}{form.suffix}", folder / f"{name}{SUFFIX}", form)


def _exactly(path: Path, form: MatteForm) -> Target:
    if form.suffix != path.suffix.casefold():
        raise UsageError(
            f"A matte as {form} cannot be called {path.name}.",
            remedy=f"Leave --format out, or say {form.suffix}.",
        )
    if path.exists():
        raise UsageError(
            f"{path.name} is there already, and mattes are never written over.", remedy="Choose another name."
        )
    return Target(path, path.with_name(path.stem + SUFFIX), form)


def _begun(sources: Sources, form: MatteForm) -> Target | None:
    """The matte that saved prompts were begun for, while there is none."""
    if sources.saved_in is None or not sources.saved_in.name.endswith(SUFFIX):
        return None
    name = sources.saved_in.name.removesuffix(SUFFIX)
    folder = sources.saved_in.parent
    return None if _has_matte(folder, name) else _named(folder, name, form)


def _has_matte(folder: Path, name: str) -> bool:
    return any((folder / f"{name}{form.suffix}").exists() for form in MatteForm)


def _same_again(folder: Path, sources: Sources, document: PromptsDocument, *, label: str) -> str | None:
    """The name of prompts that say the same and have no matte yet: the same line was stopped earlier."""
    base = matte_base(sources.clip, label)
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
        name = path.name.removesuffix(SUFFIX)
        if name.startswith(base) and not _has_matte(folder, name) and _says(path, document):
            return name
    return None


def _says(path: Path, document: PromptsDocument) -> bool:
    try:
        return read_document(path) == document
    except UnreadablePrompts:
        return False
