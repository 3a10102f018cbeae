"""What can go wrong between checkpoints and a bundle, told in words."""

from __future__ import annotations


class ExportError(Exception):
    """A failure a user can act on.

    Attributes:
        message: what failed, on which named thing.
        remedy: one imperative sentence.
        detail: what a developer wants to see; may be empty.
    """

    def __init__(self, message: str, *, remedy: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"
