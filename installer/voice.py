"""What the installer says and asks."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Voice:
    """Sentences on the terminal; a question is asked only where someone can answer.

    Attributes:
        out: where sentences go.
        answers: where answers come from, None where nobody is.
        verbose: "yes" tells every file.
    """

    out: TextIO = field(default_factory=lambda: sys.stdout)
    answers: TextIO | None = None
    verbose: str = "no"

    @classmethod
    def standard(cls, *, verbose: str) -> Voice:
        """The terminal, or whatever stands in for it."""
        asked = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
        return cls(sys.stdout, sys.stdin if asked else None, verbose)

    def say(self, text: str) -> None:
        """One line."""
        encoding = self.out.encoding or "utf-8"
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        try:
            print(shown, file=self.out, flush=True)
        except BrokenPipeError:  # whoever read it has gone, and the work goes on
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())

    def note(self, text: str) -> None:
        """Something worth a look."""
        self.say(f"  note: {text}")

    def detail(self, text: str) -> None:
        """Something for those who asked for all."""
        if self.verbose == "yes":
            self.say(f"  {text}")

    def agrees(self, question: str) -> bool:
        """The answer to a question; no, when nobody is there or the answer is anything but yes."""
        if self.answers is None:
            return False
        print(f"{question} [y/N] ", end="", file=self.out, flush=True)
        return self.answers.readline().strip().lower() in {"y", "yes"}
