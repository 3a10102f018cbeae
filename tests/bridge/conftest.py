"""The fake Resolve for tests: one per test, and no test may misuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.fake_resolve import Editor, Options


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where the media of one rate are made, once per run."""
    root = tmp_path_factory.mktemp("bridge media")
    return lambda rate: root / rate


@pytest.fixture
def make_editor() -> Iterator[Callable[..., Editor]]:
    """Makes editors (profile, options by name); afterwards none may have seen a violation."""
    made: list[Editor] = []

    def make(profile: str = "studio_20_3", **options: Any) -> Editor:
        made.append(Editor(profile, Options(**options)))
        return made[-1]

    yield make
    for editor in made:
        editor.heal()
        assert editor.violations == []


@pytest.fixture
def editor(make_editor: Callable[..., Editor]) -> Editor:
    """A Studio 20.3 without a project."""
    return make_editor()
