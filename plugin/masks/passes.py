"""One way through a stretch of frames, away from a keyframe: cuts, flashes, loss, and where it has got to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from plugin.masks.anchoring import Run
from plugin.masks.crop_following import Window
from plugin.masks.makers import LOST_BELOW, LOST_FRAMES, Mask, Picture
from plugin.masks.notes import Note
from plugin.masks.shot_changes import Thumbnail, is_cut, is_like, thumbnail
from plugin.masks.sights import Placed


class Pass:
    """Follows the object of a keyframe frame by frame.

    Attributes:
        frame: the one that was followed last, at first the keyframe.
    """

    def __init__(self, look: Callable[[int], Picture], key: int, mask: Mask, *, step: int, end: int) -> None:
        """At the keyframe.

        Args:
            look: gives pictures.
            key: the keyframe.
            mask: its mask.
            step: 1 forward, -1 backward.
            end: the last frame of the way.
        """
        self.frame = key
        self._look = look
        self._key = key
        self._step_by = step
        self._end = end
        picture = look(key)
        self._run = Run(picture, mask)
        self._placed = self._run.start
        self._shown = key
        self._before: Thumbnail | None = thumbnail(picture)
        self._weak = 0

    @property
    def is_over(self) -> bool:
        """Whether the last frame was followed."""
        return self.frame == self._end

    @property
    def name(self) -> str:
        """Which way it is, among those from the same keyframes."""
        return f"{self._key}{'on' if self._step_by > 0 else 'back'}"

    def step(self) -> tuple[int, Placed]:
        """The next frame and the object in it; gone after a cut."""
        self.frame += self._step_by
        if self._before is not None:
            self._follow(self._before)
            self._weak = self._weak + 1 if self._placed.confidence < LOST_BELOW else 0
        lost = self._before is None or self._weak >= LOST_FRAMES
        return self.frame, self._placed.marked(lost=lost)

    def noted(self) -> Note | None:
        """Where it has got to; None where that is the end of a shot, and nothing more is to be worked out."""
        if self._before is None:
            return None
        return {
            **{f"run_{name}": values for name, values in self._run.noted().items()},
            "placed": self._placed.soft,
            "window": np.array(self._placed.window.numbers),
            "confidence": np.array(self._placed.confidence),
            "frames": np.array([self.frame, self._shown, self._weak]),
        }

    def take_up(self, note: Note) -> None:
        """Goes on from where another pass of the same way was."""
        self.frame, self._shown, self._weak = (int(number) for number in note["frames"])
        picture = self._look(self._shown)
        own = {name.removeprefix("run_"): note[name] for name in note if name.startswith("run_")}
        self._run.take_up(picture, own)
        window = Window.of_numbers(note["window"])
        self._placed = Placed(window, note["placed"], float(note["confidence"]))
        self._before = thumbnail(picture)

    def _follow(self, before: Thumbnail) -> None:
        picture = self._look(self.frame)
        now = thumbnail(picture)
        if is_cut(before, now, partial(self._later, self.frame)):
            self._placed, self._before = self._placed.gone(), None
        elif is_like(before, now):
            self._placed, self._before, self._shown = self._run.step(picture), now, self.frame
        else:
            self._placed = self._placed.guessed()

    def _later(self, frame: int, ahead: int) -> Thumbnail | None:
        coming = frame + ahead * self._step_by
        return thumbnail(self._look(coming)) if (self._end - coming) * self._step_by >= 0 else None
