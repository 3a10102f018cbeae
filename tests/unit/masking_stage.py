"""A mask session on a short film with makers that are instant, and what a test asks of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from plugin.controller.masking.desktops import Desktop
from plugin.controller.masking.session import MaskSession
from plugin.controller.masking.targets import MaskTarget, Shot
from plugin.controller.masking.views import Direction, FrameState
from plugin.masks.choosing import Makers
from plugin.masks.document_files import read_document
from plugin.masks.results import MaskStore
from tests.unit.masking_fakes import (
    GENEROUS,
    FakeFinder,
    FakeSegmenter,
    FakeTracker,
    ThreadChild,
    crew_of,
    empty_document,
    made_film,
)

LAST = 19


class Stage:
    """A session over a film of 20 frames, its makers, and everything it said."""

    def __init__(self, folder: Path, **film: object) -> None:
        self.folder = folder
        self.film = made_film(folder / "media", **film)  # type: ignore[arg-type]
        self.segmenter, self.tracker, self.finder = FakeSegmenter(), FakeTracker(), FakeFinder()
        self.said: list[str] = []
        self.children: list[ThreadChild] = []
        self.sessions: list[MaskSession] = []
        self.path = folder / "masks" / "shot.prompts.json"
        self.session = self.begin()

    def begin(self, *, first: int = 0, last: int = LAST) -> MaskSession:
        shot = Shot(MaskTarget("shot", self.film.media), self.film, first, last, first, last)
        known = read_document(self.path) if self.path.exists() else None
        document = known or empty_document(self.film, first=first, last=last)
        desktop = Desktop(
            crew_of(self.segmenter, self.finder),
            MaskStore(self.folder / "store"),
            document,
            self.path,
            self.folder / "out",
        )
        self.session = MaskSession(shot, desktop, start=self.start)
        self.sessions.append(self.session)
        return self.session

    def start(self) -> ThreadChild:
        self.children.append(
            ThreadChild(Makers(self.segmenter, self.tracker, "fakes", clicks_are_guesses=False))
        )
        return self.children[-1]

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + GENEROUS
        while True:
            self.said += self.session.beat().messages
            if condition():
                return
            assert time.monotonic() < end, (self.said, self.session.tracking, self.session.picture)
            time.sleep(0.002)

    def settle(self) -> None:
        """Nothing is under way, and the frame under the playhead is on the screen."""
        session = self.session
        for _ in range(2):  # what came while it was looked at is taken by the beat after
            self.until(
                lambda: (
                    not session.busy
                    and session.picture is not None
                    and session.picture.frame == session.frame
                )
            )

    def track(self, direction: Direction = Direction.BOTH, *, anyway: bool = False) -> None:
        self.session.track(direction, anyway=anyway)
        self.settle()

    def states(self) -> str:
        """The strip, a letter per frame."""
        strip = self.session.strip()
        assert strip is not None
        return "".join(LETTERS[one.state] for one in strip.frames)


LETTERS = {
    FrameState.KEYFRAME: "K",
    FrameState.TRACKED: "t",
    FrameState.STALE: "s",
    FrameState.LOST: "l",
    FrameState.ABSENT: "a",
    FrameState.GAP: ".",
}
