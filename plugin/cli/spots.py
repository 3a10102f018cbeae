"""`sagafoley spots`: what a timeline asks for, as a table, a cue sheet or JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from plugin.cli.output import Output, problem_document, table, terminal_width
from plugin.controller.masking.placed_mattes import with_placed_mattes
from plugin.controller.renders import quick_problems
from plugin.controller.sheets import make_sheet, save_cues, timecodes
from plugin.cues import Cue, CueSheet, Problem, Severity
from plugin.opening import OpenTimeline, Reading
from plugin.workspace import Workspace

_HEADER = ("CUE", "IN", "OUT", "LENGTH", "LABEL", "PROMPT", "PICTURE", "MATTE", "")


def list_spots(options: argparse.Namespace, output: Output) -> int:
    """Print the spots of a timeline; write a cue sheet when asked."""
    workspace = Workspace.open()
    bundle = workspace.bundle_if_any()
    presets = workspace.presets_of(bundle)
    packages = workspace.folders.cache / "packages"
    read = OpenTimeline.read(options.timeline, unpack_into=packages, reading=reading_of(options))
    opened = with_placed_mattes(read)
    sheet = make_sheet(opened, workspace, presets=presets, cue_file=options.cues)
    problems = quick_problems(opened, sheet, bundle)
    for line in spots_table(sheet, problems, width=terminal_width(output.results)):
        output.line(line)
    for note in opened.found.notes:
        output.detail(f"note: {note}")
    for problem in problems:
        output.problem(problem)
    if not sheet.cues:
        output.note(
            "No spots: put a matte on a video track named like `MASK violin`, or a marker `FOLEY violin`."
        )
    if options.write is not None:
        save_cues(sheet, options.write, presets=presets, made_from=options.cues)
        output.path(options.write)
    output.document(_document(opened, sheet, problems=problems, written=options.write))
    return 0


def reading_of(options: argparse.Namespace) -> Reading:
    """What the command line says about the timeline file."""
    return Reading(
        edl_rate=options.edl_rate,
        timeline_name=options.timeline_name,
        drop_frame=options.drop_frame,
        use_alpha=options.alpha,
        mask_tracks=dict(options.mask_track),
    )


def spots_table(sheet: CueSheet, problems: tuple[Problem, ...], *, width: int | None) -> list[str]:
    """Lines of the table; no line at all when there is no cue."""
    if not sheet.cues:
        return []
    return table(_HEADER, [_row(cue, sheet, problems) for cue in sheet.cues], width=width)


def _row(cue: Cue, sheet: CueSheet, problems: tuple[Problem, ...]) -> tuple[str, ...]:
    spot, (first, last) = cue.spot, timecodes(cue.spot.record, sheet)
    severities = {problem.severity for problem in problems if problem.cue_id == cue.id}
    verdict = "BLOCKED" if Severity.BLOCKER in severities else "warning" if severities else ""
    return (
        cue.id,
        first,
        last,
        f"{float(spot.record.duration):.2f}s",
        spot.label,
        cue.prompt + (f" | not {cue.negative_prompt}" if cue.negative_prompt else ""),
        spot.picture.clip_name if spot.picture else "-",
        matte_words(cue),
        verdict,
    )


def matte_words(cue: Cue) -> str:
    """The matte in a few words: its clip and which of its values mark the object."""
    matte = cue.spot.matte
    if matte is None:
        return "whole frame"
    inverted = ", inverted" if matte.invert else ""
    return f"{matte.clip.clip_name} ({matte.channel}{inverted})"


def _document(
    opened: OpenTimeline, sheet: CueSheet, *, problems: tuple[Problem, ...], written: Path | None
) -> dict[str, Any]:
    first, last = timecodes(sheet.record, sheet)
    return {
        "timeline": str(opened.path),
        "name": sheet.timeline_name,
        "rate": str(sheet.rate),
        "drop_frame": sheet.drop_frame,
        "start": first,
        "end": last,
        "cues": [_cue_document(cue, sheet) for cue in sheet.cues],
        "problems": [problem_document(problem) for problem in problems],
        "notes": list(opened.found.notes),
        "cue_sheet": str(written) if written is not None else None,
    }


def _cue_document(cue: Cue, sheet: CueSheet) -> dict[str, Any]:
    spot, (first, last) = cue.spot, timecodes(cue.spot.record, sheet)
    return {
        "id": cue.id,
        "start": first,
        "end": last,
        "record_seconds": [str(spot.record.start), str(spot.record.end)],
        "label": spot.label,
        "prompt": cue.prompt,
        "negative_prompt": cue.negative_prompt,
        "preset": cue.preset,
        "steps": cue.steps,
        "guidance": cue.guidance,
        "seed": cue.seed,
        "takes": cue.takes,
        "origin": str(spot.origin),
        "source": spot.source_name,
        "picture": spot.picture.clip_name if spot.picture else None,
        "matte": matte_words(cue) if spot.matte else None,
    }
