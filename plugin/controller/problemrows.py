"""Problems as the list shows them: which buttons each has."""

from __future__ import annotations

from pathlib import Path

from plugin.controller.book import Book
from plugin.controller.items import Item
from plugin.controller.relinking import place_of
from plugin.controller.trouble import problem_id
from plugin.controller.views import Action, ActionRow, Needs, ProblemRow
from plugin.cues import ImageSequence, MediaSource, Problem, Severity
from plugin.errors import BundleError, EngineError, OutputError, SagafoleyError, UsageError

_ACCEPT = ActionRow(Action.ACCEPT, "Accept")
_REMOVE = ActionRow(Action.REMOVE_SPOT, "Remove spot")
_OPEN_FOLDER = ActionRow(Action.OPEN_FOLDER, "Open folder")
_DOCTOR = ActionRow(Action.SHOW_DOCTOR, "Doctor")
_CHOOSE_OUTPUT = ActionRow(Action.CHOOSE_OUTPUT, "Choose folder", Needs.FOLDER)
_RETRY = ActionRow(Action.RETRY, "Try again")

FAULTS = "desk|"
"""What the ids of the desk's own faults begin with."""

_FAULT_ACTIONS = {
    "sheet": (
        ActionRow(Action.RELOAD_SHEET, "Read the changed sheet"),
        ActionRow(Action.KEEP_MINE, "Keep mine"),
    ),
    "save": (_RETRY, _OPEN_FOLDER),
    "notes": (_ACCEPT,),
    "host": (_ACCEPT,),
}


def bundle_row(fault: BundleError) -> ProblemRow:
    """No usable model bundle."""
    return ProblemRow(
        id="bundle",
        severity=Severity.BLOCKER,
        cue_id="",
        subject="model bundle",
        message=fault.message,
        remedy=fault.remedy,
        detail=fault.detail,
        actions=(
            ActionRow(Action.CHOOSE_BUNDLE, "Choose bundle", Needs.BUNDLE),
            _DOCTOR,
        ),
    )


def settings_row(fault: UsageError) -> ProblemRow:
    """Settings or presets with a mistake, which are not used."""
    return ProblemRow(
        id="settings",
        severity=Severity.WARNING,
        cue_id="",
        subject="settings",
        message=f"{fault.message} The usual settings are used.",
        remedy=fault.remedy,
        detail=fault.detail,
        actions=(ActionRow(Action.RESET_SETTINGS, "Reset settings"),),
    )


def fault_row(key: str, fault: SagafoleyError) -> ProblemRow:
    """Something of the desk's own that failed: a save, the sheet, the host."""
    subjects = {"sheet": "cue sheet", "save": "cue sheet", "notes": "choices of takes", "host": "timeline"}
    path = Path(fault.detail) if key in {"sheet", "save"} and Path(fault.detail).is_absolute() else None
    return ProblemRow(
        id=f"{FAULTS}{key}",
        severity=Severity.BLOCKER if key in {"sheet", "save"} else Severity.WARNING,
        cue_id="",
        subject=subjects.get(key, key),
        message=fault.message,
        remedy=fault.remedy,
        detail=fault.detail,
        actions=_FAULT_ACTIONS.get(key, ()),
        path=path,
    )


def item_row(item: Item) -> ProblemRow:
    """An item of the queue that failed."""
    failure = item.failure or SagafoleyError("It failed.", remedy="Try again.")
    return ProblemRow(
        id=f"queue|{item.id}",
        severity=Severity.WARNING,
        cue_id=item.cue.id,
        subject=f"{item.cue.id} {item.cue.spot.label}",
        message=failure.message,
        remedy=failure.remedy,
        detail=failure.detail,
        actions=(_RETRY, *_item_actions(failure), _ACCEPT),
    )


def _item_actions(failure: SagafoleyError) -> tuple[ActionRow, ...]:
    """What else can help."""
    if isinstance(failure, OutputError):
        return (_CHOOSE_OUTPUT,)
    if isinstance(failure, EngineError | BundleError):
        return (_DOCTOR,)
    return ()


def found_row(problem: Problem, book: Book) -> ProblemRow:
    """Something wrong with the timeline or its media."""
    media = problem_media(problem, book)
    actions: list[ActionRow] = []
    path = None
    if media is not None:
        path = place_of(media)
        needs = Needs.FOLDER if isinstance(media, ImageSequence) else Needs.FILE
        actions += [ActionRow(Action.RELINK, "Relink", needs), _OPEN_FOLDER]
    if not problem.cue_id and Path(problem.subject).is_absolute():  # the folder of stems
        path = Path(problem.subject)
        actions.append(_CHOOSE_OUTPUT)
    if problem.severity is Severity.WARNING:
        actions.append(_ACCEPT)
    elif problem.cue_id:
        actions.append(_REMOVE)
    return ProblemRow(
        id=problem_id(problem),
        severity=problem.severity,
        cue_id=problem.cue_id,
        subject=problem.subject,
        message=problem.message,
        remedy=problem.remedy,
        actions=tuple(actions),
        path=path,
    )


def problem_media(problem: Problem, book: Book) -> MediaSource | None:
    """The movie or images that a problem is about, None when it is about something else."""
    cue = book.cue(problem.cue_id)
    if cue is None:
        return None
    clips = [cue.spot.picture, cue.spot.matte.clip if cue.spot.matte else None]
    media = (clip.media for clip in clips if clip is not None)
    return next((one for one in media if one is not None and one.name == problem.subject), None)
