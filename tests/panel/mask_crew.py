"""Makers of masks that answer at once, and a mask process that is none, for tests of mask mode's page."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from plugin.controller.masking.crews import Crew
from plugin.controller.masking.mask_child import Inbox, Propagator
from plugin.controller.masking.opening import open_target
from plugin.controller.masking.session import MaskSession
from plugin.controller.masking.targets import MaskTarget
from plugin.controller.wire import Message
from plugin.cues import MediaFile
from plugin.errors import Cancelled, SagafoleyError
from plugin.masks.documents import MadeBy
from plugin.masks.makers import Cancel, Candidate, Frames, Mask, Picture, Segmented, Tracked
from plugin.masks.prompts import Box, Click, FramePrompts, Lasso, Stroke
from plugin.masks.results import MaskStore
from tests.media_factory import make_movie

WIDTH, HEIGHT, FRAMES = 160, 90, 40
SIZES = (6, 12, 24)
"""Half the side of what a single click could mean, source pixels."""


@dataclass
class QuickSegmenter:
    """Squares around clicks, boxes as they are; `gate` holds the answer back."""

    name: str = "quick"
    version: str = "1"
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def segment(self, picture: Picture, prompts: FramePrompts, *, before: Mask | None = None) -> Segmented:
        self.gate.wait(20)
        made = np.zeros(picture.shape[:2], np.uint8) if before is None else before.copy()
        candidates: tuple[Mask, ...] = ()
        for gesture in prompts.gestures:
            if isinstance(gesture, Click) and gesture.inside and len(prompts.gestures) == 1:
                candidates = tuple(_square(made.shape, gesture, half) for half in SIZES)
                made = candidates[1 if gesture.size is None else gesture.size]
            else:
                _draw(made, gesture)
        return Segmented(made, 0.9, candidates)


def _square(shape: tuple[int, ...], click: Click, half: int) -> Mask:
    made = np.zeros(shape, np.uint8)
    x, y = (round(each) for each in click.place)
    made[max(0, y - half) : y + half, max(0, x - half) : x + half] = 255
    return made


def _draw(made: Mask, gesture: Click | Box | Lasso | Stroke) -> None:
    if isinstance(gesture, Box):
        made[round(gesture.top) : round(gesture.bottom), round(gesture.left) : round(gesture.right)] = 255
        return
    places = (gesture.place,) if isinstance(gesture, Click) else gesture.places
    adds = gesture.paints if isinstance(gesture, Stroke) else gesture.inside
    left, right = round(min(x for x, _ in places)), round(max(x for x, _ in places)) + 1
    top, bottom = round(min(y for _, y in places)), round(max(y for _, y in places)) + 1
    made[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2] = 255 if adds else 0


@dataclass(slots=True)
class QuickFinder:
    """Finds what a test says, whatever the words; `gate` holds the answer back, `fault` is raised instead."""

    name: str = "quick"
    version: str = "1"
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    fault: SagafoleyError | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    @contextmanager
    def opened(self, words: str) -> Iterator[QuickFinder]:
        if self.fault is not None:
            raise self.fault
        yield self

    def find(self, picture: Picture, words: str) -> tuple[Candidate, ...]:
        self.gate.wait(20)
        scores = (0.9 - 0.08 * number for number in range(len(self.boxes)))
        return tuple(
            Candidate(Box(*box, words), score) for box, score in zip(self.boxes, scores, strict=False)
        )


@dataclass(slots=True)
class SteadyTracker:
    """The nearest keyframe's mask in every frame, as surely as `surety` says.

    Attributes:
        surety: confidence by frame.
        room: how many frames may still be made; None for any number.
    """

    name: str = "steady"
    version: str = "1"
    surety: Callable[[int], float] = lambda _frame: 0.9
    room: threading.Semaphore | None = None

    def track(
        self,
        frames: Frames,
        keyframes: Mapping[int, Mask],
        *,
        first: int,
        last: int,
        cancel: Cancel = lambda: False,
    ) -> Iterator[Tracked]:
        for frame in sorted(
            range(first, last + 1), key=lambda each: min(abs(each - key) for key in keyframes)
        ):
            self._wait(cancel)
            nearest = min(keyframes, key=lambda key: abs(key - frame))
            sure = 1.0 if frame in keyframes else self.surety(frame)
            yield Tracked(frame, keyframes[nearest], sure)

    def _wait(self, cancel: Cancel) -> None:
        while not cancel():
            if self.room is None or self.room.acquire(timeout=0.02):
                return
        raise Cancelled


class InlineChild:
    """Answers orders as the mask process does, in a thread of this one."""

    def __init__(self, tracker: SteadyTracker) -> None:
        self._told: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._inbox = Inbox()
        makers = nullcontext(SimpleNamespace(tracker=tracker))
        self._propagator = Propagator(self, self._inbox, lambda _choice: makers)  # type: ignore[arg-type]
        self._threads: list[threading.Thread] = []
        self.exit_status: int | None = None

    def tell(self, message: Message) -> None:
        self._told.put(message)

    def send(self, message: Message) -> None:
        if message["do"] == "cancel":
            self._inbox.cancelled.add(message["item"])
            return
        thread = threading.Thread(target=self._propagator.answer, args=(message,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def messages(self) -> list[Message]:
        found = []
        while not self._told.empty():
            found.append(self._told.get())
        return found

    def last_words(self) -> str:
        return ""

    def kill(self) -> None:
        self.exit_status = -9

    def close(self) -> None:
        for thread in self._threads:
            thread.join(5)


@dataclass(slots=True)
class Crewed:
    """A session over a short film, and the makers to play with."""

    session: MaskSession
    segmenter: QuickSegmenter
    tracker: SteadyTracker
    finder: QuickFinder


def draw(index: int) -> Picture:
    """A bright square that wanders over a dark ground."""
    made = np.full((HEIGHT, WIDTH, 3), 50, np.uint8)
    made[30:60, 20 + index : 50 + index] = (220, 160, 60)
    return made


def crewed(
    folder: Path,
    *,
    ready: Callable[[], None],
    clicks_need_model: bool = False,
    frames: int = FRAMES,
    label: str = "violin",
) -> Crewed:
    """A session on a film of that many frames."""
    film = folder / "film.mp4"
    if not film.exists():
        folder.mkdir(parents=True, exist_ok=True)
        make_movie(film, rate=25, frames=frames, draw=draw)
    segmenter, tracker, finder = QuickSegmenter(), SteadyTracker(), QuickFinder()
    made_by = MadeBy("steady", "1")
    crew = Crew(segmenter, made_by, "steady", "quick", "steady", clicks_need_model, find=finder.opened)
    opened = open_target(
        MaskTarget("film.mp4", MediaFile(film), label=label),
        folder=folder / "masks",
        store=MaskStore(folder / "store"),
        open_crew=lambda: crew,
    )
    session = MaskSession(opened.shot, opened.desktop, ready=ready, start=lambda: InlineChild(tracker))
    return Crewed(session, segmenter, tracker, finder)
