"""What is placed, in words before and after: which takes, where they go, what was read back."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plugin.controller.hosts import answered
from plugin.controller.levels import ChosenTake, provide
from plugin.controller.session import Session
from plugin.controller.sheets import timecodes
from plugin.controller.states import chosen_take, level_mark, read_mark, takes_of, why_outdated
from plugin.controller.takerows import level_words, take_title
from plugin.controller.views import PieceLine, PlacementReport, PlacementSummary, TimelineView
from plugin.cues import CueSheet
from plugin.delivery import deliver
from plugin.errors import SagafoleyError
from plugin.filehost import FileHost
from plugin.hosts import MASK_PREFIX, Conflict, Host, PlacedPiece, StemPiece
from plugin.wholefile import output_error


@dataclass(frozen=True, slots=True)
class Selection:
    """What would be placed.

    Attributes:
        sheet: of the timeline.
        takes: of the spots asked for, in record order.
        others: of other spots, that lie on the timeline already and stay there.
        skipped: why a spot gets nothing, sentences.
        notes: what else should be known, sentences.
    """

    sheet: CueSheet
    takes: tuple[ChosenTake, ...]
    others: tuple[ChosenTake, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def marks(self) -> dict[str, str]:
        """What lies on the timeline after placing, by cue id."""
        return {one.cue.id: level_mark(one.take, one.note) for one in (*self.takes, *self.others)}


@dataclass(frozen=True, slots=True)
class Done:
    """An act that ended.

    Attributes:
        report: for people.
        placed: what lies on the timeline now, by cue id; None when that did not change.
        rereads: mattes have come or gone, so the timeline has other spots now.
    """

    report: PlacementReport
    placed: Mapping[str, str] | None
    rereads: bool = False


def selection(session: Session, cue_ids: Sequence[str], *, alone: bool = False) -> Selection:
    """The chosen takes of these spots, all spots when none are named.

    Args:
        session: the open timeline.
        cue_ids: the spots.
        alone: leave other spots out even where they lie on the timeline.
    """
    wanted = set(cue_ids) or {cue.id for cue in session.book.sheet.cues}
    takes, skipped, notes = [], [], []
    for cue in session.book.sheet.cues:
        if cue.id not in wanted:
            continue
        take = chosen_take(cue, session)
        reason = "" if take else "it has no take"
        if take is None or take.cue.spot.record != cue.spot.record:
            reason = reason or "its take was made for another place or length"
            skipped.append(f"Spot {cue.id} ('{cue.spot.label}') gets nothing: {reason}.")
            continue
        why = why_outdated(take, cue, session)
        if why:
            notes.append(
                f"The take of spot {cue.id} ('{cue.spot.label}') is older than what it asks for. {why}"
            )
        takes.append(ChosenTake(cue, take, session.book.note(take.name)))
    others = () if alone else tuple(_lying(session, wanted))
    return Selection(session.book.sheet, tuple(takes), others, tuple(skipped), tuple(notes))


def _lying(session: Session, wanted: set[str]) -> Iterable[ChosenTake]:
    """What lies on the timeline of spots that are not asked for."""
    for cue in session.book.sheet.cues:
        mark = read_mark(session.placed.get(cue.id, ""))
        if mark is None or cue.id in wanted:
            continue
        take = next((take for take in takes_of(cue, session) if take.name == mark[0]), None)
        if take is not None and take.cue.spot.record == cue.spot.record:
            yield ChosenTake(cue, take, mark[1])


def placement_summary(session: Session, chosen: Selection, *, target: str) -> PlacementSummary:
    """What placing would do."""
    lines = tuple(_line(one, session) for one in chosen.takes)
    tracks = tuple(dict.fromkeys(line.track for line in lines))
    notes = list(chosen.notes)
    if session.placed:
        notes.append("What we placed before gives way; nothing else of the timeline is touched.")
    if chosen.others:
        notes.append(f"{_count(len(chosen.others), 'stem')} of other spots stay as they are.")
    pieces, on = _count(len(lines), "stem"), _count(len(tracks), "new audio track")
    sentence = f"{pieces} will be added on {on} of {target}." if lines else "There is no take to place."
    return PlacementSummary(
        host=session.view.host,
        target=target,
        pieces=lines,
        tracks=tracks,
        skipped=chosen.skipped,
        notes=tuple(notes),
        sentence=sentence,
        possible=bool(lines),
    )


def removal_summary(session: Session, *, target: str) -> PlacementSummary:
    """What removing our last placement would do."""
    there = [cue for cue in session.book.sheet.cues if cue.id in session.placed]
    tracks = tuple(dict.fromkeys(f"FOLEY {cue.spot.label}" for cue in there))
    stems = f"{_count(len(session.placed), 'stem')} that we placed will be taken away from {target}."
    return PlacementSummary(
        host=session.view.host,
        target=target,
        pieces=(),
        tracks=tracks,
        skipped=(),
        notes=(
            "Only what we placed last is taken away: stems, or a matte if that came after them.",
            "Takes, mattes on disk and cue sheet stay.",
        ),
        sentence=stems if session.placed else f"As far as we know, nothing of ours lies on {target}.",
        possible=True,
    )


def _line(one: ChosenTake, session: Session) -> PieceLine:
    start, end = timecodes(one.take.cue.spot.record, session.book.sheet)
    return PieceLine(
        cue_id=one.cue.id,
        track=f"FOLEY {one.cue.spot.label}",
        take=take_title(one.take, one.note),
        start=start,
        end=end,
        path=one.path_in(session.view.folder),
        note=level_words(one.note),
    )


def place_on(host: Host, chosen: Selection, view: TimelineView) -> Done:
    """Write what is shaped, place it all, and tell what was read back. Slow.

    Raises:
        HostError, OutputError, MediaError: nothing was placed.
    """
    pieces = [provide(one, view.folder) for one in (*chosen.takes, *chosen.others)]
    placed = answered(host.place(pieces, conflict=Conflict.REPLACE))
    path = host.output if isinstance(host, FileHost) else None
    report = PlacementReport(
        title="Placed",
        sentence=_verified(placed, wanted=len(pieces)),
        pieces=tuple(_placed_line(one, chosen.sheet) for one in placed),
        path=path,
        folder=path.parent if path else None,
        warnings=(*host.notes, *_limited(pieces)),
    )
    return Done(report, chosen.marks)


def remove_from(host: Host) -> Done:
    """Take our last placement away. Slow.

    Raises:
        HostError, OutputError: nothing was removed.
    """
    removal = answered(host.remove())
    mattes = any(track.startswith(MASK_PREFIX) for track in removal.tracks)
    what = (
        f"{_count(removal.pieces, 'matte' if mattes else 'stem')} on {_count(len(removal.tracks), 'track')}"
    )
    sentence = f"{what} taken away." if removal.tracks or removal.pieces else "Nothing of ours was there."
    path = host.output if isinstance(host, FileHost) and host.output.exists() else None
    report = PlacementReport("Removed", sentence, path=path, warnings=(*removal.left, *host.notes))
    return Done(report, None, rereads=True) if mattes else Done(report, {})


def export_to(folder: Path, host: FileHost, chosen: Selection, view: TimelineView, *, otioz: bool) -> Done:
    """Stems into a folder, with a timeline that names them, and a package. Slow.

    Raises:
        OutputError, MediaError, UnreadableTimeline: something cannot be written.
    """
    pieces = [_copied(provide(one, view.folder), view.folder, folder) for one in chosen.takes]
    delivery = deliver(host, pieces, package=folder if otioz else None)
    package = f" and {delivery.otioz.name}" if delivery.otioz else ""
    sentence = f"{_verified(delivery.pieces, wanted=len(pieces))} Written: {delivery.otio.name}{package}."
    report = PlacementReport(
        title="Exported",
        sentence=sentence,
        pieces=tuple(_placed_line(one, chosen.sheet) for one in delivery.pieces),
        path=delivery.otioz or delivery.otio,
        folder=folder,
        warnings=(*delivery.warnings, *_limited(pieces)),
    )
    return Done(report, None)


def failure_report(error: SagafoleyError) -> PlacementReport:
    """An act that failed."""
    return PlacementReport("Not done", error.message, failed=True, remedy=error.remedy)


def _copied(piece: StemPiece, home: Path, folder: Path) -> StemPiece:
    """The piece with its file, and its sidecars from `home`, copied into a folder."""
    target = folder.absolute() / piece.path.name
    sidecar = home / dict(piece.facts)["sidecar"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in dict.fromkeys((piece.path, piece.path.with_suffix(".json"), sidecar)):
            goal = folder / source.name
            if source.is_file() and not (goal.exists() and goal.samefile(source)):
                shutil.copy2(source, goal)
    except OSError as error:
        raise output_error(target, error) from error
    return replace(piece, path=target)


def _verified(placed: Sequence[PlacedPiece], *, wanted: int) -> str:
    tracks = _count(len({one.track_name for one in placed}), "audio track")
    worst = max((abs(one.error_samples) for one in placed), default=0)
    exact = "each at its exact sample" if worst == 0 else f"at most {float(worst):.2f} samples off"
    missing = f"; {wanted - len(placed)} were left out" if len(placed) < wanted else ""
    return f"{_count(len(placed), 'stem')} read back on {tracks}, {exact}{missing}."


def _placed_line(one: PlacedPiece, sheet: CueSheet) -> PieceLine:
    start, end = timecodes(one.piece.record, sheet)
    return PieceLine(
        cue_id=one.piece.cue_id,
        track=one.track_name,
        take=one.piece.path.stem,
        start=start,
        end=end,
        path=one.piece.path,
        error_samples=float(one.error_samples),
    )


def _limited(pieces: Iterable[StemPiece]) -> tuple[str, ...]:
    """What was turned down because its gain would have gone over the ceiling."""
    facts = [(piece, dict(piece.facts)) for piece in pieces]
    return tuple(
        f"The stem of spot {piece.cue_id} was turned down by {-float(known['limited_db']):.1f} dB to stay "
        "below -1 dBTP."
        for piece, known in facts
        if "limited_db" in known
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)
