"""What the pointer, or the cross that keys move, does on the picture of mask mode."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot

from PySide6.QtCore import QPointF

from plugin.controller.masking.views import Mark, MaskView, Tool
from plugin.masks.prompts import Click, Gesture, Place
from plugin.panel.maskmarks import RADIUS
from plugin.panel.masksight import Sight
from plugin.panel.masksketch import Sketch

_STEP = 8
"""Pixels that the cross moves."""


class Hand:
    """Presses, moves and releases become gestures.

    Attributes:
        sight: where the picture lies.
        view: what is marked, and with which tool; None before the first.
        sketch: what is being drawn, None for nothing.
        cross: where the keys have moved the cross, None while it is not used.
        chosen: the mark that Delete removes, None for none.
        fresh: the newest gesture was a click: the wheel may choose its size.
    """

    def __init__(self, told: Callable[[Gesture], None], moved: Callable[[int, Place], None]) -> None:
        """Nothing is drawn.

        Args:
            told: told every gesture.
            moved: told which mark was moved, and where its handle went.
        """
        self._told, self._moved = told, moved
        self._drag: tuple[Mark, Place] | None = None
        self.sight = Sight()
        self.view: MaskView | None = None
        self.sketch: Sketch | None = None
        self.cross: Place | None = None
        self.chosen: int | None = None
        self.fresh = False

    @property
    def drawing(self) -> bool:
        """Whether a gesture has begun."""
        return self.sketch is not None or self._drag is not None

    @property
    def cornering(self) -> bool:
        """Whether a lasso is drawn corner by corner."""
        return self.sketch is not None and self.sketch.cornered

    def take(self, view: MaskView) -> None:
        """Draw on this from now on; in another frame what was begun is forgotten."""
        before, self.view = self.view, view
        now = (view.frame, view.tool, view.object)
        if before is not None and (before.frame, before.tool, before.object) != now:
            self.forget()
            self.chosen, self.fresh = None, False
        if self.chosen not in {mark.index for mark in view.marks}:
            self.chosen = None

    def forget(self) -> bool:
        """Forget what is being drawn; whether anything was."""
        was, self.sketch, self._drag = self.drawing, None, None
        return was

    def moved_to(self, mark: Mark) -> Place | None:
        """Where the handle of a mark is while it is dragged, None while it is not."""
        return self._drag[1] if self._drag is not None and self._drag[0].index == mark.index else None

    def press(self, point: QPointF, *, adds: bool) -> bool:
        """Begin at a point of the widget; whether there was anything to begin."""
        view = self.view
        if view is None:
            return False
        place = self.sight.to_source(point)
        if self.sketch is not None and self.sketch.cornered:
            self._set_corner(self.sketch, self.sight.within(place))
            return True
        mark = self._mark_at(point, view) if adds else None
        if mark is not None or view.tool is Tool.MOVE:
            self.chosen = mark.index if mark else None
            self._drag = (mark, mark.handle) if mark else None
            return mark is not None
        if view.tool is Tool.POINT:
            self._tell(Click(place, adds))
            return True
        adds = adds == view.paints if view.tool is Tool.BRUSH else adds
        self.sketch = Sketch(view.tool, adds, view.radius, least=2 / self.sight.scale)
        self.sketch.follow(self.sight.within(place))
        return True

    def follow(self, point: QPointF) -> None:
        """Go on to a point of the widget."""
        place = self.sight.within(self.sight.to_source(point))
        if self._drag is not None:
            self._drag = (self._drag[0], place)
        elif self.sketch is not None:
            self.sketch.follow(place)

    def release(self, point: QPointF) -> None:
        """The gesture ends there, unless it was the first corner of a lasso."""
        sketch = self.sketch
        if self._drag is not None:
            (mark, place), self._drag = self._drag, None
            if place != mark.handle:
                self._moved(mark.index, place)
        elif sketch is not None and not sketch.cornered:
            self.follow(point)
            if sketch.tool is Tool.LASSO and sketch.extent <= 3 * sketch.least:
                sketch.places[1:] = []
                sketch.corner(sketch.places[0])
            else:
                self.finish()

    def finish(self) -> None:
        """The gesture is whole."""
        sketch, self.sketch = self.sketch, None
        gesture = sketch.finished() if sketch else None
        if gesture is not None:
            self._tell(gesture)

    def back(self) -> None:
        """Take the last corner of a lasso back; without one there is no lasso."""
        if self.sketch is not None and not self.sketch.back():
            self.forget()

    def move_cross(self, across: int, down: int, *, fine: bool) -> None:
        """Move the cross by a step, or by a source pixel."""
        step = 1.0 if fine else _STEP / self.sight.scale
        x, y = self.cross or self.sight.centre
        self.cross = self.sight.within((x + across * step, y + down * step))
        self.follow(self.sight.to_widget(self.cross))

    def use_cross(self, *, adds: bool) -> None:
        """Press with the cross; where a press has begun, let go."""
        if self.sketch is not None and self.sketch.cornered and (self.cross is None or self.sketch.is_still):
            self.finish()
            return
        self.cross = self.cross or self.sight.centre
        point, began = self.sight.to_widget(self.cross), not self.drawing
        if began or self.cornering:
            self.press(point, adds=adds)
        if not began or (self.sketch is not None and self.sketch.tool is Tool.LASSO):
            self.release(point)

    def _tell(self, gesture: Gesture) -> None:
        self.fresh = isinstance(gesture, Click)
        self._told(gesture)

    def _set_corner(self, sketch: Sketch, place: Place) -> None:
        if sketch.closes(place):
            self.finish()
        else:
            sketch.corner(place)

    def _mark_at(self, point: QPointF, view: MaskView) -> Mark | None:
        """The uppermost mark whose sign is there; while points are set, only another point is in the way."""
        for mark in reversed(view.marks):
            is_taken = view.tool is Tool.MOVE or (view.tool is Tool.POINT and isinstance(mark.gesture, Click))
            way = self.sight.to_widget(mark.handle) - point
            if is_taken and hypot(way.x(), way.y()) <= RADIUS + 2:
                return mark
        return None
