"""Undo and redo of gestures: the document before and after each, and where it was drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

from plugin.masks.documents import PromptsDocument

DEPTH = 500
"""Gestures that can be undone; documents share everything that a gesture left alone."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One gesture.

    Attributes:
        title: for the menu ("Click on violin").
        before: the document it was made on.
        after: the document it made.
        frame: where it can be seen.
        number: the object it is about, from 0.
        drag: parts of one drag are one edit; "" for none.
    """

    title: str
    before: PromptsDocument
    after: PromptsDocument
    frame: int
    number: int
    drag: str = ""


@dataclass(slots=True)
class EditHistory:
    """The document of today and the ways back and forth."""

    document: PromptsDocument
    done: list[Edit] = field(default_factory=list)
    undone: list[Edit] = field(default_factory=list)

    def change(self, edit: Edit) -> bool:
        """Make the edit's document the one of today; whether that changed anything."""
        if edit.after == self.document:
            return False
        last = self.done[-1] if self.done else None
        if last is not None and edit.drag and last.drag == edit.drag and not self.undone:
            self.done[-1] = Edit(edit.title, last.before, edit.after, edit.frame, edit.number, edit.drag)
        else:
            self.done.append(edit)
            del self.done[:-DEPTH]
        self.undone.clear()
        self.document = edit.after
        return True

    def undo(self) -> Edit | None:
        """Go back by one gesture and give it; None when there is none."""
        if not self.done:
            return None
        edit = self.done.pop()
        self.undone.append(edit)
        self.document = edit.before
        return edit

    def redo(self) -> Edit | None:
        """Go forth by one gesture and give it; None when there is none."""
        if not self.undone:
            return None
        edit = self.undone.pop()
        self.done.append(edit)
        self.document = edit.after
        return edit
