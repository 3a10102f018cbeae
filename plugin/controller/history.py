"""Undo and redo over whole books: what was decided before each edit, and what the edit was."""

from __future__ import annotations

from dataclasses import dataclass, field

from plugin.controller.book import Book

DEPTH = 500
"""Edits that can be undone; books share everything that an edit left alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One edit.

    Attributes:
        title: for the menu ("Change prompt of 3 spots").
        before: the book it was made on.
        after: the book it made.
        gesture: edits of one gesture (a slider being dragged) are one step; "" for none.
    """

    title: str
    before: Book
    after: Book
    gesture: str = ""


@dataclass(slots=True)
class History:
    """The book of today and the ways back and forth."""

    book: Book
    undone: list[Step] = field(default_factory=list)
    done: list[Step] = field(default_factory=list)

    def change(self, after: Book, *, title: str, gesture: str = "") -> bool:
        """Make `after` the book of today; whether that changed anything."""
        if after == self.book:
            return False
        last = self.done[-1] if self.done else None
        if last is not None and gesture and last.gesture == gesture and not self.undone:
            self.done[-1] = Step(title, last.before, after, gesture)
        else:
            self.done.append(Step(title, self.book, after, gesture))
            del self.done[:-DEPTH]
        self.undone.clear()
        self.book = after
        return True

    def undo(self) -> Step | None:
        """Go back by one step and give it; None when there is none."""
        if not self.done:
            return None
        step = self.done.pop()
        self.undone.append(step)
        self.book = step.before
        return step

    def redo(self) -> Step | None:
        """Go forth by one step and give it; None when there is none."""
        if not self.undone:
            return None
        step = self.undone.pop()
        self.done.append(step)
        self.book = step.after
        return step
