"""`sagafoley render`: a timeline in, stems and a timeline with our tracks out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugin.cli.interrupt import GO_ON, Interruption
from plugin.cli.output import Output, problem_document, terminal_width
from plugin.cli.report import Report, drain
from plugin.cli.spots import reading_of, spots_table
from plugin.controller.renders import RenderPlan, RenderRequest, deliver_takes, plan_render, render_sheet
from plugin.delivery import MadeTakes
from plugin.errors import UsageError
from plugin.hosts import Conflict, Flavour
from plugin.render.takes import Take
from plugin.workspace import Workspace

if TYPE_CHECKING:
    from plugin.engine.engine import Engine

_SETTINGS = ("bundle", "provider", "threads", "memory_mb", "preset", "seed", "takes", "flavour")


def workspace_of(options: argparse.Namespace) -> Workspace:
    """The workspace with the settings that this command line changes."""
    return Workspace.open({key: getattr(options, key, None) for key in _SETTINGS})


def render_timeline(options: argparse.Namespace, output: Output) -> int:
    """Render what was asked for and place it; the exit code."""
    if options.host == "resolve":
        from plugin.cli.resolve import render_in_resolve  # noqa: PLC0415 (it builds on this module)

        return render_in_resolve(options, output)
    _require_whole(options)
    workspace = workspace_of(options)
    bundle = workspace.bundle()
    request = RenderRequest(
        timeline=options.timeline,
        output=options.output,
        cue_file=options.cues,
        only=tuple(options.only),
        steps=options.steps,
        guidance=options.guidance,
        reading=reading_of(options),
    )
    plan = plan_render(request, workspace, bundle)

    def deliver(made: MadeTakes) -> dict[str, Any]:
        return _deliver(plan, made, options, output, flavour=workspace.settings.flavour)

    return render_plan(plan, options, output, engine=lambda: workspace.open_engine(bundle), deliver=deliver)


def _require_whole(options: argparse.Namespace) -> None:
    if options.within != "all":
        raise UsageError(
            "A timeline file has no marks and no selection.",
            remedy="Leave `--within` out, or choose cues with `--only`.",
        )


def render_plan(
    plan: RenderPlan,
    options: argparse.Namespace,
    output: Output,
    *,
    engine: Callable[[], Engine],
    deliver: Callable[[MadeTakes], dict[str, Any]],
) -> int:
    """Render what is planned and give the takes to `deliver`; the exit code.

    Args:
        plan: what is rendered.
        options: of the command line.
        output: where it is told.
        engine: opens the engine.
        deliver: puts this run's takes onto a timeline; what it did, for the JSON document.
    """
    for problem in plan.problems:
        output.problem(problem)
    if options.dry_run or not plan.ready.cues:
        return _without_rendering(plan, output, dry=options.dry_run)
    with Interruption(output.note) as interruption:
        opened = engine()
        report = drain(render_sheet(plan.ready, opened, folder=plan.folder, cancel=interruption), output)
    written: dict[str, Any] = {}
    if report.cancelled:
        output.note(GO_ON)
    elif report.takes:
        written = deliver(_made(report))
    _print_paths(report, written, output)
    output.document({**_plan_document(plan), **report.document(), **written})
    return _exit_code(plan, report)


def _without_rendering(plan: RenderPlan, output: Output, *, dry: bool) -> int:
    """The end of a dry run, or of a render in which every cue is blocked."""
    if dry:
        for line in spots_table(plan.asked, plan.problems, width=terminal_width(output.results)):
            output.line(line)
        output.note(
            f"{len(plan.ready.cues)} of {len(plan.asked.cues)} cues can be rendered, into {plan.folder}."
        )
    else:
        output.note("Nothing was rendered: every cue has a problem that stops it.")
    output.document(_plan_document(plan))
    return 2 if not plan.ready.cues else 1 if plan.blocked else 0


def _made(report: Report) -> MadeTakes:
    """The takes of this run by cue; a stem holds the first take of each."""
    made: dict[str, tuple[Take, Path]] = {}
    for event in report.takes:
        made.setdefault(event.cue_id, (event.take, event.path))
    return made


def _deliver(
    plan: RenderPlan, made: MadeTakes, options: argparse.Namespace, output: Output, *, flavour: str
) -> dict[str, Any]:
    """Place the takes and pack them; the paths that were written, by kind."""
    delivery = deliver_takes(
        plan,
        made,
        flavour=Flavour(flavour),
        otioz=options.otioz,
        conflict=Conflict(options.conflict),
    )
    tracks = len({each.track_name for each in delivery.pieces})
    off = max((abs(float(each.error_samples)) for each in delivery.pieces), default=0.0)
    output.detail(
        f"{len(delivery.pieces)} pieces placed on {tracks} tracks; read back, at most {off:.3g} samples off"
    )
    for warning in delivery.warnings:
        output.note(f"warning: {warning}")
    written = {"otio": str(delivery.otio)}
    if delivery.otioz is not None:
        written["otioz"] = str(delivery.otioz)
    return written


def _print_paths(report: Report, written: dict[str, Any], output: Output) -> None:
    for event in report.takes:
        output.path(event.path)
    for path_text in written.values():
        if isinstance(path_text, str):
            output.path(Path(path_text))


def _plan_document(plan: RenderPlan) -> dict[str, Any]:
    return {
        "timeline": str(plan.opened.path),
        "folder": str(plan.folder),
        "cues": [cue.id for cue in plan.asked.cues],
        "blocked": sorted(plan.blocked),
        "problems": [problem_document(problem) for problem in plan.problems],
    }


def _exit_code(plan: RenderPlan, report: Report) -> int:
    return report.exit_code or (1 if plan.blocked else 0)
