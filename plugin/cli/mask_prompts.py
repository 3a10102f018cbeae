"""What the command line says about an object, as a prompts document."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from plugin.cues import MediaFile, MediaSource
from plugin.errors import MediaMissing, UsageError
from plugin.masks.document_files import found_film, read_document
from plugin.masks.documents import Film, ObjectPrompts, PromptsDocument
from plugin.masks.finders import LONGEST_WORDS
from plugin.masks.prompts import Box, Click, Gesture, Lasso
from plugin.one_video import matte_media

DEFAULT_LABEL = "object"
_HANDLES = 12
_IMAGES_RATE = Fraction(24)


@dataclass(frozen=True, slots=True)
class Sources:
    """What is worked on.

    Attributes:
        film: what is looked at.
        saved: the document that `--prompts` names; None without.
        saved_in: its file.
    """

    film: MediaSource
    saved: PromptsDocument | None
    saved_in: Path | None

    @property
    def clip(self) -> str:
        """The film's name without its ending, which names the matte."""
        return self.film.path.stem if isinstance(self.film, MediaFile) else self.film.folder.name

    @property
    def folder(self) -> Path:
        """The folder that the film lies in."""
        return self.film.path.parent if isinstance(self.film, MediaFile) else self.film.folder.parent


def sources_of(options: argparse.Namespace) -> Sources:
    """The film, and what was saved of it.

    Raises:
        UsageError: neither a video nor prompts, or both of different films.
        MediaMissing: the film is not there.
        UnreadablePrompts: the prompts are damaged or of another film.
    """
    given = None if options.video is None else _film(options.video)
    if options.prompts is None:
        if given is None:
            raise UsageError(
                "No video was given.",
                remedy="Say which: sagafoley mask VIDEO --lasso ..., or --prompts FILE.",
            )
        return Sources(given, None, None)
    saved = read_document(options.prompts)
    if given is not None:
        saved = replace(saved, film=replace(saved.film, media=given))
    found = found_film(saved, folder=options.prompts.absolute().parent)
    return Sources(found.film.media, found, options.prompts.absolute())


def _film(path: Path) -> MediaSource:
    if not path.exists():
        raise MediaMissing(
            f"{path.name} is not there.", remedy="Check the name of the video.", detail=str(path)
        )
    return matte_media(path, rate=_IMAGES_RATE)


@dataclass(frozen=True, slots=True)
class Marks:
    """What was said on the command line, besides the film.

    Attributes:
        gestures: of the marked frame.
        frame: which that is; None where it was not said.
        given: masks made elsewhere, by frame.
        absent: frames from which on the object cannot be seen.
        label: of the object; None where it was not said.
        words: what is looked for in the marked frame; "" for nothing.
        candidate: which of the places that are found, from 1; None where it was not said.
    """

    gestures: tuple[Gesture, ...]
    frame: int | None
    given: tuple[tuple[int, Path], ...]
    absent: tuple[int, ...]
    label: str | None
    words: str = ""
    candidate: int | None = None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Marks:
        """What the options say.

        Raises:
            UsageError: too short a lasso, or words that say nothing or are said beside a box or lasso.
        """
        words = _words(options)
        if options.lasso is not None and len(options.lasso) < 3:
            raise UsageError("A lasso needs three places or more.", remedy="Say --lasso X,Y X,Y X,Y ...")
        return cls(
            tuple(_gestures(options)),
            options.frame,
            tuple(options.keyframe),
            tuple(options.absent),
            options.label or words or None,
            words,
            options.candidate,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said about any object."""
        return not (self.gestures or self.given or self.absent or self.words)


def _words(options: argparse.Namespace) -> str:
    words = " ".join((options.text or "").split())
    if options.text is not None and not words:
        raise UsageError("There is no word to look for.", remedy="Say what it is, such as --text violin.")
    if len(words) > LONGEST_WORDS:
        raise UsageError(
            f"The words have {len(words)} characters, more than {LONGEST_WORDS}.",
            remedy="Say in a few words what it is, such as 'red drum'.",
        )
    if words and (options.box is not None or options.lasso is not None):
        raise UsageError(
            "--text stands beside a --box or --lasso, and both say where the object is.",
            remedy="Leave one of them out.",
        )
    if options.candidate is not None and not words:
        raise UsageError(
            "--candidate chooses among places that words found.", remedy="Say --text WORDS with it."
        )
    return words


def within(gesture: Gesture, film: Film) -> Gesture:
    """A gesture cut to what a document may hold: boxes to the picture, lassos to what lies around it."""
    if isinstance(gesture, Box):
        left, right = (min(max(0.0, side), film.width) for side in (gesture.left, gesture.right))
        top, bottom = (min(max(0.0, side), film.height) for side in (gesture.top, gesture.bottom))
        cut = replace(gesture, left=left, top=top, right=right, bottom=bottom)
        return cut if left < right and top < bottom else gesture
    if isinstance(gesture, Lasso):
        across, down = film.width, film.height
        places = ((min(max(-across, x), 2 * across), min(max(-down, y), 2 * down)) for x, y in gesture.places)
        return Lasso(tuple(places), gesture.inside)
    return gesture


def _gestures(options: argparse.Namespace) -> Iterator[Gesture]:
    if options.box is not None:
        yield Box(*options.box)
    if options.lasso is not None:
        yield Lasso(tuple(options.lasso))
    for x, y, inside in options.point:
        yield Click((x, y), inside=inside)


def with_marks(
    prompts: ObjectPrompts, marks: Marks, *, frame: int, add: Callable[[Path], str]
) -> ObjectPrompts:
    """What was said about an object, and what the command line adds.

    Args:
        prompts: what was said before.
        marks: what is added. A box or lasso begins its frame anew; points alone go on from what is there.
        frame: the marked one.
        add: keeps a mask made elsewhere and gives its name.

    Raises:
        MediaMissing, UndecodableMedia, UnreadablePrompts: such a mask cannot be used.
    """
    for number, path in marks.given:
        prompts = prompts.with_painted(number, add(path))
    for number in marks.absent:
        prompts = prompts.absent_from(number)
    if any(not isinstance(one, Click) for one in marks.gestures):
        prompts = prompts.without_keyframe(frame)
    for gesture in marks.gestures:
        prompts = prompts.with_gesture(frame, gesture)
    return prompts


def object_number(document: PromptsDocument, label: str | None) -> int:
    """Which object of saved prompts is meant.

    Raises:
        UsageError: there are several, and none was named, or it is not there.
    """
    labels = [one.label for one in document.objects]
    if label in labels:
        return labels.index(label)
    if len(labels) == 1:
        return 0
    names = ", ".join(labels)
    raise UsageError(f"The prompts hold several objects: {names}.", remedy="Name one with --label.")


def check_frames(film: Film, marks: Marks, name: str) -> None:
    """Checks that every frame that was named is in the film.

    Raises:
        UsageError: one is not.
    """
    named = [marks.frame, *(frame for frame, _ in marks.given), *marks.absent]
    for frame in named:
        if frame is not None and frame >= film.frames:
            raise UsageError(
                f"{name} has no frame {frame}: its last one is {film.frames - 1}.",
                remedy=f"Choose frames from 0 to {film.frames - 1}.",
            )


def range_of(
    span: tuple[int | None, int | None] | None,
    *,
    count: int,
    shown: tuple[int, int] | None,
    handles: int | None,
    name: str,
) -> tuple[int, int]:
    """First and last frame of the matte.

    Args:
        span: what `--range` says; None for nothing.
        count: frames of the film.
        shown: what a timeline shows of it; None for none.
        handles: frames more at both ends; None for the usual number.
        name: of the film.

    Raises:
        UsageError: the range lies outside of the film.
    """
    more = (_HANDLES if span is None and shown is not None else 0) if handles is None else handles
    first, last = (0, count - 1) if shown is None else shown
    if span is not None:
        first, last = span[0] or 0, count - 1 if span[1] is None else span[1]
        if first >= count or last >= count:
            raise UsageError(
                f"{name} has no frame {max(first, last)}: its last one is {count - 1}.",
                remedy=f"Choose a range within 0:{count - 1}.",
            )
    return max(0, first - more), min(count - 1, last + more)
