"""`sagafoley generate`: one video in, one stem and a preview out."""

from __future__ import annotations

import argparse
from pathlib import Path

from plugin.cli.interrupt import GO_ON, Interruption
from plugin.cli.output import Output, problem_document
from plugin.cli.render import workspace_of
from plugin.cli.report import Report, drain
from plugin.controller.renders import render_sheet
from plugin.controller.sheets import output_folder
from plugin.cues import CueSheet, MatteChannel, Resize, Severity
from plugin.errors import SagafoleyError
from plugin.one_video import VideoRequest, sheet_of_video, write_preview
from plugin.render.checking import Hearing, check_sheet


def generate_sound(options: argparse.Namespace, output: Output) -> int:
    """Render one video's cue and its preview; the exit code."""
    workspace = workspace_of(options)
    bundle = workspace.bundle()
    sheet = sheet_of_video(_request(options), workspace, presets=workspace.presets_of(bundle))
    folder = output_folder(workspace, options.output, beside=options.video)
    problems = check_sheet(sheet, folder=folder, hearing=Hearing.of(bundle.manifest))
    for problem in problems:
        output.problem(problem)
    document = {
        "video": str(options.video.absolute()),
        "folder": str(folder),
        "problems": [problem_document(problem) for problem in problems],
    }
    if any(problem.severity is Severity.BLOCKER for problem in problems):
        output.document(document)
        return 2
    with Interruption(output.note) as interruption:
        engine = workspace.open_engine(bundle)
        report = drain(render_sheet(sheet, engine, folder=folder, cancel=interruption), output)
    if report.cancelled:
        output.note(GO_ON)
    previews = _previews(sheet, report, output)
    output.document({**document, **report.document(), "previews": [str(path) for path in previews]})
    return report.exit_code or (1 if len(previews) < len(report.takes) else 0)


def _previews(sheet: CueSheet, report: Report, output: Output) -> list[Path]:
    """A preview beside every take; both paths printed. One that cannot be made leaves its take whole."""
    written = []
    for take in report.takes:
        output.path(take.path)
        try:
            written.append(write_preview(sheet, take.path))
        except SagafoleyError as error:
            output.error(error)
            continue
        output.path(written[-1])
    return written


def _request(options: argparse.Namespace) -> VideoRequest:
    return VideoRequest(
        video=options.video,
        matte=options.mask,
        channel=MatteChannel(options.mask_channel),
        invert=options.invert_mask,
        prompt=options.prompt,
        negative_prompt=options.negative,
        start=options.start,
        duration=options.duration,
        steps=options.steps,
        guidance=options.guidance,
        resize=None if options.resize is None else Resize(options.resize),
    )
