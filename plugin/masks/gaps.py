"""What lies between keyframes: the stretches of a range that are tracked, each by itself.

A stretch depends on nothing but the one or two keyframes it hangs on, so a correction changes only the
stretches on both sides of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames that are tracked in one go.

    Attributes:
        first: its first frame, which may be a keyframe.
        last: its last frame, likewise; not before `first`.
        anchors: the keyframes it is tracked from, one or two, ascending; within the gap.
    """

    first: int
    last: int
    anchors: tuple[int, ...]

    def frames(self) -> Iterator[int]:
        """Its frames without the keyframes, ascending."""
        return (frame for frame in range(self.first, self.last + 1) if frame not in self.anchors)

    def __contains__(self, frame: int) -> bool:
        return self.first <= frame <= self.last

    def meets(self, first: int, last: int) -> bool:
        """Whether it has a frame from `first` to `last`."""
        return self.first <= last and first <= self.last


def gaps_between(
    seen: Mapping[int, bool], *, first: int, last: int, cuts: Sequence[int] = ()
) -> tuple[Gap, ...]:
    """The gaps of one object, ascending; those without a frame of their own are left out.

    Args:
        seen: keyframes, ascending; false where the object is absent from there on.
        first: first frame of the range.
        last: last frame of the range.
        cuts: first frames of new shots, ascending. Nothing is tracked across one.
    """
    found: list[Gap] = []
    keyframes = sorted(seen)
    if not keyframes:
        return ()
    if seen[keyframes[0]]:
        found.append(_back_from(keyframes[0], first, cuts))
    for one, other in pairwise(keyframes):
        found += _between(one, other, seen, cuts)
    if seen[keyframes[-1]]:
        found.append(_on_from(keyframes[-1], last, cuts))
    return tuple(gap for gap in found if gap.meets(first, last) and any(True for _ in gap.frames()))


def _between(one: int, other: int, seen: Mapping[int, bool], cuts: Sequence[int]) -> Iterator[Gap]:
    if not seen[one]:
        return
    on = _on_from(one, other - 1, cuts)
    if not seen[other]:
        yield on
    elif any(one < cut <= other for cut in cuts):
        yield on
        yield _back_from(other, one + 1, cuts)
    else:
        yield Gap(one, other, (one, other))


def _on_from(keyframe: int, last: int, cuts: Sequence[int]) -> Gap:
    """From a keyframe on, to the end of its shot at most."""
    ends = [cut - 1 for cut in cuts if cut > keyframe]
    return Gap(keyframe, max(keyframe, min([last, *ends])), (keyframe,))


def _back_from(keyframe: int, first: int, cuts: Sequence[int]) -> Gap:
    """From a keyframe back, to the beginning of its shot at most."""
    begins = [cut for cut in cuts if cut <= keyframe]
    return Gap(min(keyframe, max([first, *begins])), keyframe, (keyframe,))
