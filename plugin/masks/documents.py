"""What an editor said about the objects of one film: the document that a matte is made from, again and again.

Values only. Every edit makes a new document, so undoing one is going back to the document before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from plugin.cues import MediaSource
from plugin.masks.makers import Maker
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Place


@dataclass(frozen=True, slots=True)
class Film:
    """The picture that is looked at.

    Attributes:
        media: where it lies.
        fingerprint: what it holds (`plugin.media.fingerprint`).
        rate: frames per second; frame `n` is what is on screen at `(n + 1/2) / rate`.
        frames: how many it has.
        width: pixels, upright.
        height: pixels, upright.
    """

    media: MediaSource
    fingerprint: str
    rate: Fraction
    frames: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class MadeBy:
    """The name and version of a maker."""

    name: str
    version: str

    @classmethod
    def of(cls, maker: Maker) -> MadeBy:
        """What a maker says about itself."""
        return cls(maker.name, maker.version)


@dataclass(frozen=True, slots=True)
class ObjectPrompts:
    """All that was said about one object.

    Attributes:
        label: its word, which becomes the prompt of its sound.
        keyframes: one per frame, ascending.
    """

    label: str
    keyframes: tuple[FramePrompts, ...] = ()

    def at(self, frame: int) -> FramePrompts | None:
        """What was said in a frame; None where nothing was."""
        return next((one for one in self.keyframes if one.frame == frame), None)

    def before(self, frame: int) -> FramePrompts | None:
        """The last keyframe before a frame."""
        return next((one for one in reversed(self.keyframes) if one.frame < frame), None)

    def after(self, frame: int) -> FramePrompts | None:
        """The first keyframe after a frame."""
        return next((one for one in self.keyframes if one.frame > frame), None)

    def is_absent(self, frame: int) -> bool:
        """Whether the object was said to be absent in a frame."""
        last = self.at(frame) or self.before(frame)
        return last is not None and last.absent

    def with_keyframe(self, prompts: FramePrompts) -> ObjectPrompts:
        """With a keyframe added, or put in the place of the one in its frame."""
        others = [one for one in self.keyframes if one.frame != prompts.frame]
        return replace(self, keyframes=tuple(sorted((*others, prompts), key=lambda one: one.frame)))

    def without_keyframe(self, frame: int) -> ObjectPrompts:
        """Without what was said in a frame."""
        return replace(self, keyframes=tuple(one for one in self.keyframes if one.frame != frame))

    def with_gesture(self, frame: int, gesture: Gesture) -> ObjectPrompts:
        """With one more gesture in a frame; an object that was absent there is back."""
        known = self.at(frame) or FramePrompts(frame)
        return self.with_keyframe(replace(known, gestures=(*known.gestures, gesture), absent=False))

    def with_gesture_changed(self, frame: int, number: int, gesture: Gesture) -> ObjectPrompts:
        """With gesture `number` (from 0) of a frame put right.

        Raises:
            IndexError: the frame has no such gesture.
        """
        known = self._keyframe_with(frame, number)
        gestures = (*known.gestures[:number], gesture, *known.gestures[number + 1 :])
        return self.with_keyframe(replace(known, gestures=gestures))

    def with_gesture_moved(self, frame: int, number: int, *, by: Place) -> ObjectPrompts:
        """With gesture `number` (from 0) of a frame moved by so many pixels.

        Raises:
            IndexError: the frame has no such gesture.
        """
        known = self._keyframe_with(frame, number)
        return self.with_gesture_changed(frame, number, moved(known.gestures[number], by=by))

    def without_gesture(self, frame: int, number: int) -> ObjectPrompts:
        """Without gesture `number` (from 0) of a frame; a keyframe that then says nothing goes too.

        Raises:
            IndexError: the frame has no such gesture.
        """
        known = self._keyframe_with(frame, number)
        left = replace(known, gestures=known.gestures[:number] + known.gestures[number + 1 :])
        return self.with_keyframe(left) if left.gestures or left.painted else self.without_keyframe(frame)

    def with_painted(self, frame: int, name: str) -> ObjectPrompts:
        """With a mask given whole in a frame, in place of all that was said there."""
        return self.with_keyframe(FramePrompts(frame, painted=name))

    def absent_from(self, frame: int) -> ObjectPrompts:
        """The object cannot be seen from this frame on, until the next keyframe."""
        return self.with_keyframe(FramePrompts(frame, absent=True))

    def back_at(self, frame: int) -> ObjectPrompts:
        """It can be seen here after all: the absence that holds in this frame is taken away.

        An object that comes back later is shown there by a gesture in that frame instead.
        """
        last = self.at(frame) or self.before(frame)
        return self.without_keyframe(last.frame) if last is not None and last.absent else self

    def _keyframe_with(self, frame: int, number: int) -> FramePrompts:
        known = self.at(frame)
        if known is None or not 0 <= number < len(known.gestures):
            raise IndexError(f"frame {frame} has no gesture {number}")
        return known


def moved(gesture: Gesture, *, by: Place) -> Gesture:
    """A gesture somewhere else."""
    right, down = by
    if isinstance(gesture, Click):
        return replace(gesture, place=(gesture.place[0] + right, gesture.place[1] + down))
    if isinstance(gesture, Box):
        left, top = gesture.left + right, gesture.top + down
        return replace(gesture, left=left, top=top, right=gesture.right + right, bottom=gesture.bottom + down)
    return replace(gesture, places=tuple((x + right, y + down) for x, y in gesture.places))


@dataclass(frozen=True, slots=True)
class PromptsDocument:
    """The objects of one film and how their masks are made.

    Attributes:
        film: what is looked at.
        first: the first frame that gets a mask.
        last: the last one; not before `first`.
        segmenter: what makes masks of keyframes.
        tracker: what makes those between.
        objects: at least one once anything was said; several may lie in one shot.
        may_overlap: a pixel may belong to several of them (`propagating.without_overlap` says what happens
            otherwise).
    """

    film: Film
    first: int
    last: int
    segmenter: MadeBy
    tracker: MadeBy
    objects: tuple[ObjectPrompts, ...] = ()
    may_overlap: bool = True

    def object(self, label: str) -> ObjectPrompts | None:
        """The object with a label."""
        return next((one for one in self.objects if one.label == label), None)

    def with_object(self, number: int, prompts: ObjectPrompts) -> PromptsDocument:
        """With object `number` (from 0) as given; the number after the last adds one.

        Raises:
            IndexError: no such number.
        """
        if not 0 <= number <= len(self.objects):
            raise IndexError(f"there is no object {number}")
        return replace(self, objects=(*self.objects[:number], prompts, *self.objects[number + 1 :]))

    def without_object(self, number: int) -> PromptsDocument:
        """Without object `number`, from 0."""
        return replace(self, objects=self.objects[:number] + self.objects[number + 1 :])

    def with_range(self, first: int, last: int) -> PromptsDocument:
        """With masks for the frames from `first` to `last`, cut to the film."""
        first, last = sorted((first, last))
        end = self.film.frames - 1
        return replace(self, first=min(max(first, 0), end), last=min(max(last, 0), end))

    def with_makers(self, *, segmenter: Maker, tracker: Maker) -> PromptsDocument:
        """To be made by others."""
        return replace(self, segmenter=MadeBy.of(segmenter), tracker=MadeBy.of(tracker))
