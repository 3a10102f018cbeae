"""The tracker that needs no weights: dense flow, anchored to the keyframes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from plugin.errors import BadPrompt, Cancelled, MatteMismatch
from plugin.masks.blending import Kept, blended, kept_of, noted
from plugin.masks.makers import Cancel, Frames, Mask, Picture, Tracked
from plugin.masks.notes import Forgetful, Notes
from plugin.masks.passes import Pass
from plugin.masks.sights import Placed

NOTED_EVERY = 10
"""Frames after which it is written down where a pass has got to."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The frames strictly between two keyframes, or between one and an end of the range.

    Attributes:
        before: the keyframe before, None where there is none.
        after: the keyframe after, None where there is none.
        first: the first frame that is wanted.
        last: the last frame that is wanted.
    """

    before: int | None
    after: int | None
    first: int
    last: int


class FlowTracker:
    """Follows objects by dense flow that is always measured against the keyframe; see `Tracker`."""

    def __init__(self, notes: Notes | None = None) -> None:
        """Notes: see `NotingTracker`; None takes none."""
        self._notes = Forgetful() if notes is None else notes

    def noting(self, notes: Notes) -> FlowTracker:
        """See `NotingTracker`."""
        return FlowTracker(notes)

    @property
    def name(self) -> str:
        """What ran."""
        return "flow"

    @property
    def version(self) -> str:
        """Changes whenever the same keyframes may give other masks."""
        return "4"

    def track(
        self,
        frames: Frames,
        keyframes: Mapping[int, Mask],
        *,
        first: int,
        last: int,
        cancel: Cancel = lambda: False,
    ) -> Iterator[Tracked]:
        """Masks of the frames `first` to `last`, each as soon as it is known.

        Keyframes may lie outside of the range; the nearest ones are started from. Where a shot ends, so does
        the run: the frames after it come empty, with confidence 0 and lost. In a flash the mask stays.

        Raises:
            BadPrompt: there is no keyframe.
            MatteMismatch: a keyframe and a frame are of different sizes.
            UndecodableMedia: a frame cannot be decoded; what was yielded before stays valid.
            Cancelled: `cancel` answered true; what was yielded before stays valid.
        """
        if not keyframes:
            raise BadPrompt(
                "There is no mask to track from.", remedy="Draw the object in one frame, then track."
            )
        _check_sizes(keyframes)
        yield from _Tracking(frames, keyframes, cancel, self._notes).between(first, last)


class _Tracking:
    """One call of `track`."""

    def __init__(self, frames: Frames, keyframes: Mapping[int, Mask], cancel: Cancel, notes: Notes) -> None:
        self._frames = frames
        self._keyframes = keyframes
        self._cancel = cancel
        self._notes = notes
        self._height, self._width = keyframes[min(keyframes)].shape

    def between(self, first: int, last: int) -> Iterator[Tracked]:
        keys = sorted(self._keyframes)
        for stretch in stretches(keys, first=first, last=last):
            yield from self._stretch(stretch)
            if stretch.after is not None and first <= stretch.after <= last:
                yield Tracked(stretch.after, self._keyframes[stretch.after], 1.0)

    def _stretch(self, stretch: Stretch) -> Iterator[Tracked]:
        seen_before, seen_after = self._seen(stretch.before), self._seen(stretch.after)
        if seen_before and seen_after:
            yield from self._met(stretch)
        elif seen_before and stretch.before is not None:
            yield from self._run(stretch.before, stretch, step=1)
        elif seen_after and stretch.before is None and stretch.after is not None:
            yield from self._run(stretch.after, stretch, step=-1)
        else:
            # Said to be absent by the keyframe before; nothing is known before an empty first keyframe.
            yield from self._absent(stretch, confidence=0.0 if stretch.before is None else 1.0)

    def _seen(self, key: int | None) -> bool:
        return key is not None and bool((self._keyframes[key] >= 128).any())

    def _run(self, key: int, stretch: Stretch, *, step: int) -> Iterator[Tracked]:
        for frame, placed in self._placed(key, stretch, step=step):
            yield Tracked(frame, self._whole(placed), placed.confidence, lost=placed.lost)

    def _met(self, stretch: Stretch) -> Iterator[Tracked]:
        if stretch.before is None or stretch.after is None:
            raise ValueError(stretch)
        start, end = stretch.before, stretch.after
        kept = self._kept(start, stretch)
        for frame, after in self._placed(end, stretch, step=-1):
            before = kept.pop(frame).placed()
            mask, confidence = blended(
                before, after, nearness=(frame - start, end - frame), height=self._height, width=self._width
            )
            yield Tracked(frame, mask, confidence, lost=before.lost and after.lost)

    def _kept(self, key: int, stretch: Stretch) -> dict[int, Kept]:
        """The run forward from a keyframe, kept small and noted in parts, until the other one comes by."""
        way = self._way(key, stretch, step=1)
        if way is None:
            return {}
        parts = list(self._noted_parts(way))
        kept = {frame: one for _, part in parts for frame, one in part.items()}
        ends, fresh = [end for end, _ in parts], dict[int, Kept]()
        for frame, placed in self._steps(way):
            kept[frame] = fresh[frame] = Kept.of(placed)
            if (len(fresh) == NOTED_EVERY or way.is_over) and (note := way.noted()) is not None:
                ends.append(frame)
                self._notes.write(f"{way.name}-{frame}", noted(fresh))
                self._notes.write(way.name, {**note, "ends": np.array(ends)})
                fresh = {}
        return kept

    def _noted_parts(self, way: Pass) -> Sequence[tuple[int, dict[int, Kept]]]:
        """What was noted of a run, by the last frame of each part; the way then goes on from there."""
        note = self._notes.read(way.name)
        ends = [] if note is None else [int(end) for end in note["ends"]]
        parts = [(end, self._notes.read(f"{way.name}-{end}")) for end in ends]
        found = [(end, kept_of(part)) for end, part in parts if part is not None]
        if note is None or len(found) < len(ends):
            return ()
        way.take_up(note)
        return found

    def _absent(self, stretch: Stretch, *, confidence: float) -> Iterator[Tracked]:
        for frame in range(stretch.first, stretch.last + 1):
            self._check_cancel()
            yield Tracked(frame, np.zeros((self._height, self._width), np.uint8), confidence)

    def _placed(self, key: int, stretch: Stretch, *, step: int) -> Iterator[tuple[int, Placed]]:
        """The wanted frames of the run from a keyframe, in the order of the run; gone after a cut."""
        way = self._way(key, stretch, step=step)
        if way is None:
            return
        if (note := self._notes.read(way.name)) is not None:
            way.take_up(note)
        for number, (frame, placed) in enumerate(self._steps(way), 1):
            if stretch.first <= frame <= stretch.last:
                yield frame, placed
            if number % NOTED_EVERY == 0 and (note := way.noted()) is not None:
                self._notes.write(way.name, note)

    def _way(self, key: int, stretch: Stretch, *, step: int) -> Pass | None:
        """From a keyframe to the end of what is wanted; None where it is there already."""
        end = stretch.last if step > 0 else stretch.first
        if (end - key) * step <= 0:
            return None
        self._check_cancel()
        return Pass(self._picture, key, self._keyframes[key], step=step, end=end)

    def _steps(self, way: Pass) -> Iterator[tuple[int, Placed]]:
        while not way.is_over:
            self._check_cancel()
            yield way.step()

    def _picture(self, frame: int) -> Picture:
        picture = self._frames.picture(frame)
        if picture.shape[:2] != (self._height, self._width):
            high, wide = picture.shape[:2]
            raise MatteMismatch(
                f"Frame {frame} has {wide} x {high} pixels, "
                f"the first keyframe's mask has {self._width} x {self._height}.",
                remedy="Draw the mask anew in a part of the film that has one picture size.",
            )
        return picture

    def _whole(self, placed: Placed) -> Mask:
        return placed.window.paste(placed.soft, self._height, self._width)

    def _check_cancel(self) -> None:
        if self._cancel():
            raise Cancelled


def _check_sizes(keyframes: Mapping[int, Mask]) -> None:
    key = min(keyframes)
    high, wide = keyframes[key].shape
    for other, mask in keyframes.items():
        if mask.shape != (high, wide):
            raise MatteMismatch(
                f"The mask of keyframe {other} has {mask.shape[1]} x {mask.shape[0]} pixels, "
                f"that of keyframe {key} has {wide} x {high}.",
                remedy="Draw the masks in pictures of one size.",
            )


def stretches(keys: list[int], *, first: int, last: int) -> tuple[Stretch, ...]:
    """What lies before, between and after the keyframes (ascending) of a range; some are empty."""
    ends: list[int | None] = [None, *keys, None]
    return tuple(
        Stretch(
            before,
            after,
            first if before is None else max(first, before + 1),
            last if after is None else min(last, after - 1),
        )
        for before, after in pairwise(ends)
    )
