"""Everything the panel and the command line can do, without a window.

Each function is one thing a person asks for. Decisions are made here or below, never in a face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from models_onnx.bundle import Bundle
from plugin.cueing import build_sheet
from plugin.cues import CueSheet, Problem, Severity
from plugin.cuesheets.reading import read_cue_file
from plugin.cuesheets.writing import write_cue_file
from plugin.delivery import Delivery, MadeTakes, choose_pieces, deliver
from plugin.errors import NoSpots, UsageError
from plugin.filehost import FileHost
from plugin.hosts import Flavour
from plugin.opening import OpenTimeline, Reading, default_output
from plugin.presets import Presets
from plugin.render.checking import USUAL_TOKENS, check_sheet
from plugin.render.media_checks import Depth
from plugin.timebase import TimeSpan, format_timecode, frame_at, is_smpte_rate
from plugin.workspace import Workspace

if TYPE_CHECKING:
    from plugin.engine.engine import Engine
    from plugin.render.events import RenderEvent


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
    return build_sheet(
        found.spots,
        timeline_name=found.name,
        rate=found.rate,
        drop_frame=found.drop_frame,
        record=found.record,
        presets=presets,
        choices=workspace.choices(steps=steps, guidance=guidance),
        cue_file=read_cue_file(cue_file) if cue_file is not None else None,
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
    opened = OpenTimeline.read(request.timeline, unpack_into=folder, reading=request.reading)
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
        asked, folder=folder, presets=presets.names, known=told, tokens=bundle.manifest.text.length
    )
    return RenderPlan(opened, sheet, asked, tuple(dict.fromkeys((*told, *found))), folder)


def problems_of(opened: OpenTimeline, sheet: CueSheet) -> tuple[Problem, ...]:
    """What spotting said about the timeline and about the cues of this sheet."""
    kept = {cue.id for cue in sheet.cues}
    return tuple(problem for problem in opened.found.problems if problem.cue_id in {"", *kept})


def quick_problems(opened: OpenTimeline, sheet: CueSheet, bundle: Bundle | None) -> tuple[Problem, ...]:
    """What spotting said, which media are not there, which prompts are too long; no picture is decoded."""
    told = problems_of(opened, sheet)
    tokens = USUAL_TOKENS if bundle is None else bundle.manifest.text.length
    found = check_sheet(sheet, depth=Depth.QUICK, known=told, tokens=tokens)
    return tuple(dict.fromkeys((*told, *found)))


def timecodes(span: TimeSpan, sheet: CueSheet) -> tuple[str, str]:
    """First and end (exclusive) timecode of a span; seconds where the rate has no timecode."""
    return _timecode(span.start, sheet), _timecode(span.end, sheet)


def _timecode(time: Fraction, sheet: CueSheet) -> str:
    if not is_smpte_rate(sheet.rate):
        return f"{float(time):.3f}s"
    return format_timecode(frame_at(time, sheet.rate), sheet.rate, drop_frame=sheet.drop_frame)


def render_sheet(
    sheet: CueSheet, engine: Engine, *, folder: Path, cancel: Callable[[], bool]
) -> Iterator[RenderEvent]:
    """Render the cues into a folder; see `plugin.render.runner.render`."""
    from plugin.render.runner import render  # noqa: PLC0415 (onnxruntime only when it is needed)

    return render(sheet, engine, folder=folder, cancel=cancel)


def deliver_takes(plan: RenderPlan, made: MadeTakes, *, flavour: Flavour, otioz: bool) -> Delivery:
    """Put the takes onto the timeline: `<timeline>_foley.otio`, and with `otioz` a package of it.

    Args:
        plan: what was rendered.
        made: this run's take of each cue, by cue id; other cues keep their newest earlier take.
        flavour: who will read the timeline.
        otioz: write the package too.

    Raises:
        UnreadableTimeline, OutputError: see `deliver`.
    """
    host = FileHost.of(plan.opened, folder=plan.folder, flavour=flavour)
    pieces = choose_pieces(plan.sheet, made, folder=plan.folder)
    return deliver(host, pieces, package=plan.folder if otioz else None)
