"""Objects looked for by words in a frame of a mask session; what is found is numbered, and one is chosen."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass, replace

from plugin.controller.background import Background
from plugin.controller.chores import unforeseen
from plugin.controller.masking.crews import BY_HAND, OpenFinder
from plugin.controller.masking.films import MakersFrames
from plugin.controller.masking.views import FindingView, FoundPlace
from plugin.errors import BadPrompt, SagafoleyError, UsageError
from plugin.masks.documents import Film
from plugin.masks.finders import LONGEST_WORDS
from plugin.masks.makers import Candidate
from plugin.masks.prompts import Box

_PATIENCE = 0.2
"""Seconds that the thread gets to end; one that is in the middle of a picture ends by itself."""

_KEPT = 16
"""Answers that are remembered."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was looked for, and where."""

    words: str
    frame: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of it; `error` says why nothing did."""

    asked: _Asked
    found: tuple[Candidate, ...] = ()
    error: SagafoleyError | None = None


class Finding:
    """Looks for words in a thread of its own; belongs to the window's thread. End it with `close`.

    The finder is opened for each search and let go of after it: its memory belongs to the editor's program.
    The same words in the same frame are answered from memory.
    """

    def __init__(self, film: Film, *, find: OpenFinder, ready: Callable[[], None] = lambda: None) -> None:
        """Nothing is looked for.

        Args:
            film: what is looked at.
            find: opens the finder.
            ready: called from another thread when `poll` has something.
        """
        self._film = film
        self._find = find
        self._ready = ready
        self._thread = Background("mask finder")
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._known: dict[_Asked, tuple[Candidate, ...]] = {}
        self._asked: _Asked | None = None
        self._changed = False
        self.view = FindingView()
        """What is looked for or was found."""

    def look(self, words: str, *, frame: int) -> None:
        """Look for words in a frame; what was found before is put away.

        Raises:
            UsageError: there are no words, or too many.
        """
        plain = " ".join(words.split())
        if not plain:
            raise UsageError(
                "There is no word to look for.", remedy="Say what the object is, such as violin."
            )
        if len(plain) > LONGEST_WORDS:
            raise UsageError(
                f"The words have {len(plain)} characters, more than {LONGEST_WORDS}.",
                remedy="Say in a few words what it is, such as 'red drum'.",
            )
        asked = self._asked = _Asked(plain, frame)
        self._show(FindingView(plain, frame, looking=True))
        known = self._known.get(asked)
        if known is not None:
            self._take(_Answer(asked, known))
        else:
            self._thread.put("find", lambda: self._tell(self._answer(asked)))

    def dismiss(self) -> bool:
        """Put away what was found, and what is said of it; do not wait for what is looked for."""
        was = self.view != FindingView()
        self._asked = None
        self._show(FindingView())
        return was

    def take(self, number: int, *, frame: int) -> Box | None:
        """The place of a number from 1, which carries the words; None where there is none in that frame."""
        if frame != self.view.frame:
            return None
        box = next((place.box for place in self.view.places if place.number == number), None)
        if box is not None:
            self.dismiss()
        return box

    def poll(self) -> bool:
        """Take what has come; whether `view` is another one than at the last call."""
        while not self._answers.empty():
            self._take(self._answers.get())
        changed, self._changed = self._changed, False
        return changed

    def close(self) -> None:
        """Look for nothing any more."""
        self._asked = None
        self._thread.close(patience=_PATIENCE)

    def _show(self, view: FindingView) -> None:
        self._changed |= view != self.view
        self.view = view

    def _tell(self, answer: _Answer) -> None:
        self._answers.put(answer)
        self._ready()

    def _answer(self, asked: _Asked) -> _Answer:
        frames = MakersFrames(self._film)
        try:
            with self._find(asked.words) as finder:
                return _Answer(asked, finder.find(frames.picture(asked.frame), asked.words))
        except SagafoleyError as error:
            return _Answer(asked, error=error)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it must be told, not lost
            return _Answer(asked, error=unforeseen("looking for words", error))
        finally:
            frames.close()

    def _take(self, answer: _Answer) -> None:
        if answer.error is None:
            self._known[answer.asked] = answer.found
            if len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
        if answer.asked != self._asked:
            return  # it was dismissed, or something else is looked for by now
        asked, error = answer.asked, answer.error
        if error is None and not answer.found:
            error = _nothing(asked)
        view = FindingView(asked.words, asked.frame)
        if error is not None:
            view = replace(view, notice=error.message, remedy=error.remedy)
        self._show(replace(view, places=tuple(_places(answer.found))))


def _nothing(asked: _Asked) -> BadPrompt:
    return BadPrompt(
        f"Nothing in frame {asked.frame} looks like {asked.words!r}.",
        remedy=f"Look in a frame in which it is seen well, say another word, or {BY_HAND}.",
    )


def _places(found: tuple[Candidate, ...]) -> list[FoundPlace]:
    return [FoundPlace(number, one.box, one.score) for number, one in enumerate(found, start=1)]
