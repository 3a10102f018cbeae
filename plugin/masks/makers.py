"""What every maker of masks can do: from prompts to a mask of one frame, and from keyframes to all frames.

The makers are interchangeable and can be mixed: any segmenter's masks may be the keyframes of any tracker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from plugin.masks.prompts import Box, FramePrompts

Picture = npt.NDArray[np.uint8]
"""One frame, RGB, [height, width, 3]."""

Mask = npt.NDArray[np.uint8]
"""One soft mask, [height, width]; 0 is outside, 255 inside, from 128 on the object."""

Cancel = Callable[[], bool]
"""Asked before every frame; true stops."""

LOST_BELOW = 0.3
"""A confidence under this for `LOST_FRAMES` frames running means that the object is gone or changed."""

LOST_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Segmented:
    """A mask of one frame.

    Attributes:
        mask: at the size of the frame.
        confidence: 0..1.
        candidates: other masks the same prompts could mean, smallest first; empty where there is one only.
    """

    mask: Mask
    confidence: float
    candidates: tuple[Mask, ...] = ()


@dataclass(frozen=True, slots=True)
class Tracked:
    """The mask of one frame of a tracked range; the keyframes' own masks come with confidence 1.

    Attributes:
        frame: number in the source.
        mask: at the size of the frame.
        confidence: 0..1.
        lost: the confidence has been under `LOST_BELOW` for `LOST_FRAMES` frames: ask the editor.
    """

    frame: int
    mask: Mask
    confidence: float
    lost: bool = False


class Maker(Protocol):
    """Names what ran, for the saved document and for the editor's eyes.

    Attributes:
        name: such as "grabcut", "flow" or "sam2.1-tiny".
        version: changes whenever the same prompts may give another mask.
    """

    @property
    def name(self) -> str:
        """What ran."""

    @property
    def version(self) -> str:
        """Of the method and its weights together."""


class Segmenter(Maker, Protocol):
    """From prompts to the mask of one frame; the same prompts on the same picture give the same mask."""

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        """The mask of the prompted object.

        Args:
            picture: the frame, [height, width, 3].
            prompts: at least one gesture, in pixels of `picture`.
            before: the mask shown so far in this frame, which corrections start from.

        Raises:
            BadPrompt: the prompts cannot mean anything in this picture, or nothing is found under them.
        """


class Frames(Protocol):
    """Pictures by number; looked at in any order, mostly one after the other."""

    def picture(self, frame: int) -> Picture:
        """RGB, [height, width, 3], upright.

        Raises:
            UndecodableMedia: that frame cannot be decoded.
        """


class Tracker(Maker, Protocol):
    """From the masks of keyframes to those of every frame between and around them."""

    def track(
        self,
        frames: Frames,
        keyframes: Mapping[int, Mask],
        *,
        first: int,
        last: int,
        cancel: Cancel = lambda: False,
    ) -> Iterator[Tracked]:
        """Masks of the frames `first` to `last` (both included), each as soon as it is known.

        Runs outward from every keyframe to its neighbouring ones and to the ends of the range; an empty
        keyframe mask says that the object is absent from there on until the next keyframe. Order is that
        of the work, not of time; a frame comes once.

        Raises:
            Cancelled: `cancel` answered true; what was yielded before stays valid.
        """


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where words could mean something.

    Attributes:
        box: around it, in source pixels; it carries the words.
        score: how well it fits the words, 0..1.
    """

    box: Box
    score: float


class Finder(Maker, Protocol):
    """From words to places in one picture; the same words on the same picture give the same places."""

    def find(self, picture: Picture, words: str) -> tuple[Candidate, ...]:
        """Places, the best first; none where nothing fits.

        Args:
            picture: the frame, [height, width, 3].
            words: what is looked for, such as "red drum".

        Raises:
            BadPrompt: there are no words.
        """
