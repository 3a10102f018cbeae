"""A film that is known by heart, and makers whose work is counted: a square wanders to the right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from plugin.cues import MediaFile
from plugin.errors import Cancelled
from plugin.masks.documents import Film, MadeBy, ObjectPrompts, PromptsDocument
from plugin.masks.makers import Cancel, Mask, Picture, Segmented, Tracked, Tracker
from plugin.masks.prompts import Box, FramePrompts
from plugin.masks.propagating import MaskWork
from plugin.masks.results import MaskStore
from plugin.masks.shot_changes import Thumbnail, thumbnail

HEIGHT, WIDTH = 40, 120
FILM = Film(MediaFile(Path("/film/shot.mov")), "ab" * 32, Fraction(25), 60, WIDTH, HEIGHT)


class MadeFrames:
    """Frames of the film; from each of `cuts` on the ground is another."""

    def __init__(self, cuts: tuple[int, ...] = ()) -> None:
        self.cuts = cuts
        self.asked: list[int] = []

    def picture(self, frame: int) -> Picture:
        self.asked.append(frame)
        shot = sum(cut <= frame for cut in self.cuts)
        blocks = np.random.default_rng(100 + shot).integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3))
        picture = np.kron(blocks, np.ones((4, 4, 1), np.int64)).astype(np.uint8)
        picture[10:30, 10 + frame : 30 + frame] = (128, 110, 100)
        return picture

    def thumbnail(self, frame: int) -> Thumbnail:
        return thumbnail(self.picture(frame))


class BoxSegmenter:
    """Masks are what the boxes enclose; a mask it starts from is added."""

    name, version = "boxes", "1"

    def __init__(self) -> None:
        self.calls: list[int] = []

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        self.calls.append(prompts.frame)
        mask = np.zeros(picture.shape[:2], np.uint8) if before is None else before.copy()
        for box in prompts.gestures:
            assert isinstance(box, Box)
            mask[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = 255
        return Segmented(mask, 0.9)


Confidence = Callable[[int], float]


class ShiftTracker:
    """Shifts keyframes' masks by a pixel a frame; between two it adds both. Every frame is counted."""

    name, version = "shift", "1"

    def __init__(self, confidence: Confidence = lambda _frame: 0.8) -> None:
        self.confidence = confidence
        self.worked: list[int] = []
        self.calls: list[tuple[int, int, tuple[int, ...]]] = []

    def track(
        self,
        frames: Any,
        keyframes: Mapping[int, Mask],
        *,
        first: int,
        last: int,
        cancel: Cancel = lambda: False,
    ) -> Iterator[Tracked]:
        self.calls.append((first, last, tuple(sorted(keyframes))))
        for frame in self._order(sorted(keyframes), first, last):
            if cancel():
                raise Cancelled
            self.worked.append(frame)
            frames.picture(frame)
            parts = [np.roll(mask, frame - key, axis=1) for key, mask in keyframes.items()]
            yield Tracked(frame, np.maximum.reduce(parts), self.confidence(frame))

    @staticmethod
    def _order(keys: list[int], first: int, last: int) -> list[int]:
        forward = [frame for frame in range(keys[0], last + 1) if frame not in keys]
        return [*forward, *(frame for frame in range(keys[0] - 1, first - 1, -1))]


def box_at(frame: int) -> Box:
    """Around the square in a frame."""
    return Box(10 + frame, 10, 30 + frame, 30)


def keyframe(frame: int) -> FramePrompts:
    return FramePrompts(frame, (box_at(frame),))


def document(*objects: ObjectPrompts, first: int = 0, last: int = 20, **more: Any) -> PromptsDocument:
    by = MadeBy("boxes", "1"), MadeBy("shift", "1")
    given = objects or (ObjectPrompts("square", (keyframe(0),)),)
    return PromptsDocument(FILM, first, last, *by, objects=given, **more)


def no_painted(name: str) -> Mask:
    raise AssertionError(f"{name} was asked for")


def work(
    said: PromptsDocument,
    folder: Path,
    *,
    frames: MadeFrames | None = None,
    segmenter: BoxSegmenter | None = None,
    tracker: Tracker | None = None,
    painted: Callable[[str], Mask] = no_painted,
) -> MaskWork:
    return MaskWork(
        said,
        store=MaskStore(folder),
        frames=frames or MadeFrames(),
        segmenter=segmenter or BoxSegmenter(),
        tracker=tracker or ShiftTracker(),
        painted=painted,
    )
