"""Which picture the viewer sees at each moment: the topmost enabled clip that is no matte.

A clip that names no media (a title, a generator, an adjustment) hides nothing while a clip with media
lies beneath it; the sound belongs to the footage.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from plugin.timebase import TimeSpan
from plugin.timeline.flattening import Shown


@dataclass(frozen=True, slots=True)
class Pictures:
    """The visible pictures in record order, and the topmost clips whether they have media or not.

    Attributes:
        visible: spans that do not overlap, with the clip to take the picture from.
        topmost: the same for the clips nearest to the viewer.
    """

    visible: tuple[tuple[TimeSpan, Shown], ...]
    topmost: tuple[tuple[TimeSpan, Shown], ...]

    @classmethod
    def of(cls, shown: Iterable[Shown]) -> Pictures:
        """The pictures among all shown items."""
        clips = [one for one in shown if one.is_clip and one.video and one.enabled and one.mask is None]
        topmost = tuple(_seen(clips, media_first=False))
        if all(clip.has_media for clip in clips):
            return cls(topmost, topmost)
        return cls(tuple(_seen(clips, media_first=True)), topmost)

    def under(self, span: TimeSpan) -> list[tuple[TimeSpan, Shown]]:
        """The pictures seen during `span`, in record order, cut to it."""
        return _within(self.visible, span)

    def at(self, time: Fraction) -> tuple[TimeSpan, Shown] | None:
        """The whole visible piece of the picture seen at `time`."""
        index = bisect_right(self.visible, time, key=lambda one: one[0].start) - 1
        if index >= 0 and self.visible[index][0].contains(time):
            return self.visible[index]
        return None

    def hidden_by(self, span: TimeSpan, picture: Shown) -> Shown | None:
        """A clip without media that lies above `picture` somewhere in `span`."""
        if self.visible is self.topmost:
            return None
        above = (clip for _, clip in _within(self.topmost, span) if clip is not picture)
        return next(above, None)


def _within(seen: tuple[tuple[TimeSpan, Shown], ...], span: TimeSpan) -> list[tuple[TimeSpan, Shown]]:
    found = []
    index = max(0, bisect_right(seen, span.start, key=lambda one: one[0].start) - 1)
    for piece, clip in seen[index:]:
        if piece.start >= span.end:
            break
        common = piece.intersect(span)
        if common is not None:
            found.append((common, clip))
    return found


def _seen(clips: list[Shown], *, media_first: bool) -> Iterator[tuple[TimeSpan, Shown]]:
    """Sweeps over record time with a heap of the clips under the line; neighbours of a clip join."""
    waiting = sorted(range(len(clips)), key=lambda index: clips[index].record.start, reverse=True)
    times = sorted({time for clip in clips for time in (clip.record.start, clip.record.end)})
    heap: list[tuple[tuple[bool, tuple[int, ...]], int]] = []
    current: tuple[Fraction, int] | None = None
    for time in times:
        while waiting and clips[waiting[-1]].record.start <= time:
            index = waiting.pop()
            heapq.heappush(heap, (_depth(clips[index], media_first=media_first), index))
        while heap and clips[heap[0][1]].record.end <= time:
            heapq.heappop(heap)
        top = heap[0][1] if heap else None
        if current is not None and top != current[1]:
            yield TimeSpan(current[0], time), clips[current[1]]
            current = None
        if current is None and top is not None:
            current = (time, top)


def _depth(clip: Shown, *, media_first: bool) -> tuple[bool, tuple[int, ...]]:
    """Smaller is nearer to the viewer."""
    return (media_first and not clip.has_media, tuple(-number for number in clip.layer))
