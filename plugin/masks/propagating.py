"""From a document to the masks of its range: keyframes are segmented, the frames between them tracked.

Every mask is kept on disk before it is told. So work that was stopped goes on where masks are missing, and a
document that was changed makes anew only what hangs on the change: the gaps on both sides of a keyframe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from plugin.errors import Cancelled
from plugin.masks.cut_finding import find_cuts
from plugin.masks.documents import PromptsDocument
from plugin.masks.gaps import Gap
from plugin.masks.made import MadeMasks
from plugin.masks.makers import (
    LOST_BELOW,
    LOST_FRAMES,
    Cancel,
    Frames,
    Mask,
    Segmenter,
    Tracked,
    Tracker,
)
from plugin.masks.notes import KeptNotes, NotingTracker
from plugin.masks.prompts import FramePrompts
from plugin.masks.results import KeptMask, MaskStore
from plugin.masks.shot_changes import Thumbnail

LOST_SENTENCE = "The object may be gone or changed. Click it again, or mark it absent here."
"""What is said when work pauses because the object seems lost."""


class FilmFrames(Frames, Protocol):
    """Pictures of the film, and small ones for finding cuts."""

    def thumbnail(self, frame: int) -> Thumbnail:
        """Of a frame, as `plugin.masks.shot_changes.thumbnail` makes it."""


@dataclass(frozen=True, slots=True)
class KeyframeDone:
    """A keyframe of object `number` has its mask."""

    number: int
    frame: int
    mask: Mask
    confidence: float


@dataclass(frozen=True, slots=True)
class TrackingStarted:
    """All keyframes have their masks; frames will be told.

    Attributes:
        frames: how many, over all objects.
        kept: how many of them are there from earlier work.
    """

    frames: int
    kept: int


@dataclass(frozen=True, slots=True)
class ShotChanged:
    """A new shot begins at `frame`; object `number` is not followed into it."""

    number: int
    frame: int


@dataclass(frozen=True, slots=True)
class FrameDone:
    """A frame between or around keyframes has its mask.

    Attributes:
        number: the object's in the document, from 0.
        frame: in the source.
        mask: at the size of the source.
        confidence: 0..1.
        kept: it was there from earlier work.
    """

    number: int
    frame: int
    mask: Mask
    confidence: float
    kept: bool


@dataclass(frozen=True, slots=True)
class ObjectLost:
    """Work has ended early: object `number` was hardly found from `frame` on; see `LOST_SENTENCE`."""

    number: int
    frame: int


WorkEvent = KeyframeDone | TrackingStarted | ShotChanged | FrameDone | ObjectLost


class MaskWork:
    """Makes the masks of one document; after an edit another one goes on with what still holds.

    Attributes:
        made: what is there already.
    """

    def __init__(
        self,
        document: PromptsDocument,
        *,
        store: MaskStore,
        frames: FilmFrames,
        segmenter: Segmenter,
        tracker: Tracker,
        painted: Callable[[str], Mask],
    ) -> None:
        """Nothing is done yet.

        Args:
            document: what was said.
            store: where masks are kept.
            frames: pictures of the document's film.
            segmenter: makes the masks of keyframes; it takes the place of the one the document names.
            tracker: makes those between, likewise.
            painted: gives a mask that the document names, at the film's size.
        """
        self.made = MadeMasks(document.with_makers(segmenter=segmenter, tracker=tracker), store)
        self._store = store
        self._frames = frames
        self._segmenter = segmenter
        self._tracker = tracker
        self._painted = painted
        self._cancel: Cancel = lambda: False
        self._running: dict[str, Iterator[Tracked]] = {}

    def keyframe(self, number: int, frame: int) -> KeptMask:
        """The mask of a keyframe, made where it is not there yet.

        Raises:
            KeyError: object `number` has no keyframe there.
            BadPrompt: its prompts mean nothing.
            UndecodableMedia: the frame cannot be decoded.
            UnreadablePrompts: a painted mask is not there or does not fit.
        """
        known = self.made.keyframe(number, frame)
        if known is not None:
            return known
        prompts = self.made.prompts(number).at(frame)
        if prompts is None:
            raise KeyError(frame)
        made = self._segmented(prompts)
        self._store.store(self.made.keyframe_key(prompts), frame, made)
        return made

    def propagate(
        self,
        *,
        first: int | None = None,
        last: int | None = None,
        objects: Sequence[int] | None = None,
        cancel: Cancel = lambda: False,
        pause_when_lost: bool = True,
    ) -> Iterator[WorkEvent]:
        """Makes what is missing and tells every frame once it is kept.

        Args:
            first: from here on; None for the document's first frame.
            last: up to here, included; None for the document's last frame.
            objects: their numbers; None for all.
            cancel: asked before every frame.
            pause_when_lost: ends after an `ObjectLost`. Calling again with false goes on all the same.

        Raises:
            Cancelled: `cancel` answered true. What was told stays; calling again goes on from there.
            BadPrompt: a keyframe's prompts mean nothing.
            UndecodableMedia: a frame cannot be decoded.
            UnreadablePrompts: a painted mask is not there or does not fit.
            OutputError: masks cannot be kept on this disk.
        """
        document, self._cancel = self.made.document, cancel
        span = range(
            document.first if first is None else first, (document.last if last is None else last) + 1
        )
        numbers = tuple(range(len(document.objects)) if objects is None else objects)
        for number in numbers:
            yield from self._keyframes(number)
        self._find_cuts()
        work = [(number, gap) for number in numbers for gap in self.made.gaps(number) or ()]
        work = [(number, gap) for number, gap in work if gap.meets(span.start, span.stop - 1)]
        yield self._started(work, span)
        for number in numbers:
            yield from self._ends_of_shots(number, span)
        for number, gap in work:
            for event in self._fill(number, gap, span, pause_when_lost=pause_when_lost):
                yield event
                if isinstance(event, ObjectLost):
                    return

    def _keyframes(self, number: int) -> Iterator[KeyframeDone]:
        for prompts in self.made.prompts(number).keyframes:
            self._check()
            kept = self.keyframe(number, prompts.frame)
            yield KeyframeDone(number, prompts.frame, kept.mask, kept.confidence)

    def _segmented(self, prompts: FramePrompts) -> KeptMask:
        before = self._painted(prompts.painted) if prompts.painted else None
        if before is not None and not prompts.gestures:
            return KeptMask(before, 1.0)
        picture = self._frames.picture(prompts.frame)
        found = self._segmenter.segment(picture, prompts, before=before)
        return KeptMask(found.mask, found.confidence)

    def _find_cuts(self) -> None:
        if self.made.shot_changes() is None:
            first, last = self.made.looked_at()
            cuts = find_cuts(self._frames.thumbnail, first=first, last=last, check=self._check)
            self._store.store_numbers(self.made.cuts_key(), cuts)

    def _started(self, work: Sequence[tuple[int, Gap]], span: range) -> TrackingStarted:
        wanted = sum(1 for _, gap in work for frame in gap.frames() if frame in span)
        missing = sum(len(self.made.missing_in(number, gap, span)) for number, gap in work)
        return TrackingStarted(wanted, wanted - missing)

    def _ends_of_shots(self, number: int, span: range) -> Iterator[ShotChanged]:
        cuts = self.made.shot_changes() or ()
        for run in self.made.not_followed(number):
            met = [cut for cut in (run.start, run.stop) if cut in cuts]
            if met and run.start in span:
                yield ShotChanged(number, met[0])

    def _fill(
        self, number: int, gap: Gap, span: range, *, pause_when_lost: bool
    ) -> Iterator[FrameDone | ObjectLost]:
        """The wanted frames of one gap: those that are there, then the others as the tracker makes them."""
        key = self.made.gap_key(number, gap)
        there, wanted = self._store.frames(key), {frame for frame in gap.frames() if frame in span}
        for done in self._kept(number, wanted & there):
            wanted.discard(done.frame)
            yield done
        if not wanted:
            self._forget(number, gap)
            return
        there -= wanted  # what is there by name but cannot be read is made again
        running, doubt = self._running.pop(key, None), _Doubt()
        if running is None:
            running, doubt = self._tracked(number, gap, set(gap.frames()) - there), self._doubt(key, gap)
        for tracked in running:
            if tracked.frame in gap.anchors:
                continue
            if tracked.frame not in there:
                self._store.store(key, tracked.frame, KeptMask(tracked.mask, tracked.confidence))
            if tracked.frame in wanted:
                wanted.discard(tracked.frame)
                yield _done(number, tracked, kept=False)
            lost = doubt.grows(tracked.frame, tracked.confidence) and pause_when_lost
            if lost or not wanted:
                self._running = {key: running}
            if lost and wanted:
                yield ObjectLost(number, doubt.since)
            if lost or not wanted:
                break
        self._forget(number, gap)

    def _forget(self, number: int, gap: Gap) -> None:
        """Removes the notes of a gap whose masks are all there."""
        if not self.made.missing_in(number, gap, range(gap.first, gap.last + 1)):
            self._store.clear_notes(self.made.gap_key(number, gap))

    def _kept(self, number: int, frames: set[int]) -> Iterator[FrameDone]:
        for frame in sorted(frames):
            kept = self.made.mask(number, frame)
            if kept is not None:
                yield _done(number, Tracked(frame, kept.mask, kept.confidence), kept=True)

    def _tracked(self, number: int, gap: Gap, needed: set[int]) -> Iterator[Tracked]:
        """What the tracker makes of a gap; one that takes notes goes on where it was stopped.

        Args:
            number: the object's.
            gap: of it.
            needed: the frames that must be told. Notes that have left one of them behind are given up.
        """
        self._check()
        anchors = {frame: self.keyframe(number, frame).mask for frame in gap.anchors}
        if isinstance(self._tracker, NotingTracker):
            key = self.made.gap_key(number, gap)
            for tracked in self._track(self._tracker.noting(KeptNotes(self._store, key)), gap, anchors):
                needed.discard(tracked.frame)
                yield tracked
            if not needed:
                return
            self._store.clear_notes(key)
        yield from self._track(self._tracker, gap, anchors)

    def _track(self, tracker: Tracker, gap: Gap, anchors: Mapping[int, Mask]) -> Iterator[Tracked]:
        return tracker.track(self._frames, anchors, first=gap.first, last=gap.last, cancel=self._is_cancelled)

    def _doubt(self, key: str, gap: Gap) -> _Doubt:
        """For a tracker that goes on: what the frames say that it told before it was stopped."""
        if not isinstance(self._tracker, NotingTracker):
            return _Doubt()
        step = 1 if gap.anchors == (gap.first,) else -1
        return _Doubt(lambda frame: self._store.confidence(key, frame) if frame in gap else None, step)

    def _is_cancelled(self) -> bool:
        return self._cancel()

    def _check(self) -> None:
        if self._cancel():
            raise Cancelled


class _Doubt:
    """Counts neighbouring frames, in the order of work, in which an object was hardly found.

    Attributes:
        since: the first of them.
    """

    def __init__(self, earlier: Callable[[int], float | None] = lambda _frame: None, step: int = 1) -> None:
        """None yet.

        Args:
            earlier: how sure the tracker was of a frame that was told before; None for one that was not.
            step: from frame to frame, in the order of work.
        """
        self.since = 0
        self._count = 0
        self._last: int | None = None
        self._earlier = earlier
        self._step = step
        self._begun = False

    def grows(self, frame: int, confidence: float) -> bool:
        """Whether there are enough of them with one more frame."""
        if not self._begun:
            self._begun = True
            self._recall(frame)
        if confidence >= LOST_BELOW:
            self._count, self._last = 0, None
            return False
        follows = self._last is not None and abs(frame - self._last) == 1
        self._count = self._count + 1 if follows else 1
        self.since = self.since if follows else frame
        self._last = frame
        return self._count >= LOST_FRAMES

    def _recall(self, frame: int) -> None:
        for before in range(frame - LOST_FRAMES * self._step, frame, self._step):
            sure = self._earlier(before)
            if sure is not None:
                self.grows(before, sure)


def _done(number: int, tracked: Tracked, *, kept: bool) -> FrameDone:
    return FrameDone(number, tracked.frame, tracked.mask, tracked.confidence, kept)
