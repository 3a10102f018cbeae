"""What a window shows and says: frozen values, every text ready to be printed.

Times are absolute record seconds (`plugin.timebase`); timecode texts are in the timeline's own notation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar

from plugin.cues import Severity
from plugin.doctor import State
from plugin.timebase import TimeSpan

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


class Action(StrEnum):
    """What can be done about a problem with one button."""

    RELINK = "relink"
    OPEN_FOLDER = "open folder"
    CHOOSE_BUNDLE = "choose bundle"
    CHOOSE_OUTPUT = "choose output"
    ACCEPT = "accept"
    REMOVE_SPOT = "remove spot"
    RETRY = "retry"
    RELOAD_SHEET = "reload sheet"
    KEEP_MINE = "keep mine"
    SHOW_DOCTOR = "show doctor"
    RESET_SETTINGS = "reset settings"


class Needs(StrEnum):
    """What a button has to ask for before its action can be done."""

    NOTHING = "nothing"
    FILE = "file"
    FOLDER = "folder"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A button of a problem: its text, and what `Problems.act` needs to be given."""

    action: Action
    title: str
    needs: Needs = Needs.NOTHING


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """Something that is wrong, and what can be done.

    Attributes:
        id: for `Problems.act`.
        severity: a blocker keeps its spot (or everything) from being rendered or saved.
        cue_id: the spot it is about, "" for none.
        subject: the clip, file, folder or program it is about.
        message: what is wrong, a sentence.
        remedy: one imperative sentence.
        detail: for developers, may be empty.
        actions: buttons, best first.
        path: the file or folder it is about, None for none.
    """

    id: str
    severity: Severity
    cue_id: str
    subject: str
    message: str
    remedy: str
    detail: str = ""
    actions: tuple[ActionRow, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The status bar.

    Attributes:
        bundle: id and licence of the bundle in use, or what is wrong with it.
        provider: where it really runs, or how it is chosen until the first render.
        memory: of the render process in words, "" when none runs.
        queue: what is being rendered in words, "" for nothing.
        saved: whether all edits are on disk, in words.
        busy: something is going on in the background.
        problems: how many problems there are.
    """

    bundle: str
    provider: str
    memory: str
    queue: str
    saved: str
    busy: bool
    problems: int


@dataclass(frozen=True, slots=True)
class HistoryView:
    """What Undo and Redo would do; "" when there is nothing."""

    undo: str = ""
    redo: str = ""


@dataclass(frozen=True, slots=True)
class PieceLine:
    """One piece that would be or was placed.

    Attributes:
        cue_id: its spot.
        track: the audio track it goes to.
        take: the take's title.
        start: timecode.
        end: timecode, exclusive.
        path: the file, as it will lie on the timeline.
        note: its gain and fades, and what speaks against it; "" for nothing.
        error_samples: how far from its place it was read back; None before placing.
    """

    cue_id: str
    track: str
    take: str
    start: str
    end: str
    path: Path
    note: str = ""
    error_samples: float | None = None


@dataclass(frozen=True, slots=True)
class PlacementSummary:
    """What placing would do, before it is done.

    Attributes:
        host: where it goes.
        target: the new file or the program's timeline, in words.
        pieces: in record order.
        tracks: names of the audio tracks that will be added.
        skipped: spots that get nothing, each with its reason, sentences.
        notes: what else should be known, sentences.
        sentence: all of it in one or two sentences.
        possible: there is something to place.
    """

    host: str
    target: str
    pieces: tuple[PieceLine, ...]
    tracks: tuple[str, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]
    sentence: str
    possible: bool


@dataclass(frozen=True, slots=True)
class PlacementReport:
    """What was done on the timeline and verified after.

    Attributes:
        title: "Placed", "Removed" or "Exported".
        sentence: what was done and read back.
        pieces: as read back.
        path: the file that was written, None when a program's timeline was changed.
        folder: what can be opened to see the results, None for none.
        warnings: sentences.
        failed: nothing was done; `sentence` and `remedy` say why.
        remedy: one imperative sentence, "" when nothing failed.
    """

    title: str
    sentence: str
    pieces: tuple[PieceLine, ...] = ()
    path: Path | None = None
    folder: Path | None = None
    warnings: tuple[str, ...] = ()
    failed: bool = False
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RecentRow:
    """A timeline that was open before."""

    path: Path
    name: str
    folder: str
    there: bool


@dataclass(frozen=True, slots=True)
class DoctorRow:
    """One thing that was looked at on this machine; see `plugin.doctor.Finding`."""

    subject: str
    state: State
    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DoctorView:
    """The Doctor page: rows so far, whether more will come, and the outcome in a sentence."""

    rows: tuple[DoctorRow, ...]
    running: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as a dialog shows it.

    Attributes:
        key: for `Machine.change_settings`.
        title: for people.
        help: one sentence.
        kind: "text", "whole number", "number", "flag" or "choice".
        value: now.
        default: when nothing is set.
        lowest: smallest number, None for no limit.
        highest: largest number, None for no limit.
        choices: of a choice, and proposals for a text; (value, words) pairs.
        allowed: what may be given, in words.
    """

    key: str
    title: str
    help: str
    kind: str
    value: str | int | float | bool
    default: str | int | float | bool
    lowest: float | None
    highest: float | None
    choices: tuple[tuple[str, str], ...]
    allowed: str


@dataclass(frozen=True, slots=True)
class SettingFault:
    """Why a setting cannot be what was given: `key` is "" when the whole file is at fault."""

    key: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class BundleRow:
    """A model bundle of this machine.

    Attributes:
        name: for the setting `bundle`.
        title: name and size in words.
        licence: name of its licence and what it allows.
        condition: "verified", "found" or "damaged".
        used: it is the one in use.
        folder: where it is.
    """

    name: str
    title: str
    licence: str
    condition: str
    used: bool
    folder: Path


@dataclass(frozen=True, slots=True)
class FactRow:
    """A thing and what is to be known of it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class AdditionRow:
    """Something that could be added to this installation.

    Attributes:
        title: what.
        adds: what it would bring, a sentence.
        how: how to get it, a sentence.
        licence: under which terms, a sentence.
        present: it is installed already.
    """

    title: str
    adds: str
    how: str
    licence: str
    present: bool


@dataclass(frozen=True, slots=True)
class LicenceRow:
    """The licence of the program, of a bundle, or of a library: whose, its name, and its text."""

    subject: str
    licence: str
    text: str


@dataclass(frozen=True, slots=True)
class FirstRun:
    """The first-run page: what is installed, what could be added, under which licences."""

    installed: tuple[FactRow, ...]
    additions: tuple[AdditionRow, ...]
    licences: tuple[LicenceRow, ...] = field(default=())
