"""Reading a cue file. Every mistake in it is told at once, each with its line and cue."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.cueing import CueEntry, CueFile
from plugin.cuesheets.values import CUE_KEYS, WrongValue, frame_rate
from plugin.errors import UsageError

SCHEMA = 1
MAX_FILE_BYTES = 16 * 2**20

_TOP_KEYS = ("schema", "timeline", "rate", "cue")
_CUE_LINE = re.compile(r"^[ \t]*\[\[[ \t]*[\"']?cue[\"']?[ \t]*\]\]", re.MULTILINE)


@dataclass(slots=True)
class _Findings:
    """Mistakes of one file, gathered while it is read."""

    text: str
    said: list[str] = field(default_factory=list)

    def line_of(self, key: str, *, after: int) -> int:
        """The line of `key = ...` from line `after` on; `after` itself when it is not found."""
        wanted = re.compile(rf"[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*=")
        for number, line in enumerate(self.text.splitlines()[after:], after + 1):
            if _CUE_LINE.match(line):
                break
            if wanted.match(line):
                return number
        return after

    def add(self, message: str, *, line: int = 0, cue: str = "") -> None:
        where = ", ".join(part for part in (f"line {line}" if line else "", cue) if part)
        self.said.append(f"{where}: {message}" if where else message)


def read_cue_file(path: Path) -> CueFile:
    """The cues of a cue file, checked by themselves (not yet against a timeline).

    Raises:
        UsageError: the file cannot be read, or has mistakes; all of them are named.
    """
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            f"The cue sheet {path.name} is not valid TOML: {error}.",
            remedy="Correct the line it names.",
            detail=str(path),
        ) from error
    findings = _Findings(text)
    timeline, rate = _top_level(document, findings)
    entries = tuple(_entries(document.get("cue", []), rate=rate, findings=findings))
    if findings.said:
        raise UsageError(
            f"The cue sheet {path.name} has {_counted(findings.said)}",
            remedy="Correct what is named and run again.",
            detail=str(path),
        )
    return CueFile(path.name, timeline, rate, entries)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(
                f"The cue sheet {path.name} is larger than {MAX_FILE_BYTES // 2**20} MB.",
                remedy="Give the file that `sagafoley spots --write` made.",
            )
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no cue sheet {path}.",
            remedy="Make one with `sagafoley spots TIMELINE --write cues.toml`.",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The cue sheet {path} cannot be read: {error}.",
            remedy="Give a UTF-8 text file that you may read.",
        ) from error


def _counted(said: list[str]) -> str:
    shown = "; ".join(said[:20])
    more = f"; and {len(said) - 20} more" if len(said) > 20 else ""
    return f"{len(said)} mistake{'s' if len(said) > 1 else ''}: {shown}{more}."


def _top_level(document: dict[str, Any], findings: _Findings) -> tuple[str | None, Fraction | None]:
    for key in document:
        if key not in _TOP_KEYS:
            findings.add(_unknown(key, _TOP_KEYS), line=findings.line_of(key, after=0))
    schema = document.get("schema", SCHEMA)
    if schema != SCHEMA:
        findings.add(f"schema {schema!r} is not one this version knows ({SCHEMA})")
    timeline = document.get("timeline")
    if timeline is not None and (not isinstance(timeline, str) or not timeline.strip()):
        findings.add("timeline must be a name in quotes", line=findings.line_of("timeline", after=0))
        timeline = None
    rate = None
    if "rate" in document:
        try:
            rate = frame_rate(document["rate"])
        except WrongValue as error:
            findings.add(f"rate {error}", line=findings.line_of("rate", after=0))
    return timeline, rate


def _unknown(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"unknown key '{key}'" + (f" (did you mean '{near[0]}'?)" if near else "")


def _entries(tables: Any, *, rate: Fraction | None, findings: _Findings) -> Iterator[CueEntry]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        findings.add("every cue must begin with a line [[cue]]", line=findings.line_of("cue", after=0))
        return
    starts = [findings.text.count("\n", 0, match.start()) + 1 for match in _CUE_LINE.finditer(findings.text)]
    lines = starts if len(starts) == len(tables) else [0] * len(tables)
    seen: dict[str, str] = {}
    for number, (table, line) in enumerate(zip(tables, lines, strict=True), 1):
        entry = _entry(table, number=number, line=line, rate=rate, findings=findings)
        if entry.id.casefold() in seen:
            findings.add("a cue of this id is there already", line=line, cue=f"cue '{entry.id}'")
        seen[entry.id.casefold()] = entry.id
        yield entry


def _entry(
    table: dict[str, Any], *, number: int, line: int, rate: Fraction | None, findings: _Findings
) -> CueEntry:
    name = table.get("id")
    title = f"cue '{name}'" if isinstance(name, str) else f"cue number {number}"
    if name is None:
        findings.add("id is missing", line=line, cue=title)
    values: dict[str, Any] = {}
    for key, value in table.items():
        at = findings.line_of(key, after=line) if line else 0
        check = CUE_KEYS.get(key)
        if check is None:
            findings.add(_unknown(key, CUE_KEYS), line=at, cue=title)
            continue
        try:
            values[key] = check(value, rate)
        except WrongValue as error:
            findings.add(f"{key} {error}", line=at, cue=title)
    if "start" in values and "end" in values and values["start"] >= values["end"]:
        findings.add("its end is not after its start", line=line, cue=title)
    values.setdefault("id", str(number))
    return CueEntry(line=line, **values)
