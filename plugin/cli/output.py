"""What the command line prints: results to stdout, everything else to stderr, JSON when asked."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from plugin.cues import Problem, Severity
from plugin.errors import SagafoleyError

_RED, _YELLOW, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how one run of the command line prints.

    Attributes:
        results: takes paths and tables (stdout).
        notes: takes problems, hints and progress (stderr).
        json: print one document at the end instead of text.
        verbose: details too.
    """

    results: TextIO
    notes: TextIO
    json: bool
    verbose: bool

    @classmethod
    def standard(cls, *, json: bool, verbose: bool) -> Output:
        """Output to stdout and stderr, made unable to fail on a character."""
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="backslashreplace")
        return cls(sys.stdout, sys.stderr, json, verbose)

    def line(self, text: str = "") -> None:
        """Print one line of the result, unless the result is JSON."""
        if not self.json:
            print(printable(text), file=self.results)

    def path(self, path: Path) -> None:
        """Print a result path: byte for byte into a pipe, harmless on a terminal."""
        if self.json:
            return
        raw = getattr(self.results, "buffer", None)
        if raw is None or self.results.isatty():
            self.line(str(path))
            return
        self.results.flush()
        raw.write(os.fsencode(path) + b"\n")
        raw.flush()

    def document(self, content: Mapping[str, Any]) -> None:
        """Print the result as JSON, when that was asked for."""
        if self.json:
            json.dump(content, self.results, ensure_ascii=False, indent=2, sort_keys=False)
            print(file=self.results)

    def note(self, text: str) -> None:
        """Tell something that is no result."""
        print(printable(text), file=self.notes)

    def detail(self, text: str) -> None:
        """Tell something only developers want, when they asked for it."""
        if self.verbose and text:
            self.note(text)

    def failure(self, error: SagafoleyError) -> None:
        """Tell what ended the command, as JSON too when that was asked for."""
        self.error(error)
        self.document({"error": error_document(error)})

    def error(self, error: SagafoleyError) -> None:
        """Tell a failure and its remedy."""
        self._labelled("error", colour=_RED, message=error.message, remedy=error.remedy)
        self.detail(f"  {error.detail}" if error.detail else "")

    def cue_failure(self, cue_id: str, error: SagafoleyError) -> None:
        """Tell why one cue could not be finished."""
        self._labelled("failed", colour=_RED, message=f"cue {cue_id}: {error.message}", remedy=error.remedy)
        self.detail(f"  {error.detail}" if error.detail else "")

    def problem(self, problem: Problem) -> None:
        """Tell a problem of the timeline and its remedy."""
        blocks = problem.severity is Severity.BLOCKER
        cue = f"cue {problem.cue_id}: " if problem.cue_id else ""
        self._labelled(
            "problem" if blocks else "warning",
            colour=_RED if blocks else _YELLOW,
            message=cue + problem.message,
            remedy=problem.remedy,
        )

    def _labelled(self, label: str, *, colour: str, message: str, remedy: str) -> None:
        shown = f"{colour}{label}{_PLAIN}" if uses_colour(self.notes) else label
        print(f"{shown}: {printable(message)}", file=self.notes)
        if remedy:
            print(f"  -> {printable(remedy)}", file=self.notes)


def error_document(error: SagafoleyError) -> dict[str, str]:
    """A failure for machines."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "remedy": error.remedy,
        "detail": error.detail,
    }


def problem_document(problem: Problem) -> dict[str, str]:
    """A problem for machines."""
    return {
        "severity": str(problem.severity),
        "cue": problem.cue_id,
        "subject": problem.subject,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def uses_colour(stream: TextIO) -> bool:
    """Whether escape codes make sense there: a terminal, and the user did not say no."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width(stream: TextIO) -> int | None:
    """Columns to fit a table into; None into a file or pipe, where nothing is cut."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def printable(text: str) -> str:
    """`text` without anything that could steer a terminal: control characters are spelled out."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}:
        return character
    return character.encode("unicode_escape").decode("ascii")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None) -> list[str]:
    """Lines of a left-aligned table; the widest columns are cut until it fits `width` columns of a terminal.

    Args:
        header: column titles.
        rows: cells, as many as titles.
        width: columns of the terminal; None cuts nothing.
    """
    cells = [[_one_line(cell) for cell in row] for row in (header, *rows)]
    widths = [max(display_width(row[i]) for row in cells) for i in range(len(header))]
    if width is not None:
        widths = _narrowed(widths, total=width - 2 * (len(widths) - 1))
    return [
        "  ".join(_fitted(cell, wide) for cell, wide in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def display_width(text: str) -> int:
    """Terminal columns of a printable line: wide East Asian characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def _narrowed(widths: list[int], *, total: int, smallest: int = 8) -> list[int]:
    narrowed = list(widths)
    while sum(narrowed) > total and max(narrowed) > smallest:
        narrowed[narrowed.index(max(narrowed))] -= 1
    return narrowed


def _fitted(text: str, width: int) -> str:
    if display_width(text) > width:
        while display_width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - display_width(text))
