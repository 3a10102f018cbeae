"""Writing a cue file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from plugin.cueing import NO_MATTE, CueChoices, CueEntry
from plugin.cues import Cue, CueSheet
from plugin.cuesheets.reading import SCHEMA
from plugin.presets import Presets
from plugin.timebase import format_timecode, frames_per_day, is_smpte_rate
from plugin.wholefile import write_whole

_HEADER = """\
# Cue sheet of Sagafoley. What stands here wins over the timeline.
# Delete a [[cue]], or give it `enabled = false`, and it is not rendered.
# Every cue may also have:
#   preset = "draft"           steps = 25       guidance = 7.0
#   seed = 1                   takes = 3        negative_prompt = "trumpet"
#   matte = "luma"             (or "alpha", "r", "g", "b"; "none" sounds the whole frame)
#   invert = true              (black marks the object)
#   resize = "center_crop"     (only the middle of the picture is looked at; "squash": all of it)
# Times are timecode ("01:00:00:00"; with ';' drop-frame) or seconds (3600.5, "7207/2").
"""


def write_cue_file(sheet: CueSheet, path: Path, *, presets: Presets) -> None:
    """Writes the sheet as a cue file, in place of an older one.

    What a run may decide (preset, steps, guidance, seed, takes) is written only where a cue differs
    from the defaults, so that the options of `render` still count for the rest.

    Raises:
        OutputError: the file cannot be written.
    """
    write_whole(path, format_cue_file(sheet, presets=presets).encode("utf-8", "backslashreplace"))


def format_cue_file(
    sheet: CueSheet,
    *,
    presets: Presets,
    dismissed: Sequence[Cue] = (),
    orphans: Sequence[CueEntry] = (),
    complete: bool = False,
) -> str:
    """The text of a cue file.

    Args:
        sheet: the cues.
        presets: what goes without saying.
        dismissed: cues that are written too, switched off.
        orphans: entries of an earlier file without a place on the timeline; they stay, switched off.
        complete: say preset, seed, takes and inversion of every cue, so that no setting changes them.
    """
    lines = [
        _HEADER,
        f"schema = {SCHEMA}",
        f"timeline = {_toml(sheet.timeline_name)}",
        f'rate = "{sheet.rate}"',
    ]
    for cue in sheet.cues:
        lines += ["", "[[cue]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in _pairs(cue, sheet, presets, complete=complete)]
    for cue in dismissed:
        lines += ["", "[[cue]]", "enabled = false"]
        lines += [f"{key} = {_toml(value)}" for key, value in _pairs(cue, sheet, presets, complete=complete)]
    for entry in orphans:
        lines += ["", "# Nothing on the timeline fits this cue.", "[[cue]]", "enabled = false"]
        lines += [f"{key} = {_toml(value)}" for key, value in _entry_pairs(entry, sheet)]
    return "\n".join(lines) + "\n"


def _entry_pairs(entry: CueEntry, sheet: CueSheet) -> Iterator[tuple[str, str | int | float | bool]]:
    """What an entry says, as it is written."""
    for each in fields(entry):
        value = getattr(entry, each.name)
        if value is None or each.name in {"line", "enabled"}:
            continue
        yield each.name, _shown_time(value, sheet) if isinstance(value, Fraction) else value


def _pairs(
    cue: Cue, sheet: CueSheet, presets: Presets, *, complete: bool
) -> Iterator[tuple[str, str | int | float | bool]]:
    spot, usual = cue.spot, CueChoices()
    yield "id", cue.id
    yield "source", spot.source_name
    yield "start", _shown_time(spot.record.start, sheet)
    yield "end", _shown_time(spot.record.end, sheet)
    yield "label", spot.label
    yield "prompt", cue.prompt
    if cue.negative_prompt or spot.negative_prompt:  # what the timeline says may have been taken away
        yield "negative_prompt", cue.negative_prompt
    if complete or cue.preset != usual.preset:
        yield "preset", cue.preset
    steps, guidance = presets.sampling(cue.preset)
    if cue.steps != steps:
        yield "steps", cue.steps
    if cue.guidance != guidance:
        yield "guidance", cue.guidance
    if complete or cue.seed != usual.seed:
        yield "seed", cue.seed
    if complete or cue.takes != usual.takes:
        yield "takes", cue.takes
    if cue.resize is not None:
        yield "resize", cue.resize.value
    if spot.matte is None:
        yield "matte", NO_MATTE
    else:
        yield "matte", spot.matte.channel.value
        if complete or spot.matte.invert:
            yield "invert", spot.matte.invert


def _shown_time(time: Fraction, sheet: CueSheet) -> str:
    """Timecode when the time lies on a frame of its first day, else exact seconds as a fraction."""
    frame = time * sheet.rate
    on_frame = frame.denominator == 1 and is_smpte_rate(sheet.rate)
    if on_frame and 0 <= frame < frames_per_day(sheet.rate, drop_frame=sheet.drop_frame):
        return format_timecode(frame.numerator, sheet.rate, drop_frame=sheet.drop_frame)
    return str(time)


def _toml(value: Any) -> str:
    """A value in TOML; JSON's spelling of text, numbers and flags is also TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
