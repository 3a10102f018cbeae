"""Names of takes: `<timeline>_<cue>_<label>_t<nn>`, safe on Windows, macOS and Linux.

A name never leaves its folder, is the same for the same input, and no two cues of a sheet share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from plugin.cues import CueSheet
from plugin.filenames import folded, safe_name

__all__ = [
    "folded",
    "next_number",
    "safe_name",
    "sheet_bases",
    "take_base",
    "take_name",
    "take_number",
]

TIMELINE_BYTES = 72
CUE_BYTES = 32
LABEL_BYTES = 48

_TAKE = re.compile(r"(?P<base>.+)_t(?P<number>\d{2,6})", re.DOTALL)


def take_base(*, timeline: str, cue_id: str, label: str) -> str:
    """The name of a cue's takes without their number."""
    parts = (
        safe_name(timeline, limit=TIMELINE_BYTES, fallback="timeline"),
        safe_name(cue_id, limit=CUE_BYTES, fallback="cue").replace("_", "-"),
        safe_name(label, limit=LABEL_BYTES, fallback="object"),
    )
    return "_".join(parts)


def sheet_bases(sheet: CueSheet) -> dict[str, str]:
    """The base name of every cue by its id; unique even where upper and lower case are the same."""
    bases: dict[str, str] = {}
    taken: set[str] = set()
    for cue in sheet.cues:
        base = take_base(timeline=sheet.timeline_name, cue_id=cue.id, label=cue.spot.label)
        wanted, number = base, 2
        while folded(wanted) in taken:
            wanted, number = f"{base}-{number}", number + 1
        taken.add(folded(wanted))
        bases[cue.id] = wanted
    return bases


def take_name(base: str, number: int) -> str:
    """`<base>_t<nn>`; numbers count from 1."""
    return f"{base}_t{number:02}"


def take_number(base: str, name: str) -> int | None:
    """The take number in `name` (a file name without suffix) when it is a take of `base`."""
    match = _TAKE.fullmatch(name)
    if match is None or folded(match["base"]) != folded(base):
        return None
    return int(match["number"])


def next_number(base: str, names: Iterable[str]) -> int:
    """One more than the highest take number of `base` among file names without suffix."""
    numbers = (take_number(base, name) for name in names)
    return max((number for number in numbers if number is not None), default=0) + 1
