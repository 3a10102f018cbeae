"""Prompts documents on disk: `<matte>.prompts.json`, with painted masks as PNG beside it.

A painted mask is named after what it holds, so one name never means two masks, and writing one never
changes another document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from plugin.cues import MediaFile, MediaSource
from plugin.errors import MediaError, MediaMissing, UnreadablePrompts
from plugin.masks.documents import Film, PromptsDocument
from plugin.masks.makers import Mask
from plugin.masks.prompts_json import NotPrompts, TooNew, document_bytes, parse_document
from plugin.masks.results import mask_digest
from plugin.masks.strict_json import NotAsked
from plugin.media.fingerprint import fingerprint
from plugin.media.mattes import MatteReader
from plugin.wholefile import write_whole

SUFFIX = ".prompts.json"

_MOST_BYTES = 64 << 20
_DAMAGED = "Use an earlier copy of it, or mark the object again."


def read_document(path: Path) -> PromptsDocument:
    """The document in a file.

    Raises:
        UnreadablePrompts: not there, damaged, not a prompts document, or of a newer version.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UnreadablePrompts(
            f"{path.name} cannot be read.",
            remedy="Give a file that ends in .prompts.json.",
            detail=str(error),
        ) from error
    if len(data) > _MOST_BYTES:
        raise UnreadablePrompts(f"{path.name} is too large for prompts.", remedy=_DAMAGED)
    try:
        return parse_document(data)
    except TooNew as error:
        raise UnreadablePrompts(
            f"{path.name} was saved by a newer Sagafoley: {error}.", remedy="Bring Sagafoley up to date."
        ) from error
    except NotPrompts as error:
        raise UnreadablePrompts(
            f"{path.name} holds no prompts.", remedy=f"Give a file that ends in {SUFFIX}.", detail=str(error)
        ) from error
    except NotAsked as error:
        raise UnreadablePrompts(f"{path.name} is damaged: {error}.", remedy=_DAMAGED) from error


def write_document(path: Path, document: PromptsDocument, *, painted: Callable[[str], Mask]) -> None:
    """Puts a document at `path`, and beside it the painted masks that it names.

    Args:
        path: ends in `.prompts.json`; what is there gives way, as a whole.
        document: what was said.
        painted: gives its painted masks by their names.

    Raises:
        UnreadablePrompts: a painted mask is not there.
        OutputError: the folder refuses or the disk is full.
    """
    beside = PaintedMasks(path.parent, document.film)
    for name in sorted(painted_names(document)):
        if not (beside.folder / name).is_file():
            beside.add(painted(name))
    write_whole(path, document_bytes(document))


def painted_names(document: PromptsDocument) -> frozenset[str]:
    """The painted masks that a document names."""
    return frozenset(each.painted for one in document.objects for each in one.keyframes if each.painted)


def found_film(document: PromptsDocument, *, folder: Path) -> PromptsDocument:
    """The document with its film where it is now: where it was, or else beside the document.

    Args:
        document: as read.
        folder: the one that the document lies in.

    Raises:
        MediaMissing: the film is in neither place.
        UnreadablePrompts: the film there is not the one that the prompts were made for.
    """
    known = document.film
    for media in _places_of(known.media, folder):
        try:
            mark = fingerprint(media)
        except MediaError:
            continue
        if mark != known.fingerprint:
            raise UnreadablePrompts(
                f"The prompts were made for another {media.name}: what the file holds has changed since.",
                remedy="Put the earlier file back, or mark the object again in the new one.",
            )
        return replace(document, film=replace(known, media=media))
    raise MediaMissing(
        f"{known.media.name}, which the prompts were made for, is not there.",
        remedy="Put it back, or lay it beside the prompts.",
        detail=str(_places_of(known.media, folder)[0]),
    )


def _places_of(media: MediaSource, folder: Path) -> tuple[MediaSource, ...]:
    if isinstance(media, MediaFile):
        return media, MediaFile(folder / media.path.name)
    return media, replace(media, folder=folder), replace(media, folder=folder / media.folder.name)


@dataclass(frozen=True, slots=True)
class PaintedMasks:
    """Masks given whole, as PNG in a folder; called with a name it gives the mask.

    Attributes:
        folder: that of the document, or one of its own while there is none yet.
        film: whose size they have.
    """

    folder: Path
    film: Film

    def __call__(self, name: str) -> Mask:
        """The mask of a name.

        Raises:
            UnreadablePrompts: it is not there, damaged, or of another size.
        """
        try:
            data = np.frombuffer((self.folder / name).read_bytes(), np.uint8)
            mask = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
        except (OSError, cv2.error):
            mask = None
        if mask is None:
            raise UnreadablePrompts(
                f"The painted mask {name} is not there or damaged.",
                remedy="Put it back beside the prompts, or paint that frame again.",
                detail=str(self.folder / name),
            )
        return self._fitting(np.asarray(mask, np.uint8), name)

    def add(self, mask: Mask) -> str:
        """Keeps a mask `[height, width]` and gives its name.

        Raises:
            UnreadablePrompts: it has not the film's size.
            OutputError: the folder refuses or the disk is full.
        """
        name = f"painted-{mask_digest(self._fitting(mask, 'painted'))[:24]}.png"
        if not (self.folder / name).is_file():
            write_whole(self.folder / name, cv2.imencode(".png", mask)[1].tobytes())
        return name

    def add_file(self, path: Path) -> str:
        """Keeps the luma of a picture that somebody made elsewhere, and gives its name.

        Raises:
            MediaMissing: it is not there.
            UndecodableMedia: it is no picture.
            UnreadablePrompts: it has not the film's size.
            OutputError: the folder refuses or the disk is full.
        """
        with MatteReader.open(MediaFile(path.absolute())) as reader:
            (mask,) = reader.frames_at([0])
            return self.add(self._fitting(mask, path.name))

    def _fitting(self, mask: Mask, name: str) -> Mask:
        if mask.shape != (self.film.height, self.film.width):
            has, needs = f"{mask.shape[1]} x {mask.shape[0]}", f"{self.film.width} x {self.film.height}"
            raise UnreadablePrompts(
                f"{name} has {has} pixels and the film {needs}.",
                remedy=f"Export the mask at {needs} pixels.",
            )
        return mask
