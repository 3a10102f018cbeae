"""What is wrong with the open timeline and its media, by the ids of its cues."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from plugin.controller.book import Book
from plugin.controller.relinking import all_media
from plugin.controller.session import Session
from plugin.cues import Cue, CueSheet, ImageSequence, MediaSource, Problem, Severity
from plugin.render.checking import check_sheet
from plugin.render.media_checks import Depth
from plugin.timeline.sources import NOT_THERE

Stamps = tuple[tuple[int, int], ...]


def problem_id(problem: Problem) -> str:
    """The same for the same problem, as long as it lasts."""
    return f"{problem.cue_id}|{problem.subject}|{problem.message}"


def all_problems(session: Session) -> tuple[Problem, ...]:
    """What spotting and the look at the media found, for cues on the sheet; without accepted ones."""
    book, media = session.book, session.media_problems
    if session.told is None or session.told[0] is not book or session.told[1] is not media:
        quick = (*spotting_problems(session), *media)
        blocked = {(one.cue_id, one.subject) for one in quick if one.severity is Severity.BLOCKER}
        close = (one for one in _close_problems(session) if (one.cue_id, one.subject) not in blocked)
        found = dict.fromkeys((*quick, *close))
        there = {"", *(cue.id for cue in book.sheet.cues)}
        told = (one for one in found if one.cue_id in there and problem_id(one) not in book.accepted)
        session.told = (book, media, tuple(told))
    return session.told[2]


def blocked_cues(session: Session) -> frozenset[str]:
    """Cues that cannot be rendered as they are."""
    blockers = (each for each in all_problems(session) if each.severity is Severity.BLOCKER)
    return frozenset(each.cue_id for each in blockers if each.cue_id)


def spotting_problems(session: Session) -> tuple[Problem, ...]:
    """What spotting found and an editor cannot change here, under the ids that the cues have on the sheet.

    Media that are not there and names that overlap are looked at again and again by `look_at_media`.
    """
    found = session.opened.found
    spots = {spot.id: (spot.source_name, spot.record) for spot in found.spots}
    cues = {(spot.source_name, spot.record): cue_id for cue_id, spot in session.book.own.items()}
    named = []
    for problem in found.problems:
        if problem.message.endswith(f"{NOT_THERE}.") or "overlap" in problem.message:
            continue
        cue_id = cues.get(spots[problem.cue_id], "?") if problem.cue_id in spots else ""
        if cue_id != "?":
            named.append(replace(problem, cue_id=cue_id))
    return tuple(named)


def _close_problems(session: Session) -> tuple[Problem, ...]:
    """What close looks found at cues that are still as they were."""
    there = {cue.id: cue for cue in session.book.sheet.cues}
    looks = (found for cue, found in session.close_looks.values() if there.get(cue.id) == cue)
    return tuple(problem for found in looks for problem in found)


def look_closely(sheet: CueSheet, cue: Cue) -> tuple[Problem, ...]:
    """What is wrong with the media of one cue; slow, as pictures are decoded."""
    return check_sheet(replace(sheet, cues=(cue,)))


@dataclass(frozen=True, slots=True)
class MediaLook:
    """What a look at the media showed.

    Attributes:
        problems: what speaks against a render.
        stamps: size and time of last change of every movie and of the ends of every image sequence.
    """

    problems: tuple[Problem, ...] = ()
    stamps: Mapping[MediaSource, Stamps] = field(default_factory=dict)


def look_at_media(session: Session, book: Book, told: Iterable[Problem]) -> MediaLook:
    """Which media are not there, which prompts are too long; slow where disks are. No picture is decoded."""
    problems = check_sheet(
        book.sheet,
        folder=session.view.folder,
        depth=Depth.QUICK,
        presets=session.presets.names,
        known=told,
        hearing=session.hearing,
    )
    return MediaLook(problems, {media: media_stamps(media) for media in all_media(book)})


def media_stamps(media: MediaSource) -> Stamps:
    """Size and time of last change of a movie, or of the ends of an image sequence."""
    if isinstance(media, ImageSequence):
        paths: tuple[Path, ...] = (media.folder, media.path_of(media.first), media.path_of(media.last))
    else:
        paths = (media.path,)
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of last change, in nanoseconds; (-1, -1) where nothing is."""
    try:
        status = path.stat()
    except OSError:
        return (-1, -1)
    return (status.st_size, status.st_mtime_ns)


def shows(cue: Cue, media: Collection[MediaSource]) -> bool:
    """Whether a cue's picture or matte is among these media."""
    clips = (cue.spot.picture, cue.spot.matte.clip if cue.spot.matte else None)
    return any(clip is not None and clip.media in media for clip in clips)
