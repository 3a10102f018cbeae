"""Draining a render on the command line: progress while it runs, a report when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from plugin.cli.output import Output, error_document
from plugin.cli.progress import ProgressBar
from plugin.errors import Cancelled
from plugin.render.events import (
    CueFailed,
    CueWarning,
    RenderEvent,
    SheetStarted,
    TakeKept,
    TakeWritten,
)


@dataclass(slots=True)
class Report:
    """What a render gave.

    Attributes:
        takes: those that are there now, made or kept, in order.
        failed: cues that could not be finished.
        warnings: what was noticed.
        cancelled: the user stopped it.
    """

    takes: list[TakeWritten | TakeKept] = field(default_factory=list)
    failed: list[CueFailed] = field(default_factory=list)
    warnings: list[CueWarning] = field(default_factory=list)
    cancelled: bool = False

    @property
    def exit_code(self) -> int:
        """0 done, 1 some cues failed, 130 cancelled."""
        if self.cancelled:
            return 130
        return 1 if self.failed else 0

    def document(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "stems": [_stem(each) for each in self.takes],
            "failed": [{"cue": each.cue_id, **error_document(each.error)} for each in self.failed],
            "warnings": [{"cue": each.cue_id, "message": each.message} for each in self.warnings],
            "cancelled": self.cancelled,
        }


def drain(events: Iterable[RenderEvent], output: Output) -> Report:
    """Run the render to its end (or until it is cancelled) and tell it as it goes."""
    report, progress = Report(), ProgressBar(output.notes)
    try:
        for event in events:
            progress.follow(event)
            _record(event, report, output, progress)
    except Cancelled:
        report.cancelled = True
    finally:
        progress.close()
    return report


def _record(event: RenderEvent, report: Report, output: Output, progress: ProgressBar) -> None:
    match event:
        case SheetStarted(cues=cues, takes=takes, folder=folder):
            output.detail(f"{cues} cues, {takes} takes, into {folder}")
        case TakeWritten() | TakeKept():
            report.takes.append(event)
            what = "was whole already" if isinstance(event, TakeKept) else "written"
            output.detail(f"cue {event.cue_id}: {event.path.name} {what}")
        case CueWarning():
            report.warnings.append(event)
            with progress.aside():
                output.note(f"warning: cue {event.cue_id}: {event.message}")
        case CueFailed():
            report.failed.append(event)
            with progress.aside():
                output.cue_failure(event.cue_id, event.error)
        case _:
            pass


def _stem(event: TakeWritten | TakeKept) -> dict[str, Any]:
    cue, audio = event.take.cue, event.take.audio
    record = cue.spot.record
    return {
        "cue": event.cue_id,
        "label": cue.spot.label,
        "prompt": cue.prompt,
        "seed": cue.seed,
        "path": str(event.path),
        "sidecar": str(event.path.with_name(event.take.sidecar_name)),
        "record_seconds": [str(record.start), str(record.end)],
        "samples": audio.samples,
        "loudness_lufs": audio.loudness_lufs,
        "true_peak_dbtp": audio.true_peak_dbtp,
        "kept": isinstance(event, TakeKept),
    }
