"""A render from a person's words to the timeline with our tracks: asked for, planned, run, delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models_onnx.bundle import Bundle
from plugin.controller.masking.placed_mattes import with_placed_mattes
from plugin.controller.sheets import make_sheet, only, output_folder, require_cues
from plugin.cues import CueSheet, Problem, Severity
from plugin.delivery import Delivery, MadeTakes, choose_pieces, deliver
from plugin.filehost import FileHost
from plugin.hosts import Conflict, Flavour
from plugin.opening import OpenTimeline, Reading
from plugin.render.checking import Hearing, check_sheet
from plugin.render.media_checks import Depth
from plugin.workspace import Workspace

if TYPE_CHECKING:
    from plugin.engine.engine import Engine
    from plugin.render.events import RenderEvent


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What a person asks to be rendered.

    Attributes:
        timeline: the file.
        output: the folder for results; None leaves it to the settings.
        cue_file: an edited cue sheet, None for none.
        only: cue numbers or labels; empty for all.
        steps: in place of the preset's.
        guidance: in place of the preset's.
        reading: what the timeline file does not say itself; None: nothing.
    """

    timeline: Path
    output: Path | None = None
    cue_file: Path | None = None
    only: tuple[str, ...] = ()
    steps: int | None = None
    guidance: float | None = None
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """What would be rendered, everything checked, nothing done.

    Attributes:
        opened: the timeline.
        sheet: all its cues.
        asked: the cues that were asked for.
        problems: of the timeline and of the cues asked for.
        folder: where results go.
    """

    opened: OpenTimeline
    sheet: CueSheet
    asked: CueSheet
    problems: tuple[Problem, ...]
    folder: Path

    @property
    def blocked(self) -> frozenset[str]:
        """Ids of the cues that cannot be rendered; all of them when the timeline itself is at fault."""
        blockers = {problem.cue_id for problem in self.problems if problem.severity is Severity.BLOCKER}
        ids = frozenset(cue.id for cue in self.asked.cues)
        return ids if "" in blockers else ids & blockers

    @property
    def ready(self) -> CueSheet:
        """The cues that can be rendered."""
        return replace(self.asked, cues=tuple(cue for cue in self.asked.cues if cue.id not in self.blocked))


def plan_render(request: RenderRequest, workspace: Workspace, bundle: Bundle) -> RenderPlan:
    """Read, spot, decide and check everything that a render needs.

    Raises:
        UnreadableTimeline: see `OpenTimeline.read`.
        UsageError: see `make_sheet` and `only`.
        NoSpots: nothing asks for sound.
        OutputError: the output folder cannot be written to.
    """
    folder = output_folder(workspace, request.output, beside=request.timeline)
    read = OpenTimeline.read(request.timeline, unpack_into=folder, reading=request.reading)
    opened = with_placed_mattes(read)
    presets = workspace.presets_of(bundle)
    sheet = make_sheet(
        opened,
        workspace,
        presets=presets,
        cue_file=request.cue_file,
        steps=request.steps,
        guidance=request.guidance,
    )
    require_cues(sheet)
    asked = only(sheet, request.only)
    told = problems_of(opened, asked)
    found = check_sheet(
        asked, folder=folder, presets=presets.names, known=told, hearing=Hearing.of(bundle.manifest)
    )
    return RenderPlan(opened, sheet, asked, tuple(dict.fromkeys((*told, *found))), folder)


def problems_of(opened: OpenTimeline, sheet: CueSheet) -> tuple[Problem, ...]:
    """What spotting said about the timeline and about the cues of this sheet."""
    kept = {cue.id for cue in sheet.cues}
    return tuple(problem for problem in opened.found.problems if problem.cue_id in {"", *kept})


def quick_problems(opened: OpenTimeline, sheet: CueSheet, bundle: Bundle | None) -> tuple[Problem, ...]:
    """What spotting said, which media are not there, which prompts are too long; no picture is decoded."""
    told = problems_of(opened, sheet)
    hearing = Hearing.of(bundle.manifest if bundle else None)
    found = check_sheet(sheet, depth=Depth.QUICK, known=told, hearing=hearing)
    return tuple(dict.fromkeys((*told, *found)))


def render_sheet(
    sheet: CueSheet, engine: Engine, *, folder: Path, cancel: Callable[[], bool]
) -> Iterator[RenderEvent]:
    """Render the cues into a folder; see `plugin.render.runner.render`."""
    from plugin.render.runner import render  # noqa: PLC0415 (onnxruntime only when it is needed)

    return render(sheet, engine, folder=folder, cancel=cancel)


def deliver_takes(
    plan: RenderPlan,
    made: MadeTakes,
    *,
    flavour: Flavour,
    otioz: bool,
    conflict: Conflict = Conflict.REPLACE,
) -> Delivery:
    """Put the takes onto the timeline: `<timeline>_foley.otio`, and with `otioz` a package of it.

    Args:
        plan: what was rendered.
        made: this run's take of each cue, by cue id; other cues keep their newest earlier take.
        flavour: who will read the timeline.
        otioz: write the package too.
        conflict: what becomes of what an earlier run placed.

    Raises:
        UnreadableTimeline, OutputError: see `deliver`.
    """
    host = FileHost.of(plan.opened, folder=plan.folder, flavour=flavour)
    pieces = choose_pieces(plan.sheet, made, folder=plan.folder)
    return deliver(host, pieces, package=plan.folder if otioz else None, conflict=conflict)
