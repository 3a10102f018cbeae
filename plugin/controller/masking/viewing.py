"""What a mask session shows and how: the playhead, tools, the brush, the overlay."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from plugin.controller.masking.listing import Look, Pen
from plugin.controller.masking.marking import Marking
from plugin.controller.masking.targets import Shot
from plugin.controller.masking.views import MaskOverlay, Tool
from plugin.controller.playback import Playback, Ruler
from plugin.media.stills import Size
from plugin.timebase import TimeSpan

_SMALLEST = 16
_BRUSH = 1 / 40
"""Radius of the brush at first, as a part of the picture's height."""


class Viewing:
    """The part of a mask session that a window moves: where it is in the shot, and what it draws with.

    Attributes:
        shot: what is looked at.
        marking: objects and gestures, undo and redo.
        playback: the playhead; its frames count from `MaskView.first`. J K L, loop and the in and out
            points, which limit what is tracked, are its.
        following: the playhead goes along with what is being tracked.
    """

    marking: Marking

    def __init__(self, shot: Shot, *, tool: Tool, clock: Callable[[], float] = time.monotonic) -> None:
        """The first frame that the clip shows.

        Args:
            shot: what is looked at.
            tool: the first one.
            clock: seconds that only grow.
        """
        film = shot.film
        self.shot = shot
        self.playback = Playback(clock=clock)
        self.playback.load(TimeSpan(shot.first / film.rate, (shot.last + 1) / film.rate), Ruler(film.rate))
        self.following = False
        self._pen = Pen(tool, paints=True, radius=max(1.0, film.height * _BRUSH))
        self._look, self._limit = Look(), Size(640, 360)
        self._moved = True
        self.show(shot.shown_first)

    @property
    def frame(self) -> int:
        """The shown frame."""
        return self.shot.first + self.playback.frame()

    def show(self, frame: int) -> None:
        """Show a frame of the range; what plays goes on from there."""
        self.following = False
        self.playback.seek(frame - self.shot.first)

    def step(self, frames: int) -> None:
        """Stop and move by whole frames, within the range."""
        self.following = False
        self.playback.step(frames)

    def show_keyframe(self, step: int) -> None:
        """Stop at the next keyframe of the chosen object (1), or at the one before (-1)."""
        chosen = self.marking.object
        found = None
        if chosen is not None:
            found = chosen.after(self.frame) if step > 0 else chosen.before(self.frame)
        if found is not None:
            self.playback.stop()
            self.show(found.frame)

    def fit(self, width: int, height: int) -> None:
        """There are so many pixels for the picture."""
        self._limit = Size(max(width, _SMALLEST), max(height, _SMALLEST))

    def draw(self, overlay: MaskOverlay) -> None:
        """Draw masks this way."""
        self._look = replace(self._look, overlay=overlay)
        self._moved = True

    def show_object(self, object_id: str, *, shown: bool) -> None:
        """Draw an object's mask, or do not; its matte is saved all the same."""
        hidden, number = self._look.hidden, int(object_id)
        self._look = replace(self._look, hidden=hidden - {number} if shown else hidden | {number})
        self._moved = True

    def choose_tool(self, tool: Tool) -> None:
        """Draw with this from now on."""
        self._pen = replace(self._pen, tool=tool)
        self._moved = True

    def set_brush(self, *, radius: float | None = None, paints: bool | None = None) -> None:
        """Change the brush: its radius in source pixels, and whether it paints or erases."""
        pen, largest = self._pen, float(self.shot.film.height)
        wide = pen.radius if radius is None else min(max(radius, 1.0), largest)
        self._pen = Pen(pen.tool, pen.paints if paints is None else paints, wide)
        self._moved = True

    def limits(self) -> tuple[int, int]:
        """First and last frame between the in and out points."""
        view, shot = self.playback.view(), self.shot
        first = shot.first if view.mark_in is None else shot.first + view.mark_in
        return first, shot.last if view.mark_out is None else shot.first + view.mark_out
