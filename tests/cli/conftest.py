"""The command line run in this process, and what it said."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plugin.cli import main

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


@dataclass(frozen=True, slots=True)
class Ran:
    """One finished command line."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    def told(self, *words: str) -> bool:
        """Whether a failure was told in words: all of them, a remedy, and no traceback."""
        return all(word in self.err for word in (*words, "  -> ")) and "Traceback" not in self.err + self.out


Sagafoley = Callable[..., Ran]


@pytest.fixture
def sagafoley(capsys: pytest.CaptureFixture[str]) -> Iterator[Sagafoley]:
    handlers, level = list(logging.root.handlers), logging.root.level

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    yield run
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def golden(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The random-weight bundle, and as what `embedded` stands for."""
    monkeypatch.setenv("SAGAFOLEY_BUNDLES", str(GOLDEN))
    return GOLDEN
