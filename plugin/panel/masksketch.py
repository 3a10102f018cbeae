"""The gesture that is being drawn in mask mode, from the press to the release."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import hypot

from plugin.controller.masking.views import Tool
from plugin.masks.prompts import Box, Gesture, Lasso, Place, Stroke


@dataclass(slots=True)
class Sketch:
    """Places in source pixels so far; `finished` makes a gesture of them.

    Attributes:
        tool: what is drawn: a box, a lasso or a stroke.
        adds: to the object; else it takes away.
        radius: of the brush, source pixels.
        least: how far apart two places of a line must be, and how large a box, source pixels.
        places: so far; the last one of a box or of a lasso with corners follows the pointer.
        cornered: a lasso that is drawn corner by corner.
    """

    tool: Tool
    adds: bool
    radius: float
    least: float
    places: list[Place] = field(default_factory=list)
    cornered: bool = False

    @property
    def extent(self) -> float:
        """How far from the first place the farthest one is, source pixels."""
        return max((_apart(self.places[0], each) for each in self.places), default=0.0)

    @property
    def is_still(self) -> bool:
        """Whether the pointer is where the last corner was set."""
        return self.places[-2:-1] == self.places[-1:]

    def follow(self, place: Place) -> None:
        """The pointer is there now."""
        if self.tool is Tool.BOX or self.cornered:
            self.places[1 if self.tool is Tool.BOX else len(self.places) - 1 :] = [place]
        elif not self.places or _apart(self.places[-1], place) >= self.least:
            self.places.append(place)

    def corner(self, place: Place) -> None:
        """Set a corner of a lasso; the next one follows the pointer from there."""
        self.cornered = True
        self.places[-1:] = [place, place]

    def back(self) -> bool:
        """Take the last corner back; whether any is left."""
        del self.places[-2:-1]
        return len(self.places) > 1

    def closes(self, place: Place) -> bool:
        """Whether a corner there would close the lasso."""
        return self.cornered and len(self.places) > 3 and _apart(self.places[0], place) <= 4 * self.least

    def finished(self) -> Gesture | None:
        """What was drawn, None when it is too small to mean anything."""
        if self.tool is Tool.BRUSH:
            return Stroke(tuple(self.places), self.radius, self.adds)
        if self.tool is Tool.BOX:
            return self._box()
        places = tuple(dict.fromkeys(self.places[:-1] if self.cornered else self.places))
        return Lasso(places, self.adds) if len(places) >= 3 and self.extent > 2 * self.least else None

    def _box(self) -> Gesture | None:
        (x, y), (across, down) = self.places[0], self.places[-1]
        left, right, top, bottom = min(x, across), max(x, across), min(y, down), max(y, down)
        if min(right - left, bottom - top) < 2 * self.least:
            return None
        if self.adds:
            return Box(left, top, right, bottom)
        return Lasso(((left, top), (right, top), (right, bottom), (left, bottom)), inside=False)


def _apart(one: Place, other: Place) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])
