"""The masks of one document as far as they are made: read from disk, ready to be drawn or saved.

Every mask lies under a name that says what decided it. So a document finds after an edit whatever still
holds, the same document finds everything, and nothing here needs the makers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace

import numpy as np

from plugin.masks.cut_finding import VERSION
from plugin.masks.documents import ObjectPrompts, PromptsDocument
from plugin.masks.gaps import Gap, gaps_between
from plugin.masks.makers import Mask
from plugin.masks.overlapping import without_overlap, without_strays
from plugin.masks.prompts import FramePrompts, Stroke
from plugin.masks.prompts_json import gesture_data
from plugin.masks.results import KeptMask, MaskStore, mask_digest, result_key


class MadeMasks:
    """What is there of a document's masks; it belongs to one value of the document.

    Attributes:
        document: what was said.
        store: where masks are kept.
    """

    def __init__(self, document: PromptsDocument, store: MaskStore) -> None:
        self.document = document
        self.store = store
        self._gaps: dict[int, tuple[Gap, ...]] = {}
        self._cuts: tuple[int, ...] | None = None
        self._digests: dict[tuple[int, int], str] = {}

    def gaps(self, number: int) -> tuple[Gap, ...] | None:
        """The gaps of object `number`; None until its keyframes have their masks and cuts were looked for."""
        if number not in self._gaps:
            cuts, seen = self.shot_changes(), self._seen(number)
            if cuts is None or seen is None:
                return None
            document = self.document
            self._gaps[number] = gaps_between(seen, first=document.first, last=document.last, cuts=cuts)
        return self._gaps[number]

    def keyframe(self, number: int, frame: int) -> KeptMask | None:
        """The mask of a keyframe; None where it is not made yet, or there is no keyframe."""
        prompts = self.prompts(number).at(frame)
        if prompts is None:
            return None
        if prompts.absent:
            return self._empty()
        return self.store.load(self.keyframe_key(prompts), frame)

    def mask(self, number: int, frame: int) -> KeptMask | None:
        """The mask of one object in a frame as it was made; None where it is not made yet.

        Where the object is absent, or in a shot without a keyframe of its, the mask is empty.
        """
        if self.prompts(number).at(frame) is not None:
            return self.keyframe(number, frame)
        gaps = self.gaps(number)
        if gaps is None:
            return None
        gap = next((gap for gap in gaps if frame in gap), None)
        return self._empty() if gap is None else self.store.load(self.gap_key(number, gap), frame)

    def masks(self, frame: int) -> tuple[Mask | None, ...]:
        """The masks of all objects in a frame as they are saved: without strays, without overlap if asked.

        None where one is not made yet; the others then are as if it were empty.
        """
        made = [self.mask(number, frame) for number in range(len(self.document.objects))]
        there = [self._tidied(number, frame, one) for number, one in enumerate(made) if one is not None]
        clean = tuple(one.mask for one in there) if self.document.may_overlap else without_overlap(there)
        waiting = iter(clean)
        return tuple(None if one is None else next(waiting) for one in made)

    def confidences(self, number: int) -> dict[int, float]:
        """How sure the makers were of object `number`, by frame, for every frame that is made."""
        found: dict[int, float] = {}
        for prompts in self.prompts(number).keyframes:
            sure = 1.0 if prompts.absent else self._confidence(self.keyframe_key(prompts), prompts.frame)
            if sure is not None:
                found[prompts.frame] = sure
        for gap in self.gaps(number) or ():
            key = self.gap_key(number, gap)
            known = {frame: self._confidence(key, frame) for frame in self.store.frames(key)}
            found |= {frame: sure for frame, sure in known.items() if sure is not None}
        return found

    def missing(self, number: int) -> tuple[int, ...]:
        """Frames of the document's range in which object `number` has no mask yet, ascending."""
        document, gaps = self.document, self.gaps(number)
        span = range(document.first, document.last + 1)
        if gaps is None:
            return tuple(span)
        missing = {frame for gap in gaps for frame in self.missing_in(number, gap, span)}
        return tuple(sorted(missing))

    def missing_in(self, number: int, gap: Gap, frames: range) -> set[int]:
        """Frames of one gap that are not made yet, among some."""
        there = self.store.frames(self.gap_key(number, gap))
        return {frame for frame in gap.frames() if frame in frames and frame not in there}

    def shot_changes(self) -> tuple[int, ...] | None:
        """First frames of new shots; None until they were looked for."""
        if self._cuts is None:
            self._cuts = self.store.numbers(self.cuts_key())
        return self._cuts

    def not_followed(self, number: int) -> tuple[range, ...]:
        """Frames of the range that lie in shots without a keyframe of object `number`; empty masks there."""
        document, prompts = self.document, self.prompts(number)
        held = {frame for gap in self.gaps(number) or () for frame in range(gap.first, gap.last + 1)}
        held |= {one.frame for one in prompts.keyframes}
        outside = [
            frame
            for frame in range(document.first, document.last + 1)
            if frame not in held and not prompts.is_absent(frame)
        ]
        return _runs(outside)

    def looked_at(self) -> tuple[int, int]:
        """First and last frame that any object is tracked over: the range, and keyframes outside of it."""
        frames = [one.frame for each in self.document.objects for one in each.keyframes]
        return min([self.document.first, *frames]), max([self.document.last, *frames])

    def prompts(self, number: int) -> ObjectPrompts:
        """What was said about an object."""
        return self.document.objects[number]

    def keys(self) -> frozenset[str]:
        """Where this document's masks lie in the store."""
        found = {self.cuts_key()}
        for number in range(len(self.document.objects)):
            found |= {self.keyframe_key(one) for one in self.prompts(number).keyframes}
            found |= {self.gap_key(number, gap) for gap in self.gaps(number) or ()}
        return frozenset(found)

    def cuts_key(self) -> str:
        """Where the shot changes lie in the store."""
        return result_key(film=self.document.film.fingerprint, cuts=self.looked_at(), version=VERSION)

    def keyframe_key(self, prompts: FramePrompts) -> str:
        """Where a keyframe's mask lies. Painted masks are named after what they hold: the name is enough."""
        gestures = [gesture_data(one) for one in prompts.gestures]
        return result_key(
            film=self.document.film.fingerprint,
            frame=prompts.frame,
            gestures=gestures,
            painted=prompts.painted,
            segmenter=asdict(self.document.segmenter) if gestures else None,
        )

    def gap_key(self, number: int, gap: Gap) -> str:
        """Where a gap's masks lie. Its keyframes must have theirs."""
        return result_key(
            film=self.document.film.fingerprint,
            gap=[gap.first, gap.last],
            anchors=[[frame, self._digest(number, frame)] for frame in gap.anchors],
            tracker=asdict(self.document.tracker),
        )

    def _digest(self, number: int, frame: int) -> str:
        if (number, frame) not in self._digests:
            kept = self.keyframe(number, frame)
            self._digests[number, frame] = "" if kept is None else mask_digest(kept.mask)
        return self._digests[number, frame]

    def _seen(self, number: int) -> dict[int, bool] | None:
        """Whether the object can be seen in each of its keyframes; None where one has no mask yet."""
        seen: dict[int, bool] = {}
        for prompts in self.prompts(number).keyframes:
            kept = self.keyframe(number, prompts.frame)
            if kept is None:
                return None
            seen[prompts.frame] = bool(kept.mask.any())
        return seen

    def _confidence(self, key: str, frame: int) -> float | None:
        return self.store.confidence(key, frame)

    def _empty(self) -> KeptMask:
        film = self.document.film
        return KeptMask(np.zeros((film.height, film.width), np.uint8), 1.0)

    def _tidied(self, number: int, frame: int, kept: KeptMask) -> KeptMask:
        """Without strays, unless the mask was painted by hand: those may have been meant."""
        prompts = self.prompts(number).at(frame)
        by_hand = prompts is not None and _is_by_hand(prompts.painted, prompts.gestures)
        return kept if by_hand else replace(kept, mask=without_strays(kept.mask))


def _is_by_hand(painted: str, gestures: Iterable[object]) -> bool:
    return bool(painted) or any(isinstance(one, Stroke) for one in gestures)


def _runs(frames: list[int]) -> tuple[range, ...]:
    """Ascending numbers as stretches without holes."""
    found: list[range] = []
    for frame in frames:
        if found and found[-1].stop == frame:
            found[-1] = range(found[-1].start, frame + 1)
        else:
            found.append(range(frame, frame + 1))
    return tuple(found)
