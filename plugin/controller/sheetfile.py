"""The cue sheet and the notes of the open timeline on disk: written whole, watched for others' edits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from plugin.controller.book import Book
from plugin.controller.notes import Notes, format_notes
from plugin.cuesheets.writing import format_cue_file
from plugin.errors import OutputError
from plugin.presets import Presets
from plugin.wholefile import output_error, write_whole


class ChangedByOthers(OutputError):
    """The cue sheet on disk is not the one that the desk read or wrote."""


@dataclass(frozen=True, slots=True)
class SheetFile:
    """Where the decisions about one timeline are kept.

    Attributes:
        sheet: the cue sheet.
        notes: the desk's notes.
        known: digest of the sheet's content as the desk last read or wrote it; "" while there was none.
    """

    sheet: Path
    notes: Path
    known: str = ""

    @property
    def untouched(self) -> bool:
        """Whether nobody else has written the sheet; a sheet that was removed counts as untouched."""
        found = digest_of(self.sheet)
        return found in {"", self.known}

    def save(self, book: Book, notes: Notes, *, presets: Presets) -> SheetFile:
        """Write both files; the file as the desk knows it from now on.

        Raises:
            ChangedByOthers: somebody else wrote the sheet; nothing was written.
            OutputError: disk full, or not writable.
        """
        if not self.untouched:
            raise ChangedByOthers(
                f"The cue sheet {self.sheet.name} was changed by another program.",
                remedy="Read the changed sheet, or keep yours (the other is put aside).",
                detail=str(self.sheet),
            )
        data = _content(book, presets)
        write_whole(self.notes, format_notes(notes))
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.known or not self.sheet.exists():
            write_whole(self.sheet, data)
        return replace(self, known=digest)

    def rescue(self, book: Book, *, presets: Presets) -> Path:
        """Write our sheet to a free name beside the one of others; that name.

        Raises:
            OutputError: it cannot be written.
        """
        path = self._free_name("mine")
        write_whole(path, _content(book, presets))
        return path

    def _free_name(self, word: str) -> Path:
        """`<name> (<word>).toml`, or with the first number that is free."""
        stem, suffix, number = self.sheet.stem, self.sheet.suffix, 2
        path = self.sheet.with_name(f"{stem} ({word}){suffix}")
        while path.exists():
            path, number = self.sheet.with_name(f"{stem} ({word} {number}){suffix}"), number + 1
        return path

    def put_aside(self) -> SheetFile:
        """Give the sheet of others another name beside it, so that ours can be written.

        Raises:
            OutputError: it cannot be renamed.
        """
        aside = self._free_name("theirs")
        try:
            self.sheet.rename(aside)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise output_error(aside, error) from error
        return replace(self, known="")


def _content(book: Book, presets: Presets) -> bytes:
    text = format_cue_file(
        book.sheet, presets=presets, dismissed=book.dismissed, orphans=book.orphans, complete=True
    )
    return text.encode("utf-8", "backslashreplace")


def digest_of(path: Path) -> str:
    """Digest of a file's content; "" when there is no such file or it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
