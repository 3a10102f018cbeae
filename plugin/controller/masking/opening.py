"""A mask session opened: the film looked at, what was said of it earlier found, makers chosen. Slow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from plugin.controller.masking.crews import Crew
from plugin.controller.masking.desktops import Desktop
from plugin.controller.masking.targets import MaskTarget, Shot, open_shot
from plugin.cues import MediaFile, MediaSource
from plugin.errors import UnreadablePrompts
from plugin.filenames import safe_name
from plugin.masks.document_files import SUFFIX, PaintedMasks, painted_names, read_document
from plugin.masks.documents import Film, MadeBy, ObjectPrompts, PromptsDocument
from plugin.masks.made import MadeMasks
from plugin.masks.results import MaskStore

PROMPTS, MATTES = "masks", "mattes"
"""Folders of prompts and of finished mattes, in the folder of the stems."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a session is made of."""

    shot: Shot
    desktop: Desktop


def open_target(
    target: MaskTarget,
    *,
    folder: Path,
    store: MaskStore,
    open_crew: Callable[[], Crew],
    document: Path | None = None,
) -> Opened:
    """Everything that a session begins with.

    Args:
        target: what is to be marked.
        folder: that of the stems; prompts and mattes get one each in it.
        store: where masks are kept.
        open_crew: gives the makers.
        document: prompts that were saved with a matte; those that are there of the same film win, as edits
            go there.

    Raises:
        MediaError: the film cannot be used.
        UsageError: the clip shows nothing of it.
        OutputError: prompts cannot be taken over.
    """
    shot = open_shot(target)
    crew = open_crew()
    notices: list[str] = []
    known = _known(shot, folder / PROMPTS, notices)
    path = known[0] if known else _free(folder / PROMPTS, shot)
    if known is None and document is not None:
        known = _of_matte(document, shot, notices)
        if known is not None:
            _taken_over(*known, to=path)
    made = _begun(shot, crew) if known is None else _taken_up(known[1], shot, crew)
    document_now, number = _with_object(made, target.label)
    store.prune(keeping=MadeMasks(document_now, store).keys())
    desktop = Desktop(crew, store, document_now, path, folder / MATTES, number=number, notices=tuple(notices))
    return Opened(shot, desktop)


def _known(shot: Shot, folder: Path, notices: list[str]) -> tuple[Path, PromptsDocument] | None:
    """The prompts of the same film that share most frames with the shot."""
    best: tuple[int, Path, PromptsDocument] | None = None
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            document = read_document(path)
        except UnreadablePrompts as error:
            notices.append(str(error))
            continue
        shared = min(document.last, shot.last) - max(document.first, shot.first) + 1
        if _same_film(document.film, shot.film) and shared > (best[0] if best else 0):
            best = (shared, path, document)
    return best[1:] if best else None


def _of_matte(path: Path, shot: Shot, notices: list[str]) -> tuple[Path, PromptsDocument] | None:
    """The prompts that were saved with a matte; None, and a notice, where they cannot be used."""
    try:
        document = read_document(path)
    except UnreadablePrompts as error:
        notices.append(str(error))
        return None
    if _same_film(document.film, shot.film):
        return path, document
    notices.append(f"{path.name} was made for another film than {shot.target.title}; it is left alone.")
    return None


def _same_film(one: Film, other: Film) -> bool:
    return (one.fingerprint, one.frames, one.width, one.height) == (
        other.fingerprint,
        other.frames,
        other.width,
        other.height,
    )


def _taken_over(path: Path, document: PromptsDocument, to: Path) -> None:
    """Painted masks of prompts elsewhere, beside the new ones.

    Raises:
        OutputError: they cannot be written.
    """
    old, new = PaintedMasks(path.parent, document.film), PaintedMasks(to.parent, document.film)
    for name in painted_names(document):
        if not (new.folder / name).is_file():
            new.add(old(name))


def _free(folder: Path, shot: Shot) -> Path:
    """A name for new prompts: the same for the same part of the same film, but never one that is taken."""
    said = f"{shot.film.fingerprint} {shot.shown_first} {shot.shown_last}"
    mark = hashlib.sha256(said.encode()).hexdigest()[:8]
    name = f"{safe_name(shot.target.title, limit=60, fallback='shot')}_{mark}"
    paths = (folder / f"{name}{more}{SUFFIX}" for more in ("", *(f"_{count}" for count in range(2, 1000))))
    return next(path for path in paths if not path.exists())


def _begun(shot: Shot, crew: Crew) -> PromptsDocument:
    segmenter = MadeBy.of(crew.segmenter)
    return PromptsDocument(shot.film, shot.first, shot.last, segmenter, crew.tracker)


def _taken_up(document: PromptsDocument, shot: Shot, crew: Crew) -> PromptsDocument:
    """What was said, over today's range and by today's makers; keyframes outside of the range stay."""
    return replace(
        document,
        film=shot.film,
        first=shot.first,
        last=shot.last,
        segmenter=MadeBy.of(crew.segmenter),
        tracker=crew.tracker,
    )


def _with_object(document: PromptsDocument, label: str) -> tuple[PromptsDocument, int]:
    """The document with an object of a label, and its number; the first one where there is no label."""
    words = " ".join(label.split())
    names = [one.label.casefold() for one in document.objects]
    if not words or words.casefold() in names:
        return document, names.index(words.casefold()) if words else 0
    return document.with_object(len(names), ObjectPrompts(words)), len(names)


def prompts_beside(matte: MediaSource | None) -> Path | None:
    """The prompts that were saved with a matte; None where there are none."""
    if matte is None:
        return None
    if isinstance(matte, MediaFile):
        path = matte.path.with_name(f"{matte.path.stem}{SUFFIX}")
    else:
        path = matte.folder.with_name(f"{matte.folder.name}{SUFFIX}")
    return path if path.is_file() else None
