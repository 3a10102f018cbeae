"""How far each spot is: its takes, which of them fit today, which would be placed, and the whole in words."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.controller.book import TakeNote
from plugin.controller.session import Session
from plugin.controller.shelf import outdated, pictures_of
from plugin.controller.trouble import blocked_cues
from plugin.controller.views import QueueRow, QueueState, SpotState
from plugin.cues import Cue
from plugin.render.takes import Take


def takes_of(cue: Cue, session: Session) -> tuple[Take, ...]:
    """The takes of a cue, oldest first, without those in the trash."""
    if session.shelf is None:
        return ()
    book = session.book
    return tuple(take for take in session.shelf.of_cue(cue) if not book.note(take.name).trashed)


def why_outdated(take: Take, cue: Cue, session: Session) -> str:
    """Why a take is not what its cue asks for today, a sentence; "" when it is."""
    bundle, footage = session.bundle, session.footage.get(pictures_of(cue.spot))
    known = session.verdicts.get((take.name, cue.id))
    if known is not None and known[0] is cue and known[1:3] == (bundle, footage):
        return known[3]
    why = outdated(take, cue, timeline=session.view.name, bundle=bundle, footage=footage)
    session.verdicts[take.name, cue.id] = (cue, bundle, footage, why)
    return why


def current_takes(cue: Cue, session: Session) -> tuple[Take, ...]:
    """The takes that are what the cue asks for today, of any seed."""
    return tuple(take for take in takes_of(cue, session) if not why_outdated(take, cue, session))


def chosen_take(cue: Cue, session: Session) -> Take | None:
    """The take that would be placed: the editor's choice, else the newest that fits, else of its place."""
    takes = takes_of(cue, session)
    by_name = {take.name: take for take in takes}
    explicit = by_name.get(session.book.chosen.get(cue.id, ""))
    if explicit is not None:
        return explicit
    fitting = current_takes(cue, session)
    same_place = [take for take in takes if take.cue.spot.record == cue.spot.record]
    best = fitting or same_place
    return best[-1] if best else None


def level_mark(take: Take, note: TakeNote) -> str:
    """What tells a take with its gain and fades from every other, for the memory of what is placed."""
    return f"{take.name} {note.gain_db:g} {note.fade_in:g} {note.fade_out:g}"


def read_mark(mark: str) -> tuple[str, TakeNote] | None:
    """The take's name and its level that `level_mark` wrote; None for anything else."""
    try:
        name, gain, fade_in, fade_out = mark.rsplit(" ", 3)
        return name, TakeNote(gain_db=float(gain), fade_in=float(fade_in), fade_out=float(fade_out))
    except ValueError:
        return None


def is_placed(cue: Cue, session: Session) -> bool:
    """Whether the chosen take, as it is today, lies on the host's timeline."""
    mark, take = session.placed.get(cue.id), chosen_take(cue, session)
    return take is not None and mark == level_mark(take, session.book.note(take.name))


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a spot is: its state, that in words, and why."""

    state: SpotState
    text: str
    note: str = ""


def standing(cue: Cue, session: Session, *, item: QueueRow | None, blocked: str | None) -> Standing:
    """How far a spot is.

    Args:
        cue: of the spot.
        session: the open timeline.
        item: what runs or waits for it.
        blocked: the message of what keeps it from being rendered, None when nothing does.
    """
    if item is not None and item.state is QueueState.RUNNING:
        return Standing(SpotState.RENDERING, f"rendering {item.progress:.0%}", item.text)
    if item is not None:
        return Standing(SpotState.RENDERING, "waiting")
    if blocked is not None:
        return Standing(SpotState.PROBLEM, "problem", blocked)
    return _at_rest(cue, session)


def _at_rest(cue: Cue, session: Session) -> Standing:
    takes = takes_of(cue, session)
    if not takes:
        return Standing(SpotState.NEW, "new")
    count = f"{len(takes)} take" + "s" * (len(takes) != 1)
    stale = why_stale(cue, session)
    if stale:
        older = " An older take is placed." if cue.id in session.placed else ""
        return Standing(SpotState.STALE, f"stale, {count}", stale + older)
    if is_placed(cue, session):
        return Standing(SpotState.PLACED, f"placed, {count}")
    note = "Another take is placed." if cue.id in session.placed else ""
    return Standing(SpotState.TAKES, count, note)


def why_stale(cue: Cue, session: Session) -> str:
    """Why a spot with takes needs another; "" when it does not."""
    fitting = current_takes(cue, session)
    if not fitting:
        return why_outdated(takes_of(cue, session)[-1], cue, session)
    if all(take.cue.seed != cue.seed for take in fitting):
        return f"No take has the seed {cue.seed}."
    return ""


def wanting(session: Session) -> tuple[str, ...]:
    """Ids of the spots that are new or stale and can be rendered."""
    blocked = blocked_cues(session)
    return tuple(
        cue.id
        for cue in session.book.sheet.cues
        if cue.id not in blocked and (not takes_of(cue, session) or why_stale(cue, session))
    )
