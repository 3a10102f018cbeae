"""What pages, dialogs and the status bar show: problems, placements, the doctor, settings, licences."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from plugin.cues import Severity
from plugin.doctor import State


class Action(StrEnum):
    """What can be done about a problem with one button.

    `OPEN_FOLDER` is the window's to do, with the row's `path`; all others go to `Problems.act`.
    """

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
        busy: something that was asked for is going on.
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
        condition: "verified", "found", "damaged" or "too new".
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
