"""What a window shows and says: frozen values, every text ready to be printed.

Times are absolute record seconds (`plugin.timebase`); timecode texts are in the timeline's own notation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar

from plugin.controller.pages import (
    Action,
    ActionRow,
    AdditionRow,
    BundleRow,
    DoctorRow,
    DoctorView,
    FactRow,
    FirstRun,
    HistoryView,
    LicenceRow,
    Needs,
    PieceLine,
    PlacementReport,
    PlacementSummary,
    ProblemRow,
    RecentRow,
    SettingFault,
    SettingRow,
    StatusLine,
)
from plugin.timebase import TimeSpan

__all__ = [
    "MAX_HANDLE",
    "Action",
    "ActionRow",
    "AdditionRow",
    "BundleRow",
    "CueEdit",
    "DeskEvent",
    "DoctorRow",
    "DoctorView",
    "FactRow",
    "FirstRun",
    "HistoryView",
    "Inspector",
    "LicenceRow",
    "MarkerRow",
    "Needs",
    "PieceLine",
    "PlacementReport",
    "PlacementSummary",
    "PresetRow",
    "ProblemRow",
    "QueueRow",
    "QueueState",
    "RecentRow",
    "SettingFault",
    "SettingRow",
    "Shared",
    "SortBy",
    "SpotQuery",
    "SpotRow",
    "SpotState",
    "StatusLine",
    "TakeRow",
    "TimelineView",
    "Topic",
    "TrackRow",
]

T = TypeVar("T")


class Topic(StrEnum):
    """What has changed on the desk; who shows it asks for it again."""

    TIMELINE = "timeline"
    SPOTS = "spots"
    TAKES = "takes"
    QUEUE = "queue"
    PROBLEMS = "problems"
    HISTORY = "history"
    STATUS = "status"
    PLACEMENT = "placement"
    DOCTOR = "doctor"
    SETTINGS = "settings"
    MASKS = "masks"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class DeskEvent:
    """One change, told by `Desk.poll`.

    Attributes:
        topic: what to ask for again.
        ids: spots (SPOTS, TAKES) or queue items (QUEUE) it is about; empty means all of them.
        text: a sentence for people, for MESSAGE and where something ended.
    """

    topic: Topic
    ids: tuple[str, ...] = ()
    text: str = ""


class SpotState(StrEnum):
    """How far a spot is; the worst that is true of it."""

    NEW = "new"
    STALE = "stale"
    RENDERING = "rendering"
    TAKES = "takes"
    PLACED = "placed"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class TimelineView:
    """The timeline on the desk.

    Attributes:
        name: as stems are named by.
        path: the file that was opened, or the host's snapshot.
        host: who holds it, for people ("film.otio", "DaVinci Resolve Studio").
        from_editor: it is the running editor's timeline, not a file.
        rate: frames per second.
        drop_frame: how its timecode counts.
        record: its extent.
        start: first timecode.
        end: end timecode, exclusive.
        sheet: the cue sheet that edits are saved in.
        folder: where takes go.
        marked: timecode of the in and out points that the running editor had when it was read; None: none.
    """

    name: str
    path: Path
    host: str
    from_editor: bool
    rate: Fraction
    drop_frame: bool
    record: TimeSpan
    start: str
    end: str
    sheet: Path
    folder: Path
    marked: tuple[str, str] | None = None


class SortBy(StrEnum):
    """Columns by which spots can be sorted."""

    RECORD = "record"
    LABEL = "label"
    CLIP = "clip"
    PROMPT = "prompt"
    STATE = "state"
    TAKES = "takes"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class SpotQuery:
    """Which spots are wanted, and in which order.

    Attributes:
        text: words that all occur in a spot's id, label, clip, track, prompt or timecode; any case.
        states: only these; empty means all.
        sort: by which column; equal ones in record order.
        descending: last first.
    """

    text: str = ""
    states: frozenset[SpotState] = frozenset()
    sort: SortBy = SortBy.RECORD
    descending: bool = False


@dataclass(frozen=True, slots=True)
class SpotRow:
    """One spot in the list.

    Attributes:
        id: of its cue.
        label: the object, which names the stem's track.
        clip: the picture clip's name, "" without a picture.
        source: the mask track, marker or clip that asked for it.
        record: where.
        start: first timecode.
        end: end timecode, exclusive.
        length: as text ("2.4 s").
        prompt: what should sound.
        negative_prompt: what should not.
        preset: name of the preset.
        matte: what marks the object, in words ("luma", "alpha channel, inverted", "whole frame").
        state: how far it is.
        state_text: the same in words ("3 takes", "rendering 40 %", "waiting").
        note: why it is stale or a problem, a sentence; "" when there is nothing to say.
        takes: how many it has.
        chosen: name of the take that would be placed, "" for none.
        progress: 0..1 of its render, None when none runs.
        problems: how many problems it has.
    """

    id: str
    label: str
    clip: str
    source: str
    record: TimeSpan
    start: str
    end: str
    length: str
    prompt: str
    negative_prompt: str
    preset: str
    matte: str
    state: SpotState
    state_text: str
    note: str
    takes: int
    chosen: str
    progress: float | None
    problems: int


@dataclass(frozen=True, slots=True)
class Shared(Generic[T]):
    """One field of a selection: its value where all agree, else None and `mixed`."""

    value: T | None
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class Inspector:
    """The editable fields of one spot or a selection.

    Attributes:
        ids: the spots.
        matte: a `plugin.cues.MatteChannel` value, or "none" for the whole frame.
        matte_choices: what `matte` may be for all of them.
        handle_in: frames before the spot's own start.
        handle_out: frames after its own end.
    """

    ids: tuple[str, ...]
    label: Shared[str]
    prompt: Shared[str]
    negative_prompt: Shared[str]
    preset: Shared[str]
    steps: Shared[int]
    guidance: Shared[float]
    seed: Shared[int]
    takes: Shared[int]
    matte: Shared[str]
    invert: Shared[bool]
    handle_in: Shared[int]
    handle_out: Shared[int]
    matte_choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CueEdit:
    """What an edit changes of every spot it is applied to; None leaves a field as it is.

    A preset brings its steps and guidance with it. Handles are whole frames, 0..`MAX_HANDLE`.
    """

    label: str | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    preset: str | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    takes: int | None = None
    matte: str | None = None
    invert: bool | None = None
    handle_in: int | None = None
    handle_out: int | None = None


MAX_HANDLE = 1000
"""Frames."""


@dataclass(frozen=True, slots=True)
class PresetRow:
    """One preset to choose from, with what it means for the bundle in use."""

    name: str
    title: str
    steps: int
    guidance: float


@dataclass(frozen=True, slots=True)
class MarkerRow:
    """A marker of the timeline that a spot can be made of.

    Attributes:
        id: for `Spots.add_marker`.
        name: its words, "" without.
        start: timecode.
        record: the range that it means: its own, or the whole shot when it is a point.
    """

    id: str
    name: str
    start: str
    record: TimeSpan


@dataclass(frozen=True, slots=True)
class TrackRow:
    """A video track that could hold mattes: its number from 1, the lowest, and its name."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class TakeRow:
    """One take of a spot.

    Attributes:
        name: its file's name without suffix; identifies it.
        cue_id: its spot.
        title: what it is called on screen; its number until it is renamed.
        path: the WAV file.
        star: marked by the editor.
        chosen: the one that would be placed.
        current: it is what the cue asks for today.
        note: why it is not, or what was said while it was made; "" for nothing.
        preview: made with fewer steps than the cue asks for.
        seed: its own.
        steps: solver steps.
        prompt: its words.
        created: date and time in words.
        record: where its sound belongs.
        level: loudness and true peak in words.
        true_peak: dBTP after gain, None for silence.
        loudness: LUFS after gain, None when too short or quiet to say.
        gain_db: gain of the editor.
        fade_in: seconds.
        fade_out: seconds.
        made_by: bundle and provider in words.
        licence: of the bundle's weights, with what it allows.
        warnings: said while it was made.
    """

    name: str
    cue_id: str
    title: str
    path: Path
    star: bool
    chosen: bool
    current: bool
    note: str
    preview: bool
    seed: int
    steps: int
    prompt: str
    created: str
    record: TimeSpan
    level: str
    true_peak: float | None
    loudness: float | None
    gain_db: float
    fade_in: float
    fade_out: float
    made_by: str
    licence: str
    warnings: tuple[str, ...]


class QueueState(StrEnum):
    """Where an item of the queue is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One item of the queue: some takes of one spot.

    Attributes:
        id: for `RenderQueue.move` and `cancel`.
        cue_id: the spot.
        label: its object.
        takes: how many are asked for.
        made: how many are there already.
        preview: fewer steps, to judge timing.
        state: where it is.
        stage: what is being done ("looking at pictures").
        progress: 0..1 of the whole item.
        seconds_left: None until it can be said.
        text: all of that in words.
        message: what failed, "" when nothing did.
        remedy: what to do about it.
    """

    id: str
    cue_id: str
    label: str
    takes: int
    made: int
    preview: bool
    state: QueueState
    stage: str
    progress: float
    seconds_left: float | None
    text: str
    message: str = ""
    remedy: str = ""
