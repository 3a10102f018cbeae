"""What kinds of scenes are wanted: one frozen table of sizes and probabilities."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.synth.makers import CLASS_NAMES
from exporter.synth.styles import STYLE_NAMES, StyleName


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """Everything the generator may be told; the defaults are what training uses.

    Attributes:
        size: pixels of the square picture's side.
        fps: frames per second.
        seconds: length; 5.12 s are 128 frames and 225 792 samples.
        objects: fewest and most objects that have a mask.
        extent: smallest and largest half height of a figure, relative to the picture.
        classes: which sound makers may appear.
        styles: how pictures may be drawn.
        same_class: probability that all sounding objects of a scene are of one class.
        silent_object: probability that one of several objects is a silent mover with a mask.
        idle: probability that a sounding object does nothing.
        decoy: probability of each of two silent movers without a mask.
        occluder: probability of something in front.
        shake: probability of an unsteady camera.
        passing: probability that an object enters or leaves the frame.
        foreign_tool: probability that what strikes an object is not part of its mask.
        offscreen: probability of a sound without a picture in the mixture.
        room: probability of a room around the sounds.
        degraded: probability of blur, noise or blocks over the picture.
        squeezed: probability of a picture squeezed as wide ones are by a square network input.
        held: probability that the picture comes from a source of another frame rate.
        midway: probability that a scene begins in the middle of things.
        source: frame rate of the picture's source, where it is not left to `held`.
    """

    size: int = 128
    fps: float = 25.0
    seconds: float = 5.12
    objects: tuple[int, int] = (1, 4)
    extent: tuple[float, float] = (0.1, 0.32)
    classes: tuple[str, ...] = CLASS_NAMES
    styles: tuple[StyleName, ...] = STYLE_NAMES
    same_class: float = 0.12
    silent_object: float = 0.2
    idle: float = 0.04
    decoy: float = 0.25
    occluder: float = 0.3
    shake: float = 0.4
    passing: float = 0.2
    foreign_tool: float = 0.25
    offscreen: float = 0.15
    room: float = 0.75
    degraded: float = 0.4
    squeezed: float = 0.3
    held: float = 0.15
    midway: float = 0.25
    source: float | None = None

    @property
    def frames(self) -> int:
        """Frames of a scene."""
        return round(self.seconds * self.fps)
