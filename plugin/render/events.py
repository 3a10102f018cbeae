"""What a render tells while it runs. Panel, command line, farm and tests drain the same events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from plugin.errors import SagafoleyError
from plugin.render.takes import Take


@dataclass(frozen=True, slots=True)
class SheetStarted:
    """The first event.

    Attributes:
        cues: how many cues there are.
        takes: how many takes they ask for together.
        folder: where the stems go, absolute.
    """

    cues: int
    takes: int
    folder: Path


@dataclass(frozen=True, slots=True)
class CueStarted:
    """A cue's turn has come.

    Attributes:
        cue_id: which cue.
        label: its object.
        number: 1-based place in the sheet.
        cues: how many there are.
        takes: how many takes it asks for.
    """

    cue_id: str
    label: str
    number: int
    cues: int
    takes: int


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far one stage of a take is.

    Attributes:
        cue_id: which cue.
        take: 1-based place among the takes this cue asks for.
        stage: "pictures", "sampling", ...; see `plugin.engine.watch`.
        done: units done, 0..`total`.
        total: units of this stage.
    """

    cue_id: str
    take: int
    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CueWarning:
    """Something about a cue that its user should know, and that stops nothing."""

    cue_id: str
    message: str


@dataclass(frozen=True, slots=True)
class TakeWritten:
    """A take has its final names; `path` is its WAV, absolute."""

    cue_id: str
    take: Take
    path: Path


@dataclass(frozen=True, slots=True)
class TakeKept:
    """A take of the same inputs was whole already and was not made again."""

    cue_id: str
    take: Take
    path: Path


@dataclass(frozen=True, slots=True)
class CueFailed:
    """A cue could not be finished; the sheet goes on with the next."""

    cue_id: str
    label: str
    error: SagafoleyError


@dataclass(frozen=True, slots=True)
class SheetFinished:
    """The last event of a sheet that was neither cancelled nor stopped by an error.

    Attributes:
        written: takes made.
        kept: takes that were whole already.
        failed: cues that could not be finished.
    """

    written: int
    kept: int
    failed: int


RenderEvent = (
    SheetStarted
    | CueStarted
    | StageProgress
    | CueWarning
    | TakeWritten
    | TakeKept
    | CueFailed
    | SheetFinished
)
