"""Clicks without a model, taken with care: a size whose outline can be seen, and no mask of a bare wall."""

from __future__ import annotations

from dataclasses import dataclass, replace

from plugin.errors import BadPrompt
from plugin.masks.makers import Mask, Picture, Segmented, Segmenter
from plugin.masks.prompts import Box, Click, FramePrompts, Gesture, Lasso, Stroke
from plugin.masks.standing_out import stands_out

METHOD = "1"
"""Changes whenever this code chooses another size, or refuses other clicks."""


@dataclass(frozen=True, slots=True)
class CarefulClicks:
    """A `Segmenter` over another one that has to guess how large the thing under a click is.

    Where clicks alone say what the object is, and nobody has chosen a size: the maker's own size if its
    outline can be seen in the picture, else the smallest size whose outline can. Where none can, there is no
    object, and that is said. Boxes, lassos, paint and earlier masks are taken as they are.

    Attributes:
        segmenter: makes the masks.
    """

    segmenter: Segmenter

    @property
    def name(self) -> str:
        """That of what makes the masks."""
        return self.segmenter.name

    @property
    def version(self) -> str:
        """Of both."""
        return f"{self.segmenter.version}.{METHOD}"

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        """See `Segmenter`.

        Raises:
            BadPrompt: the prompts mean nothing, or nothing that can be seen is under the click.
        """
        place = None if before is not None else _deciding_click(prompts.gestures)
        found = self.segmenter.segment(picture, prompts, before=before)
        if place is None:
            return found
        click = (prompts.gestures[place],)
        alone = found
        if prompts.gestures != click:
            alone = self.segmenter.segment(picture, replace(prompts, gestures=click))
        if stands_out(picture, alone.mask):
            return found
        size = next((at for at, one in enumerate(alone.candidates) if stands_out(picture, one)), None)
        if size is None:
            raise _bare(prompts.frame)
        sized = [
            replace(one, size=size) if at == place and isinstance(one, Click) else one
            for at, one in enumerate(prompts.gestures)
        ]
        return self.segmenter.segment(picture, replace(prompts, gestures=tuple(sized)))


def _deciding_click(gestures: tuple[Gesture, ...]) -> int | None:
    """The number of the click that alone says what the object is; None where somebody said more."""
    if any(_says_where(one) for one in gestures):
        return None
    clicks = [at for at, one in enumerate(gestures) if isinstance(one, Click) and one.inside]
    if not clicks:
        return None
    first = gestures[clicks[0]]
    return clicks[0] if isinstance(first, Click) and first.size is None else None


def _says_where(gesture: Gesture) -> bool:
    if isinstance(gesture, Stroke):
        return gesture.paints
    return isinstance(gesture, Box) or (isinstance(gesture, Lasso) and gesture.inside)


def _bare(frame: int) -> BadPrompt:
    return BadPrompt(
        f"There is no object under the click in frame {frame}: nothing stands out there.",
        remedy="Draw a lasso or a box just outside the object.",
    )
