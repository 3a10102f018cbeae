"""What an editor says about one object in one frame: clicks, boxes, lassos, strokes, or that it is absent.

Coordinates are source pixels, x to the right and y down, the first pixel's centre at (0.5, 0.5); frames
are counted in the source from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[float, float]
"""x and y in source pixels."""


@dataclass(frozen=True, slots=True)
class Click:
    """A point on the object, or one on what is not the object.

    Attributes:
        place: where.
        inside: it lies on the object.
        size: which of the candidate sizes was chosen, 0 for the smallest; None for the maker's own choice.
    """

    place: Place
    inside: bool = True
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around the object, ends exclusive, `left < right` and `top < bottom`.

    Attributes:
        left, top, right, bottom: its sides.
        words: what was looked for where a `Finder` found it; "" where it was drawn.
    """

    left: float
    top: float
    right: float
    bottom: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class Lasso:
    """A closed line drawn around the object (`inside`) or around what is to be taken away."""

    places: tuple[Place, ...]
    inside: bool = True


@dataclass(frozen=True, slots=True)
class Stroke:
    """A brush stroke that paints the mask itself, or erases it; `radius` in source pixels."""

    places: tuple[Place, ...]
    radius: float
    paints: bool = True


Gesture = Click | Box | Lasso | Stroke


@dataclass(frozen=True, slots=True)
class FramePrompts:
    """All that was said about one object in one frame, in the order of the gestures.

    Attributes:
        frame: number in the source.
        gestures: what was drawn; brush strokes act on the mask that the others give.
        absent: the object cannot be seen from this frame on; `gestures` is then empty.
        painted: a mask given whole, as the name of a PNG beside the document; "" for none. Gestures then
            start from it.
    """

    frame: int
    gestures: tuple[Gesture, ...] = ()
    absent: bool = False
    painted: str = ""
