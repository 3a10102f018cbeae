"""`cues.toml`: a cue sheet as text that people edit, and back.

Every mistake in the file is told at once, each with its line and cue.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.cueing import NO_MATTE, CueChoices, CueEntry, CueFile
from plugin.cues import Cue, CueSheet, MatteChannel
from plugin.errors import UsageError
from plugin.presets import MAX_GUIDANCE, MAX_STEPS, Presets
from plugin.timebase import format_timecode, is_smpte_rate, parse_timecode, snap_rate
from plugin.wholefile import write_whole

SCHEMA = 1
MAX_FILE_BYTES = 16 * 2**20

_HEADER = """\
# Cue sheet of Sagafoley. What stands here wins over the timeline.
# Delete a [[cue]], or give it `enabled = false`, and it is not rendered.
# Every cue may also have:
#   preset = "draft"           steps = 25       guidance = 7.0
#   seed = 1                   takes = 3        negative_prompt = "trumpet"
#   matte = "luma"             (or "alpha", "r", "g", "b"; "none" sounds the whole frame)
#   invert = true              (black marks the object)
# Times are timecode ("01:00:00:00"; with ';' drop-frame) or seconds (3600.5, "7207/2").
"""
_TOP_KEYS = ("schema", "timeline", "rate", "cue")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_CUE_LINE = re.compile(r"^[ \t]*\[\[[ \t]*[\"']?cue[\"']?[ \t]*\]\]", re.MULTILINE)


class _Wrong(Exception):
    """What is wrong with one value."""


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
                remedy="Give the file that 'sagafoley spots --write' made.",
            )
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no cue sheet {path}.", remedy="Make one with 'sagafoley spots --write'."
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
            rate = _rate(document["rate"])
        except _Wrong as error:
            findings.add(str(error), line=findings.line_of("rate", after=0))
    return timeline, rate


def _rate(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Wrong('rate must look like 25 or "24000/1001"')
    try:
        rate = snap_rate(Fraction(str(value)))
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 1 <= rate <= 1000:
        raise _Wrong(f'rate is {value!r}, it must look like 25 or "24000/1001"')
    return rate


def _unknown(key: str, known: tuple[str, ...]) -> str:
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
        check = _CUE_KEYS.get(key)
        if check is None:
            findings.add(_unknown(key, tuple(_CUE_KEYS)), line=at, cue=title)
            continue
        try:
            values[key] = check(value, rate)
        except _Wrong as error:
            findings.add(f"{key} {error}", line=at, cue=title)
    if "start" in values and "end" in values and values["start"] >= values["end"]:
        findings.add("its end is not after its start", line=line, cue=title)
    values.setdefault("id", str(number))
    return CueEntry(line=line, **values)


def _words(value: Any, _rate: Fraction | None) -> str:
    if not isinstance(value, str):
        raise _Wrong("must be text in quotes")
    return value


def _name(value: Any, rate: Fraction | None) -> str:
    if not _words(value, rate).strip():
        raise _Wrong("must not be empty")
    return str(value)


def _identifier(value: Any, _rate: Fraction | None) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _Wrong(f"is {value!r}; it must be 1 to 32 letters, digits or '-' in quotes")
    return value


def _flag(value: Any, _rate: Fraction | None) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"is {value!r}; it must be true or false")
    return value


def _matte(value: Any, _rate: Fraction | None) -> str:
    allowed = [*MatteChannel, NO_MATTE]
    if value not in allowed:
        raise _Wrong(f"is {value!r}; it must be one of {', '.join(allowed)}")
    return str(value)


def _whole(lowest: int, highest: int) -> Callable[[Any, Fraction | None], int]:
    def check(value: Any, _rate: Fraction | None) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise _Wrong(f"is {value!r}; it must be a whole number from {lowest} to {highest}")
        return value

    return check


def _guidance(value: Any, _rate: Fraction | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_GUIDANCE:
        raise _Wrong(f"is {value!r}; it must be a number from 0 to {MAX_GUIDANCE:g}")
    return float(value)


def _time(value: Any, rate: Fraction | None) -> Fraction:
    """Absolute seconds from timecode, `n/d`, or a number."""
    if isinstance(value, dt.time):
        raise _Wrong("is a time of day; put timecode in quotes")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Wrong(f"is {value!r}; it must be timecode in quotes, or seconds")
    text = str(value).strip()
    if text.count(":") + text.count(";") >= 2:
        if rate is None:
            raise _Wrong('is timecode, but the file has no rate (say rate = "24" at its top)')
        try:
            return Fraction(parse_timecode(text, rate)) / rate
        except ValueError as error:
            raise _Wrong(f"is wrong: {error}") from error
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,12}|/[1-9]\d{0,8})?", text):
        raise _Wrong(f"is {value!r}; it must be timecode in quotes, or seconds")
    return Fraction(text)


_CUE_KEYS: dict[str, Callable[[Any, Fraction | None], Any]] = {
    "id": _identifier,
    "source": _words,
    "start": _time,
    "end": _time,
    "label": _name,
    "prompt": _words,
    "negative_prompt": _words,
    "preset": _name,
    "steps": _whole(1, MAX_STEPS),
    "guidance": _guidance,
    "seed": _whole(0, 2**63 - 1),
    "takes": _whole(1, 99),
    "matte": _matte,
    "invert": _flag,
    "enabled": _flag,
}


def write_cue_file(sheet: CueSheet, path: Path, *, presets: Presets) -> None:
    """Writes the sheet as a cue file, in place of an older one.

    What a run may decide (preset, steps, guidance, seed, takes) is written only where a cue differs
    from the defaults, so that the options of `render` still count for the rest.

    Raises:
        OutputError: the file cannot be written.
    """
    write_whole(path, format_cue_file(sheet, presets=presets).encode("utf-8", "backslashreplace"))


def format_cue_file(sheet: CueSheet, *, presets: Presets) -> str:
    """The text of a cue file."""
    lines = [
        _HEADER,
        f"schema = {SCHEMA}",
        f"timeline = {_toml(sheet.timeline_name)}",
        f'rate = "{sheet.rate}"',
    ]
    for cue in sheet.cues:
        lines += ["", "[[cue]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in _pairs(cue, sheet, presets)]
    return "\n".join(lines) + "\n"


def _pairs(cue: Cue, sheet: CueSheet, presets: Presets) -> Iterator[tuple[str, str | int | float | bool]]:
    spot, usual = cue.spot, CueChoices()
    yield "id", cue.id
    yield "source", spot.source_name
    yield "start", _shown_time(spot.record.start, sheet)
    yield "end", _shown_time(spot.record.end, sheet)
    yield "label", spot.label
    yield "prompt", cue.prompt
    if cue.negative_prompt:
        yield "negative_prompt", cue.negative_prompt
    if cue.preset != usual.preset:
        yield "preset", cue.preset
    steps, guidance = presets.sampling(cue.preset)
    if cue.steps != steps:
        yield "steps", cue.steps
    if cue.guidance != guidance:
        yield "guidance", cue.guidance
    if cue.seed != usual.seed:
        yield "seed", cue.seed
    if cue.takes != usual.takes:
        yield "takes", cue.takes
    if spot.matte is None:
        yield "matte", NO_MATTE
    else:
        yield "matte", spot.matte.channel.value
        if spot.matte.invert:
            yield "invert", True


def _shown_time(time: Fraction, sheet: CueSheet) -> str:
    """Timecode when the time lies on a frame, else exact seconds as a fraction."""
    frame = time * sheet.rate
    if frame.denominator == 1 and is_smpte_rate(sheet.rate) and 0 <= frame < 86_400 * 4 * sheet.rate:
        return format_timecode(frame.numerator, sheet.rate, drop_frame=sheet.drop_frame)
    return str(time)


def _toml(value: Any) -> str:
    """A value in TOML; JSON's spelling of text, numbers and flags is also TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
