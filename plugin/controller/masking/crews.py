"""Who makes the masks of a session: one segmenter in this process, a tracker that the mask process opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from plugin.controller.masking.by_hand import HandSegmenter
from plugin.errors import MaskError
from plugin.masks.documents import MadeBy
from plugin.masks.flow_tracker import FlowTracker
from plugin.masks.makers import Cancel, Frames, Mask, Picture, Segmented, Segmenter, Tracked, Tracker
from plugin.masks.prompts import FramePrompts
from plugin.settings import Settings

FLOW = "flow"
"""The tracker without weights."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The makers of a session.

    Attributes:
        segmenter: makes the masks of keyframes, in a thread of this process.
        tracker: name and version of what follows them in the mask process.
        choice: what the mask process is told to open.
        segmenter_words: for people ("GrabCut, no model").
        tracker_words: for people ("flow tracker, no model", "SAM 2.1 tiny, CUDA").
        clicks_need_model: a lone click is a guess with this segmenter.
    """

    segmenter: Segmenter
    tracker: MadeBy
    choice: str
    segmenter_words: str
    tracker_words: str
    clicks_need_model: bool


def open_crew(settings: Settings) -> Crew:
    """The makers that the settings name. Slow: models are loaded.

    Raises:
        BundleError: a model is not usable.
    """
    del settings
    return Crew(
        HandSegmenter(),
        MadeBy.of(FlowTracker()),
        FLOW,
        segmenter_words="drawn by hand, no model",
        tracker_words="flow tracker, no model",
        clicks_need_model=True,
    )


def open_tracker(choice: str) -> Tracker:
    """The tracker of a crew, in the process that tracks.

    Raises:
        MaskError: there is none of that name.
    """
    if choice == FLOW:
        return FlowTracker()
    raise MaskError(f"There is no tracker '{choice}'.", remedy="Choose another one in the settings.")


@dataclass(frozen=True, slots=True)
class NoTracker:
    """Stands for the tracker where only keyframes are made: it has its name, and follows nothing."""

    made_by: MadeBy

    @property
    def name(self) -> str:
        """Of the tracker that it stands for."""
        return self.made_by.name

    @property
    def version(self) -> str:
        """Of the tracker that it stands for."""
        return self.made_by.version

    def track(
        self,
        frames: Frames,
        keyframes: Mapping[int, Mask],
        *,
        first: int,
        last: int,
        cancel: Cancel = lambda: False,
    ) -> Iterator[Tracked]:
        """Nothing."""
        del frames, keyframes, first, last, cancel
        return iter(())


@dataclass(frozen=True, slots=True)
class NoSegmenter:
    """Stands for the segmenter where all keyframes have their masks already: it has its name."""

    made_by: MadeBy

    @property
    def name(self) -> str:
        """Of the segmenter that it stands for."""
        return self.made_by.name

    @property
    def version(self) -> str:
        """Of the segmenter that it stands for."""
        return self.made_by.version

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        """Nothing: the mask should have been there.

        Raises:
            MaskError: always.
        """
        del picture, before
        raise MaskError(
            f"The mask of the keyframe at frame {prompts.frame} is not on disk any more.",
            remedy="Show that frame, so that it is made again, then track.",
        )
