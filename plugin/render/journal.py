"""The journal of a stem folder: one JSON line per happening, on disk before the work goes on.

The sidecars say which takes are whole; the journal says what was done, when, and what failed.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugin.wholefile import output_error

FILE_NAME = "journal.jsonl"

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Journal:
    """Appends lines to one file."""

    path: Path

    def note(self, what: str, **facts: str | float | bool | None) -> None:
        """Appends one line and waits until the disk has it.

        Args:
            what: "run started", "take written", ...
            facts: what belongs to it.

        Raises:
            OutputError: it could not be written.
        """
        line = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"), "what": what} | facts
        data = json.dumps(line).encode("ascii") + b"\n"
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                if _is_torn(handle):
                    data = b"\n" + data
                _write_all(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise output_error(self.path, error) from error

    def read(self) -> tuple[Line, ...]:
        """All whole lines, oldest first; a line that a killed run left half is passed over."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        lines = (_parsed(line) for line in raw.split(b"\n"))
        return tuple(line for line in lines if line is not None)


def _is_torn(handle: int) -> bool:
    """Whether the file ends inside a line."""
    size = os.fstat(handle).st_size
    if size == 0:
        return False
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1) != b"\n"


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _parsed(raw: bytes) -> Line | None:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and isinstance(line.get("what"), str) else None
