"""Tracking by SAM 2.1 with its memory: from the masks of keyframes to every frame between and around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from plugin.errors import BadPrompt, Cancelled, MatteMismatch
from plugin.masks.flow_tracker import Stretch, stretches
from plugin.masks.makers import LOST_BELOW, LOST_FRAMES, Cancel, Frames, Mask, Tracked
from plugin.masks.sam2_model import Sam2Model
from plugin.masks.sam2_pictures import INSIDE_FROM, soft_mask, squashed_mask
from plugin.masks.sam2_session import Features, ObjectSession


class Sam2Tracker:
    """Follows objects with SAM 2.1's memory; see `Tracker`.

    The frames between two keyframes are a clip of their own, so that a correction changes nothing beyond its
    neighbours. Each keyframe is followed to the middle, and both are remembered on the way.
    """

    def __init__(self, model: Sam2Model) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """Id of the bundle."""
        return self._model.name

    @property
    def version(self) -> str:
        """Of the method and its weights together."""
        return self._model.version

    @property
    def words(self) -> str:
        """For people: what runs, and where."""
        return self._model.words

    def track(
        self,
        frames: Frames,
        keyframes: Mapping[int, Mask],
        *,
        first: int,
        last: int,
        cancel: Cancel = lambda: False,
    ) -> Iterator[Tracked]:
        """Masks of the frames `first` to `last`; see `Tracker.track`.

        Keyframes may lie outside of the range; the nearest ones are started from.

        Raises:
            BadPrompt: there is no keyframe.
            MatteMismatch: a keyframe and a frame are of different sizes.
            UndecodableMedia: a frame cannot be decoded; what was yielded before stays valid.
            EngineError: a graph could not be run.
            Cancelled: `cancel` answered true; what was yielded before stays valid.
        """
        if not keyframes:
            raise BadPrompt(
                "There is no mask to track from.", remedy="Mark the object in one frame, then track."
            )
        yield from _Tracking(self._model, frames, keyframes, cancel).between(first, last)


class _Tracking:
    """One call of `track`."""

    def __init__(
        self, model: Sam2Model, frames: Frames, keyframes: Mapping[int, Mask], cancel: Cancel
    ) -> None:
        self._model = model
        self._frames = frames
        self._keyframes = keyframes
        self._cancel = cancel
        self._height, self._width = keyframes[min(keyframes)].shape

    def between(self, first: int, last: int) -> Iterator[Tracked]:
        for stretch in stretches(sorted(self._keyframes), first=first, last=last):
            yield from self._stretch(stretch)
            if stretch.after is not None and first <= stretch.after <= last:
                yield Tracked(stretch.after, self._keyframes[stretch.after], 1.0)

    def _stretch(self, stretch: Stretch) -> Iterator[Tracked]:
        if stretch.first > stretch.last:
            return
        before = stretch.before if self._seen(stretch.before) else None
        after = stretch.after if self._seen(stretch.after) else None
        if stretch.before is not None and before is None:
            yield from self._absent(stretch, confidence=1.0)
        elif before is not None and after is not None:
            middle = (before + after) // 2
            yield from self._run(stretch, before, min(middle, stretch.last), also=after)
            yield from self._run(stretch, after, max(middle + 1, stretch.first), also=before)
        elif before is not None:
            yield from self._run(stretch, before, stretch.last)
        elif after is not None:
            yield from self._run(stretch, after, stretch.first)
        else:  # nothing is known before a first keyframe that is empty
            yield from self._absent(stretch, confidence=0.0)

    def _seen(self, key: int | None) -> bool:
        return key is not None and bool((self._keyframes[key] >= INSIDE_FROM).any())

    def _run(self, stretch: Stretch, key: int, end: int, *, also: int | None = None) -> Iterator[Tracked]:
        """The wanted frames from a keyframe to `end`, which is included."""
        step = 1 if end > key else -1
        path = range(key, end + step, step)
        if not any(stretch.first <= frame <= stretch.last for frame in path):
            return
        far = end if also is None else also
        session = self._session(abs(far - key) + 1)
        for prompted in (key,) if also is None else (key, also):
            self._check()
            session.give(prompted, squashed_mask(self._keyframes[prompted], self._model.decoder.size))
        weak = 0
        for frame, found in session.track(self._checked(path), direction=step):
            if frame == key:
                continue
            confidence = found.chosen.confidence
            weak = weak + 1 if confidence < LOST_BELOW else 0
            if stretch.first <= frame <= stretch.last:
                mask = soft_mask(found.chosen.logits, height=self._height, width=self._width)
                yield Tracked(frame, mask, confidence, lost=weak >= LOST_FRAMES)

    def _session(self, frames: int) -> ObjectSession:
        manifest = self._model.bundle.manifest
        return ObjectSession(
            self._model.decoder, manifest, self._features, frames=frames, horizon=manifest.memory.pointers
        )

    def _features(self, frame: int) -> Features:
        picture = self._frames.picture(frame)
        if picture.shape[:2] != (self._height, self._width):
            high, wide = picture.shape[:2]
            raise MatteMismatch(
                f"Frame {frame} has {wide} x {high} pixels, "
                f"the first keyframe's mask has {self._width} x {self._height}.",
                remedy="Draw the mask anew in a part of the film that has one picture size.",
            )
        return self._model.features.of(picture)[1]

    def _absent(self, stretch: Stretch, *, confidence: float) -> Iterator[Tracked]:
        for frame in self._checked(range(stretch.first, stretch.last + 1)):
            yield Tracked(frame, np.zeros((self._height, self._width), np.uint8), confidence)

    def _checked(self, frames: Iterable[int]) -> Iterator[int]:
        for frame in frames:
            self._check()
            yield frame

    def _check(self) -> None:
        if self._cancel():
            raise Cancelled
