"""The cue sheet of a timeline: made, narrowed down, written, and its times in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from plugin.cueing import CueFile, build_sheet
from plugin.cues import CueSheet, Spot
from plugin.cuesheets.reading import read_cue_file
from plugin.cuesheets.writing import write_cue_file
from plugin.errors import NoSpots, UsageError
from plugin.opening import OpenTimeline, default_output
from plugin.presets import Presets
from plugin.timebase import TimeSpan, format_timecode, frame_at, is_smpte_rate
from plugin.timeline.ranges import RANGE_SOURCE, RangeFinder
from plugin.timeline.reading import media_folder
from plugin.timeline.wishes import UNNAMED_LABEL
from plugin.workspace import Workspace


def output_folder(workspace: Workspace, asked: Path | None, *, beside: Path) -> Path:
    """The folder that was asked for, else that of the settings, else the one beside the input."""
    if asked is not None:
        return asked.absolute()
    if workspace.settings.output_folder:
        return Path(workspace.settings.output_folder).expanduser().absolute()
    return default_output(beside)


def make_sheet(
    opened: OpenTimeline,
    workspace: Workspace,
    *,
    presets: Presets,
    cue_file: Path | None = None,
    steps: int | None = None,
    guidance: float | None = None,
) -> CueSheet:
    """The cues of a timeline: one per spot, or as the cue file has them.

    Args:
        opened: the timeline.
        workspace: its settings decide preset, seed and takes.
        presets: over the defaults of the bundle.
        cue_file: an edited cue sheet; it wins.
        steps: in place of the preset's.
        guidance: in place of the preset's.

    Raises:
        UsageError: the cue file has mistakes or does not fit; no such preset.
    """
    found = opened.found
    entries = read_cue_file(cue_file) if cue_file is not None else None
    return build_sheet(
        (*found.spots, *picked_spots(opened, entries)),
        timeline_name=found.name,
        rate=found.rate,
        drop_frame=found.drop_frame,
        record=found.record,
        presets=presets,
        choices=workspace.choices(steps=steps, guidance=guidance),
        cue_file=entries,
    )


def picked_spots(opened: OpenTimeline, cue_file: CueFile | None) -> tuple[Spot, ...]:
    """Spots that a person made (between two points, of a marker), which only the cue file knows."""
    known = {spot.source_name for spot in opened.found.spots}
    entries = [entry for entry in (cue_file.entries if cue_file else ()) if entry.source not in known]
    if not any(entry.source is not None for entry in entries):
        return ()
    finder = range_finder(opened)
    sources = {RANGE_SOURCE, *(marker.name for marker in finder.markers())}
    return tuple(
        replace(spot, id=entry.id)
        for entry in entries
        if entry.source in sources and entry.start is not None and entry.end is not None
        for spot in finder.spots(
            TimeSpan(entry.start, entry.end), label=entry.label or UNNAMED_LABEL, source=entry.source
        )
    )


def range_finder(opened: OpenTimeline) -> RangeFinder:
    """Finds spots between points and of markers on an open timeline."""
    return RangeFinder.of(
        opened.document, folder=media_folder(opened.source), drop_frame=opened.reading.drop_frame
    )


def only(sheet: CueSheet, wanted: Sequence[str]) -> CueSheet:
    """The sheet with just the cues of these numbers or labels (any case); all when none are named.

    Raises:
        UsageError: a word names no cue.
    """
    if not wanted:
        return sheet
    chosen = {cue.id for word in wanted for cue in sheet.cues if _means(word, cue.id, cue.spot.label)}
    unknown = [word for word in wanted if not any(_means(word, cue.id, cue.spot.label) for cue in sheet.cues)]
    if unknown:
        there = ", ".join(f"{cue.id} {cue.spot.label}" for cue in sheet.cues[:12]) or "none"
        raise UsageError(
            f"There is no cue '{unknown[0]}'.",
            remedy=f"Name cues by number or label; there are: {there}{', ...' * (len(sheet.cues) > 12)}.",
        )
    return replace(sheet, cues=tuple(cue for cue in sheet.cues if cue.id in chosen))


def _means(word: str, cue_id: str, label: str) -> bool:
    number = word.isdigit() and cue_id.isdigit() and int(word) == int(cue_id)
    return number or word.casefold() in {cue_id.casefold(), label.casefold()}


def require_cues(sheet: CueSheet) -> None:
    """Nothing, when there is something to render.

    Raises:
        NoSpots: nothing asks for sound.
    """
    if not sheet.cues:
        raise NoSpots(
            f"Nothing on the timeline '{sheet.timeline_name}' asks for sound.",
            remedy="Put a matte on a video track named like `MASK violin`, or a marker named `FOLEY violin`.",
        )


def save_cues(sheet: CueSheet, path: Path, *, presets: Presets, made_from: Path | None = None) -> None:
    """Write an editable cue sheet; one that is there already is only replaced when this sheet came from it.

    Args:
        sheet: the cues.
        path: a file named `*.toml`.
        presets: what goes without saying.
        made_from: the cue file that `sheet` was read with.

    Raises:
        UsageError: not a name for a cue sheet, or a file that might hold somebody's edits.
        OutputError: the file cannot be written.
    """
    if path.suffix.casefold() != ".toml":
        raise UsageError(
            f"A cue sheet cannot be named '{path.name}'.", remedy="Give it a name that ends in .toml."
        )
    own = made_from is not None and made_from.absolute() == path.absolute()
    if path.exists() and not own:
        raise UsageError(
            f"{path} is there already and may have been edited.",
            remedy=f"Add `--cues {path}` to keep its edits, or give another name.",
        )
    write_cue_file(sheet, path, presets=presets)


def timecodes(span: TimeSpan, sheet: CueSheet) -> tuple[str, str]:
    """First and end (exclusive) timecode of a span; seconds where the rate has no timecode."""
    return _timecode(span.start, sheet), _timecode(span.end, sheet)


def _timecode(time: Fraction, sheet: CueSheet) -> str:
    if not is_smpte_rate(sheet.rate):
        return f"{float(time):.3f}s"
    return format_timecode(frame_at(time, sheet.rate), sheet.rate, drop_frame=sheet.drop_frame)
