"""Which frames of a document are made, as far as the window's thread knows without touching a disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plugin.masks.documents import ObjectPrompts, PromptsDocument


@dataclass(frozen=True, slots=True)
class Before:
    """Where a frame's mask comes from that was made before something next to it was changed.

    Attributes:
        document: that it was made for.
        number: of the object in that document.
        confidence: 0..1.
    """

    document: PromptsDocument
    number: int
    confidence: float


@dataclass(slots=True)
class Knowledge:
    """What is known of today's document; every edit moves what it touches into the past.

    Attributes:
        document: of today.
        cuts: first frames of new shots.
        turn: counts up whenever more is known.
    """

    document: PromptsDocument
    cuts: tuple[int, ...] = ()
    turn: int = 0
    _made: dict[int, dict[int, float]] = field(default_factory=dict)
    _before: dict[int, dict[int, Before]] = field(default_factory=dict)

    def made(self, number: int) -> Mapping[int, float]:
        """Confidences of the frames of an object that are made, by frame."""
        return self._made.get(number, {})

    def before(self, number: int, frame: int) -> Before | None:
        """What was there of a frame that is not made anew yet."""
        return self._before.get(number, {}).get(frame)

    def stale(self, number: int) -> dict[int, float]:
        """Confidences of frames that are not made anew yet, by frame."""
        return {frame: one.confidence for frame, one in self._before.get(number, {}).items()}

    def change(self, after: PromptsDocument) -> None:
        """Go on with another document: what hangs on a changed keyframe is stale until it is made again."""
        document, made, before = self.document, self._made, self._before
        self.document, self._made, self._before = after, {}, {}
        for number, prompts in enumerate(after.objects):
            was = _number_before(number, prompts, document, after)
            if was is None:
                continue
            past = {frame: Before(document, was, sure) for frame, sure in made.get(was, {}).items()}
            self._before[number] = {**before.get(was, {}), **past}
            touched = _touched(document.objects[was], prompts, document=after)
            here = made.get(was, {})
            self._made[number] = {frame: sure for frame, sure in here.items() if not _in(touched, frame)}
        self.turn += 1

    def add(self, number: int, frame: int, confidence: float) -> None:
        """One more frame is made."""
        self._made.setdefault(number, {})[frame] = confidence
        self.turn += 1

    def look(self, confidences: tuple[Mapping[int, float], ...], cuts: tuple[int, ...]) -> None:
        """What is on disk of today's document."""
        self._made = {number: dict(found) for number, found in enumerate(confidences)}
        self.cuts = cuts
        self.turn += 1


def _number_before(
    number: int, prompts: ObjectPrompts, before: PromptsDocument, after: PromptsDocument
) -> int | None:
    """The number that an object had; None for one that was not there."""
    if len(before.objects) == len(after.objects):
        return number
    return next((at for at, one in enumerate(before.objects) if one.label == prompts.label), None)


def _touched(
    before: ObjectPrompts, after: ObjectPrompts, *, document: PromptsDocument
) -> tuple[tuple[int, int], ...]:
    """First and last frames of the stretches that hang on a keyframe that was changed."""
    old, new = ({one.frame: one for one in each.keyframes} for each in (before, after))
    changed = [frame for frame in old.keys() | new.keys() if old.get(frame) != new.get(frame)]
    same = sorted(frame for frame in old.keys() & new.keys() if old[frame] == new[frame])
    stretches = []
    for frame in changed:
        left = max((one for one in same if one < frame), default=document.first - 1)
        right = min((one for one in same if one > frame), default=document.last + 1)
        stretches.append((left + 1, right - 1))
    return tuple(stretches)


def _in(stretches: tuple[tuple[int, int], ...], frame: int) -> bool:
    return any(first <= frame <= last for first, last in stretches)
