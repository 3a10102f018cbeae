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
    """The cue sheet or the notes on disk are not those that the desk read or wrote."""

    @classmethod
    def of(cls, path: Path) -> ChangedByOthers:
        """Somebody else wrote that file."""
        return cls(
            f"{path.name} was changed by another program or window.",
            remedy="Read what was changed, or keep yours (the other is put aside).",
            detail=str(path),
        )


@dataclass(frozen=True, slots=True)
class SheetFile:
    """Where the decisions about one timeline are kept.

    Attributes:
        sheet: the cue sheet.
        notes: the desk's notes.
        known: digest of the sheet's content as the desk last read or wrote it; "" while there was none.
        noted: the same of the notes.
    """

    sheet: Path
    notes: Path
    known: str = ""
    noted: str = ""

    @property
    def changed(self) -> Path | None:
        """The file that somebody else has written, None for none; one that was removed does not count."""
        return next((path for path in (self.sheet, self.notes) if self._is_changed(path)), None)

    def _is_changed(self, path: Path) -> bool:
        return digest_of(path) not in {"", self.known if path == self.sheet else self.noted}

    def save(self, book: Book, notes: Notes, *, presets: Presets) -> SheetFile:
        """Write both files; the file as the desk knows it from now on.

        Raises:
            ChangedByOthers: somebody else wrote one of them; nothing was written.
            OutputError: disk full, or not writable.
        """
        changed = self.changed
        if changed is not None:
            raise ChangedByOthers.of(changed)
        data = _content(book, presets)
        noted = format_notes(notes)
        write_whole(self.notes, noted)
        digest = _digest(data)
        if digest != self.known or not self.sheet.exists():
            write_whole(self.sheet, data)
        return replace(self, known=digest, noted=_digest(noted))

    def rescue(self, book: Book, *, presets: Presets) -> Path:
        """Write our sheet to a free name beside the one of others; that name.

        Raises:
            OutputError: it cannot be written.
        """
        path = _free_name(self.sheet, "mine")
        write_whole(path, _content(book, presets))
        return path

    def put_aside(self) -> SheetFile:
        """Give what is not ours another name beside it, so that ours can be written.

        That is what others have written, else a sheet that could not be read.

        Raises:
            OutputError: it cannot be renamed.
        """
        files = [path for path in (self.sheet, self.notes) if self._is_changed(path)]
        for path in files or [self.sheet]:
            aside = _free_name(path, "theirs")
            try:
                path.rename(aside)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise output_error(aside, error) from error
        return self


def _free_name(path: Path, word: str) -> Path:
    """`<name> (<word>).toml`, or with the first number that is free."""
    free, number = path.with_name(f"{path.stem} ({word}){path.suffix}"), 2
    while free.exists():
        free, number = path.with_name(f"{path.stem} ({word} {number}){path.suffix}"), number + 1
    return free


def _content(book: Book, presets: Presets) -> bytes:
    text = format_cue_file(
        book.sheet, presets=presets, dismissed=book.dismissed, orphans=book.orphans, complete=True
    )
    return text.encode("utf-8", "backslashreplace")


def digest_of(path: Path) -> str:
    """Digest of a file's content; "" when there is no such file or it cannot be read."""
    try:
        return _digest(path.read_bytes())
    except OSError:
        return ""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
