"""Which part of an item's own time the finished timeline shows, and when."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from plugin.timebase import TimeSpan


@dataclass(frozen=True, slots=True)
class View:
    """A straight line from record time to an item's own time.

    Attributes:
        record: when the item is shown, absolute seconds, never empty.
        local: the item's own time at `record.start`; with a negative speed the exclusive end of what
            is shown.
        speed: own seconds per record second; 0 holds one moment.
    """

    record: TimeSpan
    local: Fraction
    speed: Fraction

    def of_part(self, part: TimeSpan, *, start: Fraction) -> View | None:
        """The view of a child that takes `part` of this item's time and calls its own beginning `start`.

        None when no moment of it is shown.
        """
        if self.speed == 0:
            return self._held_part(part, start)
        shown = part.intersect(self._shown())
        if shown is None:
            return None
        if self.speed == 1:
            later = self.record.start - self.local
            record = TimeSpan(shown.start + later, shown.end + later)
            return View(record, shown.start - part.start + start, self.speed)
        first, last = (shown.start, shown.end) if self.speed > 0 else (shown.end, shown.start)
        record = TimeSpan(self._record_time(first), self._record_time(last))
        return View(record, first - part.start + start, self.speed)

    def record_of(self, part: TimeSpan) -> TimeSpan | None:
        """When a part of the item's own time is shown; None when it is not."""
        view = self.of_part(part, start=part.start)
        return view.record if view else None

    def retimed(self, *, begin: Fraction, media: Fraction, speed: Fraction) -> View:
        """The view of the media behind a range.

        Args:
            begin: where the range begins, in the time of this view.
            media: the media time at that moment.
            speed: media seconds per second of the range.
        """
        return View(self.record, media + (self.local - begin) * speed, self.speed * speed)

    def _held_part(self, part: TimeSpan, start: Fraction) -> View | None:
        if not part.contains(self.local):
            return None
        return View(self.record, self.local - part.start + start, self.speed)

    def _shown(self) -> TimeSpan:
        far = self.local + self.speed * self.record.duration
        return TimeSpan(min(self.local, far), max(self.local, far))

    def _record_time(self, local: Fraction) -> Fraction:
        return self.record.start + (local - self.local) / self.speed
