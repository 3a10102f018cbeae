"""`sagafoley resolve` and `render --host resolve`: the timeline that is open in DaVinci Resolve."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from plugin.cli.interrupt import Interruption
from plugin.cli.output import Output
from plugin.cli.render import render_plan, workspace_of
from plugin.cli.spots import list_spots, reading_of
from plugin.controller.hosts import snapshot_of
from plugin.controller.renders import RenderPlan, RenderRequest, plan_render
from plugin.controller.resolve import Within, connected, host_of, reached, spots_within
from plugin.controller.sheets import make_sheet, only, output_folder, require_cues
from plugin.delivery import MadeTakes, choose_pieces
from plugin.errors import UsageError
from plugin.hosts import Conflict, Host, PlacedPiece
from plugin.opening import OpenTimeline
from plugin.timebase import format_timecode, frame_at
from plugin.workspace import Workspace
from resolve_bridge.connecting import Attempt
from resolve_bridge.host import ResolveHost
from resolve_bridge.views import ResolveStatus

DONE, NOT_THERE = 0, 2
_FINISHING = "Finishing what was begun in Resolve, about a second. Press Ctrl-C again to leave at once."
_ABLE = {
    "place": "place stems",
    "marks": "tell in and out points",
    "selection": "tell selected clips",
    "mattes": "tell attached mattes",
    "export": "export timelines",
}


def manage_resolve(options: argparse.Namespace, output: Output) -> int:
    """Do one thing with the running Resolve; the exit code."""
    actions: dict[str, Callable[[argparse.Namespace, Output], int]] = {
        "status": tell_status,
        "spots": list_resolve_spots,
        "place": place_takes,
        "remove": remove_placement,
    }
    return actions[options.action](options, output)


def tell_status(options: argparse.Namespace, output: Output) -> int:
    """Tell what runs, what is open, and how every way to Resolve turned out."""
    del options
    with reached() as connection:
        for attempt in connection.attempts:
            _tell_attempt(attempt, output)
        ways = [_attempt_document(attempt) for attempt in connection.attempts]
        if connection.channel is None:
            for line in connection.by_hand.lines():
                output.note(line)
            output.document({"connected": False, "ways": ways})
            return NOT_THERE
        status = host_of(connection).status()
        for line in _status_lines(status):
            output.line(line)
        output.document({"connected": True, "ways": ways, **_status_document(status)})
    return DONE


def list_resolve_spots(options: argparse.Namespace, output: Output) -> int:
    """List the spots of the open timeline, as `sagafoley spots` does of a file."""
    with connected() as host:
        options.timeline = _snapshot(host, output)
    return list_spots(options, output)


def render_in_resolve(options: argparse.Namespace, output: Output) -> int:
    """Render the spots of the open timeline and put the stems on it."""
    if options.timeline is not None:
        raise UsageError(
            f"With `--host resolve` the timeline is the open one, not {options.timeline.name}.",
            remedy="Leave the file out, or leave `--host resolve` out.",
        )
    if options.otioz:
        raise UsageError(
            "A package is made of timeline files only.", remedy="Leave `--otioz` or `--host resolve` out."
        )
    workspace = workspace_of(options)
    with connected() as host:
        options.timeline = _snapshot(host, output)
        bundle = workspace.bundle()
        request = RenderRequest(
            timeline=options.timeline,
            output=options.output,
            cue_file=options.cues,
            only=_asked(host, options),
            steps=options.steps,
            guidance=options.guidance,
            reading=reading_of(options),
        )
        plan = plan_render(request, workspace, bundle)

        def deliver(made: MadeTakes) -> dict[str, Any]:
            return {"placed": _place(host, plan, made, options, output)}

        return render_plan(
            plan, options, output, engine=lambda: workspace.open_engine(bundle), deliver=deliver
        )


def place_takes(options: argparse.Namespace, output: Output) -> int:
    """Put the newest takes of the open timeline on it, without rendering."""
    workspace = Workspace.open()
    with connected() as host:
        path = _snapshot(host, output)
        folder = output_folder(workspace, options.output, beside=path)
        opened = OpenTimeline.read(path, unpack_into=folder, reading=reading_of(options))
        presets = workspace.presets_of(workspace.bundle_if_any())
        sheet = make_sheet(opened, workspace, presets=presets, cue_file=options.cues)
        require_cues(sheet)
        options.timeline = path
        wanted = only(sheet, _asked(host, options, opened))
        plan = RenderPlan(opened, wanted, wanted, (), folder)
        placed = _place(host, plan, {}, options, output)
    output.document({"folder": str(folder), "placed": placed})
    return DONE


def remove_placement(options: argparse.Namespace, output: Output) -> int:
    """Take our last placement off the open timeline."""
    del options
    with connected() as host:
        with _to_the_end(output):
            removal = host.remove()
        notes = (*removal.left, *host.notes)
    pieces, tracks = _counted(removal.pieces, "piece"), _counted(len(removal.tracks), "track")
    output.line(f"{pieces} and {tracks} removed.")
    for note in notes:
        output.note(f"warning: {note}")
    output.document({"pieces": removal.pieces, "tracks": list(removal.tracks), "left": list(removal.left)})
    return DONE


def _to_the_end(output: Output) -> Interruption:
    """While entered, Ctrl-C breaks nothing off: half a placement would leave the editor's state changed."""
    return Interruption(lambda _: output.note(_FINISHING))


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _snapshot(host: ResolveHost, output: Output) -> Any:
    """The open timeline as a file of ours."""
    path = snapshot_of(host).path
    for note in host.notes:
        output.note(f"warning: {note}")
    return path


def _asked(
    host: ResolveHost, options: argparse.Namespace, opened: OpenTimeline | None = None
) -> tuple[str, ...]:
    """Cue numbers and labels that the command line and the editor's marks or selection leave."""
    within = Within(options.within)
    if within is Within.ALL:
        return tuple(options.only)
    if options.only:
        raise UsageError("`--only` and `--within` each say which cues.", remedy="Leave one of the two out.")
    found = (opened or OpenTimeline.read(options.timeline, reading=reading_of(options))).found
    return spots_within(found.spots, host.scope(), within, rate=found.rate)


def _place(
    host: Host, plan: RenderPlan, made: MadeTakes, options: argparse.Namespace, output: Output
) -> list[dict[str, str]]:
    """Place what there is; what lies where then, for people and machines."""
    pieces = choose_pieces(plan.sheet, made, folder=plan.folder)
    if not pieces:
        raise UsageError(
            f"There is no take of '{plan.sheet.timeline_name}' in {plan.folder}.",
            remedy="Run `sagafoley render --host resolve` first, or name the folder with -o.",
        )
    with _to_the_end(output):
        placed = host.place(pieces, conflict=Conflict(options.conflict))
    lines = [_placed_line(one, plan) for one in placed]
    for line in lines:
        output.line(f"{line['track']}  {line['start']}  {line['file']}")
    skipped = len(pieces) - len(placed)
    already = f"; {skipped} lay there already" if skipped else ""
    output.note(f"{len(placed)} of {len(pieces)} pieces placed, all verified{already}.")
    for note in host.notes:
        output.note(f"warning: {note}")
    return lines


def _placed_line(one: PlacedPiece, plan: RenderPlan) -> dict[str, str]:
    sheet = plan.sheet
    frame = frame_at(one.record_start, sheet.rate)
    return {
        "cue": one.piece.cue_id,
        "track": one.track_name,
        "start": format_timecode(frame, sheet.rate, drop_frame=sheet.drop_frame),
        "file": one.piece.path.name,
        "error_samples": f"{float(one.error_samples):g}",
    }


def _tell_attempt(attempt: Attempt, output: Output) -> None:
    output.line(f"{'yes' if attempt.works else 'no ':3} {attempt.transport}: {attempt.found}")
    if attempt.remedy:
        output.line(f"      -> {attempt.remedy}")
    output.detail(f"      {attempt.detail}" if attempt.detail else "")


def _attempt_document(attempt: Attempt) -> dict[str, Any]:
    return {
        "way": str(attempt.transport),
        "works": attempt.works,
        "found": attempt.found,
        "remedy": attempt.remedy,
    }


def _status_lines(status: ResolveStatus) -> list[str]:
    able = [words for name, words in _ABLE.items() if status.can.get(name)]
    return [
        f"{status.product} {status.version}, by {status.transport}",
        f"project: {status.project or 'none is open'}",
        f"timeline: {status.timeline or 'none is open'}",
        f"can: {', '.join(able) or 'nothing while no timeline is open'}",
    ]


def _status_document(status: ResolveStatus) -> dict[str, Any]:
    return {
        "product": status.product,
        "version": status.version,
        "studio": status.studio,
        "transport": status.transport,
        "project": status.project,
        "timeline": status.timeline,
        "can": dict(status.can),
    }
