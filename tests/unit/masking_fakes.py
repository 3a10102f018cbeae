"""Makers that are instant and do what a test says, and a mask process that is a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugin.controller.masking.crews import Crew
from plugin.controller.masking.mask_child import Inbox, Propagator
from plugin.cues import MediaFile
from plugin.errors import BadPrompt, Cancelled
from plugin.masks.choosing import Makers
from plugin.masks.documents import Film, MadeBy, PromptsDocument
from plugin.masks.makers import Cancel, Candidate, Frames, Mask, Picture, Segmented, Tracked
from plugin.masks.prompts import Box, Click, FramePrompts, Lasso, Stroke
from tests.media_factory import make_movie

WIDTH, HEIGHT, RATE = 96, 64, 25
GENEROUS = 60.0


@dataclass(slots=True)
class FakeSegmenter:
    """Squares where clicks are, of the size that was chosen; boxes; strokes as squares.

    Attributes:
        asked: every prompt it was asked.
        gate: waits for it before it answers; open unless a test closes it.
    """

    name: str = "fake segmenter"
    version: str = "1"
    asked: list[FramePrompts] = field(default_factory=list)
    befores: list[bool] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    prepared: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def prepare(self, picture: Picture) -> None:
        self.prepared.append(int(picture.shape[1]))

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        self.asked.append(prompts)
        self.befores.append(before is not None)
        assert self.gate.wait(GENEROUS)
        mask = np.zeros(picture.shape[:2], np.uint8) if before is None else before.copy()
        sizes: tuple[Mask, ...] = ()
        for gesture in prompts.gestures:
            match gesture:
                case Click():
                    sizes = tuple(_square(mask, gesture.place, radius) for radius in (4, 8, 12))
                    mask = sizes[1 if gesture.size is None else min(gesture.size, 2)]
                case Box():
                    mask[int(gesture.top) : int(gesture.bottom), int(gesture.left) : int(gesture.right)] = 255
                case Lasso():
                    mask = _square(mask, gesture.places[0], 10)
                case Stroke():
                    mask = _square(mask, gesture.places[0], int(gesture.radius), value=255 * gesture.paints)
        if not mask.any():
            raise BadPrompt("Nothing is there.", remedy="Draw elsewhere.")
        return Segmented(mask, 0.9, sizes)


def _square(mask: Mask, place: tuple[float, float], radius: int, *, value: int = 255) -> Mask:
    made = mask.copy()
    x, y = map(int, place)
    made[max(y - radius, 0) : y + radius, max(x - radius, 0) : x + radius] = value
    return made


@dataclass(slots=True)
class FakeTracker:
    """Every frame has the mask of the nearest keyframe.

    Attributes:
        doubts: confidence by frame; 0.8 where none is said.
        looks: at every frame's picture.
        step: taken before each frame; the gate of a test that wants to stop in between.
    """

    name: str = "fake tracker"
    version: str = "1"
    doubts: Mapping[int, float] = field(default_factory=dict)
    step: threading.Semaphore | None = None
    tracked: list[int] = field(default_factory=list)
    looks: bool = False

    def track(
        self,
        frames: Frames,
        keyframes: Mapping[int, Mask],
        *,
        first: int,
        last: int,
        cancel: Cancel = lambda: False,
    ) -> Iterator[Tracked]:
        anchor = min(keyframes)
        order = sorted(range(first, last + 1), key=lambda frame: abs(frame - anchor))
        for frame in order:
            if self.step is not None:
                assert self.step.acquire(timeout=GENEROUS)
            if cancel():
                raise Cancelled
            if self.looks:
                frames.picture(frame)
            self.tracked.append(frame)
            nearest = min(keyframes, key=lambda key: abs(key - frame))
            sure = 1.0 if frame in keyframes else self.doubts.get(frame, 0.8)
            yield Tracked(frame, keyframes[nearest], sure)


@dataclass(slots=True)
class FakeFinder:
    """Finds what a test says, by words, and counts how often it is opened and let go of.

    Attributes:
        places: by words.
        fault: raised when it is opened.
        gate: waits for it before it answers; open unless a test closes it.
    """

    name: str = "fake finder"
    version: str = "1"
    places: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)
    fault: Exception | None = None
    asked: list[tuple[str, int]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    open: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    @contextmanager
    def opened(self, words: str) -> Iterator[FakeFinder]:
        if self.fault is not None:
            raise self.fault
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1

    def find(self, picture: Picture, words: str) -> tuple[Candidate, ...]:
        self.asked.append((words, int(picture.shape[1])))
        assert self.gate.wait(GENEROUS)
        return self.places.get(words, ())


@dataclass(slots=True)
class _Queue:
    """Stands for the line to the desk."""

    told: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)

    def tell(self, message: dict[str, Any]) -> None:
        self.told.put(message)


class ThreadChild:
    """A mask process that is a thread, with the makers of a test."""

    def __init__(self, makers: Makers) -> None:
        @contextmanager
        def opened(choice: str) -> Iterator[Makers]:
            yield makers

        self._line, self._inbox = _Queue(), Inbox()
        self._propagator = Propagator(self._line, self._inbox, open_makers=opened)  # type: ignore[arg-type]
        self._threads: list[threading.Thread] = []
        self.exit_status: int | None = None
        self.killed = self.closed = False

    def send(self, message: dict[str, Any]) -> None:
        if message["do"] == "cancel":
            self._inbox.cancelled.add(message["item"])
            return
        thread = threading.Thread(target=self._propagator.answer, args=(message,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def messages(self) -> list[dict[str, Any]]:
        told = []
        while not self._line.told.empty():
            told.append(self._line.told.get())
        return told

    def last_words(self) -> str:
        return "the end"

    def kill(self) -> None:
        self.killed = True

    def close(self) -> None:
        self.closed = True


def made_film(folder: Path, *, frames: int = 20, draw: Any = None) -> Film:
    """A movie, and what documents say of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "shot.mp4"
    make_movie(path, rate=RATE, frames=frames, draw=draw or plain, options={"crf": "30"})
    return Film(MediaFile(path), "ab" * 32, Fraction(RATE), frames, WIDTH, HEIGHT)


def plain(index: int) -> NDArray[np.uint8]:
    """A grey frame."""
    return np.full((HEIGHT, WIDTH, 3), 90, np.uint8)


def two_shots(index: int) -> NDArray[np.uint8]:
    """Large coloured blocks, others from frame 10 on."""
    blocks = np.random.default_rng(1 if index < 10 else 2).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((HEIGHT // 4, WIDTH // 6, 1), np.uint8))


def empty_document(film: Film, *, first: int = 0, last: int | None = None) -> PromptsDocument:
    end = film.frames - 1 if last is None else last
    made = MadeBy("fake segmenter", "1"), MadeBy("fake tracker", "1")
    return PromptsDocument(film, first, end, *made)


def crew_of(segmenter: FakeSegmenter, finder: FakeFinder | None = None) -> Crew:
    words = "fake segmenter, no model", "fake tracker, no model"
    tracker = MadeBy("fake tracker", "1")
    return Crew(
        segmenter, tracker, "fake", *words, clicks_need_model=False, find=(finder or FakeFinder()).opened
    )
