"""Mattes out of what was tracked: written whole with their prompts, then placed where there is a timeline."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from plugin.controller.chores import Chores
from plugin.controller.masking.targets import Shot
from plugin.controller.masking.views import SavedMatte, SaveReport, SavingView
from plugin.errors import Cancelled, MaskError, SagafoleyError, UsageError
from plugin.hosts import MattePiece
from plugin.masks.document_files import SUFFIX, PaintedMasks, write_document
from plugin.masks.documents import PromptsDocument
from plugin.masks.made import MadeMasks
from plugin.masks.makers import Mask
from plugin.masks.matte_files import MatteFile, MatteForm, free_name, write_matte
from plugin.masks.results import MaskStore
from plugin.timebase import TimeSpan, frame_time

_LANE = "mattes"
_STOPPED = SaveReport((), "Saving was stopped; nothing was placed.", failed=True)


@dataclass(frozen=True, slots=True)
class WrittenMatte:
    """A matte on disk.

    Attributes:
        label: the object.
        file: the matte.
        prompts: the document beside it.
        gaps: frames that are black because nothing was made there.
    """

    label: str
    file: MatteFile
    prompts: Path
    gaps: int

    def saved(self, track: str) -> SavedMatte:
        """The same for people; `track`: where it lies, "" for nowhere."""
        return SavedMatte(self.label, str(self.file.path), track, self.file.frames, self.gaps)


@dataclass(frozen=True, slots=True)
class SaveWish:
    """Mattes that are wanted.

    Attributes:
        shot: of which film, which frames.
        document: what was said.
        numbers: the objects, from 0.
        folder: where mattes go.
        form: how they are written.
        prompts: the folder that painted masks lie in.
        store: where masks are kept.
    """

    shot: Shot
    document: PromptsDocument
    numbers: tuple[int, ...]
    folder: Path
    form: MatteForm
    prompts: Path
    store: MaskStore


def write_mattes(
    wish: SaveWish, *, tell: Callable[[int], None], cancel: Callable[[], bool]
) -> tuple[WrittenMatte, ...]:
    """Every matte of a wish, each whole and read back, with its prompts beside it. Slow.

    Args:
        wish: what is wanted.
        tell: how many frames are written, over all mattes.
        cancel: asked before every frame; mattes that are whole stay.

    Raises:
        OutputError: the folder refuses, or the disk is full; mattes that are whole stay.
        MaskError: a keyframe has no mask.
        Cancelled: `cancel` answered true.
    """
    each = wish.shot.last - wish.shot.first + 1
    return tuple(
        _write(wish, number, tell=_counting_from(place * each, tell), cancel=cancel)
        for place, number in enumerate(wish.numbers)
    )


def _counting_from(before: int, tell: Callable[[int], None]) -> Callable[[int], None]:
    return lambda done: tell(before + done)


def _write(
    wish: SaveWish, number: int, *, tell: Callable[[int], None], cancel: Callable[[], bool]
) -> WrittenMatte:
    shot, document = wish.shot, wish.document
    prompts = document.objects[number]
    made = MadeMasks(document, wish.store)
    black = np.zeros((shot.film.height, shot.film.width), np.uint8)

    missing = _missing(made, number)  # once: what comes meanwhile is not for this matte

    def mask_of(frame: int) -> Mask:
        found = None if frame in missing else made.masks(frame)[number]
        return black if found is None else found

    name = free_name(wish.folder, clip=shot.target.title, label=prompts.label)
    beside = wish.folder / f"{name}{SUFFIX}"
    write_document(beside, _document_of(document, number), painted=PaintedMasks(wish.prompts, shot.film))
    file = write_matte(
        mask_of,
        path=wish.folder / f"{name}{wish.form.suffix}",
        form=wish.form,
        rate=shot.film.rate,
        frames=range(shot.first, shot.last + 1),
        cancel=cancel,
        tell=tell,
    )
    return WrittenMatte(prompts.label, file, beside, len(missing))


def _missing(made: MadeMasks, number: int) -> frozenset[int]:
    """Frames without a mask.

    Raises:
        MaskError: a keyframe is among them.
    """
    prompts = made.prompts(number)
    drawn = {one.frame for one in prompts.keyframes}
    bare = sorted(frame for frame in drawn if made.keyframe(number, frame) is None)
    if bare:
        raise MaskError(
            f"The keyframe of '{prompts.label}' at frame {bare[0]} has no mask.",
            remedy="Draw the object there again, or delete that keyframe, then save.",
        )
    return frozenset(made.missing(number)) - drawn


def _document_of(document: PromptsDocument, number: int) -> PromptsDocument:
    """What one matte is made from: its object first; the others only where they take pixels from it."""
    one = document.objects[number]
    others = tuple(each for each in document.objects if each is not one)
    return replace(document, objects=(one,) if document.may_overlap else (one, *others))


def piece_of(matte: WrittenMatte, shot: Shot, *, rate: Fraction) -> MattePiece:
    """A matte for the timeline: over the whole frames of the timeline that its picture is visible in.

    Args:
        matte: as it was written.
        shot: what it was made of; it has a place on the timeline.
        rate: of the timeline.
    """
    record = shot.target.record or TimeSpan(Fraction(0), Fraction(1))
    start, end = math.floor(record.start * rate), math.ceil(record.end * rate)
    whole = TimeSpan(frame_time(start, rate), frame_time(max(end, start + 1), rate))
    file = matte.file
    return MattePiece(
        matte.label,
        file.path,
        rate=file.rate,
        frames=file.frames,
        first=file.first,
        start=shot.frame_at(whole.start),
        record=whole,
        prompts=matte.prompts,
    )


Place = Callable[[tuple[WrittenMatte, ...]], None]
"""Begins to lay mattes on the timeline; `MatteSaver.placed` or `failed` is told how it ended."""


class MatteSaver:
    """Saves mattes, one save at a time; used by the window's thread.

    Attributes:
        report: what the last save did, None before the first.
    """

    def __init__(self, *, chores: Chores, place: Place | None) -> None:
        """Nothing is saved yet.

        Args:
            chores: does the writing.
            place: lays mattes on the timeline; None where there is none.
        """
        self.report: SaveReport | None = None
        self._chores = chores
        self._place = place
        self._stop = threading.Event()
        self._done, self._total = 0, 0
        self._wanted: tuple[SaveWish, bool] | None = None
        self._busy = False
        self._news = False

    @property
    def busy(self) -> bool:
        """Whether mattes are being written or placed."""
        return self._busy

    @property
    def can_place(self) -> bool:
        """Whether there is a timeline."""
        return self._place is not None

    def view(self) -> SavingView | None:
        """How far a save is, None while there is none."""
        if not self._busy:
            return None
        text = f"Writing mattes: {self._done} of {self._total} frames"
        return SavingView(self._done, self._total, text if self._done < self._total else "Placing mattes")

    def save(self, wish: SaveWish, *, place: bool) -> None:
        """Begin to write mattes as soon as `beat` says so; with `place` they are laid on the timeline after.

        Raises:
            UsageError: a save is under way.
        """
        if self._busy:
            raise UsageError("Mattes are being saved already.", remedy="Wait until they are.")
        self._busy, self._done = True, 0
        self._total = len(wish.numbers) * (wish.shot.last - wish.shot.first + 1)
        self._wanted = (wish, place)

    def beat(self, *, ready: bool) -> None:
        """Begin what is wanted, once all keyframes have their masks (`ready`)."""
        if self._wanted is not None and ready:
            (wish, place), self._wanted = self._wanted, None
            self._write(wish, place=place)

    def _write(self, wish: SaveWish, *, place: bool) -> None:
        self._stop = stop = threading.Event()

        def tell(done: int) -> None:
            self._done = done

        def written(mattes: tuple[WrittenMatte, ...] | None) -> None:
            if mattes is None:
                self._end(_STOPPED)
            elif place and self._place is not None:
                self._done = self._total
                self._place(mattes)
            else:
                self.placed(mattes, tracks=("",) * len(mattes))

        def work() -> tuple[WrittenMatte, ...] | None:
            try:
                return write_mattes(wish, tell=tell, cancel=stop.is_set)
            except Cancelled:
                return None

        self._chores.start(_LANE, work, done=written, failed=self.failed)

    def stop(self) -> None:
        """Stop writing; mattes that are whole stay where they are."""
        self._stop.set()
        if self._wanted is not None:
            self._wanted = None
            self._end(_STOPPED)

    def placed(self, mattes: Sequence[WrittenMatte], *, tracks: Sequence[str], notes: str = "") -> None:
        """How placing ended: the track of each matte, "" for those that were only written."""
        saved = tuple(matte.saved(track) for matte, track in zip(mattes, tracks, strict=True))
        text, remedy = _words(saved)
        self._end(SaveReport(saved, f"{text} {notes}".strip(), remedy))

    def failed(self, error: SagafoleyError, mattes: Sequence[WrittenMatte] = ()) -> None:
        """Why saving failed; `mattes` were written all the same."""
        there = "".join(f" {matte.file.path.name} is written." for matte in mattes)
        saved = tuple(matte.saved("") for matte in mattes)
        self._end(SaveReport(saved, error.message + there, error.remedy, failed=True))

    def found(self, cue_ids: Sequence[str]) -> None:
        """The spots that the timeline has gained."""
        if self.report is not None:
            self.report = replace(self.report, cue_ids=tuple(cue_ids))
            self._news = True

    def take_news(self) -> bool:
        """Whether anything has changed since the last call."""
        news, self._news = self._news, self._busy
        return news

    def _end(self, report: SaveReport) -> None:
        self._busy, self.report, self._news = False, report, True


def _words(mattes: Sequence[SavedMatte]) -> tuple[str, str]:
    """What was saved, and what to do about what is missing."""
    placed = [f"'{one.label}' lies on track {one.track}" for one in mattes if one.track]
    written = [f"{one.label}: {Path(one.path).name}" for one in mattes if not one.track]
    text = ". ".join([", ".join(placed)] * bool(placed) + ["Written: " + ", ".join(written)] * bool(written))
    gaps = [f"{one.gaps} of {one.frames} frames of '{one.label}' are black" for one in mattes if one.gaps]
    if not gaps:
        return f"{text}.", ""
    return f"{text}. Nothing was tracked there: {', '.join(gaps)}.", "Track them, then save again."
